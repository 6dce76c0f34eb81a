/// What may be done again without harm, decided by the caller: the method alone does not say.
public enum Repeatability: Sendable {
    /// Changes nothing upstream, whatever the method (a search by POST too). Repeated after failures that may pass, and
    /// shared with identical requests that are under way.
    case safe
    /// Twice is the same as once (PUT). Libcurl may send it again when a kept connection dies; Ponte does only while it
    /// is certain that the server has not seen it.
    case idempotent
    /// A create. Delivered at most once: it goes out on a connection of its own, and again only while it is certain that
    /// the server has not seen it.
    case unsafe
}

/// One HTTP request to a clinic's system.
///
/// Printing it shows the method, scheme and host only: path, query, headers and body carry patient data and secrets.
public struct OutboundRequest: Sendable, CustomStringConvertible, CustomReflectable {
    /// `GET`, `POST` …: a token of RFC 9110, sent as it is. `CONNECT` and `TRACE` are refused.
    public var method: String
    /// Absolute `http` or `https` URL, already percent-encoded, without user information and fragment.
    public var url: String
    /// Sent in order. Names are tokens, values are free of control characters (tab excepted).
    /// Framing is not the caller's: `Host`, `Content-Length`, `Transfer-Encoding`, `Connection`, `Expect` … are refused.
    public var headers: [(name: String, value: String)]
    /// `nil`: no body. `[]`: an empty body, announced by `Content-Length: 0`.
    public var body: [UInt8]?
    /// What may be done again.
    public var repeatability: Repeatability
    /// What an answer says of the system's health, from whoever knows the system; nil: by its status alone. Asked for
    /// every answer, so it must be cheap for the ordinary ones.
    public var reading: (@Sendable (UpstreamAnswer) -> AnswerReading)?
    /// How many redirects to the same origin are followed for a `.safe` request; other requests follow none.
    public var redirects: Int
    /// It asks for a token and for nothing else; for counts.
    public var isLogin = false

    public init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        repeatability: Repeatability, redirects: Int = 0
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.repeatability = repeatability
        self.redirects = redirects
    }

    public var description: String {
        let shownMethod = isToken(method.utf8) ? method : "?"
        guard let origin = try? Origin(ofURL: url) else { return "\(shownMethod) ?" }
        return "\(shownMethod) \(origin)"
    }

    public var customMirror: Mirror { Mirror(reflecting: description) }
}

extension OutboundRequest {
    /// Refuses what libcurl would read differently from us, before it sees any of it.
    func validate() throws(TransportError) {
        guard isToken(method.utf8), method.utf8.count <= 32 else { throw .invalid("the method is not a token") }
        if method == "CONNECT" || method == "TRACE" { throw .invalid("the method is not allowed") }
        _ = try Origin(ofURL: url)
        for (name, value) in headers {
            guard isToken(name.utf8) else { throw .invalid("a header name is not a token") }
            if framingHeaders.contains(where: { equalsIgnoringCase(name.utf8, $0.utf8) }) {
                throw .invalid("a header that frames the message is not the caller's to set")
            }
            guard isFieldValue(value.utf8) else { throw .invalid("a header value has control characters") }
        }
        if redirects < 0 { throw .invalid("the number of redirects is negative") }
    }
}

extension TransportError {
    static func invalid(_ detail: String) -> TransportError {
        TransportError(kind: .invalidRequest, phase: .queued, mayHaveReachedServer: false, detail: detail)
    }
}

private let framingHeaders: [String] = [
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade", "TE", "Trailer", "Keep-Alive",
    "Proxy-Connection",
]

/// RFC 9110 section 5.5: no line break, and no other control character but the tab, can be in a field's value.
func isFieldValue(_ text: some Sequence<UInt8>) -> Bool {
    text.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
}

/// RFC 9110 section 5.6.2.
func isToken(_ text: some Collection<UInt8>) -> Bool {
    !text.isEmpty
        && text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
            default: false
            }
        }
}

func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

func equalsIgnoringCase(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
    one.count == other.count && zip(one, other).allSatisfy { lowercased($0) == lowercased($1) }
}
