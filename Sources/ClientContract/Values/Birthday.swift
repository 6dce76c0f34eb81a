/// A day of the proleptic Gregorian calendar, without time or zone: it never shifts. Prints masked.
public struct Birthday: Sendable, Hashable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// Nil for a day that does not exist. Years 1 to 9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Birthday.days(in: month, of: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads the contract's form, `YYYY-MM-DD` (RFC 3339 full-date), and nothing else.
    public init?(_ text: String) {
        var text = text
        guard let birthday = text.withUTF8({ Birthday(utf8: $0) }) else { return nil }
        self = birthday
    }

    /// The same, from UTF-8.
    public init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard byte &- 0x30 < 10 else { return nil }
                value = value * 10 + Int(byte &- 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// `YYYY-MM-DD`
    public var iso: String { "\(Birthday.padded(year, 4))-\(Birthday.padded(month, 2))-\(Birthday.padded(day, 2))" }

    static func padded(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
