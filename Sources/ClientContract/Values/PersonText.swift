// For normalisation, which the standard library does and does not name in public.
@_spi(_Unicode) import Swift

/// Comparison of the two free texts that a term can be.
public enum PersonText {
    /// A name for comparison: canonical Unicode equivalence (Swift's own string equality), case and repeated, leading
    /// and trailing white space ignored. Accents count. Case goes up before it goes down, so that `ß` equals `SS`, as
    /// systems that keep names in capitals write it.
    public static func nameKey(_ name: String) -> String {
        // By scalar: a blank that carries a combining mark is no blank.
        let words = name.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map(String.init)
            .joined(separator: " ")
        return words.utf8.allSatisfy { $0 < 0x80 } ? words.lowercased() : words.uppercased().lowercased()
    }

    /// A text in Unicode's composed form (NFC, UAX 15): `ã` as one scalar.
    public static func composed(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    /// An e-mail address for comparison: trimmed, without case.
    public static func emailKey(_ email: String) -> String {
        trimmed(email).lowercased()
    }

    /// A text without leading and trailing white space. Of a blank that carries a combining mark, the mark stays.
    public static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Whether a text can be an e-mail address: one `@` with something on both sides, no white space, control
    /// characters or separators of a list, at most 254 characters (RFC 5321, section 4.5.3.1, counts octets; no patient is
    /// refused for an accent).
    public static func isEmail(_ text: String) -> Bool {
        guard text.unicodeScalars.count <= 254 else { return false }
        let parts = text.unicodeScalars.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && text.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && !isControl($0) && $0 != "," && $0 != ";" && $0 != "<" && $0 != ">"
            }
    }

    /// Whether a text holds control characters (C0, C1 and delete), line breaks and tabs included.
    public static func hasControls(_ text: String) -> Bool { text.unicodeScalars.contains(where: isControl) }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value
    }
}
