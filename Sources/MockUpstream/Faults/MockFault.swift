/// Something that goes wrong on purpose.
///
/// Written as `name` or `name=argument`, the form of the `X-Mock-Fault` header. Unless said otherwise the operation was
/// carried out as soon as the request had come, and it is its answer that suffers: what makes a write's outcome unknown
/// to the caller.
public enum MockFault: Sendable, Hashable {
    // MARK: Time

    /// `latency=ms` or `latency=ms:jitter`: the answer comes so many milliseconds later, give or take a random number of
    /// them up to the jitter.
    case latency(milliseconds: Int, jitter: Int = 0)
    /// `blackhole` or `blackhole=before`: nothing is ever answered, and the connection stays open, after or before the
    /// operation was carried out.
    case blackhole(before: Bool)
    /// `slicer` or `slicer=bytes`: the answer comes in segments of so many bytes, one unless given; then the connection
    /// closes.
    case slicer(bytes: Int)
    /// `bandwidth=bytes`: the answer comes at so many bytes a second; then the connection closes.
    case bandwidth(bytesPerSecond: Int)
    /// `slow-close=ms`: a whole answer whose end is the connection's, which comes so many milliseconds later.
    case slowClose(milliseconds: Int)

    // MARK: Connection

    /// `reset=accept`: new connections are reset before a request is read, and requests on older ones before they are
    /// carried out.
    case resetAtAccept
    /// `reset` or `reset=before`: the connection is reset before any byte of an answer, after or before the operation
    /// was carried out.
    case reset(before: Bool)
    /// `reset=headers`: the connection is reset after the head of the answer.
    case resetAfterHead
    /// `reset-mid-body`: the connection is reset after half of the body.
    case resetMidBody
    /// `no-reply`: the connection is closed without a byte of an answer.
    case noReply
    /// `truncate`: `Content-Length` promises the whole body, half of it comes, then the connection closes.
    case truncate
    /// `close-idle`: the answer promises a kept connection, which is then closed.
    case closeIdle

    // MARK: Bytes

    /// `bad-chunk`: a chunked body with half of the answer in a chunk, and then a chunk whose size is no number.
    case badChunk
    /// `random` or `random=seed`: 4,096 random bytes in place of HTTP, the same ones for the same seed.
    case random(seed: Int)
    /// `endless`: a chunked body that goes on until the caller leaves.
    case endless
    /// `endless-headers`: a head that goes on until the caller leaves.
    case endlessHeaders
    /// `gzip-bomb`: a compressed body that grows to 158 times its size, and goes on until the caller leaves.
    case gzipBomb

    // MARK: Content

    /// `status=code` or `status=code:seconds`: this status with a small JSON body, with `Retry-After` if given. The
    /// operation is not carried out.
    case status(Int, retryAfter: Int?)
    /// `foreign=kind`: what somebody else says on the way to the system, or the system of something else than the client
    /// asked for. The operation is not carried out.
    case foreign(ForeignAnswer)
    /// `html=status`, or `html` for 200: a login page with this status.
    case page(status: Int)
    /// `text-html`: the right answer, announced as `text/html`.
    case textHTML
    /// `empty`: status 200 without a body.
    case empty
    /// `bad-json`: the answer's status and type, and a body that is not JSON.
    case badJSON
    /// `latin1`, `latin1=charset` or `latin1=none`: the right answer in ISO 8859-1, announced as that, as another
    /// charset or without any. What it cannot say is escaped as JSON allows.
    case latin1(announced: String?)
    /// `windows-1252`, `windows-1252=charset` or `windows-1252=none`: likewise.
    case windows1252(announced: String?)
    /// `bom`: the right answer behind a byte order mark.
    case bom
    /// `duplicate-key`: the first member of the answer stands there twice, once as null.
    case duplicateKey
    /// `numbers-as-text`: every number of the answer is a text.
    case numbersAsText

    /// A login page with status 200.
    public static let html = MockFault.page(status: 200)

    /// Whether the operation is left undone.
    var preventsOperation: Bool {
        switch self {
        case .status, .foreign, .reset(before: true), .resetAtAccept, .blackhole(before: true): true
        default: false
        }
    }
}

// MARK: - As text

extension MockFault {
    /// Reads `name` or `name=argument`; nil for an unknown name or an argument that makes no sense.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(name: parts.first.map(String.init) ?? "", argument: parts.count == 2 ? String(parts[1]) : nil)
    }

    public init?(name: String, argument: String?) {
        guard let fault = argument.map({ Self.read(name, $0) }) ?? Self.plain[name] else { return nil }
        self = fault
    }

    /// The faults that may do without an argument.
    private static let plain: [String: MockFault] = [
        "blackhole": .blackhole(before: false), "slicer": .slicer(bytes: 1), "reset": .reset(before: false),
        "reset-mid-body": .resetMidBody, "no-reply": .noReply, "truncate": .truncate, "close-idle": .closeIdle,
        "bad-chunk": .badChunk, "random": .random(seed: 1), "endless": .endless, "endless-headers": .endlessHeaders,
        "gzip-bomb": .gzipBomb, "html": .html, "text-html": .textHTML, "empty": .empty, "bad-json": .badJSON,
        "latin1": .latin1(announced: nil), "windows-1252": .windows1252(announced: nil), "bom": .bom,
        "duplicate-key": .duplicateKey, "numbers-as-text": .numbersAsText,
    ]

    private static let longestWait = 600_000

    private static func read(_ name: String, _ argument: String) -> MockFault? {
        switch (name, argument) {
        case ("blackhole", "before"): return .blackhole(before: true)
        case ("reset", "before"): return .reset(before: true)
        case ("reset", "accept"): return .resetAtAccept
        case ("reset", "headers"): return .resetAfterHead
        case ("latency", _):
            guard let (wait, jitter) = pair(argument), (0...longestWait).contains(wait) else { return nil }
            guard let jitter else { return .latency(milliseconds: wait) }
            return (1...longestWait).contains(jitter) ? .latency(milliseconds: wait, jitter: jitter) : nil
        case ("status", _):
            guard let (code, seconds) = pair(argument), (200...599).contains(code) else { return nil }
            if let seconds, seconds < 0 { return nil }
            return .status(code, retryAfter: seconds)
        case ("foreign", _): return ForeignAnswer(rawValue: argument).map { .foreign($0) }
        case ("slicer", _): return number(argument, 1...65_536).map { .slicer(bytes: $0) }
        case ("bandwidth", _): return number(argument, 1...1_000_000_000).map { .bandwidth(bytesPerSecond: $0) }
        case ("slow-close", _): return number(argument, 0...longestWait).map { .slowClose(milliseconds: $0) }
        case ("random", _): return number(argument, 0...Int.max).map { .random(seed: $0) }
        case ("html", _): return number(argument, 200...599).map { .page(status: $0) }
        case ("latin1", _): return isCharset(argument) ? .latin1(announced: argument) : nil
        case ("windows-1252", _): return isCharset(argument) ? .windows1252(announced: argument) : nil
        default: return nil
        }
    }

    private static func number(_ text: some StringProtocol, _ range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// `first` or `first:second`.
    private static func pair(_ text: String) -> (first: Int, second: Int?)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = Int(parts[0]) else { return nil }
        guard parts.count == 2 else { return (first, nil) }
        return Int(parts[1]).map { (first, $0) }
    }

    private static func isCharset(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 | 0x20 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x5F }
    }

    public var name: String {
        switch self {
        case .latency: "latency"
        case .blackhole: "blackhole"
        case .slicer: "slicer"
        case .bandwidth: "bandwidth"
        case .slowClose: "slow-close"
        case .resetAtAccept, .reset, .resetAfterHead: "reset"
        case .resetMidBody: "reset-mid-body"
        case .noReply: "no-reply"
        case .truncate: "truncate"
        case .closeIdle: "close-idle"
        case .badChunk: "bad-chunk"
        case .random: "random"
        case .endless: "endless"
        case .endlessHeaders: "endless-headers"
        case .gzipBomb: "gzip-bomb"
        case .status: "status"
        case .foreign: "foreign"
        case .page: "html"
        case .textHTML: "text-html"
        case .empty: "empty"
        case .badJSON: "bad-json"
        case .latin1: "latin1"
        case .windows1252: "windows-1252"
        case .bom: "bom"
        case .duplicateKey: "duplicate-key"
        case .numbersAsText: "numbers-as-text"
        }
    }

    /// Nil where the name alone says it.
    public var argument: String? {
        switch self {
        case .latency(let milliseconds, let jitter): jitter == 0 ? "\(milliseconds)" : "\(milliseconds):\(jitter)"
        case .blackhole(let before), .reset(let before): before ? "before" : nil
        case .slicer(let bytes): bytes == 1 ? nil : "\(bytes)"
        case .bandwidth(let bytes): "\(bytes)"
        case .slowClose(let milliseconds): "\(milliseconds)"
        case .resetAtAccept: "accept"
        case .resetAfterHead: "headers"
        case .random(let seed): seed == 1 ? nil : "\(seed)"
        case .status(let code, let retryAfter): retryAfter.map { "\(code):\($0)" } ?? "\(code)"
        case .foreign(let kind): kind.rawValue
        case .page(let status): status == 200 ? nil : "\(status)"
        case .latin1(let announced), .windows1252(let announced): announced
        default: nil
        }
    }
}
