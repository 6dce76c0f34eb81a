/// A fictional patient, before a dialect gives it a shape. Prints masked, as all that holds people does.
struct Person: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    var name: String
    /// Mobiles first, then landlines, then foreign numbers.
    var phones: [Phone] = []
    /// Eleven digits.
    var cpf: String?
    var email: String?
    var birthday: CivilDate?
    var notes: String?
    var photo: String?
    /// Put on record by the mock's owner: shown without what only some records have.
    var isPlain = false

    var description: String { "a patient" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// A phone number as a clinic's system knows it.
struct Phone: Sendable, Equatable {
    enum Kind: Sendable { case mobile, landline, foreign }
    let kind: Kind
    /// National digits with DDD for Brazilian numbers; country code and number for foreign ones.
    let digits: String

    /// `(11) 99999-9999`, `(11) 3333-4444`, or for a foreign number `+351 912345678`; country codes
    /// are `1` or have three digits here.
    func punctuated() -> String {
        guard kind != .foreign else {
            let code = digits.hasPrefix("1") ? 1 : 3
            return "+\(digits.prefix(code)) \(digits.dropFirst(code))"
        }
        return "(\(digits.prefix(2))) \(digits.dropFirst(2).dropLast(4))-\(digits.suffix(4))"
    }

    /// `99999-9999`: how some systems show a number of the clinic's own town. A foreign number stays whole.
    func withoutDDD() -> String {
        kind == .foreign ? digits : "\(digits.dropFirst(2).dropLast(4))-\(digits.suffix(4))"
    }
}

/// A day of the Gregorian calendar, in the spellings that clinic systems use.
struct CivilDate: Sendable, Equatable {
    let year: Int
    let month: Int
    let day: Int

    /// Nil if there is no such day.
    init?(year: Int, month: Int, day: Int) {
        guard (1800...2200).contains(year), (1...12).contains(month) else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...days[month - 1]).contains(day) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Reads `dd/MM/yyyy` (with `/`) or `dd-MM-yyyy` (with `-`).
    init?(dayFirst text: String, separator: Character) {
        self.init(text, separator: separator, widths: [2, 2, 4])
    }

    /// Reads `yyyy-MM-dd`.
    init?(iso text: String) { self.init(text, separator: "-", widths: [4, 2, 2]) }

    private init?(_ text: String, separator: Character, widths: [Int]) {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == widths, parts.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }) else {
            return nil
        }
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == 3 else { return nil }
        let isoFirst = widths[0] == 4
        self.init(
            year: isoFirst ? numbers[0] : numbers[2], month: numbers[1], day: isoFirst ? numbers[2] : numbers[0])
    }

    var iso: String { "\(Text.padded(year, to: 4))-\(Text.padded(month, to: 2))-\(Text.padded(day, to: 2))" }

    func dayFirst(_ separator: Character) -> String {
        "\(Text.padded(day, to: 2))\(separator)\(Text.padded(month, to: 2))\(separator)\(Text.padded(year, to: 4))"
    }
}

/// The Brazilian taxpayer number (Receita Federal): nine digits and two check digits, modulo 11.
enum CPF {
    /// Nine digits and their check digits.
    static func withCheckDigits(_ base: Int) -> String {
        var digits = Text.padded(base, to: 9)
        for _ in 0..<2 {
            let weight = digits.utf8.count + 1
            let sum = digits.utf8.enumerated().reduce(0) { $0 + (Int($1.element) - 48) * (weight - $1.offset) }
            let rest = sum * 10 % 11
            digits += String(rest == 10 ? 0 : rest)
        }
        return digits
    }

    /// `123.456.789-00`.
    static func punctuated(_ digits: String) -> String {
        let all = Array(digits)
        guard all.count == 11 else { return digits }
        return "\(String(all[0..<3])).\(String(all[3..<6])).\(String(all[6..<9]))-\(String(all[9...]))"
    }
}
