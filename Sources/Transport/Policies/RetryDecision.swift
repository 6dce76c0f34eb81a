/// What became of one attempt, as far as trying again is concerned.
enum AttemptOutcome: Sendable {
    /// - Parameter retryAfter: seconds that the system asks for.
    case answered(status: Int, meaning: AnswerMeaning, retryAfter: Int?)
    /// - Parameter reached: whether the server may have seen the request.
    case failed(TransportError.Kind, reached: Bool)
}

/// Whether a request is sent once more, and when. The whole rule stands here.
enum RetryDecision: Equatable, Sendable {
    case giveUp
    case again(after: Duration)

    /// Longest wait within a call for what the system asks. More is the caller's to wait.
    static let longestWait = Duration.seconds(2)
    /// The wait after "too many calls" that says nothing of how long.
    static let waitWhenLimited = Duration.seconds(1)

    /// - Parameters:
    ///   - retriesLeft: how many more there may be; the tenant's budget is asked afterwards.
    ///   - backoff: the wait where the system asks for none.
    ///   - left: time until the deadline.
    ///   - usual: what such a call usually takes; nothing is begun that would not end in time.
    init(
        _ outcome: AttemptOutcome, _ repeatability: Repeatability, retriesLeft: Int, backoff: Duration, left: Duration,
        usual: Duration
    ) {
        self = .giveUp
        guard retriesLeft > 0, let wait = Self.wait(outcome, repeatability, backoff), wait <= Self.longestWait,
            wait <= left / 2, wait + usual < left
        else { return }
        self = .again(after: wait)
    }

    /// How long to wait before the next attempt; nil: there is none.
    private static func wait(
        _ outcome: AttemptOutcome, _ repeatability: Repeatability, _ backoff: Duration
    ) -> Duration? {
        switch outcome {
        case .failed(let kind, let reached):
            guard kind.mayPass, !reached || repeatability == .safe else { return nil }
            return backoff
        case .answered(let status, let meaning, let retryAfter):
            // Whether a write that was answered has happened is for the driver to judge.
            guard repeatability == .safe else { return nil }
            switch meaning {
            case .alive: return nil
            case .limited: return retryAfter.map { .seconds($0) } ?? max(backoff, waitWhenLimited)
            // Not 500: older systems answer it to what they will never answer otherwise.
            case .failing where [502, 503, 504].contains(status):
                return max(backoff, .seconds(retryAfter ?? 0))
            case .failing: return nil
            }
        }
    }
}

extension TransportError.Kind {
    /// Another attempt may fare better. All others are about the request, the caller or Ponte itself, or would bring the
    /// same again: a host that did not answer for seconds will not a moment later.
    var mayPass: Bool {
        switch self {
        case .nameResolution, .connect, .tls, .send, .receive, .emptyAnswer, .truncated: true
        default: false
        }
    }
}

/// Capped exponential waits with full jitter: anything between nothing and the cap, so that callers who failed together
/// do not come back together.
struct Backoff: Sendable {
    var base = Duration.milliseconds(100)
    var most = Duration.seconds(2)

    /// - Parameter attempt: the one that failed, from 1.
    func wait(after attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        longest(after: attempt) * Double.random(in: 0...1, using: &generator)
    }

    /// The same, drawn by the system's generator.
    func wait(after attempt: Int) -> Duration { longest(after: attempt) * Double.random(in: 0...1) }

    private func longest(after attempt: Int) -> Duration { min(most, base * (1 << min(max(attempt - 1, 0), 20))) }
}

/// How many attempts beyond the first a tenant's calls may make together: a fifth of the calls, and a few more for a
/// tenant who makes few. When everything fails, retries are thus a small part of the load.
struct RetryBudget: Sendable {
    static let share = 0.2
    /// What a quiet tenant can spend at once; it comes back in so many seconds.
    static let floor = 10.0
    /// Most that is saved up.
    static let most = 50.0

    private var tokens = RetryBudget.floor
    private var filled: ContinuousClock.Instant

    init(_ now: ContinuousClock.Instant) { filled = now }

    /// A call begins.
    mutating func earn(_ now: ContinuousClock.Instant) {
        fill(now)
        tokens = min(Self.most, tokens + Self.share)
    }

    /// Takes one retry. False: there is none.
    mutating func take(_ now: ContinuousClock.Instant) -> Bool {
        fill(now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// A retry that was made without asking: the engine's own, of a kept connection that died.
    mutating func charge() { tokens = max(-Self.floor, tokens - 1) }

    private mutating func fill(_ now: ContinuousClock.Instant) {
        if tokens < Self.floor { tokens = min(Self.floor, tokens + (now - filled).inSeconds) }
        filled = now
    }
}
