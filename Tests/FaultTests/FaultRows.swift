import MockUpstream

/// What a caller of Ponte gets.
enum Outcome: Sendable, Equatable, CustomStringConvertible {
    /// The right answer, as if nothing had happened.
    case served
    case problem(Int, String)

    static let malformed = problem(502, "system_answer_malformed")
    static let unreachable = problem(502, "system_unreachable")
    static let failed = problem(502, "system_failed")
    static let late = problem(504, "deadline_passed")
    static let unknown = problem(504, "outcome_unknown")
    static let limited = problem(429, "rate_limited")
    static let closed = problem(503, "circuit_open")

    /// As it stands in docs/faults.md.
    var description: String {
        switch self {
        case .served: "200"
        case .problem(let status, let code): "\(status) `\(code)`"
        }
    }
}

/// What Ponte answers when a clinic's system has this fault, and for how often the system may then be asked.
struct FaultRow: Sendable, CustomStringConvertible {
    let fault: String
    /// What the system does, for operators.
    let meaning: String
    /// For a list, a search, one client, and the search before a create.
    let read: Outcome
    /// For a create whose answer has the fault; unless it strikes all, the searches before and after it have not.
    let create: Outcome
    /// For a change whose answer has the fault; unless it strikes all, the read before it has not.
    let change: Outcome

    init(_ fault: String, _ meaning: String, read: Outcome, create: Outcome, change: Outcome) {
        (self.fault, self.meaning, self.read, self.create, self.change) = (fault, meaning, read, create, change)
    }

    /// It strikes connections, and so every call of an operation.
    var strikesAll: Bool { fault == "reset=accept" }
    /// It is one of those that make Ponte leave the system alone for a while.
    var opensBreaker: Bool {
        read == .unreachable || read == .failed && !["html", "foreign"].contains(where: fault.hasPrefix)
            || ["reset=headers", "reset-mid-body", "truncate", "random", "bad-chunk"].contains(fault)
    }
    /// A read may be tried again: twice by Ponte, and once by its transport when a kept connection dies.
    var isRetried: Bool {
        read == .unreachable || asksToWait
            || ["reset=headers", "reset-mid-body", "truncate", "bad-chunk", "html=503"].contains(fault)
    }
    /// The system says when to come back.
    var asksToWait: Bool { fault.hasPrefix("status=429:") || fault.hasPrefix("status=503:") }
    /// Its operations wait for as long as Ponte lets them.
    var isSlow: Bool { read == .late }
    var description: String { fault }

    /// The line of docs/faults.md.
    var line: String { "| \(meaning) | `\(fault)` | \(read) | \(create) | \(change) |" }
}

extension FaultRow {
    static let all: [FaultRow] = [
        // Time.
        FaultRow("latency=200:100", "answers late, but in time", read: .served, create: .served, change: .served),
        FaultRow("slicer", "answers byte by byte", read: .served, create: .served, change: .served),
        FaultRow(
            "slow-close=100", "ends its answer by closing, a little later", read: .served, create: .served,
            change: .served),
        FaultRow(
            "latency=600000", "does what it is asked, and answers too late", read: .late, create: .served,
            change: .served),
        FaultRow(
            "blackhole", "does what it is asked, and never answers", read: .late, create: .served, change: .served),
        FaultRow(
            "blackhole=before", "takes requests and does nothing", read: .late, create: .unknown, change: .unknown),
        FaultRow("bandwidth=20", "answers too slowly", read: .late, create: .served, change: .served),
        FaultRow("slow-close=600000", "never ends its answer", read: .late, create: .served, change: .served),
        // Connection.
        FaultRow(
            "reset=accept", "resets every connection", read: .unreachable, create: .unreachable, change: .unreachable),
        FaultRow(
            "reset=before", "resets the connection and does nothing", read: .unreachable, create: .unknown,
            change: .unknown),
        FaultRow(
            "reset", "does what it is asked, and resets the connection", read: .unreachable, create: .served,
            change: .served),
        FaultRow(
            "reset=headers", "resets the connection after the head of its answer", read: .malformed, create: .served,
            change: .served),
        FaultRow(
            "reset-mid-body", "resets the connection within its answer", read: .malformed, create: .served,
            change: .served),
        FaultRow(
            "no-reply", "does what it is asked, and closes without a word", read: .unreachable, create: .served,
            change: .served),
        FaultRow("truncate", "closes within its answer", read: .malformed, create: .served, change: .served),
        FaultRow(
            "close-idle", "closes connections that it said it would keep", read: .served, create: .served,
            change: .served),
        // Bytes.
        FaultRow("bad-chunk", "frames its answer wrongly", read: .malformed, create: .served, change: .served),
        FaultRow("random", "answers what is not HTTP", read: .malformed, create: .served, change: .served),
        FaultRow("endless", "answers without an end", read: .malformed, create: .served, change: .served),
        FaultRow("endless-headers", "sends a head without an end", read: .malformed, create: .served, change: .served),
        FaultRow("gzip-bomb", "sends what unpacks without an end", read: .malformed, create: .served, change: .served),
        // Content.
        FaultRow("status=500", "says that it failed", read: .failed, create: .unknown, change: .failed),
        FaultRow("status=503:1", "says that it is overloaded", read: .closed, create: .unknown, change: .closed),
        FaultRow("status=429:2", "says that it is asked too often", read: .limited, create: .limited, change: .limited),
        FaultRow(
            "foreign=gateway", "is not reached: a gateway knows no such route, and says so in JSON with status 404",
            read: .failed, create: .failed, change: .failed),
        FaultRow("html", "answers a page of HTML with status 200", read: .malformed, create: .served, change: .served),
        FaultRow("html=404", "answers a page of HTML with status 404", read: .failed, create: .failed, change: .failed),
        FaultRow("html=503", "answers a page of HTML with status 503", read: .failed, create: .served, change: .failed),
        FaultRow("empty", "answers nothing with status 200", read: .malformed, create: .served, change: .served),
        FaultRow("bad-json", "answers broken JSON", read: .malformed, create: .served, change: .served),
        FaultRow(
            "latin1=utf-8", "answers another charset than it says", read: .malformed, create: .served, change: .served),
        FaultRow("latin1", "answers in ISO 8859-1 and says so", read: .served, create: .served, change: .served),
        FaultRow(
            "windows-1252", "answers in Windows-1252 and says so", read: .served, create: .served, change: .served),
        FaultRow("bom", "puts a byte order mark before its JSON", read: .served, create: .served, change: .served),
        FaultRow("duplicate-key", "names a member twice", read: .served, create: .served, change: .served),
        FaultRow("text-html", "calls its JSON HTML", read: .served, create: .served, change: .served),
        FaultRow("numbers-as-text", "sends numbers as texts", read: .served, create: .served, change: .served),
    ]
}
