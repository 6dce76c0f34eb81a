/// A Brazilian taxpayer number: eleven digits. Check digits are not required (the contract's own example fails them);
/// `hasValidCheckDigits` tells. Prints masked.
public struct CPF: Sendable, Hashable {
    /// The eleven digits as a number; leading zeros are implied.
    public let number: UInt64

    /// Reads eleven digits, with or without dots, hyphen, slash and blanks. Nil for anything else.
    public init?(_ text: String) {
        var text = text
        guard let cpf = text.withUTF8({ CPF(utf8: $0) }) else { return nil }
        self = cpf
    }

    /// The same, from UTF-8.
    /// - Parameter padding: accept fewer digits alone, three at least, and restore lost leading zeros, for systems that
    ///   store a number.
    public init?(utf8 bytes: UnsafeBufferPointer<UInt8>, padding: Bool = false) {
        var number: UInt64 = 0
        var count = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard count < 11 else { return nil }
                number = number * 10 + UInt64(byte &- 0x30)
                count += 1
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: " "), 0x09, 0x0A, 0x0D: break
            default:
                let blank = byte < 0x80 ? 0 : Punctuation.length(bytes, index)
                guard blank > 0 else { return nil }
                index += blank - 1
            }
            index += 1
        }
        guard count == 11 || (padding && count >= 3 && count == bytes.count && number > 0) else { return nil }
        self.number = number
    }

    /// `12345678900`
    public var digits: String {
        let text = String(number)
        return String(repeating: "0", count: 11 - text.utf8.count) + text
    }

    /// `123.456.789-00`, as the contract prints it.
    public var punctuated: String {
        let digits = digits
        let middle = digits.dropFirst(3)
        return "\(digits.prefix(3)).\(middle.prefix(3)).\(middle.dropFirst(3).prefix(3))-\(digits.suffix(2))"
    }

    /// Eleven equal digits: what people type where a form demands a CPF and they have none. It identifies nobody.
    public var isPlaceholder: Bool { number % 11_111_111_111 == 0 }

    /// The rule of Receita Federal: two check digits modulo 11, and not eleven equal digits.
    public var hasValidCheckDigits: Bool { !isPlaceholder && CPF.check(number / 100) == number % 100 }

    /// The two check digits, as a number, of a CPF's first nine digits.
    private static func check(_ base: UInt64) -> UInt64 {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var rest = base
        // From the ninth digit back to the first: weights 2 to 10 for the first check digit, 3 to 11 for the second.
        for weight in 2...10 as ClosedRange<UInt64> {
            first += rest % 10 * weight
            second += rest % 10 * (weight + 1)
            rest /= 10
        }
        let one = first * 10 % 11 % 10
        let two = (second + one * 2) * 10 % 11 % 10
        return one * 10 + two
    }
}
