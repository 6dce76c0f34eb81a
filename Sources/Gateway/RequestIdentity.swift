import HTTPTypes

/// Ids that follow a request through logs on both sides.
enum RequestIdentity {
    /// The caller's own when it is sound; else a new one.
    static func of(_ headers: HTTPFields) -> String {
        if let name = Answer.requestID, let given = headers[name], isSound(given), !isCredential(given, headers) {
            return given
        }
        return new()
    }

    /// Whether it is what the same request shows as its key.
    private static func isCredential(_ text: String, _ headers: HTTPFields) -> Bool {
        headers.contains { field in
            ["x-api-key", "authorization"].contains(field.name.canonicalName)
                && field.value.split(separator: " ").contains { $0 == text }
        }
    }

    /// 32 hexadecimal digits drawn by lot.
    static func new() -> String {
        var generator = SystemRandomNumberGenerator()
        return [generator.next(), generator.next()].map { (number: UInt64) in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Whether an id is 1 to 128 of letters, digits and `. _ -`, and could not be a phone or a CPF: it goes into logs.
    static func isSound(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { isLetter($0) || isDigit($0) || isPunctuation($0) }
        guard 1...128 ~= text.utf8.count, isPlain else { return false }
        return isRandom(Array(text.utf8)) || !couldBeANumber(text)
    }

    /// Without letters, or with seven digits in a row; punctuation between them does not make two rows.
    private static func couldBeANumber(_ text: String) -> Bool {
        var digits = 0
        for byte in text.utf8 where !isPunctuation(byte) {
            digits = isDigit(byte) ? digits + 1 : 0
            if digits == 7 { return true }
        }
        return !text.utf8.contains(where: isLetter)
    }

    /// Forms whose digits are drawn by lot, in which seven in a row are chance: a UUID (RFC 9562, section 4), a ULID, and
    /// 32 hexadecimal digits (W3C Trace Context, section 3.2.2.3; ours). The latter two have letters.
    private static func isRandom(_ text: [UInt8]) -> Bool {
        switch text.count {
        case 36: text.enumerated().allSatisfy { [8, 13, 18, 23].contains($0) ? $1 == UInt8(ascii: "-") : isHex($1) }
        case 32: text.allSatisfy(isHex) && text.contains(where: isLetter)
        case 26:
            (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(text[0]) && text.contains(where: isLetter)
                && text.allSatisfy { byte in isDigit(byte) || isLetter(byte) && !"ilou".utf8.contains(byte | 0x20) }
        default: false
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }
    private static func isPunctuation(_ byte: UInt8) -> Bool { byte == 0x2D || byte == 0x2E || byte == 0x5F }
}
