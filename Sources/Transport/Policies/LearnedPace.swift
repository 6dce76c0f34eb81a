/// A pace learned from a system that answers "too many calls" and says nothing of how many it allows.
///
/// Each such answer, at most one a second, halves the rate at which calls went out. The rate then grows by a twentieth
/// each second, and the pace is forgotten once it exceeds twice what was refused.
struct LearnedPace: Sendable {
    static let growth = 1.05
    /// Calls a second.
    static let least = 0.2
    private static let remembered = 256

    /// Calls a second that are allowed, at `since`; nil: nothing was learned.
    private var allowed: (rate: Double, since: ContinuousClock.Instant, refused: Double)?
    private var next: ContinuousClock.Instant?
    /// When the latest calls went out, a ring.
    private var sent: [ContinuousClock.Instant] = []
    private var place = 0

    /// The rate that is kept at present.
    func rate(_ now: ContinuousClock.Instant) -> Double? {
        guard let allowed else { return nil }
        var rate = allowed.rate
        // Growth stops at the rate at which the pace is forgotten.
        var seconds = Int((now - allowed.since).inSeconds)
        while seconds > 0, rate < allowed.refused * 2 {
            rate *= Self.growth
            seconds -= 1
        }
        return rate < allowed.refused * 2 ? rate : nil
    }

    /// The moment at which a call may go when so many others go before it.
    func free(_ now: ContinuousClock.Instant, behind others: Int = 0) -> ContinuousClock.Instant {
        guard let rate = rate(now), let next else { return now }
        return max(now, next) + .seconds(Double(others) / rate)
    }

    /// A call goes out, not before `free`.
    mutating func take(_ moment: ContinuousClock.Instant) {
        if sent.count < Self.remembered {
            sent.append(moment)
        } else {
            sent[place] = moment
            place = (place + 1) % Self.remembered
        }
        if let rate = rate(moment) {
            next = moment + .seconds(1 / rate)
        } else if allowed != nil {
            (allowed, next) = (nil, nil)
        }
    }

    /// The system said "too many calls".
    mutating func limited(_ now: ContinuousClock.Instant) {
        if let allowed, now - allowed.since < .seconds(1) { return }
        let lastSecond = sent.count { $0 > now - .seconds(1) && $0 <= now }
        let seen = rate(now).map { min($0, Double(max(1, lastSecond))) } ?? Double(max(1, lastSecond))
        let rate = max(Self.least, seen / 2)
        allowed = (rate, now, max(seen, 2 * Self.least))
        next = max(next ?? now, now + .seconds(1 / rate))
    }
}
