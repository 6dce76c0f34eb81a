import Glibc
import Tenancy
import Transport

/// Where a tenant's address leads.
struct Network {
    let host: String
    let isPlainHTTP: Bool

    init(_ facts: UpstreamFacts) {
        var text = facts.baseURL ?? ""
        for setting in facts.settings {
            text = Self.replacing("{setting.\(setting.name)}", with: setting.value, in: text)
        }
        host = Self.host(of: text)
        isPlainHTTP = text.hasPrefix("http://")
    }

    var isLoopback: Bool { AddressPolicy.isLoopback(host: host) }

    /// Asks the machine's resolver.
    func lookUp() -> Doctor.Finding {
        let name = "name"
        guard !host.isEmpty, !host.contains("{") else {
            return Doctor.Finding(
                name, .skipped, "the address is made from credentials, which are not shown: not looked up alone")
        }
        let start = ContinuousClock.now
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        let took = ContinuousClock.now - start
        guard code == 0 else {
            return Doctor.Finding(
                name, .bad, "\(host) does not resolve: \(String(cString: gai_strerror(code)))",
                advice:
                    "Check upstream.baseURL (and upstream.settings) for a typing mistake; if it is right, the name server of "
                    + "this machine.", took: took)
        }
        var (v4, v6) = (0, 0)
        var entry = list
        while let current = entry {
            if current.pointee.ai_family == AF_INET6 { v6 += 1 } else { v4 += 1 }
            entry = current.pointee.ai_next
        }
        return Doctor.Finding(name, .good, "\(host) has \(v4) IPv4 and \(v6) IPv6 addresses", took: took)
    }

    /// The host of an absolute URL, without port and brackets; empty where there is none.
    private static func host(of url: String) -> String {
        guard let scheme = url.firstIndex(of: ":"), url[scheme...].hasPrefix("://") else { return "" }
        let authority = url[url.index(scheme, offsetBy: 3)...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    private static func replacing(_ part: String, with other: String, in text: String) -> String {
        guard let range = text.firstRange(of: part) else { return text }
        return text.replacingCharacters(in: range, with: other)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
