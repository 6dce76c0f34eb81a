/// A fictional patient whom the mock's owner puts on record. Prints masked.
public struct MockPerson: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var name: String
    /// Country code and number, digits only (`5511999999999`).
    public var phones: [String]
    /// Eleven digits.
    public var cpf: String?
    public var email: String?
    /// `yyyy-MM-dd`
    public var birthday: String?
    public var notes: String?
    /// An address. Dialects whose records hold pictures make one of it.
    public var photo: String?

    public init(
        name: String, phones: [String] = [], cpf: String? = nil, email: String? = nil, birthday: String? = nil,
        notes: String? = nil, photo: String? = nil
    ) {
        self.name = name
        self.phones = phones
        self.cpf = cpf
        self.email = email
        self.birthday = birthday
        self.notes = notes
        self.photo = photo
    }

    public var description: String { "a patient" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Person {
    init(_ person: MockPerson) {
        let order: [Phone.Kind] = [.mobile, .landline, .foreign]
        let phones = person.phones.map { Phone(international: $0) }
        self.init(
            name: person.name, phones: order.flatMap { kind in phones.filter { $0.kind == kind } }, cpf: person.cpf,
            email: person.email, birthday: person.birthday.flatMap { CivilDate(iso: $0) }, notes: person.notes,
            photo: person.photo, isPlain: true)
    }
}

extension Phone {
    /// Reads country code and number. Brazilian mobiles of eight digits begin with 6 to 9.
    init(international digits: String) {
        let national = String(digits.dropFirst(2))
        switch digits.utf8.count {
        case 13 where digits.hasPrefix("55"): self.init(kind: .mobile, digits: national)
        case 12 where digits.hasPrefix("55"):
            let first = national.dropFirst(2).first ?? "0"
            self.init(kind: first >= "6" ? .mobile : .landline, digits: national)
        default: self.init(kind: .foreign, digits: digits)
        }
    }
}
