/// What can go wrong between Ponte and a clinic's system. Details never hold patient data, secrets or addresses.
public enum UpstreamError: Error, Sendable, CustomStringConvertible {
    /// What stood in the way of a connection.
    public enum Obstacle: String, Sendable, CaseIterable {
        /// Nobody listens, there is no way, or the connection broke.
        case connection
        /// The host's name is unknown.
        case name
        /// No connection came about in time: nothing answers at that address.
        case silence
        /// The TLS handshake failed, for another reason than the system's certificate.
        case tls
        /// The system's certificate is not trusted for its name.
        case certificate
        /// The host has an address that the tenant does not allow.
        case address
    }

    /// No connection, or it broke before the request was sent.
    case unreachable(String, Obstacle = .connection)
    /// The deadline passed; for a write, only when nothing was sent.
    case timeout
    /// The system does not accept the tenant's credentials, or its login failed.
    case credentialsRejected(String)
    /// The system refuses the data. `reasons` are its own words, cleaned.
    case refused(reasons: [String])
    case notFound
    /// The system says that the record collides with another.
    case conflict(reasons: [String])
    /// Too many calls; seconds to wait, where the system tells.
    case rateLimited(retryAfter: Int?)
    /// The system says that it failed. `status` is its HTTP status, where there is one.
    case failed(status: Int?, String)
    /// An answer that fits no rule, with what was expected.
    case malformed(String)
    /// A write was sent and no answer came.
    case outcomeUnknown(String)
    /// The system has no such operation, or cannot carry the value.
    case unsupported(String)
    /// Too many calls wait for this system; seconds until that may be better.
    case saturated(retryAfter: Int?)
    /// The system kept failing and is not called for some seconds.
    case circuitOpen(retryAfter: Int?, String)
    /// Ponte is shutting down.
    case shuttingDown
    case cancelled

    public var description: String {
        switch self {
        case .unreachable(let detail, _): "unreachable: \(detail)"
        case .timeout: "timeout"
        case .credentialsRejected(let detail): "credentials rejected: \(detail)"
        case .refused(let reasons): "refused with \(reasons.count) reasons"
        case .notFound: "not found"
        case .conflict(let reasons): "conflict with \(reasons.count) reasons"
        case .rateLimited: "rate limited"
        case .failed(let status, let detail): "failed\(status.map { " (\($0))" } ?? ""): \(detail)"
        case .malformed(let detail): "malformed answer: \(detail)"
        case .outcomeUnknown(let detail): "outcome unknown: \(detail)"
        case .unsupported(let detail): "unsupported: \(detail)"
        case .saturated: "saturated"
        case .circuitOpen(_, let detail): "circuit open: \(detail)"
        case .shuttingDown: "shutting down"
        case .cancelled: "cancelled"
        }
    }
}
