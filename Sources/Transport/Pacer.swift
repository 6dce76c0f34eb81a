import Synchronization

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
/// the period. Moments are given out in order, so waiters are served first come first served.
final class Pacer: Sendable {
    private struct Track {
        let pace: Pace
        /// The latest moments, a ring.
        var moments: [ContinuousClock.Instant] = []
        var next = 0

        /// The earliest moment that this pace allows.
        var free: ContinuousClock.Instant? { moments.count < pace.calls ? nil : moments[next] + pace.per }

        mutating func take(_ moment: ContinuousClock.Instant) {
            if moments.count < pace.calls {
                moments.append(moment)
            } else {
                moments[next] = moment
                next = (next + 1) % pace.calls
            }
        }
    }

    let paces: [Pace]
    private let tracks: Mutex<[Track]>

    init(_ paces: [Pace]) {
        self.paces = paces
        tracks = Mutex(paces.map { Track(pace: $0) })
    }

    /// The moment at which the next call may go; it is taken. Nil, and nothing is taken, when that is too late.
    func moment(
        from now: ContinuousClock.Instant, before deadline: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        tracks.withLock { tracks in
            let moment = tracks.compactMap(\.free).reduce(now, max)
            guard moment < deadline else { return nil }
            for index in tracks.indices { tracks[index].take(moment) }
            return moment
        }
    }

    /// The moment at which the next call could go, from a given one on. Nothing is taken.
    func free(from now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        tracks.withLock { $0.compactMap(\.free).reduce(now, max) }
    }
}
