/// When a channel stops calling a system that keeps failing, and how it finds out that the system is back.
public struct BreakerSettings: Sendable, Hashable {
    /// So many failures in a row open it.
    public var failures: Int
    /// How long it stays open the first time. Each probe that fails doubles the time, up to `longest`.
    public var openFor: Duration
    public var longest: Duration

    public init(failures: Int = 8, openFor: Duration = .seconds(5), longest: Duration = .seconds(30)) {
        self.failures = max(1, failures)
        self.openFor = max(.milliseconds(1), openFor)
        self.longest = max(longest, self.openFor)
    }

    /// A share of failures opens it too, among at least so many calls of the last ten seconds.
    var leastCalls: Int { max(20, failures) }
    static let share = 0.5
}

/// Whether a system is called, for whoever watches.
public enum BreakerPhase: Sendable, Equatable {
    case closed, open
    /// The next call, or the one under way, finds out whether it is back.
    case halfOpen
}

/// A circuit breaker as a state machine: time, jitter and results come from outside.
///
/// - Closed: everybody passes. Failures in a row, or half of the calls of the last ten seconds, open it.
/// - Open: nobody passes until its time is over.
/// - Half open: one call passes, the probe. Its success closes, its failure opens for longer.
struct Breaker: Sendable {
    /// Leave for one attempt. Results of an earlier state than the present one count for nothing.
    struct Pass: Equatable, Sendable {
        fileprivate let generation: Int
        let isProbe: Bool
    }

    enum Admission: Equatable, Sendable {
        case pass(Pass)
        /// - Parameter wait: until it makes sense to ask again.
        case refused(wait: Duration)
    }

    enum Change: Equatable, Sendable {
        case opened(Duration)
        case closed
    }

    private enum State {
        case closed
        case open(until: ContinuousClock.Instant)
        case halfOpen(probeIsOut: Bool)
    }

    private struct Second {
        var number = -1
        var calls = 0
        var failures = 0
    }

    var settings: BreakerSettings
    private let start: ContinuousClock.Instant
    private var state = State.closed
    private var generation = 0
    private var inARow = 0
    /// How often it opened without closing in between.
    private var openings = 0
    /// The last ten seconds, by their number modulo ten.
    private var seconds = [Second](repeating: Second(), count: 10)

    init(_ settings: BreakerSettings, _ now: ContinuousClock.Instant) {
        self.settings = settings
        start = now
    }

    func phase(_ now: ContinuousClock.Instant) -> BreakerPhase {
        switch state {
        case .closed: .closed
        case .open(let until): until > now ? .open : .halfOpen
        case .halfOpen: .halfOpen
        }
    }

    /// While a probe is out, the others wait for its result.
    static let waitForProbe = Duration.seconds(1)

    mutating func admit(_ now: ContinuousClock.Instant) -> Admission {
        switch state {
        case .closed: return .pass(Pass(generation: generation, isProbe: false))
        case .open(let until):
            if until > now { return .refused(wait: until - now) }
            enter(.halfOpen(probeIsOut: true))
            return .pass(Pass(generation: generation, isProbe: true))
        case .halfOpen(true): return .refused(wait: Self.waitForProbe)
        case .halfOpen(false):
            state = .halfOpen(probeIsOut: true)
            return .pass(Pass(generation: generation, isProbe: true))
        }
    }

    /// How much longer nobody passes; nil if the pass still holds.
    func refusal(of pass: Pass, _ now: ContinuousClock.Instant) -> Duration? {
        if pass.generation == generation { return nil }
        return switch state {
        case .closed: nil
        case .open(let until): max(until - now, .zero)
        case .halfOpen: Self.waitForProbe
        }
    }

    mutating func succeeded(_ pass: Pass, _ now: ContinuousClock.Instant) -> Change? {
        guard pass.generation == generation else { return nil }
        inARow = 0
        if pass.isProbe {
            openings = 0
            enter(.closed)
            return .closed
        }
        count(now, failed: false)
        return nil
    }

    /// - Parameter jitter: 0 to 1, spreads the end of the open time over a fifth of it, so that instances of Ponte do not
    ///   probe together.
    mutating func failed(_ pass: Pass, _ now: ContinuousClock.Instant, jitter: Double) -> Change? {
        guard pass.generation == generation else { return nil }
        if pass.isProbe { return open(now, jitter) }
        inARow += 1
        count(now, failed: true)
        if inARow >= settings.failures { return open(now, jitter) }
        let recent = seconds.filter { number(now) - $0.number < seconds.count }
        let calls = recent.reduce(0) { $0 + $1.calls }
        let failures = recent.reduce(0) { $0 + $1.failures }
        if calls >= settings.leastCalls, Double(failures) >= Double(calls) * BreakerSettings.share {
            return open(now, jitter)
        }
        return nil
    }

    /// The attempt says nothing about the system: it was cancelled, or never went out. A probe gives its turn back.
    mutating func undecided(_ pass: Pass) {
        guard pass.generation == generation, pass.isProbe else { return }
        state = .halfOpen(probeIsOut: false)
    }

    /// The system itself says how long it will not answer.
    mutating func told(_ pass: Pass, toWait wait: Duration, _ now: ContinuousClock.Instant) -> Change? {
        guard pass.generation == generation else { return nil }
        openings += 1
        enter(.open(until: now + wait))
        return .opened(wait)
    }

    private mutating func open(_ now: ContinuousClock.Instant, _ jitter: Double) -> Change {
        let time = min(settings.longest, settings.openFor * (1 << min(openings, 16)))
        let spread = time * (1 + 0.2 * jitter)
        openings += 1
        enter(.open(until: now + spread))
        return .opened(spread)
    }

    private mutating func enter(_ next: State) {
        state = next
        generation += 1
        inARow = 0
        for index in seconds.indices { seconds[index] = Second() }
    }

    private func number(_ now: ContinuousClock.Instant) -> Int { Int((now - start).components.seconds) }

    private mutating func count(_ now: ContinuousClock.Instant, failed: Bool) {
        let number = number(now)
        let index = number % seconds.count
        if seconds[index].number != number { seconds[index] = Second(number: number) }
        seconds[index].calls += 1
        if failed { seconds[index].failures += 1 }
    }
}
