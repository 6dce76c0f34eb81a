import NIOHTTP1

/// What a request's head must keep to beyond what the parser underneath checks, so that no proxy in front can understand
/// it differently (RFC 9112, sections 3.2, 6.1 and 9.3).
enum RequestHead {
    /// Checks a head, and writes it the way that the server underneath understands: the target as a path, a connection
    /// that ends as `Connection: close`.
    /// - Returns: what is wrong with it; nil for a sound one.
    static func fault(_ head: inout HTTPRequestHead) -> String? {
        let hosts = head.headers["host"]
        guard hosts.count <= 1 else { return "there is more than one Host" }
        guard !hosts.isEmpty || isOld(head) else { return "there is no Host" }
        guard hosts.allSatisfy(isHost) else { return "the Host is not one" }
        let codings = head.headers["transfer-encoding"]
        if !codings.isEmpty {
            guard !isOld(head) else { return "HTTP/1.0 has no Transfer-Encoding" }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return "the Transfer-Encoding is not \"chunked\""
            }
            guard !head.headers.contains(name: "content-length") else {
                return "there are both Content-Length and Transfer-Encoding"
            }
        }
        if let fault = target(&head, host: hosts.first) { return fault }
        if isLast(head) { head.headers.replaceOrAdd(name: "connection", value: "close") }
        return nil
    }

    /// HTTP/1.0: no chunks, and the end of the connection is the end of the answer.
    static func isOld(_ head: HTTPRequestHead) -> Bool { (head.version.major, head.version.minor) < (1, 1) }

    /// No other request follows on this connection. Behind a request to change the protocol, which is never done, the
    /// parser reads no further. A request that has an expectation and no body that is read here is answered before its
    /// body is asked for: whether what comes next is that body, nobody in between can know (RFC 9110, section 10.1.1).
    static func isLast(_ head: HTTPRequestHead) -> Bool {
        isOld(head) || !head.isKeepAlive || head.headers.contains(name: "upgrade")
            || (head.headers.contains(name: "expect") && head.method != .POST && head.method != .PATCH)
    }

    private static func target(_ head: inout HTTPRequestHead, host: String?) -> String? {
        guard head.method != .CONNECT else { return "there is no tunnel here" }
        guard !head.uri.contains("#") else { return "the target has a fragment" }
        if head.uri.hasPrefix("/") || (head.method == .OPTIONS && head.uri == "*") { return nil }
        // The absolute form, as proxies get it; a server must take it too (section 3.2.2).
        guard let scheme = ["http://", "https://"].first(where: { head.uri.lowercased().hasPrefix($0) }) else {
            return "the target is not a path"
        }
        let rest = head.uri.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, host.map({ $0.lowercased() == authority.lowercased() }) ?? isHost(String(authority))
        else { return "the target's host is not the Host" }
        let path = rest.dropFirst(authority.count)
        head.uri = path.hasPrefix("/") ? String(path) : "/" + path
        return nil
    }

    /// Whether a text holds the characters of a host and a port only (RFC 3986, section 3.2.2), and no comma, by which
    /// two fields may have been joined.
    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-._~%!$&'()*+;=:[]".utf8.contains(byte)
        }
    }
}

/// The first line of a request, as far as it must be known before the parser underneath, which refuses methods that it
/// does not know without a look at the path.
enum RequestLine: Equatable {
    /// To be left to the parser.
    case ordinary
    /// The method is not known yet.
    case incomplete
    /// A sound line with a method that has no meaning here.
    case unknownMethod(target: String)

    /// Beyond so many bytes a line is left to the parser and its limits.
    static let longest = 8 << 10
    private static let methods = [
        "GET ", "POST ", "PATCH ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "TRACE ", "CONNECT ", "PRI ",
    ].map { Array($0.utf8) }

    static func read(_ bytes: some Collection<UInt8>) -> RequestLine {
        guard let first = bytes.first, isToken(first), !methods.contains(where: { bytes.starts(with: $0) }) else {
            return .ordinary
        }
        guard let end = bytes.firstIndex(of: 10) else { return bytes.count < longest ? .incomplete : .ordinary }
        let line = Array(bytes[..<end])
        guard line.last == 13 else { return .ordinary }
        let parts = line.dropLast().split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].allSatisfy(isToken), parts[1].first == UInt8(ascii: "/"),
            ["HTTP/1.1", "HTTP/1.0"].contains(where: { parts[2].elementsEqual($0.utf8) }),
            let target = String(validating: parts[1], as: UTF8.self)
        else { return .ordinary }
        return .unknownMethod(target: target)
    }

    /// A character of a method (RFC 9110, section 5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
