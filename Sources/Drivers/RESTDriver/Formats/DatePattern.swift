import ClientContract

/// How a vendor writes a day: `yyyy`, `yy`, `MM` and `dd` among literal characters; a final `*` lets anything follow
/// on reading (the time and zone of a date-time), so that the written day is kept and never shifted.
///
/// Two-digit years: 00 to the pivot are 2000s, the rest 1900s; the pivot is 29.
struct DatePattern: Sendable {
    private enum Part: Sendable { case year, shortYear, month, day, literal(UInt8) }

    private let parts: [Part]
    private let ignoresTail: Bool
    static let pivot = 29

    /// Nil when year, month and day are not each named once.
    init?(_ text: String) {
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
    func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Birthday? {
        var position = 0
        var year = 0
        var month = 0
        var day = 0
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
                year = value <= DatePattern.pivot ? 2000 + value : 1900 + value
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
        guard position == bytes.count || ignoresTail else { return nil }
        return Birthday(year: year, month: month, day: day)
    }

    /// Writes a day; nil when the pattern cannot tell it from another (a two-digit year outside its century).
    func write(_ birthday: Birthday) -> String? {
        var text = ""
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        for part in parts {
            switch part {
            case .year: text += padded(birthday.year, 4)
            case .shortYear:
                let range = (1901 + DatePattern.pivot)...(2000 + DatePattern.pivot)
                guard range.contains(birthday.year) else { return nil }
                text += padded(birthday.year % 100, 2)
            case .month: text += padded(birthday.month, 2)
            case .day: text += padded(birthday.day, 2)
            case .literal(let byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return text
    }
}
