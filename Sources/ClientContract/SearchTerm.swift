/// The kinds of term that the contract names ("Buscar clientes por termo").
public enum TermKind: String, Sendable, CaseIterable {
    case phone, cpf, email, name
}

/// A search term, read as one kind. Prints masked.
public enum SearchTerm: Sendable, Hashable {
    case phone(PhoneNumber)
    case cpf(CPF)
    case email(String)
    case name(String)

    public var kind: TermKind {
        switch self {
        case .phone: .phone
        case .cpf: .cpf
        case .email: .email
        case .name: .name
        }
    }

    /// The longest name and the longest term, in Unicode scalars.
    public static let longest = 500

    /// Every reading of a text as a kind, the likeliest first; empty when it cannot be one. Only a phone can have two:
    /// digits that are a mobile of another country, as the contract sends numbers, and a Brazilian number as well.
    ///
    /// White space around the text does not count. A phone is written without letters (an extension belongs to no
    /// term); a CPF with its dots and hyphen is no phone; a name has no `@` and may be all digits, since a client
    /// without a name has the phone as its name.
    public static func readings(
        of text: String, as kind: TermKind, context: PhoneContext = PhoneContext()
    ) -> [SearchTerm] {
        let sources: [PhoneContext.Source] = kind == .phone ? [.caller, .record] : [.caller]
        var readings: [SearchTerm] = []
        for source in sources {
            if let term = SearchTerm(text, as: kind, from: context.from(source)), !readings.contains(term) {
                readings.append(term)
            }
        }
        return readings
    }

    /// The likeliest reading of a text as a kind; nil when it cannot be one.
    public init?(_ text: String, as kind: TermKind, context: PhoneContext = PhoneContext()) {
        self.init(text, as: kind, from: context.from(.caller))
    }

    private init?(_ text: String, as kind: TermKind, from context: PhoneContext) {
        let text = PersonText.trimmed(text)
        guard text.unicodeScalars.count <= SearchTerm.longest, !PersonText.hasControls(text) else { return nil }
        switch kind {
        case .phone:
            guard !SearchTerm.isPunctuatedCPF(text),
                let phone = PhoneNumber(text, context: context, whole: true)
            else { return nil }
            self = .phone(phone)
        case .cpf:
            guard let cpf = CPF(text) else { return nil }
            self = .cpf(cpf)
        case .email:
            guard PersonText.isEmail(text) else { return nil }
            self = .email(text)
        case .name:
            guard !text.isEmpty, !text.contains("@") else { return nil }
            self = .name(text)
        }
    }

    /// Whether a client matches exactly, after normalisation, against everything on record.
    public func matches(_ client: Client) -> Bool {
        switch self {
        case .phone(let phone): client.reaches(phone)
        case .cpf(let cpf): client.cpf == cpf
        case .email(let email): client.email.map(PersonText.emailKey) == PersonText.emailKey(email)
        case .name(let name): PersonText.nameKey(client.name) == PersonText.nameKey(name)
        }
    }

    /// `123.456.789-00`
    private static func isPunctuatedCPF(_ text: String) -> Bool {
        text.utf8.count == 14
            && text.utf8.enumerated().allSatisfy { place, byte in
                switch place {
                case 3, 7: byte == UInt8(ascii: ".")
                case 11: byte == UInt8(ascii: "-")
                default: byte &- 0x30 < 10
                }
            }
    }

    /// The member of a client that the comparison reads.
    public var field: ClientField {
        switch self {
        case .phone: .phone
        case .cpf: .cpf
        case .email: .email
        case .name: .name
        }
    }
}
