import struct Foundation.Date

/// The time of day, read once and carried on by the machine's steady clock.
///
/// Times are kept across restarts, so they must mean something then. Within a process they must not jump: after a jump
/// forward, a create whose answer was lost a second ago would look settled, and be sent again.
struct SteadyClock: Sendable {
    static let shared = SteadyClock(
        wall: { Moment(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }, steady: { .now })

    private let start: Moment
    private let origin: ContinuousClock.Instant
    private let steady: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - wall: the time of day, asked once.
    ///   - steady: counts the time that passes, also while the machine sleeps.
    init(wall: () -> Moment, steady: @escaping @Sendable () -> ContinuousClock.Instant) {
        origin = steady()
        start = wall()
        self.steady = steady
    }

    func now() -> Moment { start + origin.duration(to: steady()) }
}
