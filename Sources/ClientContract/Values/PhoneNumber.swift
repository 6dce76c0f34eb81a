/// A telephone line in E.164 (ITU-T E.164): country code and national number, at most 15 digits.
///
/// The contract prints it as digits without `+` (`5511999999999`). Two numbers are equal when they reach the same
/// line: a Brazilian mobile with and without the ninth digit is one line. Prints masked.
public struct PhoneNumber: Sendable, Hashable {
    /// The digits, as a number: no country code begins with 0, so none is lost.
    public let e164: UInt64

    /// What a Brazilian number is, by its first digits (Anatel's numbering plan); `.other` for foreign ones and for
    /// Brazilian ones without an area code (0800).
    public enum Kind: Sendable { case mobile, landline, other }

    init(e164: UInt64) { self.e164 = e164 }

    /// The digits without `+`, as the contract prints them.
    public var digits: String { String(e164) }

    public var isBrazilian: Bool { brazilianNational != nil }

    /// Brazilian national number: area code (DDD) and subscriber number, 10 or 11 digits; or 0800 and the like without
    /// their 0. Nil for foreign numbers.
    public var national: String? { brazilianNational.map { String($0) } }

    /// Brazilian area code, two digits; nil where there is none.
    public var areaCode: String? { brazilianParts.map { String($0.area) } }

    /// Brazilian subscriber number, without the area code: 8 or 9 digits.
    public var subscriber: String? { brazilianParts.map { String($0.subscriber) } }

    /// `(11) 99999-9999`, `(11) 3333-4444` or `0800 123 4567`; nil for foreign numbers.
    public var masked: String? {
        guard let national else { return nil }
        guard brazilianParts != nil else {
            return "0\(national.prefix(3)) \(national.dropFirst(3).dropLast(4)) \(national.suffix(4))"
        }
        return "(\(national.prefix(2))) \(national.dropFirst(2).dropLast(4))-\(national.suffix(4))"
    }

    public var kind: Kind {
        guard let parts = brazilianParts else { return .other }
        return parts.subscriber >= 60_000_000 ? .mobile : .landline
    }

    /// The same line with the ninth digit that Brazilian mobiles gained by 2016, or without it; nil where there is
    /// no other spelling.
    public var ninthDigitTwin: PhoneNumber? {
        guard let parts = brazilianParts else { return nil }
        switch parts.subscriber {
        case 60_000_000...99_999_999:
            return PhoneNumber(e164: line)
        // Dropping the ninth digit must leave something that was a mobile then.
        case 960_000_000...999_999_999:
            return PhoneNumber(e164: (5_500 + UInt64(parts.area)) * 100_000_000 + parts.subscriber - 900_000_000)
        default:
            return nil
        }
    }

    /// The number that stands for the line: a Brazilian mobile of eight digits gains its ninth.
    public var line: UInt64 {
        // 55 DD XXXXXXXX: twelve digits.
        guard e164 >= 550_000_000_000, e164 < 560_000_000_000 else { return e164 }
        let subscriber = e164 % 100_000_000
        guard subscriber >= 60_000_000 else { return e164 }
        return e164 / 100_000_000 * 1_000_000_000 + 900_000_000 + subscriber
    }

    public static func == (a: PhoneNumber, b: PhoneNumber) -> Bool { a.e164 == b.e164 || a.line == b.line }
    public func hash(into hasher: inout Hasher) { hasher.combine(line) }

    private var brazilianNational: UInt64? {
        switch e164 {
        case 550_000_000_000..<560_000_000_000: e164 - 550_000_000_000
        case 5_500_000_000_000..<5_600_000_000_000: e164 - 5_500_000_000_000
        default: nil
        }
    }

    /// Area code and subscriber number of a Brazilian number that has them.
    var brazilianParts: (area: Int, subscriber: UInt64)? {
        let area: UInt64
        let subscriber: UInt64
        switch e164 {
        case 550_000_000_000..<560_000_000_000:
            (area, subscriber) = (e164 / 100_000_000 - 5_500, e164 % 100_000_000)
        case 5_500_000_000_000..<5_600_000_000_000:
            (area, subscriber) = (e164 / 1_000_000_000 - 5_500, e164 % 1_000_000_000)
        default: return nil
        }
        return PhonePlan.isAreaCode(area) ? (Int(area), subscriber) : nil
    }
}

/// How spellings of numbers are understood: the clinic's own surroundings, and who wrote them.
public struct PhoneContext: Sendable {
    /// Who wrote a number. It decides what digits without `+` are that can be a Brazilian number and a mobile of
    /// another country alike: `51987654321` is Porto Alegre and Peru.
    public enum Source: Sendable {
        /// The clinic's record, which is Brazilian first.
        case record
        /// Clinia, whose numbers are international by contract ("o telefone internacional do cliente").
        case caller
    }

    /// Area code (DDD) for numbers written without one; nil when the clinic names none. One that is not in use counts
    /// as nil.
    public var areaCode: Int?
    public var source: Source

    public init(areaCode: Int? = nil, source: Source = .record) {
        self.areaCode = areaCode
        self.source = source
    }

    /// The same surroundings for numbers that somebody else wrote.
    public func from(_ source: Source) -> PhoneContext { PhoneContext(areaCode: areaCode, source: source) }
}
