/// Why a call brought no answer, how far it had come, and whether the server may have seen it.
///
/// `detail` comes from a fixed list of phrases: never a URL, a host, a header or a body.
public struct TransportError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// Refused before anything was dialled: method, URL or header that could be read in two ways.
        case invalidRequest
        case nameResolution
        case connect
        /// The connection (name, TCP and TLS) was not ready within the channel's `connectTimeout`.
        case connectTimeout
        case tls
        /// The server's certificate is not trusted for its name.
        case certificate
        /// One of the channel's own files (authorities, client certificate, key) is not usable.
        case ownFile
        /// The channel does not allow any address that the host has.
        case addressRefused
        case send
        case receive
        /// The server closed without a single byte of answer.
        case emptyAnswer
        /// The answer ended before its announced end.
        case truncated
        /// Unknown `Content-Encoding`, or bytes that do not fit it.
        case badEncoding
        case protocolViolation
        /// Body beyond the channel's `maxBodyBytes` after decompression, or headers beyond 256 KiB.
        case tooLarge
        case deadline
        /// The calling task was cancelled.
        case cancelled
        /// The engine is shutting down.
        case shuttingDown
        /// Too many calls are waiting already, or there is too little time left for one that waited.
        case saturated
        /// The system asked for fewer calls, and the time for which it asked is not over.
        case rateLimited
        /// The system kept failing and is not called for now.
        case circuitOpen
        case `internal`
    }

    /// Where the call was when it failed.
    public enum Phase: String, Sendable {
        case queued, resolving, connecting, handshaking, sending, waiting, receiving
    }

    public let kind: Kind
    public let phase: Phase
    /// False only if it is certain that no byte of the request was handed to a connection.
    public let mayHaveReachedServer: Bool
    public let detail: String
    /// Seconds after which trying again makes sense, where that is known: for `.saturated`, `.rateLimited` and
    /// `.circuitOpen`.
    public let retryAfter: Int?

    public init(kind: Kind, phase: Phase, mayHaveReachedServer: Bool, detail: String, retryAfter: Int? = nil) {
        self.kind = kind
        self.phase = phase
        self.mayHaveReachedServer = mayHaveReachedServer
        self.detail = detail
        self.retryAfter = retryAfter
    }

    public var description: String {
        "\(detail) (\(kind), while \(phase.rawValue), "
            + (mayHaveReachedServer ? "may have reached the server)" : "did not reach the server)")
    }
}
