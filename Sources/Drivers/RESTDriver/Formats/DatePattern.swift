package import ClientContract
import Glibc

/// How a vendor writes a day: `yyyy`, `yy`, `MM` and `dd` among literal characters; a final `*` lets anything follow
/// on reading (the time and zone of a date-time), so that the written day is kept and never shifted.
///
/// A two-digit year is that of the latest such day that is not in the future, since nobody is born tomorrow.
package struct DatePattern: Sendable {
    private enum Part: Sendable { case year, shortYear, month, day, literal(UInt8) }

    private let parts: [Part]
    private let ignoresTail: Bool

    /// Nil when year, month and day are not each named once.
    package init?(_ text: String) {
        var parts: [Part] = []
        var rest = Array(text.utf8)[...]
        ignoresTail = rest.last == UInt8(ascii: "*")
        if ignoresTail { rest = rest.dropLast() }
        let tokens: [(String, Part)] = [("yyyy", .year), ("yy", .shortYear), ("MM", .month), ("dd", .day)]
        scan: while let first = rest.first {
            for (token, part) in tokens where rest.starts(with: token.utf8) {
                parts.append(part)
                rest = rest.dropFirst(token.utf8.count)
                continue scan
            }
            guard first < 0x80, !(0x41...0x5A).contains(first & 0xDF) || first == UInt8(ascii: "T") else { return nil }
            parts.append(.literal(first))
            rest = rest.dropFirst()
        }
        func count(_ matches: (Part) -> Bool) -> Int { parts.count(where: matches) }
        guard count({ if case .year = $0 { true } else if case .shortYear = $0 { true } else { false } }) == 1,
            count({ if case .month = $0 { true } else { false } }) == 1,
            count({ if case .day = $0 { true } else { false } }) == 1
        else { return nil }
        self.parts = parts
    }

    /// Whether a day is written with digits alone and without leading zeros.
    var isNumber: Bool {
        guard case .year = parts.first else { return false }
        return !ignoresTail && !parts.contains { if case .literal = $0 { true } else { false } }
    }

    /// Reads a day; nil when the text is written otherwise or the day does not exist.
    /// - Parameter today: the day of reading (UTC), asked for only where the year has two digits.
    package func read(
        _ bytes: UnsafeBufferPointer<UInt8>, today: @autoclosure () -> Birthday? = DatePattern.today()
    ) -> Birthday? {
        var position = 0
        var year = 0
        var month = 0
        var day = 0
        var isShort = false
        func number(_ width: Int) -> Int? {
            guard position + width <= bytes.count else { return nil }
            var value = 0
            for index in position..<position + width {
                guard bytes[index] &- 0x30 < 10 else { return nil }
                value = value * 10 + Int(bytes[index] &- 0x30)
            }
            position += width
            return value
        }
        for part in parts {
            switch part {
            case .year:
                guard let value = number(4) else { return nil }
                year = value
            case .shortYear:
                guard let value = number(2) else { return nil }
                year = value
                isShort = true
            case .month:
                guard let value = number(2) else { return nil }
                month = value
            case .day:
                guard let value = number(2) else { return nil }
                day = value
            case .literal(let byte):
                guard position < bytes.count, bytes[position] == byte else { return nil }
                position += 1
            }
        }
        // What follows a day is a time or a zone, never more digits of the year or the day.
        guard position == bytes.count || (ignoresTail && bytes[position] &- 0x30 >= 10) else { return nil }
        if isShort { return DatePattern.latest(year, month, day, today: today()) }
        return Birthday(year: year, month: month, day: day)
    }

    /// The latest day of a two-digit year that is not after today: of this century, or of the one before.
    private static func latest(_ year: Int, _ month: Int, _ day: Int, today: Birthday?) -> Birthday? {
        guard let today else { return nil }
        let century = today.year / 100 * 100
        for start in [century, century - 100] {
            guard let birthday = Birthday(year: start + year, month: month, day: day) else { continue }
            if (birthday.year, birthday.month, birthday.day) <= (today.year, today.month, today.day) { return birthday }
        }
        return nil
    }

    /// Today in UTC, which begins before Brazil's: nobody on record was born in the hours between.
    package static func today() -> Birthday? {
        var seconds = time_t(EpochClock.now())
        var date = tm()
        guard gmtime_r(&seconds, &date) != nil else { return nil }
        return Birthday(year: Int(date.tm_year) + 1900, month: Int(date.tm_mon) + 1, day: Int(date.tm_mday))
    }

    /// Writes a day; nil when reading would not give it back (a two-digit year of another century).
    package func write(_ birthday: Birthday, today: @autoclosure () -> Birthday? = DatePattern.today()) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .year: text += DatePattern.padded(birthday.year, 4)
            case .shortYear:
                guard
                    DatePattern.latest(birthday.year % 100, birthday.month, birthday.day, today: today()) == birthday
                else { return nil }
                text += DatePattern.padded(birthday.year % 100, 2)
            case .month: text += DatePattern.padded(birthday.month, 2)
            case .day: text += DatePattern.padded(birthday.day, 2)
            case .literal(let byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return text
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
