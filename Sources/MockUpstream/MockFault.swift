/// Something that goes wrong on purpose.
///
/// Written as `name` or `name=argument`, the form of the `X-Mock-Fault` header. Unless said otherwise the operation was
/// carried out, and it is its answer that suffers: what makes a write's outcome unknown to the caller.
public enum MockFault: Sendable, Hashable {
    /// `latency=ms`: the answer comes so many milliseconds later.
    case latency(milliseconds: Int)
    /// `status=code` or `status=code:seconds`: this status with a small JSON body, with `Retry-After` if given. The
    /// operation is not carried out.
    case status(Int, retryAfter: Int?)
    /// `reset` or `reset=before`: the connection is reset before any byte of an answer, after or before the operation
    /// was carried out.
    case reset(before: Bool)
    /// `reset-mid-body`: the connection is reset after half of the body.
    case resetMidBody
    /// `truncate`: `Content-Length` promises the whole body, half of it comes, then the connection closes.
    case truncate
    /// `html`: a login page with status 200.
    case html
    /// `empty`: status 200 without a body.
    case empty
    /// `endless`: a chunked body that goes on until the caller leaves.
    case endless
    /// `bad-json`: the answer's status and type, and a body that is not JSON.
    case badJSON
    /// `close-idle`: the answer promises a kept connection, which is then closed.
    case closeIdle

    /// Reads `name` or `name=argument`; nil for an unknown name or an argument that makes no sense.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(name: parts.first.map(String.init) ?? "", argument: parts.count == 2 ? String(parts[1]) : nil)
    }

    public init?(name: String, argument: String?) {
        switch (name, argument) {
        case ("latency", let argument?):
            guard let wait = Int(argument), (0...600_000).contains(wait) else { return nil }
            self = .latency(milliseconds: wait)
        case ("status", let argument?):
            let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let code = Int(parts[0]), (200...599).contains(code) else {
                return nil
            }
            guard parts.count == 2 else {
                self = .status(code, retryAfter: nil)
                return
            }
            guard let seconds = Int(parts[1]), seconds >= 0 else { return nil }
            self = .status(code, retryAfter: seconds)
        case ("reset", nil): self = .reset(before: false)
        case ("reset", "before"): self = .reset(before: true)
        case ("reset-mid-body", nil): self = .resetMidBody
        case ("truncate", nil): self = .truncate
        case ("html", nil): self = .html
        case ("empty", nil): self = .empty
        case ("endless", nil): self = .endless
        case ("bad-json", nil): self = .badJSON
        case ("close-idle", nil): self = .closeIdle
        default: return nil
        }
    }

    public var name: String {
        switch self {
        case .latency: "latency"
        case .status: "status"
        case .reset: "reset"
        case .resetMidBody: "reset-mid-body"
        case .truncate: "truncate"
        case .html: "html"
        case .empty: "empty"
        case .endless: "endless"
        case .badJSON: "bad-json"
        case .closeIdle: "close-idle"
        }
    }

    public var argument: String? {
        switch self {
        case .latency(let milliseconds): String(milliseconds)
        case .status(let code, let retryAfter): retryAfter.map { "\(code):\($0)" } ?? String(code)
        case .reset(let before): before ? "before" : nil
        default: nil
        }
    }

    /// Whether the operation is left undone.
    var preventsOperation: Bool {
        switch self {
        case .status, .reset(before: true): true
        default: false
        }
    }
}

/// A fault, where it strikes and how often.
public struct MockFaultRule: Sendable, Hashable {
    public var fault: MockFault
    /// The operation that it strikes; nil for all.
    public var operation: MockOperation?
    /// How many requests it still strikes; nil for all to come.
    public var times: Int?

    public init(_ fault: MockFault, operation: MockOperation? = nil, times: Int? = nil) {
        self.fault = fault
        self.operation = operation
        self.times = times
    }
}

/// The faults in force, in the order in which they were added.
struct FaultTable: Sendable {
    var rules: [MockFaultRule]

    /// The faults for one request: all delays, and the first of the others. Only those that strike are used up.
    mutating func take(for operation: MockOperation, first asked: [MockFault]) -> Struck {
        var struck = Struck()
        for fault in asked { _ = struck.add(fault) }
        guard !rules.isEmpty else { return struck }
        for index in rules.indices where rules[index].operation == nil || rules[index].operation == operation {
            if let times = rules[index].times, times <= 0 { continue }
            if struck.add(rules[index].fault), let times = rules[index].times { rules[index].times = times - 1 }
        }
        rules.removeAll { ($0.times ?? 1) <= 0 }
        return struck
    }

    struct Struck: Sendable {
        var milliseconds = 0
        var fault: MockFault?

        mutating func add(_ fault: MockFault) -> Bool {
            if case .latency(let more) = fault {
                milliseconds += more
                return true
            }
            guard self.fault == nil else { return false }
            self.fault = fault
            return true
        }
    }
}
