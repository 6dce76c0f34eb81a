import ClientContract
import Metering

/// What a path and a method ask for. Parts of the path are still as they came.
enum Route: Equatable {
    case live
    case ready
    case client(tenant: Substring?, ClientCall)

    /// The contract's five calls.
    enum ClientCall: Equatable {
        case list
        case search
        case create
        case get(rawID: Substring)
        case update(rawID: Substring)
    }

    /// The path as the documentation writes it: what logs show in place of the path.
    var template: String {
        switch self {
        case .live: "/health/live"
        case .ready: "/health/ready"
        case .client(let tenant, let call):
            (tenant == nil ? "" : "/t/{tenant}")
                + {
                    switch call {
                    case .list, .create: "/clients"
                    case .search: "/clients/search"
                    case .get, .update: "/clients/{id}"
                    }
                }()
        }
    }

    /// What counts have in place of it: without the tenant.
    var counted: CountedRoute {
        switch self {
        case .live: .live
        case .ready: .ready
        case .client(_, .list): .list
        case .client(_, .search): .search
        case .client(_, .create): .create
        case .client(_, .get): .get
        case .client(_, .update): .update
        }
    }

    /// Why nothing answers a request line.
    enum Miss: Error, Equatable {
        case noSuchRoute
        /// The path exists, for these methods only.
        case wrongMethod(allow: String, template: String)

        var error: ContractError {
            switch self {
            case .noSuchRoute: ContractError(.noSuchRoute)
            case .wrongMethod(let allow, _): ContractError(.methodNotAllowed, "This path answers \(allow).")
            }
        }
    }

    /// - Parameters:
    ///   - path: as it came, percent-encoded, without the query.
    ///   - prefix: also answers in front of the contract's paths; empty for none.
    static func find(method: String, path: Substring, prefix: String) throws(Miss) -> Route {
        var path = path
        if path == "/health/live" { return try only("GET", method, .live) }
        if path == "/health/ready" { return try only("GET", method, .ready) }
        if !prefix.isEmpty, path.hasPrefix(prefix + "/") { path = path.dropFirst(prefix.count) }
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        guard segments.popFirst() == "" else { throw .noSuchRoute }
        var tenant: Substring?
        if segments.first == "t" {
            segments.removeFirst()
            guard let name = segments.popFirst(), !name.isEmpty else { throw .noSuchRoute }
            tenant = name
        }
        guard segments.popFirst() == "clients", segments.count <= 1 else { throw .noSuchRoute }
        guard let last = segments.first else {
            if method == "POST" { return .client(tenant: tenant, .create) }
            return try only("GET", method, .client(tenant: tenant, .list), allow: "GET, POST")
        }
        guard !last.isEmpty else { throw .noSuchRoute }
        if last == "search" { return try only("GET", method, .client(tenant: tenant, .search)) }
        if method == "PATCH" { return .client(tenant: tenant, .update(rawID: last)) }
        return try only("GET", method, .client(tenant: tenant, .get(rawID: last)), allow: "GET, PATCH")
    }

    private static func only(
        _ wanted: String, _ method: String, _ route: Route, allow: String? = nil
    ) throws(Miss) -> Route {
        guard method == wanted else { throw .wrongMethod(allow: allow ?? wanted, template: route.template) }
        return route
    }
}

/// A client's id from its path segment.
enum PathID {
    /// Longest id, in Unicode scalars: what JSON Schema's `maxLength` counts.
    static let most = 512

    static func read(_ raw: Substring) throws(ContractError) -> ClientID {
        func fault(_ message: String) -> ContractError { .invalidInput([.init(query: "id", message)]) }
        guard let text = PercentEncoding.decode(raw.utf8) else {
            throw fault("is not percent-encoded UTF-8")
        }
        guard !text.isEmpty, text != ".", text != ".." else { throw fault("is not an id") }
        guard text.unicodeScalars.count <= most else { throw fault("is longer than \(most) characters") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw fault("holds control characters")
        }
        return ClientID(text)
    }
}

/// Percent-encoding (RFC 3986, section 2.1), decoded strictly and once.
enum PercentEncoding {
    /// - Parameter plusIsSpace: as HTML forms write queries.
    /// - Returns: nil when a `%` has no two hexadecimal digits after it or the result is not UTF-8.
    static func decode(_ raw: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var iterator = raw.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hex), let low = iterator.next().flatMap(hex) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
