/// Whatever sends requests: drivers depend on this, so that tests can stand in for the network.
public protocol HTTPSending: Sendable {
    /// Sends one request and returns its whole answer, whatever the status.
    ///
    /// - Parameter deadline: for everything: queueing, connecting, redirects, waits and attempts.
    func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer
}

/// One tenant's way out: an engine's thread, with settings, limits and policies of its own.
///
/// Everything that is decided about a call beside its bytes is decided here, from the top down: `send` checks it and
/// shares it with identical reads, `follow` goes after redirects, `persist` tries again, `attempt` asks for leave, waits
/// for its turn, dials, and takes note of what came of it. Drivers know nothing of all this.
///
/// - An `.unsafe` request goes out on a connection made for it, since libcurl silently repeats what it sent on a kept
///   connection.
/// - Cancelling the task ends the call at once.
public final class HTTPChannel: HTTPSending {
    private let engine: CurlEngine
    private let inbox: Inbox
    private let settings: ChannelSettings
    private let state: ChannelState
    private let health: ChannelHealth
    private let reads = SharedReads()
    private let backoff = Backoff()
    private let observer: (@Sendable (BreakerTransition) -> Void)?

    init(
        engine: CurlEngine, inbox: Inbox, _ settings: ChannelSettings, health: ChannelHealth?,
        observer: (@Sendable (BreakerTransition) -> Void)?
    ) {
        self.engine = engine
        self.inbox = inbox
        self.settings = settings
        self.observer = observer
        self.health = health ?? ChannelHealth(settings)
        state = ChannelState(settings, self.health)
        health?.adopt(settings)
    }

    deinit { inbox.post(.forget(state)) }

    /// The same way out under new settings: what was learned of the system stays.
    public func continued(
        _ settings: ChannelSettings, observer: (@Sendable (BreakerTransition) -> Void)? = nil
    ) -> HTTPChannel {
        HTTPChannel(engine: engine, inbox: inbox, settings, health: health, observer: observer)
    }

    public func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer {
        try request.validate()
        if let error = lateness(.now, deadline) { throw error }
        if request.isLogin { health.loginBegins() }
        guard request.repeatability == .safe else {
            let result = await persist(request, deadline)
            reads.wereOvertaken()
            return try result.get()
        }
        guard settings.sharesReads else { return try await follow(request, deadline).get() }
        return try await reads.answer(request, deadline) { await self.follow(request, deadline) }.get()
    }

    /// How many wait for reads that may be shared, for tests.
    var waitingReaders: Int { reads.waiting }

    /// How the channel is now.
    public var reading: ChannelReading { health.reading(.now) }

    /// How many attempts wait or are on the wire, for tests.
    var attempts: Int { health.attempts }

    private func follow(
        _ request: OutboundRequest, _ deadline: ContinuousClock.Instant
    ) async -> Result<UpstreamAnswer, TransportError> {
        var result = await persist(request, deadline)
        var current = request
        for _ in 0..<request.redirects {
            guard case .success(let answer) = result, let next = current.following(answer) else { break }
            current = next
            result = await persist(current, deadline)
        }
        return result
    }

    private func persist(
        _ request: OutboundRequest, _ deadline: ContinuousClock.Instant
    ) async -> Result<UpstreamAnswer, TransportError> {
        health.callBegins(.now)
        var last: Attempt?
        for number in 1...(settings.retries + 1) {
            let attempt = await attempt(request, deadline)
            // Refused before it was dialled: what the last attempt brought says more.
            if attempt.wasRefused, let last { return last.result }
            let now = ContinuousClock.now
            let decision = RetryDecision(
                attempt.outcome, request.repeatability, retriesLeft: settings.retries + 1 - number,
                backoff: backoff.wait(after: number), left: deadline - now, usual: health.usual(now))
            guard case .again(let wait) = decision, health.takeRetry(now) else { return attempt.result }
            last = attempt
            do {
                try await Task.sleep(for: wait, clock: .continuous)
            } catch {
                let reached = if case .failure(let error) = attempt.result { error.mayHaveReachedServer } else { true }
                return .failure(
                    TransportError(
                        kind: .cancelled, phase: .queued, mayHaveReachedServer: reached,
                        detail: "the caller was cancelled"))
            }
        }
        return last?.result ?? .failure(.internalFailure("no attempt was made"))
    }

    /// One attempt and what is known of it.
    private struct Attempt {
        let result: Result<UpstreamAnswer, TransportError>
        var reading: AnswerReading?
        /// It never left the queue.
        var wasRefused = false

        var outcome: AttemptOutcome {
            switch result {
            case .success(let answer):
                .answered(
                    status: answer.status, meaning: reading?.meaning ?? .alive, retryAfter: reading?.retryAfter)
            case .failure(let error): .failed(error.kind, reached: error.mayHaveReachedServer)
            }
        }
    }

    private func attempt(_ request: OutboundRequest, _ deadline: ContinuousClock.Instant) async -> Attempt {
        let turn: ChannelHealth.Turn
        let now = ContinuousClock.now
        if let error = lateness(now, deadline) { return Attempt(result: .failure(error), wasRefused: true) }
        switch health.admit(now, before: deadline) {
        case .failure(let error): return Attempt(result: .failure(error), wasRefused: true)
        case .success(let given): turn = given
        }
        let (result, onWire, wasResent) = await dial(request, deadline, turn)
        guard let onWire else {
            health.gaveUp(turn)
            return Attempt(result: result, wasRefused: true)
        }
        if wasResent { health.wasResent() }
        var reading: AnswerReading?
        if case .success(let answer) = result {
            reading = request.reading?(answer) ?? AnswerReading(byStatusOf: answer)
        }
        if let transition = health.ended(turn, result, reading, onWire: onWire, .now) {
            if case .opened(_, let time) = transition {
                inbox.post(.refuseWaiting(state, health.openError(time)))
            }
            observer?(transition)
        }
        return Attempt(result: result, reading: reading)
    }

    private func lateness(
        _ now: ContinuousClock.Instant, _ deadline: ContinuousClock.Instant
    ) -> TransportError? {
        if now < deadline { return nil }
        return inbox.isClosed ? .shuttingDown : .refusal(.deadline, "the deadline passed")
    }

    private func dial(
        _ request: OutboundRequest, _ deadline: ContinuousClock.Instant, _ turn: ChannelHealth.Turn
    ) async -> (Result<UpstreamAnswer, TransportError>, onWire: Duration?, wasResent: Bool) {
        let call = Call(
            request: request, deadline: deadline, latestStart: min(deadline, turn.latestStart), channel: state,
            turn: turn)
        let inbox = inbox
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                call.continuation = continuation
                if inbox.submit(call) { return }
                continuation.resume(returning: .failure(.shuttingDown))
            }
        } onCancel: {
            inbox.post(.cancel(call))
        }
        // The engine's thread wrote these before it resumed us, and will not touch them again.
        return (result, call.started.map { .now - $0 }, call.retried)
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
