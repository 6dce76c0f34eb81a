import JSONBytes

/// What to do with values that the contract leaves open.
public struct InputRules: Sendable {
    /// Refuse CPFs whose check digits are wrong. Off by default: the contract's own examples fail them.
    public var cpfCheckDigits: Bool
    public var phones: PhoneContext

    public init(cpfCheckDigits: Bool = false, phones: PhoneContext = PhoneContext()) {
        self.cpfCheckDigits = cpfCheckDigits
        self.phones = phones
    }
}

/// A client to be created ("Criar um novo cliente"). Prints masked.
public struct ClientDraft: Sendable, Equatable {
    public var name: String
    public var phone: PhoneNumber
    public var email: String?
    public var birthday: Birthday?
    public var cpf: CPF?
    /// Id of the health insurance in the clinic's system.
    public var healthInsurance: String?
    /// Id of the location in the clinic's system.
    public var location: String?
    /// The members of the body that the contract does not name. They are ignored, as its examples demand, and do not make
    /// two drafts differ.
    public var ignored = IgnoredMembers()

    public init(
        name: String, phone: PhoneNumber, email: String? = nil, birthday: Birthday? = nil, cpf: CPF? = nil,
        healthInsurance: String? = nil, location: String? = nil
    ) {
        self.name = name
        self.phone = phone
        self.email = email
        self.birthday = birthday
        self.cpf = cpf
        self.healthInsurance = healthInsurance
        self.location = location
    }

    public static func == (a: ClientDraft, b: ClientDraft) -> Bool {
        a.name == b.name && a.phone == b.phone && a.email == b.email && a.birthday == b.birthday && a.cpf == b.cpf
            && a.healthInsurance == b.healthInsurance && a.location == b.location
    }

    /// Reads the body of `POST /clients`. Null and blank are absent; members that the contract does not name are
    /// ignored; one that it names and that is given twice is a fault, since one of the values would be lost.
    /// - Throws: `ContractError.invalidInput` that lists every fault by its JSON pointer, or says that the body is
    ///   not JSON or not an object.
    public init(body: [UInt8], rules: InputRules = InputRules()) throws(ContractError) {
        var input = try InputObject(body, nullIsAbsent: true)
        let name = input.text("name", required: true, limit: SearchTerm.longest)
        let phone = input.value("phone", required: true, "is not a phone number: send it with country and area code") {
            PhoneNumber($0, context: rules.phones.from(.caller), whole: true)
        }
        email = input.email()
        birthday = input.birthday()
        cpf = input.cpf(rules)
        healthInsurance = input.text("healthInsurance", limit: 200)
        location = input.text("location", limit: 200)
        ignored = input.ignored(beside: [
            "name", "phone", "email", "birthday", "cpf", "healthInsurance", "location",
        ])
        try input.finish()
        guard let name, let phone else { throw ContractError.invalidInput([]) }
        self.name = name
        self.phone = phone
    }
}

/// What to change in a client ("Atualizar um cliente por ID"); what is nil stays. Prints masked.
public struct ClientPatch: Sendable, Equatable {
    public var name: String?
    public var email: String?
    public var cpf: CPF?
    public var birthday: Birthday?
    /// The members of the body that the contract does not name; they do not make two patches differ.
    public var ignored = IgnoredMembers()

    public var isEmpty: Bool { name == nil && email == nil && cpf == nil && birthday == nil }

    public init(name: String? = nil, email: String? = nil, cpf: CPF? = nil, birthday: Birthday? = nil) {
        self.name = name
        self.email = email
        self.cpf = cpf
        self.birthday = birthday
    }

    public static func == (a: ClientPatch, b: ClientPatch) -> Bool {
        a.name == b.name && a.email == b.email && a.cpf == b.cpf && a.birthday == b.birthday
    }

    /// Reads the body of `PATCH /clients/{id}`. The contract cannot clear a member, so null and blank are refused; it cannot
    /// change a phone either, so `phone` and `allPhones` are refused rather than lost. Other unknown members are
    /// ignored.
    /// - Throws: `ContractError.invalidInput` that lists every fault by its JSON pointer, or says that the body is
    ///   not JSON or not an object.
    public init(body: [UInt8], rules: InputRules = InputRules()) throws(ContractError) {
        var input = try InputObject(body, nullIsAbsent: false)
        name = input.text("name", limit: SearchTerm.longest)
        email = input.email()
        cpf = input.cpf(rules)
        birthday = input.birthday()
        for member in ["phone", "allPhones"] {
            input.refuse(member, "cannot be changed: the contract's update has no phone")
        }
        ignored = input.ignored(beside: ["name", "email", "cpf", "birthday", "phone", "allPhones"])
        try input.finish()
    }
}

/// An object read member by member, gathering every fault.
private struct InputObject {
    let members: [(key: String, value: JSONValue)]
    let nullIsAbsent: Bool
    var faults: [ContractError.Fault] = []

    init(_ body: [UInt8], nullIsAbsent: Bool) throws(ContractError) {
        let document: JSONDocument
        do {
            document = try JSONDocument(body, limits: JSONLimits(depth: 32))
        } catch {
            throw ContractError.invalidInput([ContractError.Fault("", "is not JSON: \(error)")])
        }
        guard document.root.kind == .object else {
            throw ContractError.invalidInput([ContractError.Fault("", "must be a JSON object")])
        }
        members = document.root.members
        self.nullIsAbsent = nullIsAbsent
    }

    mutating func fault(_ member: String, _ message: String) {
        faults.append(ContractError.Fault("/" + member, message))
    }

    mutating func refuse(_ member: String, _ message: String) {
        if members.contains(where: { $0.key == member }) { fault(member, message) }
    }

    mutating func value<Value>(
        _ member: String, required: Bool = false, _ complaint: String, limit: Int = 500, _ read: (String) -> Value?
    ) -> Value? {
        let given = members.lazy.filter { $0.key == member }.map(\.value)
        guard let value = given.first else {
            if required { fault(member, "is required") }
            return nil
        }
        guard given.dropFirst().isEmpty else {
            fault(member, "is given more than once")
            return nil
        }
        if value.isNull {
            if !nullIsAbsent {
                fault(member, "is null: leave it out to keep what is on record; nothing can be cleared")
            } else if required {
                fault(member, "is required")
            }
            return nil
        }
        guard let raw = value.string else {
            fault(member, "must be a string")
            return nil
        }
        guard !value.hasLoneSurrogate, !raw.utf8.contains(0) else {
            fault(member, "is not text")
            return nil
        }
        // Characters as JSON Schema's `maxLength` counts them.
        guard raw.unicodeScalars.count <= limit else {
            fault(member, "is longer than \(limit) characters")
            return nil
        }
        let text = PersonText.trimmed(raw)
        guard !text.isEmpty else {
            if required || !nullIsAbsent { fault(member, "is blank") }
            return nil
        }
        guard let result = read(text) else {
            fault(member, complaint)
            return nil
        }
        return result
    }

    mutating func text(_ member: String, required: Bool = false, limit: Int) -> String? {
        value(member, required: required, "holds control characters", limit: limit) { text in
            PersonText.hasControls(text) ? nil : text
        }
    }

    mutating func email() -> String? {
        value("email", "is not an e-mail address", limit: 254) { PersonText.isEmail($0) ? $0 : nil }
    }

    mutating func birthday() -> Birthday? {
        value("birthday", "is not a day written YYYY-MM-DD") { Birthday($0) }
    }

    mutating func cpf(_ rules: InputRules) -> CPF? {
        value("cpf", rules.cpfCheckDigits ? "is not a CPF with valid check digits" : "is not eleven digits") { text in
            CPF(text).flatMap { rules.cpfCheckDigits && !$0.hasValidCheckDigits ? nil : $0 }
        }
    }

    func ignored(beside known: Set<String>) -> IgnoredMembers {
        var ignored = IgnoredMembers()
        for member in members where !known.contains(member.key) { ignored.count(member.key) }
        return ignored
    }

    func finish() throws(ContractError) {
        if !faults.isEmpty { throw ContractError.invalidInput(faults) }
    }
}
