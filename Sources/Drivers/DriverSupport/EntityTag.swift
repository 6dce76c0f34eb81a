import ClientContract

/// The version of a record, as a system tells it and wants it back in `If-Match` (RFC 9110, section 8.8.3).
package enum EntityTag {
    /// The tag as it came; nil for one that no header can carry. Quotes are not asked for: some systems leave them out.
    package static func usable(_ tag: String?) -> String? {
        guard let tag, !tag.isEmpty, !PersonText.hasControls(tag) else { return nil }
        return tag
    }

    /// What stands between the quotes.
    package static func content(_ tag: String) -> String {
        let opaque = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
        guard opaque.count >= 2, opaque.hasPrefix("\""), opaque.hasSuffix("\"") else { return String(opaque) }
        return String(opaque.dropFirst().dropLast())
    }
}
