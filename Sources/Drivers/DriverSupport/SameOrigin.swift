/// Links that a vendor sends are followed on its own origin only (RFC 6454).
package enum SameOrigin {
    /// A link as an absolute address of the same scheme, host and port; nil for any other.
    /// - Parameter base: the address whose answer held the link (RFC 3986, section 5).
    package static func resolve(_ link: String, against base: String) -> String? {
        guard link.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7F && $0 != "\\" && $0 != "#" }),
            let origin = origin(of: base)
        else { return nil }
        if link.hasPrefix("//") { return nil }
        if link.hasPrefix("/") { return origin.text + link }
        let path = String(base.prefix { $0 != "?" && $0 != "#" })
        if link.hasPrefix("?") { return path + link }
        if let other = self.origin(of: link) { return other.key == origin.key ? link : nil }
        // Something like "javascript:" or "ftp://" is no path.
        guard !link.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") else { return nil }
        let folder =
            path.utf8.count > origin.text.utf8.count
            ? path[...(path.lastIndex(of: "/") ?? path.startIndex)] : path + "/"
        return folder + link
    }

    /// Scheme, host and port. User information makes a link unusable.
    private static func origin(of url: String) -> (key: String, text: String)? {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let authority = url[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var host = authority.lowercased()
        let standard = scheme == "https" ? ":443" : ":80"
        if host.hasSuffix(standard) { host.removeLast(standard.count) }
        return ("\(scheme)://\(host)", "\(scheme)://\(authority)")
    }
}
