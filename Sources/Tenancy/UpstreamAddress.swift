import StrictConfig

/// The address of a clinic's system.
enum UpstreamAddress {
    /// Reads an absolute http or https address without user, query and fragment; trailing slashes are dropped.
    /// - Returns: scheme and host in lower case, as everybody else compares them.
    static func read(_ node: ConfigNode) -> String? {
        guard let text = node.string("an address such as \"https://api.example.test/v1\"") else { return nil }
        if let complaint = complaint(about: text) {
            node.fault(complaint)
            return nil
        }
        return trimmed(text)
    }

    /// The same address with its scheme and host in lower case (RFC 3986, section 6.2.2.1).
    static func normalized(_ text: String) -> String {
        guard let colon = text.range(of: "://") else { return text }
        let path = text[colon.upperBound...].firstIndex(of: "/") ?? text.endIndex
        return text[..<path].lowercased() + text[path...]
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(normalized(text))
        while text.hasSuffix("/") { text.removeLast() }
        return String(text)
    }

    /// What is wrong with an address; nil when nothing is. It never quotes the address: it may hold a password.
    static func complaint(about text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.unsafe.contains($0) }) else {
            return "holds characters that an address cannot: percent-encode them"
        }
        guard let colon = text.range(of: "://"),
            ["http", "https"].contains(text[..<colon.lowerBound].lowercased())
        else { return "must begin with http:// or https://" }
        let rest = text[colon.upperBound...]
        guard !rest.contains("?"), !rest.contains("#") else { return "must have no query and no fragment" }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            return "must hold no user and no password: they belong in \"credentials\""
        }
        let path = rest[authority.endIndex...]
        guard !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) else {
            return "must have no . or .. in its path"
        }
        guard hasWholeEscapes(path) else { return "holds a % that is not followed by two hexadecimal digits" }
        return complaint(aboutAuthority: authority)
    }

    private static func complaint(aboutAuthority authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return "has a host that cannot be read" }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let after = authority[authority.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":") else { return "has a host that cannot be read" }
            port = after.isEmpty ? nil : after.dropFirst()
            guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return "has a host that cannot be read"
            }
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            guard !host.isEmpty else { return "must name a host" }
            guard host.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }) else {
                return "has a host that cannot be read"
            }
        }
        if let port {
            guard port.count <= 5, port.allSatisfy(\.isNumber), let number = Int(port), 1...65_535 ~= number else {
                return "has a port that is not from 1 to 65535"
            }
        }
        return nil
    }

    private static let unsafe = Set("\"<>\\^`{|}".utf8)

    private static func hasWholeEscapes(_ path: Substring) -> Bool {
        let parts = path.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
        return parts.allSatisfy { $0.count >= 2 && $0.prefix(2).allSatisfy(\.isHexDigit) }
    }
}

extension String {
    /// The first place of a text.
    fileprivate func range(of text: String) -> Range<String.Index>? { ranges(of: text).first }
}
