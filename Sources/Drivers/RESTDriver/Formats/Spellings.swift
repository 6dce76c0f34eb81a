import ClientContract

/// How a vendor writes a phone number. Reading accepts any spelling.
enum PhoneSpelling: String, Sendable, CaseIterable {
    /// `5511999999999`
    case international
    /// `+5511999999999`
    case e164
    /// `11999999999`
    case national
    /// `(11) 99999-9999`
    case masked

    /// Foreign numbers keep their country code behind a `+`, where Brazilian ones are written without it.
    func write(_ phone: PhoneNumber) -> String {
        switch self {
        case .international: phone.digits
        case .e164: "+" + phone.digits
        case .national: phone.national ?? "+" + phone.digits
        case .masked: phone.masked ?? "+" + phone.digits
        }
    }
}

/// How a vendor takes a number of another country.
enum ForeignSpelling: String, Sendable, CaseIterable {
    /// `+351912345678`
    case plus
    /// `351912345678`: for systems that refuse a `+`.
    case digits
}

/// How a vendor writes the number beside an area code of its own.
enum SubscriberSpelling: String, Sendable, CaseIterable {
    /// `999999999`
    case digits
    /// `99999-9999`
    case masked

    func write(_ subscriber: String) -> String {
        switch self {
        case .digits: subscriber
        case .masked: "\(subscriber.dropLast(4))-\(subscriber.suffix(4))"
        }
    }
}

/// How a vendor writes a CPF. Reading accepts both, and a JSON number whose leading zeros are lost.
enum CPFSpelling: String, Sendable, CaseIterable {
    case digits, punctuated

    func write(_ cpf: CPF) -> String { self == .digits ? cpf.digits : cpf.punctuated }
}

/// How a vendor wants a search term.
enum TermSpelling: String, Sendable, CaseIterable {
    // Phones.
    case international, e164, national, masked
    /// `999999999`: without the area code.
    case subscriber
    /// `99999999`: the last eight digits, which a mobile has with and without its ninth digit. Only where the vendor
    /// searches by substring.
    case lastEight
    /// `0001`: the last four digits, which every usual punctuation leaves together. Only where the vendor searches by
    /// substring.
    case lastFour
    /// `+55 31 98888-0001`, as address books write; numbers of other countries have no such spelling.
    case spaced
    /// `351912345678`: a number of another country. Brazilian ones have no such spelling.
    case foreign
    // CPFs.
    case digits, punctuated
    // E-mails and names.
    case asGiven, lowercase, uppercase
    /// `Ana` of `Ana Teste`: for systems that keep a name in two places and search one of them. Names only.
    case firstWord

    static func known(for kind: TermKind) -> [TermSpelling] {
        switch kind {
        case .phone: [.international, .e164, .national, .masked, .subscriber, .lastEight, .lastFour, .spaced, .foreign]
        case .cpf: [.digits, .punctuated]
        case .email: [.asGiven, .lowercase, .uppercase]
        case .name: [.asGiven, .lowercase, .uppercase, .firstWord]
        }
    }

    /// The term in this spelling; nil where it has none (a foreign number without its country code).
    func write(_ term: SearchTerm) -> String? {
        switch (term, self) {
        case (.phone(let phone), .international): phone.digits
        case (.phone(let phone), .e164): "+" + phone.digits
        case (.phone(let phone), .national): phone.national
        case (.phone(let phone), .masked): phone.masked
        case (.phone(let phone), .subscriber): phone.subscriber
        case (.phone(let phone), .lastEight): phone.digits.count >= 8 ? String(phone.digits.suffix(8)) : phone.digits
        case (.phone(let phone), .lastFour): String(phone.digits.suffix(4))
        case (.phone(let phone), .spaced): TermSpelling.spaced(phone)
        case (.phone(let phone), .foreign): phone.isBrazilian ? nil : phone.digits
        case (.cpf(let cpf), .digits): cpf.digits
        case (.cpf(let cpf), .punctuated): cpf.punctuated
        // Composed, as keyboards write: a system that compares bytes has it so.
        case (.email(let text), .asGiven): PersonText.composed(text)
        case (.email(let text), .lowercase): PersonText.composed(text.lowercased())
        case (.email(let text), .uppercase): PersonText.composed(text.uppercased())
        case (.name(let text), .asGiven): TermSpelling.name(text)
        case (.name(let text), .lowercase): TermSpelling.name(text.lowercased())
        case (.name(let text), .uppercase): TermSpelling.name(text.uppercased())
        case (.name(let text), .firstWord):
            text.split(whereSeparator: \.isWhitespace).first.map { PersonText.composed(String($0)) }
        default: nil
        }
    }
}

extension TermSpelling {
    /// Whether a mobile with its ninth digit and the same without it are written alike.
    var fitsBothTwins: Bool { self == .lastEight || self == .lastFour }

    private static func spaced(_ phone: PhoneNumber) -> String? {
        guard let area = phone.areaCode, let subscriber = phone.subscriber else { return nil }
        return "+55 \(area) \(SubscriberSpelling.masked.write(subscriber))"
    }

    /// A name as it is likely to be on record: composed, with single blanks.
    private static func name(_ text: String) -> String {
        PersonText.composed(text.split(separator: " ").joined(separator: " "))
    }
}

/// Plain text out of simple HTML: tags go, block ends become line breaks, the five XML entities, `&nbsp;` and numeric
/// references are decoded.
enum HTMLText {
    static func plain(_ html: String) -> String {
        var text = ""
        var rest = html[...]
        while let character = rest.popFirst() {
            switch character {
            case "<":
                guard let next = rest.first, next.isLetter || next == "/" || next == "!",
                    let close = rest.firstIndex(of: ">")
                else {
                    text.append(character)
                    continue
                }
                let tag = rest[..<close].lowercased().drop { $0 == "/" }
                if ["br", "p", "div", "li", "tr"].contains(where: { name in
                    tag.hasPrefix(name) && !(tag.dropFirst(name.count).first?.isLetter ?? false)
                }), !text.isEmpty, text.last != "\n" {
                    text.append("\n")
                }
                rest = rest[rest.index(after: close)...]
            case "&":
                guard let end = rest.prefix(12).firstIndex(of: ";"), let decoded = entity(rest[..<end]) else {
                    text.append(character)
                    continue
                }
                text.append(decoded)
                rest = rest[rest.index(after: end)...]
            default:
                text.append(character)
            }
        }
        return PersonText.trimmed(text)
    }

    private static func entity(_ name: Substring) -> Character? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        case "nbsp": return " "
        default:
            guard name.first == "#" else { return nil }
            let digits = name.dropFirst()
            let value =
                digits.first == "x" || digits.first == "X"
                ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return value.flatMap { Unicode.Scalar($0) }.map { Character($0) }
        }
    }
}
