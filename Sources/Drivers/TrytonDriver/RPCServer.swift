import ClientContract
import DriverSupport
import JSONBytes
import Transport
import UpstreamDriver

/// What a call is for: it decides what a failure means, and what may be sent again.
enum CallRole: Sendable {
    case signIn, read, write

    /// Sent again when a kept connection dies. A login makes a session each time, and Tryton counts those that fail;
    /// a write may make a second e-mail address.
    var repeatability: Repeatability { self == .read ? .safe : .unsafe }
}

/// What a Tryton server answers.
enum RPCAnswer: Sendable {
    case carriedOut(RPCOutcome)
    /// It does not know the session: nothing was done.
    case sessionUnknown
}

/// What became of a call.
enum RPCOutcome: Sendable {
    case result(JSONValue)
    case error(RPCError)
}

/// An error inside an answer: nothing was changed, since every call is one transaction.
struct RPCError: Sendable, CustomStringConvertible, CustomReflectable {
    /// Tryton's kinds; everything else is the text of a Python exception.
    enum Kind: String, Sendable {
        case refusal = "UserError"
        /// A question that a person would be asked ("Are you sure?").
        case warning = "UserWarning"
        case concurrency = "ConcurrencyException"
        case login = "LoginException"
        case other
    }

    let kind: Kind
    /// Its own words, for people. They may name a patient.
    let texts: [String]

    /// - Parameter value: `[kind, [texts…]]`.
    init(_ value: JSONValue) {
        let parts = value.elements
        kind = parts.first?.string.flatMap(Kind.init) ?? .other
        let details = parts.dropFirst().first?.elements ?? []
        // A refusal is [text, description, domain]; a warning has a technical name before them.
        texts = details.dropFirst(kind == .warning ? 1 : 0).prefix(2).compactMap(\.string).filter { !$0.isEmpty }
    }

    var description: String { "\(kind.rawValue) with \(texts.count) texts" }
    var customMirror: Mirror { Mirror(reflecting: description) }
}

/// Calls one database of a Tryton server by its JSON-RPC.
///
/// Source: trytond 7.0, `protocols/jsonrpc.py` and `protocols/dispatcher.py`.
struct RPCServer: Sendable {
    /// Server and database: `https://gh.example.test/gh/`.
    let address: String
    let http: any HTTPSending

    /// In every call. The language is that of its refusals; one that the clinic has not installed falls back to English.
    static let language = "pt"

    /// - Throws: what stands between Ponte and an answer. An error of the call itself is returned.
    func call(
        _ method: String, _ parameters: [RPCValue], authorization: String?, _ role: CallRole, _ context: CallContext
    ) async throws(UpstreamError) -> RPCAnswer {
        // Exactly these members: with another one ("jsonrpc") the server answers in another form.
        let body: RPCValue = ["id": 1, "method": .text(method), "params": .list(parameters)]
        var writer = JSONWriter(capacity: 512)
        body.write(to: &writer)
        var headers = [("Accept", "application/json"), ("Content-Type", "application/json")]
        if let authorization { headers.append(("Authorization", authorization)) }
        var request = OutboundRequest(
            method: "POST", url: address, headers: headers.map { (name: $0.0, value: $0.1) }, body: writer.finish(),
            repeatability: role.repeatability)
        request.isLogin = role == .signIn
        let answer: UpstreamAnswer
        do {
            answer = try await http.send(request, deadline: context.deadline)
        } catch {
            throw UpstreamError(error, isWrite: role == .write)
        }
        return try RPCServer.judge(answer, role)
    }

    static func judge(_ answer: UpstreamAnswer, _ role: CallRole) throws(UpstreamError) -> RPCAnswer {
        switch answer.status {
        case 200: return try read(answer.body, role)
        case 401: return .sessionUnknown
        // As a page it is a firewall's, or a Tryton's that lacks the call.
        case 403 where answer.body.first != UInt8(ascii: "<"):
            throw .credentialsRejected("it answered 403: the user may not make this call")
        // Tryton answers so to a login, too, while its database does not answer or is locked.
        case 404: throw .failed(status: 404, "it answered 404: no such database, or one that it cannot open now")
        // What Tryton says of a collision where it does not put it inside 200.
        case 409 where role == .write, 423 where role == .write: throw .conflict(reasons: [])
        case 429: throw .rateLimited(retryAfter: RetryAfter.seconds(answer.headers))
        case 500... where role == .write:
            // A proxy that gave up says nothing about what happened behind it.
            throw .outcomeUnknown("it answered \(answer.status)")
        case 503:
            // It may say for how long it is down, and is not called meanwhile.
            guard let seconds = RetryAfter.seconds(answer.headers) else { break }
            throw .circuitOpen(retryAfter: seconds, "it answered 503")
        default: break
        }
        throw .failed(status: answer.status, "it answered \(answer.status)")
    }

    private static func read(_ body: [UInt8], _ role: CallRole) throws(UpstreamError) -> RPCAnswer {
        if let root = try? JSONDocument(body, limits: JSONLimits(depth: 64)).root, root["id"]?.int == 1 {
            if let error = root["error"] { return .carriedOut(.error(RPCError(error))) }
            if let result = root["result"] { return .carriedOut(.result(result)) }
        }
        let detail = "its answer is not the JSON-RPC of Tryton"
        throw role == .write ? .outcomeUnknown(detail) : .malformed(detail)
    }
}
