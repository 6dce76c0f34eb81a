/// The encodings that answers come in.
enum Charset: Sendable {
    case utf8
    /// Windows-1252, which the labels of ISO-8859-1 and ASCII mean too (WHATWG Encoding Standard, section 4.2).
    case windows1252
    /// ISO-8859-15, "Latin-9": ISO-8859-1 with eight other characters, the euro sign among them.
    case latin9
    case utf16(bigEndian: Bool)

    /// What a profile may force, by the name that it uses.
    static let forced: KeyValuePairs<String, Charset> = [
        "utf-8": .utf8, "windows-1252": .windows1252, "iso-8859-1": .windows1252, "iso-8859-15": .latin9,
    ]

    /// Reads a label as `Content-Type` has it; nil for one that is not known here.
    init?(label: String) {
        switch label.lowercased() {
        case "utf-8", "utf8", "unicode-1-1-utf-8": self = .utf8
        case "windows-1252", "cp1252", "cp-1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso_8859-1", "iso88591",
            "latin1", "latin-1", "l1", "us-ascii", "ascii", "ansi":
            self = .windows1252
        case "iso-8859-15", "iso8859-15", "iso_8859-15", "iso885915", "latin9", "latin-9", "l9": self = .latin9
        case "utf-16", "utf-16le": self = .utf16(bigEndian: false)
        case "utf-16be": self = .utf16(bigEndian: true)
        default: return nil
        }
    }

    /// The parameter `charset` of a media type (RFC 9110, section 8.3.2), without quotes; nil where there is none.
    static func label(inContentType text: String) -> String? {
        for parameter in text.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, trimmed(parts[0]).lowercased() == "charset" else { continue }
            let value = trimmed(parts[1]).filter { $0 != "\"" && $0 != "'" }
            return value.isEmpty ? nil : value
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    // MARK: Decoding

    /// The same text in UTF-8; nil for bytes that are no text in this encoding.
    func utf8(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        switch self {
        case .utf8: Charset.isUTF8(bytes) ? Array(bytes) : nil
        case .windows1252: Charset.widen(bytes) { Charset.windows1252Upper[Int($0 - 0x80)] }
        case .latin9: Charset.widen(bytes) { Charset.latin9Differences[$0] ?? UInt16($0) }
        case .utf16(let bigEndian): Charset.fromUTF16(bytes, bigEndian)
        }
    }

    /// - Parameter scalar: of a byte from 0x80 on; all lie in the basic plane.
    private static func widen(_ bytes: ArraySlice<UInt8>, _ scalar: (UInt8) -> UInt16) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x80 {
                text.append(byte)
                continue
            }
            let value = scalar(byte)
            if value < 0x800 {
                text.append(0xC0 | UInt8(value >> 6))
            } else {
                text.append(0xE0 | UInt8(value >> 12))
                text.append(0x80 | UInt8(value >> 6 & 0x3F))
            }
            text.append(0x80 | UInt8(value & 0x3F))
        }
        return text
    }

    private static func fromUTF16(_ bytes: ArraySlice<UInt8>, _ bigEndian: Bool) -> [UInt8]? {
        guard bytes.count % 2 == 0 else { return nil }
        let start = bytes.startIndex
        let units = stride(from: 0, to: bytes.count, by: 2).map { offset in
            let (first, second) = (UInt16(bytes[start + offset]), UInt16(bytes[start + offset + 1]))
            return bigEndian ? first << 8 | second : second << 8 | first
        }
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        return Array(text.utf8)
    }

    static func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// Bytes 0x80 to 0xFF in Windows-1252. Five of the first 32 mean nothing there; they stay the controls that
    /// ISO-8859-1 has.
    private static let windows1252Upper: [UInt16] =
        [
            0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
            0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
            0x0153, 0x9D, 0x017E, 0x0178,
        ] + Array(0xA0...0xFF)

    private static let latin9Differences: [UInt8: UInt16] = [
        0xA4: 0x20AC, 0xA6: 0x0160, 0xA8: 0x0161, 0xB4: 0x017D, 0xB8: 0x017E, 0xBC: 0x0152, 0xBD: 0x0153, 0xBE: 0x0178,
    ]

    // MARK: Guessing

    /// Whether bytes that name no encoding can be taken for Windows-1252: every byte means something there, and none
    /// of them belongs to a character of UTF-8. A text that has both was put together from two sources: what either
    /// half means is nobody's to guess.
    static func looksLikeWindows1252(_ bytes: ArraySlice<UInt8>) -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte >= 0x80 {
                if [0x81, 0x8D, 0x8F, 0x90, 0x9D].contains(byte) || holdsUTF8Character(bytes[index...]) {
                    return false
                }
            }
            index += 1
        }
        return true
    }

    private static func holdsUTF8Character(_ bytes: ArraySlice<UInt8>) -> Bool {
        let length: Int
        switch bytes.first ?? 0 {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return false
        }
        return bytes.count >= length && isUTF8(bytes.prefix(length))
    }
}
