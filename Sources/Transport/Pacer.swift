/// So many calls in any stretch of so long, as vendors state their limits ("120 a minute").
public struct Pace: Sendable, Hashable {
    /// At least 1.
    public let calls: Int
    /// Longer than nothing.
    public let per: Duration

    public init(calls: Int, per: Duration) {
        self.calls = max(1, calls)
        self.per = max(.milliseconds(1), per)
    }
}

/// Spaces calls so that none of several paces is ever exceeded: not on average, but in any stretch of time.
///
/// For each pace it remembers the moments of its latest calls; the next one may go when the oldest of them has left
/// the period. A call takes its moment when it is dialled: what still waits has taken nothing.
struct Pacer: Sendable {
    private struct Track {
        let pace: Pace
        /// The latest moments, a ring.
        private var moments: [ContinuousClock.Instant] = []
        private var next = 0

        init(_ pace: Pace) { self.pace = pace }

        /// From the earliest to the latest.
        var latest: [ContinuousClock.Instant] { Array(moments[next...] + moments[..<next]) }

        mutating func take(_ moment: ContinuousClock.Instant) {
            if moments.count < pace.calls {
                moments.append(moment)
            } else {
                moments[next] = moment
                next = (next + 1) % pace.calls
            }
        }

        /// The moment for one more call when `others` go before it, all of them as early as they may.
        func free(from now: ContinuousClock.Instant, behind others: Int) -> ContinuousClock.Instant {
            let (rounds, index) = others.quotientAndRemainder(dividingBy: pace.calls)
            // Whoever finds an unused place in the first round goes at once.
            let used = index - (pace.calls - moments.count)
            let first = used < 0 ? now : max(now, moments[(next + used) % moments.count] + pace.per)
            return first + pace.per * rounds
        }
    }

    let paces: [Pace]
    private var tracks: [Track]

    init(_ paces: [Pace]) {
        self.paces = paces
        tracks = paces.map { Track($0) }
    }

    /// Other paces for the same system: what went out before counts.
    func continued(_ paces: [Pace]) -> Pacer {
        var pacer = Pacer(paces)
        let known = tracks.map(\.latest).max { $0.count < $1.count } ?? []
        for moment in known { pacer.take(moment) }
        return pacer
    }

    /// The moment, from a given one on, at which a call may go when so many others go before it. Exact for nobody and for
    /// a single pace; else it may be later.
    func free(from now: ContinuousClock.Instant, behind others: Int = 0) -> ContinuousClock.Instant {
        tracks.map { $0.free(from: now, behind: others) }.reduce(now, max)
    }

    /// A call goes out, not before `free`, and not before any earlier one.
    mutating func take(_ moment: ContinuousClock.Instant) {
        for index in tracks.indices { tracks[index].take(moment) }
    }
}
