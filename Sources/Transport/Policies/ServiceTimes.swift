/// How long the calls of a channel took that were answered lately: what waits is failed early when there is no longer
/// time for such a call, instead of being sent for nobody.
struct ServiceTimes: Sendable {
    private static let remembered = 64
    private static let leastSamples = 8
    private static let age = Duration.seconds(30)

    private var samples: [(time: Duration, at: ContinuousClock.Instant)] = []
    private var place = 0
    private var newSamples = 0
    private var computed: ContinuousClock.Instant?
    private var cached = (usual: Duration.zero, mean: Duration.zero)

    mutating func add(_ time: Duration, _ now: ContinuousClock.Instant) {
        if samples.count < Self.remembered {
            samples.append((time, now))
        } else {
            samples[place] = (time, now)
            place = (place + 1) % Self.remembered
        }
        newSamples += 1
    }

    /// Four of five calls take no longer. Zero while too little is known.
    mutating func usual(_ now: ContinuousClock.Instant) -> Duration {
        compute(now)
        return cached.usual
    }

    mutating func mean(_ now: ContinuousClock.Instant) -> Duration {
        compute(now)
        return cached.mean
    }

    private mutating func compute(_ now: ContinuousClock.Instant) {
        if let computed, newSamples < 8, now - computed < .seconds(1) { return }
        (computed, newSamples) = (now, 0)
        let times = samples.filter { now - $0.at < Self.age }.map(\.time).sorted()
        guard times.count >= Self.leastSamples else {
            cached = (.zero, .zero)
            return
        }
        cached = (times[times.count * 4 / 5], times.reduce(.zero, +) / times.count)
    }
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// Whole seconds, rounded up, at least one: what `Retry-After` can say.
    var asRetryAfter: Int {
        let (seconds, attoseconds) = components
        return min(max(1, Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0)), RetryAfter.relayed.upperBound)
    }
}
