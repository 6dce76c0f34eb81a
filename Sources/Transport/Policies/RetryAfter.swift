import Glibc

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7.
public enum RetryAfter {
    /// What is passed on to a caller.
    public static let relayed = 1...3600

    /// Seconds to wait from the moment the answer came, within `relayed`. A date counts from the answer's own `Date`
    /// where there is one, so that a server whose clock is wrong is understood too.
    /// - Returns: nil without the header, and for what is neither form (a negative number among it).
    public static func seconds(_ headers: AnswerHeaders) -> Int? {
        guard let text = headers.first("Retry-After") else { return nil }
        return seconds(text, date: headers.first("Date"), now: time(nil))
    }

    /// When the server says that it answered (RFC 9110 section 6.6.1), in seconds since 1970; nil where it does not.
    public static func date(_ headers: AnswerHeaders) -> Int? {
        headers.first("Date").flatMap { HTTPDate.seconds($0, now: time(nil)) }
    }

    /// - Parameter now: seconds since 1970, for an answer without a date of its own.
    static func seconds(_ text: String, date: String?, now: Int) -> Int? {
        if !text.isEmpty, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) {
            // Too long for a number is long enough for any limit.
            return clamp(Int(text) ?? Int.max)
        }
        guard let until = HTTPDate.seconds(text, now: now) else { return nil }
        let from = date.flatMap { HTTPDate.seconds($0, now: now) } ?? now
        return clamp(until - from)
    }

    private static func clamp(_ seconds: Int) -> Int { min(max(seconds, relayed.lowerBound), relayed.upperBound) }
}

/// The three forms of an HTTP date (RFC 9110 section 5.6.7), all of them in UTC.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// Seconds since 1970. The day of the week is not checked against the date.
    /// - Parameter now: by which a year of two digits is read: at most 50 years ahead.
    static func seconds(_ text: String, now: Int) -> Int? {
        let parts = text.split(omittingEmptySubsequences: true) { $0 == " " || $0 == "," || $0 == "-" }
        guard let weekday = parts.first, days.contains(where: { weekday.hasPrefix($0) }) else { return nil }
        switch parts.count {
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where parts[5] == "GMT":
            guard var year = number(parts[3], digits: parts[3].utf8.count == 2 ? 2 : 4) else { return nil }
            if parts[3].utf8.count == 2 { year = fullYear(year, now: now) }
            return seconds(year, parts[2], parts[1], parts[4])
        // Sun Nov  6 08:49:37 1994
        case 5:
            guard let year = number(parts[4], digits: 4) else { return nil }
            return seconds(year, parts[1], parts[2], parts[3])
        default: return nil
        }
    }

    private static func fullYear(_ twoDigits: Int, now: Int) -> Int {
        // Near enough to tell one century from another.
        let thisYear = 1970 + now / 31_556_952
        let year = thisYear / 100 * 100 + twoDigits
        return year > thisYear + 50 ? year - 100 : year
    }

    private static func seconds(
        _ year: Int, _ month: Substring, _ day: Substring, _ time: Substring
    ) -> Int? {
        guard let index = months.firstIndex(where: { $0 == month }), day.utf8.count <= 2, let day = Int(day),
            (1...31).contains(day)
        else { return nil }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2) }
        // 60 is a leap second.
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2], hour < 24,
            minute < 60, second <= 60
        else { return nil }
        return daysSince1970(year, index + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, digits: Int) -> Int? {
        text.utf8.count == digits && text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(text) : nil
    }

    /// Proleptic Gregorian, by eras of 400 years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
