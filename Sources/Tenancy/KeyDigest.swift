import Crypto

/// The SHA-256 of an inbound key. Keys themselves are never stored. Prints masked.
public struct KeyDigest: Sendable, Hashable, CustomStringConvertible {
    private let a, b, c, d: UInt64

    public var description: String { "sha256(…)" }

    /// The digest of a key, as a caller presents it.
    public init(of key: String) { self.init(of: Array(key.utf8)) }

    /// The digest of any bytes.
    public init(of bytes: [UInt8]) {
        var words: InlineArray<4, UInt64> = [0, 0, 0, 0]
        for (index, byte) in SHA256.hash(data: bytes).enumerated() {
            words[index / 8] = words[index / 8] << 8 | UInt64(byte)
        }
        (a, b, c, d) = (words[0], words[1], words[2], words[3])
    }

    /// The digest of texts in their order; those that are cut elsewhere have another one.
    init(of texts: [String]) {
        self.init(of: texts.flatMap { Array("\($0.utf8.count):".utf8) + Array($0.utf8) })
    }

    /// Reads 64 hexadecimal digits.
    public init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var words: InlineArray<4, UInt64> = [0, 0, 0, 0]
        for (index, digit) in digits.enumerated() {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        (a, b, c, d) = (words[0], words[1], words[2], words[3])
    }

    /// The digest in 64 lower-case hexadecimal digits, as tenant files write it.
    public var hex: String {
        [a, b, c, d].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Zero when both are equal; takes the same time whatever they hold.
    func difference(from other: KeyDigest) -> UInt64 {
        (a ^ other.a) | (b ^ other.b) | (c ^ other.c) | (d ^ other.d)
    }
}
