import CCurl

/// Scheme, host and port of an absolute URL (RFC 6454): what a redirect may not leave.
struct Origin: Equatable, CustomStringConvertible {
    let scheme: String
    /// Lower case; an IPv6 address keeps its brackets.
    let host: String
    let port: Int

    /// Reads the front of a URL and refuses one that two parsers could read differently.
    init(ofURL url: String) throws(TransportError) {
        let bytes = Array(url.utf8)
        for byte in bytes where byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "#")
        {
            throw .invalid("the URL has a character that must be percent-encoded")
        }
        let afterScheme: Int
        let defaultPort: Int
        if bytes.starts(with: "https://".utf8) {
            (scheme, afterScheme, defaultPort) = ("https", 8, 443)
        } else if bytes.starts(with: "http://".utf8) {
            (scheme, afterScheme, defaultPort) = ("http", 7, 80)
        } else {
            throw .invalid("the URL does not start with http:// or https://")
        }
        let authority = bytes[afterScheme...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        if authority.contains(UInt8(ascii: "@")) { throw .invalid("the URL has user information") }

        var hostBytes = authority
        var portBytes: ArraySlice<UInt8>?
        let afterBrackets = authority.lastIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? authority.startIndex
        if let colon = authority[afterBrackets...].firstIndex(of: UInt8(ascii: ":")) {
            hostBytes = authority[..<colon]
            portBytes = authority[(colon + 1)...]
        }
        guard !hostBytes.isEmpty, !hostBytes.contains(UInt8(ascii: "%")) else {
            throw .invalid("the URL has no proper host")
        }
        host = String(decoding: hostBytes.map(lowercased), as: UTF8.self)
        if let portBytes {
            let digits = portBytes.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard digits, let number = Int(String(decoding: portBytes, as: UTF8.self)), (1...65535).contains(number)
            else { throw .invalid("the URL has no proper port") }
            port = number
        } else {
            port = defaultPort
        }
    }

    var description: String { "\(scheme)://\(host)" }
}

/// Where a `Location` leads to, seen from `base` (RFC 3986 section 5, by libcurl's own URL code so that both agree).
/// `nil` if it makes no sense. A fragment is dropped.
func resolve(location: String, against base: String) -> String? {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard curl_url_set(handle, CURLUPART_URL, base, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK,
        curl_url_set(handle, CURLUPART_URL, location, UInt32(CURLU_PATH_AS_IS | CURLU_URLENCODE)) == CURLUE_OK,
        curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK
    else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, CURLUPART_URL, &text, 0) == CURLUE_OK, let text else { return nil }
    defer { curl_free(text) }
    return String(cString: text)
}
