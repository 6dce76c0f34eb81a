/// Whatever sends requests: drivers depend on this, so that tests can stand in for the network.
public protocol HTTPSending: Sendable {
    /// Sends one request and returns its whole answer, whatever the status.
    ///
    /// - Parameter deadline: for everything: queueing, connecting, redirects, the one retry.
    func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer
}

/// One tenant's way out: an engine's thread, with settings and limits of its own.
///
/// - A `.safe` request whose kept connection dies before any answer is sent once more, on a fresh connection.
/// - An `.unsafe` request goes out on a connection made for it, since libcurl silently repeats what it sent on a kept
///   connection.
/// - Cancelling the task ends the call at once.
public final class HTTPChannel: HTTPSending {
    private let engine: CurlEngine
    private let inbox: Inbox
    private let state: ChannelState
    private let pacer: Pacer?

    init(engine: CurlEngine, inbox: Inbox, _ settings: ChannelSettings) {
        self.engine = engine
        self.inbox = inbox
        state = ChannelState(settings)
        pacer = settings.paces.isEmpty ? nil : Pacer(settings.paces)
    }

    deinit { inbox.post(.forget(state)) }

    public func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer {
        try request.validate()
        var answer = try await perform(request, deadline)
        guard request.redirects > 0, request.repeatability == .safe else { return answer }
        var current = request
        for _ in 0..<request.redirects {
            guard let next = current.following(answer) else { break }
            current = next
            answer = try await perform(current, deadline)
        }
        return answer
    }

    private func perform(
        _ request: OutboundRequest, _ deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer {
        try await pacer?.turn(before: deadline)
        let call = Call(request: request, deadline: deadline, channel: state)
        let inbox = inbox
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                call.continuation = continuation
                if inbox.submit(call) { return }
                continuation.resume(
                    returning: .failure(
                        TransportError(
                            kind: .shuttingDown, phase: .queued, mayHaveReachedServer: false,
                            detail: "the engine shuts down")))
            }
        } onCancel: {
            inbox.post(.cancel(call))
        }
        return try result.get()
    }
}

extension OutboundRequest {
    /// The request that a redirect asks for (RFC 9110 section 15.4); `nil` if the answer is none, makes no sense or
    /// leads to another origin: then the redirect itself is what the caller gets.
    fileprivate func following(_ answer: UpstreamAnswer) -> OutboundRequest? {
        let keepsMethod: Bool
        switch answer.status {
        case 307, 308: keepsMethod = true
        case 301, 302: keepsMethod = method != "POST"
        case 303: keepsMethod = method == "HEAD"
        default: return nil
        }
        guard let location = answer.headers.first("Location"), let target = resolve(location: location, against: url),
            let origin = try? Origin(ofURL: target), let ours = try? Origin(ofURL: url), origin == ours
        else { return nil }
        var next = self
        next.url = target
        if !keepsMethod {
            next.method = "GET"
            next.body = nil
            next.headers.removeAll { $0.name.utf8.starts { "Content-".utf8 } }
        }
        return next
    }
}

extension Sequence<UInt8> {
    fileprivate func starts(_ prefix: () -> String.UTF8View) -> Bool {
        var own = makeIterator()
        return prefix().allSatisfy { wanted in own.next().map { lowercased($0) == lowercased(wanted) } ?? false }
    }
}
