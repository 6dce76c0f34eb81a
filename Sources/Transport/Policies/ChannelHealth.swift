import Synchronization

/// What whoever watches may know of a channel.
public struct ChannelReading: Sendable {
    public let breaker: BreakerPhase
    /// Calls that wait for their turn.
    public let waiting: Int
    /// Calls on the wire.
    public let inFlight: Int
    /// Attempts beyond the first of a call, since the channel was made.
    public let retries: Int
    /// Requests for a token, likewise.
    public let logins: Int
}

/// What a channel knows of its system, and who may call it now. It outlives a change of the channel's settings.
final class ChannelHealth: Sendable {
    /// Leave to make one attempt.
    struct Turn: Sendable {
        fileprivate let pass: Breaker.Pass
        /// When it would go out if all who wait go before it and nothing changes. `leave` decides.
        let moment: ContinuousClock.Instant
        /// After this one an attempt that still waits would hardly be answered in time.
        let latestStart: ContinuousClock.Instant
        /// From the admission to the deadline.
        fileprivate let budget: Duration
    }

    /// Whether an attempt may be dialled now.
    enum Leave: Sendable {
        /// Yes, and its turn is taken.
        case granted
        /// Ask again then: not later than its latest start.
        case wait(until: ContinuousClock.Instant)
        case refused(TransportError)
    }

    /// Where a channel's limits come from.
    struct Limits: Sendable {
        var maxInFlight: Int
        var maxQueued: Int
    }

    fileprivate struct State {
        var limits: Limits
        var adapts: Bool
        var pacer: Pacer?
        var breaker: Breaker
        var budget: RetryBudget
        var pace = LearnedPace()
        var times = ServiceTimes()
        /// The system asked to be left alone until then.
        var notBefore: ContinuousClock.Instant?
        /// Why the breaker opened.
        var reason = ""
        /// Attempts that wait or are on the wire.
        var inside = 0
        /// Of those, the ones that have not been dialled.
        var waiting = 0
        /// Attempts beyond the first of a call.
        var retries = 0
        var logins = 0
    }

    /// A system that asks for longer is asked again after this time: a slip of its own must not cut a clinic off.
    static let longestHold = 60

    private let state: Mutex<State>
    /// Who is on the wire or waits to be, whatever the settings under which they came.
    let places = ChannelPlaces()

    init(_ settings: ChannelSettings, _ now: ContinuousClock.Instant = .now) {
        state = Mutex(
            State(
                limits: Limits(maxInFlight: settings.maxInFlight, maxQueued: settings.maxQueued),
                adapts: settings.adapts, pacer: settings.paces.isEmpty ? nil : Pacer(settings.paces),
                breaker: Breaker(settings.breaker, now), budget: RetryBudget(now)))
    }

    /// Keeps what was learned, under new limits.
    func adopt(_ settings: ChannelSettings) {
        state.withLock { state in
            state.limits = Limits(maxInFlight: settings.maxInFlight, maxQueued: settings.maxQueued)
            state.adapts = settings.adapts
            state.breaker.settings = settings.breaker
            if state.pacer?.paces ?? [] != settings.paces {
                let known = state.pacer ?? Pacer([])
                state.pacer = settings.paces.isEmpty ? nil : known.continued(settings.paces)
            }
        }
    }

    // MARK: Before an attempt

    /// In this order: breaker, what the system asked for, queue, pace. Whoever is refused here is told at once.
    func admit(_ now: ContinuousClock.Instant, before deadline: ContinuousClock.Instant) -> Result<Turn, TransportError>
    {
        let left = deadline - now
        return state.withLock { state -> Result<Turn, TransportError> in
            let pass: Breaker.Pass
            switch state.breaker.admit(now) {
            case .refused(let wait): return .failure(.circuitOpen(state.reason, wait))
            case .pass(let given): pass = given
            }
            let result = state.turn(pass, now, left)
            if case .failure = result {
                state.breaker.undecided(pass)
            } else {
                state.inside += 1
                state.waiting += 1
            }
            return result
        }
    }

    /// Asked for each attempt at the moment of dialling, by the engine's thread: only here a turn of the paces is taken.
    func leave(_ turn: Turn, _ now: ContinuousClock.Instant) -> Leave {
        state.withLock { state in
            if let error = state.refusal(turn, now) { return .refused(error) }
            let moment = state.free(now, behind: 0)
            if moment <= now {
                state.take(now)
                state.waiting -= 1
                return .granted
            }
            if moment < turn.latestStart { return .wait(until: moment) }
            let asked = state.notBefore.map { $0 >= turn.latestStart } ?? false
            return .refused(
                asked
                    ? .refusal(
                        .rateLimited, "the system asked for fewer calls", retryAfter: (moment - now).asRetryAfter)
                    : .refusal(
                        .saturated, "it waited until too little time was left",
                        retryAfter: (moment - now).asRetryAfter))
        }
    }

    /// For what the engine sends a second time by itself: whether the paces have a turn for it. Then it is taken.
    func mayResend(_ now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if state.free(now, behind: 0) > now { return false }
            state.take(now)
            return true
        }
    }

    /// The breaker may have opened since the turn was given.
    func refusal(_ turn: Turn, _ now: ContinuousClock.Instant) -> TransportError? {
        state.withLock { $0.refusal(turn, now) }
    }

    /// The error for those who wait in the channel's queue when the breaker opens.
    func openError(_ wait: Duration) -> TransportError { state.withLock { .circuitOpen($0.reason, wait) } }

    /// What such a call usually takes; zero while that is not known.
    func usual(_ now: ContinuousClock.Instant) -> Duration { state.withLock { $0.times.usual(now) } }

    func reading(_ now: ContinuousClock.Instant) -> ChannelReading {
        state.withLock { state in
            ChannelReading(
                breaker: state.breaker.phase(now), waiting: state.waiting, inFlight: state.inside - state.waiting,
                retries: state.retries, logins: state.logins)
        }
    }

    /// How many wait or are on the wire.
    var attempts: Int { state.withLock { $0.inside } }

    // MARK: Retries

    func callBegins(_ now: ContinuousClock.Instant) { state.withLock { $0.budget.earn(now) } }

    func takeRetry(_ now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            guard state.budget.take(now) else { return false }
            state.retries += 1
            return true
        }
    }

    /// The engine sent something again by itself.
    func wasResent() {
        state.withLock { state in
            state.budget.charge()
            state.retries += 1
        }
    }

    func loginBegins() { state.withLock { $0.logins += 1 } }

    // MARK: After an attempt

    /// An attempt that never went out.
    func gaveUp(_ turn: Turn) {
        state.withLock { state in
            state.inside -= 1
            state.waiting -= 1
            state.breaker.undecided(turn.pass)
        }
    }

    /// Takes note of what came of an attempt that had leave.
    /// - Parameters:
    ///   - reading: of the answer; nil for a failure.
    ///   - onWire: since the attempt left the queue.
    func ended(
        _ turn: Turn, _ result: Result<UpstreamAnswer, TransportError>, _ reading: AnswerReading?, onWire: Duration,
        _ now: ContinuousClock.Instant, jitter: Double = .random(in: 0...1)
    ) -> BreakerTransition? {
        state.withLock { state -> BreakerTransition? in
            state.inside -= 1
            guard state.adapts else {
                state.breaker.undecided(turn.pass)
                return nil
            }
            let change: Breaker.Change?
            var reason = ""
            switch result {
            case .success(let answer):
                let reading = reading ?? AnswerReading(byStatusOf: answer)
                switch reading.meaning {
                case .alive:
                    state.times.add(answer.timings.total, now)
                    change = state.breaker.succeeded(turn.pass, now)
                case .limited:
                    if let seconds = reading.retryAfter {
                        state.hold(until: now + .seconds(min(seconds, Self.longestHold)))
                    } else {
                        state.pace.limited(now)
                    }
                    // It lives, and is not well. Only a probe asks for no more than that.
                    change = turn.pass.isProbe ? state.breaker.succeeded(turn.pass, now) : nil
                case .failing:
                    reason = "status_\(answer.status)"
                    if answer.status == 503, let seconds = reading.retryAfter {
                        change = state.breaker.told(
                            turn.pass, toWait: .seconds(min(seconds, Self.longestHold)), now)
                    } else {
                        change = state.breaker.failed(turn.pass, now, jitter: jitter)
                    }
                }
            case .failure(let error):
                reason = "\(error.kind)"
                switch error.kind.says(onWire: onWire, of: turn.budget) {
                case .alive: change = state.breaker.succeeded(turn.pass, now)
                case .failing: change = state.breaker.failed(turn.pass, now, jitter: jitter)
                case .limited, nil:
                    state.breaker.undecided(turn.pass)
                    change = nil
                }
            }
            switch change {
            case nil: return nil
            case .closed: return .closed
            case .opened(let time):
                state.reason = reason
                return .opened(reason: reason, for: time)
            }
        }
    }
}

extension ChannelHealth.State {
    fileprivate mutating func hold(until moment: ContinuousClock.Instant) {
        notBefore = max(notBefore ?? moment, moment)
    }

    fileprivate func refusal(_ turn: ChannelHealth.Turn, _ now: ContinuousClock.Instant) -> TransportError? {
        breaker.refusal(of: turn.pass, now).map { .circuitOpen(reason, $0) }
    }

    /// When one more call may go, by what the system asked for and by the paces.
    fileprivate func free(_ now: ContinuousClock.Instant, behind others: Int) -> ContinuousClock.Instant {
        let earliest = max(pace.free(now, behind: others), notBefore ?? now)
        return pacer?.free(from: earliest, behind: others) ?? earliest
    }

    fileprivate mutating func take(_ now: ContinuousClock.Instant) {
        pacer?.take(now)
        pace.take(now)
    }

    /// - Parameter left: time until the deadline.
    fileprivate mutating func turn(
        _ pass: Breaker.Pass, _ now: ContinuousClock.Instant, _ left: Duration
    ) -> Result<ChannelHealth.Turn, TransportError> {
        // Whoever waits for longer has no time left for what comes after.
        let latest = now + left / 2
        let usual = times.usual(now)
        if let until = notBefore, until > latest {
            return .failure(
                .refusal(.rateLimited, "the system asked for fewer calls", retryAfter: (until - now).asRetryAfter))
        }
        let ahead = inside - limits.maxInFlight + 1
        let wait = ahead > 0 ? times.mean(now) * ahead / limits.maxInFlight : .zero
        if inside >= limits.maxInFlight + limits.maxQueued || wait > left / 2 || (ahead > 0 && wait + usual > left) {
            return .failure(
                .refusal(.saturated, "too many calls are waiting for the system", retryAfter: wait.asRetryAfter))
        }
        let moment = free(now, behind: waiting)
        guard moment <= latest else {
            return .failure(
                .refusal(
                    .saturated, "the calls that the system allows are used up for now",
                    retryAfter: (moment - now).asRetryAfter))
        }
        return .success(
            ChannelHealth.Turn(pass: pass, moment: moment, latestStart: now + left - usual, budget: left))
    }
}

extension TransportError {
    /// Refused by a policy: nothing was dialled.
    static func refusal(_ kind: Kind, _ detail: String, retryAfter: Int? = nil) -> TransportError {
        TransportError(
            kind: kind, phase: .queued, mayHaveReachedServer: false, detail: detail, retryAfter: retryAfter)
    }

    static var shuttingDown: TransportError { .refusal(.shuttingDown, "the engine shuts down") }

    static func circuitOpen(_ reason: String, _ wait: Duration) -> TransportError {
        .refusal(
            .circuitOpen, "it kept failing (\(reason)) and is not called for now", retryAfter: wait.asRetryAfter)
    }
}

extension TransportError.Kind {
    /// What a failure says of the system; nil: nothing, it is about the call or about Ponte.
    fileprivate func says(onWire: Duration, of budget: Duration) -> AnswerMeaning? {
        switch self {
        case .nameResolution, .connect, .connectTimeout, .tls, .certificate, .send, .receive, .emptyAnswer, .truncated,
            .badEncoding, .protocolViolation:
            .failing
        // A call that spent its time in our own queue says nothing. Who left before the end says what the deadline would
        // have said, if the system had its time.
        case .deadline, .cancelled: onWire >= budget / 2 ? .failing : nil
        case .tooLarge: .alive
        default: nil
        }
    }
}
