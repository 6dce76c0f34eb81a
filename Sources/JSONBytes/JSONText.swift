/// The inside of JSON strings: escapes to bytes and bytes to escapes.
public enum JSONText {
    /// Marks, in the high bit of each of eight bytes, the quotes, backslashes and controls. Exact up to and including
    /// the lowest mark; above it a borrow may mark too much.
    @inline(__always)
    static func specials(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let slash = word ^ (ones &* 0x5C)
        return (((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | ((word &- (ones &* 0x20)) & ~word)) & highs
    }

    /// The high bit of each of eight bytes: set in a byte beyond ASCII.
    static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Eight bytes, the first one lowest. They must all be there to be read.
    @inline(__always)
    static func word(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self).littleEndian
    }

    /// The UTF-16 code unit written as four hexadecimal digits at an offset, or nil.
    @inline(__always)
    static func hexUnit(_ bytes: UnsafePointer<UInt8>, _ offset: Int, _ count: Int) -> UInt32? {
        guard offset + 4 <= count else { return nil }
        var unit: UInt32 = 0
        for index in offset..<offset + 4 {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x41...0x46: digit = byte &- 0x37
            case 0x61...0x66: digit = byte &- 0x57
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// Writes the decoded UTF-8 of a checked string body. A lone surrogate becomes U+FFFD.
    /// - Parameter escaped: false when no backslash is an escape.
    @inline(__always)
    static func decode(_ bytes: UnsafePointer<UInt8>, _ count: Int, escaped: Bool, _ put: (UInt8) -> Void) {
        var position = 0
        while position < count {
            let byte = bytes[position]
            guard escaped, byte == UInt8(ascii: "\\"), position + 1 < count else {
                put(byte)
                position += 1
                continue
            }
            position += 2
            switch bytes[position - 1] {
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0C)
            case UInt8(ascii: "n"): put(0x0A)
            case UInt8(ascii: "r"): put(0x0D)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "u"):
                var scalar = hexUnit(bytes, position, count) ?? 0xFFFD
                position += 4
                if scalar & 0xFC00 == 0xD800, position + 1 < count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u"), let low = hexUnit(bytes, position + 2, count),
                    low & 0xFC00 == 0xDC00
                {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                    position += 6
                }
                let text = Unicode.Scalar(scalar) ?? "\u{FFFD}"
                for unit in UTF8.encode(text) ?? UTF8.encodedReplacementCharacter { put(unit) }
            case let other: put(other)
            }
        }
    }

    /// Whether two runs of `count` bytes are equal. Reads nothing outside them.
    @inlinable
    static func same(_ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let one = UnsafeRawPointer(one)
        let other = UnsafeRawPointer(other)
        var position = 0
        while position + 8 <= count {
            let left = one.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if left != other.loadUnaligned(fromByteOffset: position, as: UInt64.self) { return false }
            position += 8
        }
        while position < count {
            if one.load(fromByteOffset: position, as: UInt8.self)
                != other.load(fromByteOffset: position, as: UInt8.self)
            {
                return false
            }
            position += 1
        }
        return true
    }
}
