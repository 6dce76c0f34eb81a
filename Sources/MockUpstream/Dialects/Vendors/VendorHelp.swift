/// What the vendors' files share: spellings of a person's members, and envelopes that many have.

extension Person {
    /// The first number that goes where mobiles do; those of other countries do too.
    var mobile: Phone? { phones.first { $0.kind != .landline } }
    var landline: Phone? { phones.first { $0.kind == .landline } }
    /// The second number that goes where mobiles do.
    var secondMobile: Phone? { phones.filter { $0.kind != .landline }.dropFirst().first }
    var firstName: String { name.split(separator: " ").first.map(String.init) ?? "" }
    var lastName: String { name.split(separator: " ").dropFirst().joined(separator: " ") }
}

extension Phone {
    /// `11999999999`; `+351912345678` for other countries.
    var national: String { kind == .foreign ? "+" + digits : digits }
    /// `5511999999999`, `351912345678`.
    var international: String { kind == .foreign ? digits : "55" + digits }
    /// `+5511999999999`, `+351912345678`.
    var e164: String { "+" + international }
    /// As the clerk of the day wrote it: one way after the other.
    func written(_ place: Int, _ ways: [PhoneWriting]) -> String {
        kind == .foreign || ways.isEmpty ? e164 : ways[place % ways.count].write(self)
    }
}

/// Spellings in which Brazilian numbers stand in clinics' systems.
enum PhoneWriting: Sendable, CaseIterable {
    /// `+5511999999999`, `(11) 99999-9999`, `11999999999`, `5511999999999`
    case e164, masked, national, international
    /// `+55 11 99999-9999`, `(11)99999-9999`, `11 99999-9999`, `+55 (11) 99999-9999`
    case spaced, tight, bare, plusMasked

    func write(_ phone: Phone) -> String {
        switch self {
        case .e164: phone.e164
        case .masked: phone.punctuated()
        case .national: phone.national
        case .international: phone.international
        case .spaced: "+55 \(phone.digits.prefix(2)) \(phone.withoutDDD())"
        case .tight: "(\(phone.digits.prefix(2)))\(phone.withoutDDD())"
        case .bare: "\(phone.digits.prefix(2)) \(phone.withoutDDD())"
        case .plusMasked: "+55 \(phone.punctuated())"
        }
    }

    /// Whether a text is a number written so.
    func fits(_ text: String) -> Bool {
        var digits = Text.digits(text)
        switch self {
        case .international:
            // A number of another country stands without its plus.
            if !digits.hasPrefix("55") {
                return digits == text && (10...15).contains(digits.utf8.count) && !PhoneWriting.isNational(digits)
            }
            digits = String(digits.dropFirst(2))
        case .e164, .spaced, .plusMasked: digits = String(digits.dropFirst(2))
        default: break
        }
        return PhoneWriting.isNational(digits) && write(Phone(kind: .mobile, digits: digits)) == text
    }

    /// Ten digits, or eleven whose third is the mobiles' nine.
    private static func isNational(_ digits: String) -> Bool {
        digits.utf8.count == 10 || (digits.utf8.count == 11 && digits.dropFirst(2).hasPrefix("9"))
    }

    static func isForeign(_ text: String) -> Bool {
        text.hasPrefix("+") && !text.hasPrefix("+55") && (8...15).contains(Text.digits(text).utf8.count)
    }
}

extension SearchKeys {
    /// Reads what a record can be searched by from the places of its members.
    static func from(
        name: [String], phones: [String] = [], cpf: String? = nil, email: String = "email"
    ) -> @Sendable (MockJSON) -> SearchKeys {
        { record in
            SearchKeys(
                phones: phones.compactMap { record.at($0)?.scalar }.map { Text.digits($0) },
                cpf: cpf.flatMap { record.at($0)?.scalar }.map { Text.digits($0) },
                emails: [record.at(email)?.scalar].compactMap { $0 }.map { Text.folded($0) },
                name: Text.folded(name.compactMap { record.at($0)?.scalar }.joined(separator: " ")))
        }
    }
}

extension [VendorFault] {
    /// Field to messages, as many frameworks say it.
    var byField: MockJSON {
        var map: MockJSON = [:]
        for fault in self { map[fault.field] = .array((map[fault.field]?.elements ?? []) + [.text(fault.message)]) }
        return map
    }

    var sentence: String { map { "\($0.field): \($0.message)" }.joined(separator: "; ") }
}

extension MockJSON {
    /// The id of a new record and nothing else.
    static func idAlone(_ member: String, asNumber: Bool = true) -> @Sendable (String, MockJSON) -> MockJSON {
        { id, _ in .object([Member(key: member, value: asNumber ? .number(id) : .text(id))]) }
    }
}

enum VendorID {
    /// A UUID whose tail is the place's number.
    static func uuid(_ place: Int) -> String { "5f0e7a10-4c2b-4d1e-9a3f-\(Text.padded(1_001 + place, to: 12))" }
}

extension VendorTrouble {
    /// The status that most systems answer.
    var status: Int {
        switch self {
        case .credentialsMissing, .credentialsWrong: 401
        case .noRoute, .absent: 404
        case .wrongMethod: 405
        case .badBody, .invalid: 400
        case .duplicate: 409
        case .tooManyCalls: 429
        }
    }

    var portuguese: String {
        switch self {
        case .credentialsMissing: "Credencial não informada"
        case .credentialsWrong: "Credencial inválida"
        case .noRoute: "Recurso inexistente"
        case .wrongMethod: "Método não permitido"
        case .badBody: "Corpo inválido"
        case .invalid(let faults): faults.sentence
        case .absent: "Paciente não encontrado"
        case .duplicate(let fault): fault.message
        case .tooManyCalls: "Limite de requisições excedido"
        }
    }

    var english: String {
        switch self {
        case .credentialsMissing, .credentialsWrong: "Unauthorized"
        case .noRoute: "Not found"
        case .wrongMethod: "Method not allowed"
        case .badBody: "Bad request"
        case .invalid(let faults): faults.sentence
        case .absent: "Patient not found"
        case .duplicate(let fault): fault.message
        case .tooManyCalls: "Too many requests"
        }
    }
}

extension Text {
    /// SQL's LIKE without regard to case: `%` is anything, `_` any letter, `\` takes either for itself.
    static func matches(_ text: String, pattern: String) -> Bool {
        enum Part { case anything, any, letter(Character) }
        var parts: [Part] = []
        var isEscaped = false
        for letter in pattern.lowercased() {
            switch letter {
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            case "%" where !isEscaped: parts.append(.anything)
            case "_" where !isEscaped: parts.append(.any)
            default: parts.append(.letter(letter))
            }
            isEscaped = false
        }
        // Which lengths of the text's beginning the parts so far can be.
        let letters = Array(text.lowercased())
        var reached = [true] + [Bool](repeating: false, count: letters.count)
        for part in parts {
            var next = [Bool](repeating: false, count: letters.count + 1)
            for length in 0...letters.count {
                switch part {
                case .anything: next[length] = reached[length] || (length > 0 && next[length - 1])
                case .any: next[length] = length > 0 && reached[length - 1]
                case .letter(let letter):
                    next[length] = length > 0 && reached[length - 1] && letters[length - 1] == letter
                }
            }
            reached = next
        }
        return reached[letters.count]
    }

    static func htmlEscaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
