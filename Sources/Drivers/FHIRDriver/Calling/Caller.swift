import ClientContract
import DriverSupport
import JSONBytes
import Transport
import UpstreamDriver

/// What a call is for: it decides what a bare status means.
enum FHIRRole: Sendable {
    case metadata, search, get, create, update

    var isWrite: Bool { self == .create || self == .update }
}

/// One call, before it is signed.
struct FHIRCall: Sendable {
    let role: FHIRRole
    var method = "GET"
    var url: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// Twice is not the same as once.
    var isUnsafe = false
    /// Texts that were sent, to be hidden in what comes back.
    var sent: [String] = []
}

/// An answer and what it says of itself.
struct FHIRAnswer: Sendable {
    let status: Int
    /// Where it came from: for relative links. It may hold patient data.
    let url: String
    let http: UpstreamAnswer
    /// The body as JSON; nil where there is none.
    let document: JSONDocument?
    /// Credentials that must not come back in the server's words.
    let secrets: [String]

    var outcome: OperationOutcome? { OperationOutcome(document) }
    var isSuccess: Bool { (200...299).contains(status) }
}

/// Signs calls, sends them, and says what a failure means.
struct Caller: Sendable {
    let baseURL: String
    let mediaType: String
    /// Whether a 404 without an OperationOutcome is about the client as well.
    let bareNotFound: Bool
    let signer: Signer
    let http: any HTTPSending

    func url(_ path: String, id: String? = nil) -> String {
        baseURL + "/" + (id.map { path.replacing("{id}", with: PercentEncoding.encode($0)) } ?? path)
    }

    /// Sends a call. A token that is refused is renewed once, and the call, which was not carried out, sent once more.
    func send(_ call: FHIRCall, _ context: CallContext) async throws(UpstreamError) -> FHIRAnswer {
        let pass = try await signer.pass(context)
        let answer = try await send(call, pass, context)
        guard answer.status == 401 else {
            pass.ticket?.accept()
            return answer
        }
        guard await signer.refused(pass) else { return answer }
        let renewed = try await signer.pass(context)
        let second = try await send(call, renewed, context)
        if second.status == 401 { await signer.refusedAgain(renewed) } else { renewed.ticket?.accept() }
        return second
    }

    private func send(
        _ call: FHIRCall, _ pass: Signer.Pass, _ context: CallContext
    ) async throws(UpstreamError) -> FHIRAnswer {
        var headers = [("Accept", mediaType), ("X-Request-Id", context.requestID)]
        headers += pass.headers.map { ($0.name, $0.value) }
        headers += call.headers.map { ($0.name, $0.value) }
        let repeatability: Repeatability =
            switch call.role {
            case .metadata, .search, .get: .safe
            case .update: call.isUnsafe ? .unsafe : .idempotent
            case .create: .unsafe
            }
        var request = OutboundRequest(
            method: call.method, url: call.url, headers: headers, body: call.body, repeatability: repeatability)
        request.reading = { Caller.reading($0, call.role) }
        let answer: UpstreamAnswer
        do {
            answer = try await http.send(request, deadline: context.deadline)
        } catch {
            throw UpstreamError(error, isWrite: call.role.isWrite)
        }
        let document =
            answer.body.isEmpty ? nil : try? JSONDocument(answer.body, limits: JSONLimits(depth: 64))
        return FHIRAnswer(
            status: answer.status, url: call.url, http: answer, document: document, secrets: pass.secrets)
    }

    // MARK: Failures

    /// What an answer says of the server's health: a web page in place of a resource is not harmless; what becomes of its
    /// statement is.
    private static func reading(_ answer: UpstreamAnswer, _ role: FHIRRole) -> AnswerReading {
        if role == .metadata { return AnswerReading(.alive) }
        return answer.status < 300 && isPage(answer) ? AnswerReading(.failing) : AnswerReading(byStatusOf: answer)
    }

    /// What an answer that is no success means to Bridge.
    func error(_ answer: FHIRAnswer, _ call: FHIRCall) -> UpstreamError {
        let said = answer.outcome.map(\.codes) ?? ""
        let detail = "it answered \(answer.status)" + (said.isEmpty ? "" : " (\(said))")
        switch (answer.status, call.role) {
        // A firewall's page; a server that wants other credentials answers as one.
        case (403, _) where Caller.isPage(answer.http): return .failed(status: answer.status, detail)
        case (401, _), (403, _): return .credentialsRejected(detail)
        case (429, _): return .rateLimited(retryAfter: RetryAfter.seconds(answer.http.headers))
        case (404, .get), (404, .update):
            // Gateways answer a route that they do not know, and some servers what a caller may not see, with 404 and
            // words of their own or none: that says nothing about a client.
            let isAboutClient = answer.outcome != nil || (bareNotFound && !Caller.isPage(answer.http))
            return isAboutClient ? .notFound : .failed(status: answer.status, detail)
        case (410, .get), (410, .update):
            return Caller.isPage(answer.http) ? .failed(status: answer.status, detail) : .notFound
        case (405, _), (501, _): return .unsupported(detail)
        case (409, .create), (409, .update), (412, .create), (412, .update):
            return .conflict(reasons: reasons(answer, call))
        case (400, .create), (400, .update), (422, .create), (422, .update):
            return Caller.isPage(answer.http)
                ? .failed(status: answer.status, detail) : .refused(reasons: reasons(answer, call))
        case (300...399, .create), (500..., .create):
            // It may have broken after the record was made.
            return .outcomeUnknown(detail)
        case (_, .update) where SilentGateway.statuses.contains(answer.status): return .outcomeUnknown(detail)
        case (503, _):
            // It says itself for how long it is down, and is not called meanwhile.
            guard let seconds = RetryAfter.seconds(answer.http.headers) else {
                return .failed(status: answer.status, detail)
            }
            return .circuitOpen(retryAfter: seconds, detail)
        default: return .failed(status: answer.status, detail)
        }
    }

    private static func isPage(_ answer: UpstreamAnswer) -> Bool {
        let type = (answer.headers.first("Content-Type") ?? "").lowercased()
        return type.hasPrefix("text/html") || answer.body.first { $0 > 0x20 } == UInt8(ascii: "<")
    }

    /// The server's own words, short, without the tenant's secrets and without people.
    private func reasons(_ answer: FHIRAnswer, _ call: FHIRCall) -> [String] {
        let words = (answer.outcome?.reasons ?? []).prefix(VendorReason.most)
        return VendorReason.clean(
            words.map { VendorReason.hide(answer.secrets, in: $0) }, hiding: call.sent)
    }
}
