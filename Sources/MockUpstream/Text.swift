/// Small text work that the dialects share.
enum Text {
    /// The ASCII digits of a text.
    static func digits(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.filter { (0x30...0x39).contains($0) }, as: UTF8.self)
    }

    static func equalsIgnoringCase(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count && zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// Lower case without accents, with single spaces: how names are compared.
    static func folded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            let words = text.split(separator: " ")
            return words.joined(separator: " ").lowercased()
        }
        var folded = String.UnicodeScalarView()
        var space = true
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20, 0xA0:
                if !space { folded.append(" ") }
                space = true
                continue
            case 0x300...0x36F: continue
            default: folded.append(contentsOf: base(scalar))
            }
            space = false
        }
        if folded.last == " " { folded.removeLast() }
        return String(folded).lowercased()
    }

    /// The letter under an accent, for the letters of Latin-1.
    private static func base(_ scalar: Unicode.Scalar) -> CollectionOfOne<Unicode.Scalar> {
        let letter: Unicode.Scalar =
            switch scalar.value {
            case 0xC0...0xC5, 0xE0...0xE5: "a"
            case 0xC7, 0xE7: "c"
            case 0xC8...0xCB, 0xE8...0xEB: "e"
            case 0xCC...0xCF, 0xEC...0xEF: "i"
            case 0xD1, 0xF1: "n"
            case 0xD2...0xD6, 0xF2...0xF6: "o"
            case 0xD9...0xDC, 0xF9...0xFC: "u"
            case 0xDD, 0xFD, 0xFF: "y"
            default: scalar
            }
        return CollectionOfOne(letter)
    }

    /// A query's name or value: `%xx` and `+` decoded.
    static func formDecoded(_ text: Substring) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                let pair = rest.prefix(2)
                if pair.count == 2, pair.first != UInt8(ascii: "+"), pair.first != UInt8(ascii: "-"),
                    let value = UInt8(String(decoding: pair, as: UTF8.self), radix: 16)
                {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func padded(_ value: Int, to width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Base64 with padding (RFC 4648, section 4).
    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
