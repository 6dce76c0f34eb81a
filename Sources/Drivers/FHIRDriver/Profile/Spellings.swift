import ClientContract

/// How servers keep phone numbers: a token search compares the stored text (FHIR R4, section 3.1.1.4.10), so a number is
/// asked for in every spelling that may be stored.
enum PhoneSpelling: String, Sendable, CaseIterable {
    /// `5511999999999`
    case international
    /// `+5511999999999`
    case e164
    /// `11999999999`
    case national
    /// `011999999999`
    case trunk
    /// `(11) 99999-9999`
    case masked
    /// `(11)99999-9999`
    case tight
    /// `11 99999-9999`
    case hyphenated
    /// `+55 11 99999-9999`
    case spaced
    /// `+55 (11) 99999-9999`
    case bracketed
    /// `tel:+5511999999999` (RFC 3966)
    case tel
    /// `+55 11 999999999`
    case spacedDigits
    /// `11 999999999`
    case areaDigits
    /// `55 11 99999-9999`
    case spacedInternational
    /// `(011) 99999-9999`
    case trunkMasked
    /// `11 9 9999-9999`; mobiles only
    case apart
    /// `(11) 9 9999-9999`; mobiles only
    case apartMasked

    /// The number in this spelling; nil where it has none: numbers of other countries have those with digits alone.
    func write(_ phone: PhoneNumber) -> String? {
        switch self {
        case .international: return phone.digits
        case .e164: return "+" + phone.digits
        case .tel: return "tel:+" + phone.digits
        case .national: return phone.national
        case .masked: return phone.masked
        default: break
        }
        guard let area = phone.areaCode, let subscriber = phone.subscriber else { return nil }
        let parted = "\(subscriber.dropLast(4))-\(subscriber.suffix(4))"
        let isLong = subscriber.count == 9
        let apart = "\(subscriber.prefix(1)) \(parted.dropFirst())"
        return switch self {
        case .trunk: "0\(area)\(subscriber)"
        case .tight: "(\(area))\(parted)"
        case .hyphenated: "\(area) \(parted)"
        case .spaced: "+55 \(area) \(parted)"
        case .bracketed: "+55 (\(area)) \(parted)"
        case .spacedDigits: "+55 \(area) \(subscriber)"
        case .areaDigits: "\(area) \(subscriber)"
        case .spacedInternational: "55 \(area) \(parted)"
        case .trunkMasked: "(0\(area)) \(parted)"
        case .apart: isLong ? "\(area) \(apart)" : nil
        case .apartMasked: isLong ? "(\(area)) \(apart)" : nil
        case .international, .e164, .tel, .national, .masked: nil
        }
    }
}

/// How servers keep a CPF.
enum CPFSpelling: String, Sendable, CaseIterable {
    case digits, punctuated

    func write(_ cpf: CPF) -> String { self == .digits ? cpf.digits : cpf.punctuated }
}

/// How an e-mail address is asked for, where the server minds its case.
enum EmailSpelling: String, Sendable, CaseIterable {
    case asGiven, lowercase, uppercase

    func write(_ email: String) -> String {
        switch self {
        case .asGiven: PersonText.composed(email)
        case .lowercase: PersonText.composed(email.lowercased())
        case .uppercase: PersonText.composed(email.uppercased())
        }
    }
}

/// How a name is asked for. The search compares the beginning of each part of a name, or of its text (FHIR R4, section
/// 3.1.1.4.8), so a whole name finds nobody whose name is kept in parts.
enum NameSearch: String, Sendable, CaseIterable {
    /// By the first word: finds every record, and many others.
    case first
    /// By all words, each the beginning of some part: for servers that look at each word of a text.
    case words
    /// By the whole name: for servers that keep names as texts.
    case whole

    /// The values of the parameter, all of which must hold.
    func values(_ name: String) -> [String] {
        let words = PersonText.composed(name).split(whereSeparator: \.isWhitespace).map(String.init)
        return switch self {
        case .first: Array(words.prefix(1))
        case .words: words
        case .whole: [words.joined(separator: " ")]
        }
    }
}

/// How a name is written.
enum NameForm: String, Sendable, CaseIterable {
    /// `text` alone.
    case text
    /// `given` and `family`: the last word is the family's.
    case parts
    case both
}
