import Glibc

/// A day of the Gregorian calendar (ISO 8601, `2027-01-31`).
public struct CalendarDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Days since 1970-01-01.
    let number: Int
    public let description: String

    /// Reads `yyyy-MM-dd`; nil for anything else, and for days that do not exist.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D else { return nil }
        func value(_ range: Range<Int>) -> Int? {
            bytes[range].allSatisfy { $0 &- 0x30 < 10 } ? bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 } : nil
        }
        guard let year = value(0..<4), let month = value(5..<7), let day = value(8..<10), 1...12 ~= month, day >= 1
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        // March is the first month of a year of this count, so that the leap day is its last.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        number = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        description = text
    }

    /// Whether a moment, in seconds since 1970-01-01 UTC, lies behind this day.
    public func isOver(at seconds: Int) -> Bool { seconds >= (number + 1) * 86_400 }

    /// How many days are left at a moment; negative when the day is over.
    public func daysLeft(at seconds: Int) -> Int { number - seconds / 86_400 }

    public static func < (a: CalendarDay, b: CalendarDay) -> Bool { a.number < b.number }

    /// The machine's clock, in seconds since 1970-01-01 UTC.
    public static var now: Int { time(nil) }
}
