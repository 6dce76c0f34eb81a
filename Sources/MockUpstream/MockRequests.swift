import Synchronization

/// What a request asks of a clinic's system, whatever its dialect.
public enum MockOperation: String, Sendable, CaseIterable {
    case login
    /// A page of all patients.
    case list
    /// A page of the patients that a filter leaves.
    case search
    /// One patient.
    case get
    case create
    case update
    /// No route of the dialect.
    case unknown
}

/// A request that reached the mock.
///
/// It holds what callers sent, so it prints masked.
public struct MockRequest: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let method: String
    /// The path as it was sent, percent-encoding included.
    public let path: String
    /// The query as it was sent, without `?`; empty if there was none.
    public let query: String
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// The values of a header, its name in any case.
    public func values(ofHeader name: String) -> [String] {
        headers.filter { Text.equalsIgnoringCase($0.name, name) }.map(\.value)
    }

    /// The query's parameters in order, decoded.
    public var parameters: [(name: String, value: String)] { Self.parameters(of: query) }

    /// The parameters of any query in order, decoded.
    public static func parameters(of query: String) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Text.formDecoded(parts[0]), parts.count == 2 ? Text.formDecoded(parts[1]) : "")
        }
    }

    /// The last value of a parameter.
    public func parameter(_ name: String) -> String? { parameters.last { $0.name == name }?.value }

    public var description: String { "\(method) request, \(body.count) bytes" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What reached the mock: how often each operation was asked for, and its last request.
///
/// Requests are counted when they have arrived whole, before any fault strikes. The mock's own routes are not counted.
public final class MockRequests: Sendable {
    private struct Seen {
        var counts: [MockOperation: Int] = [:]
        var last: [MockOperation: MockRequest] = [:]
        var connections = 0
    }

    private let seen = Mutex(Seen())

    init() {}

    /// Requests by operation.
    public var counts: [MockOperation: Int] { seen.withLock { $0.counts } }
    /// All requests.
    public var total: Int { seen.withLock { $0.counts.values.reduce(0, +) } }
    /// Connections accepted.
    public var connections: Int { seen.withLock { $0.connections } }

    public func count(_ operation: MockOperation) -> Int { seen.withLock { $0.counts[operation] ?? 0 } }

    /// The last request of an operation.
    public func last(_ operation: MockOperation) -> MockRequest? { seen.withLock { $0.last[operation] } }

    /// Forgets everything.
    public func reset() { seen.withLock { $0 = Seen() } }

    func add(_ request: MockRequest, operation: MockOperation) {
        seen.withLock {
            $0.counts[operation, default: 0] += 1
            $0.last[operation] = request
        }
    }

    func addConnection() { seen.withLock { $0.connections += 1 } }
}
