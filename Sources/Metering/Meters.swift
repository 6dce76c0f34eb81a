public import ClientContract
import Glibc
import Synchronization

/// What is counted for one tenant. It goes where the tenant goes: whoever removes the tenant removes its series.
public final class TenantMeter: Sendable {
    /// The last failure that a caller saw. A breaker that is open is not one, where the reason for it is known.
    public struct Failure: Sendable {
        public let code: ContractError.Code
        /// Seconds since 1970-01-01 UTC.
        public let time: Int
    }

    /// All of it at one moment.
    public struct Reading: Sendable {
        public internal(set) var requests = CounterGrid<CountedRoute, Outcome>()
        /// By the index of the route.
        public internal(set) var requestTimes = [Histogram](repeating: Histogram(), count: CountedRoute.all.count)
        /// Lists that broke off after their head was sent.
        public internal(set) var brokenLists: UInt64 = 0
        public internal(set) var calls = CounterGrid<SystemOperation, Outcome>()
        /// By the index of the operation.
        public internal(set) var callTimes = [Histogram](repeating: Histogram(), count: SystemOperation.all.count)
        public internal(set) var lastFailure: Failure?
        /// Requests of the last minutes, and those of them that failed.
        public internal(set) var recent = (requests: 0, failures: 0)
    }

    private struct State {
        var reading = Reading()
        var recent = RecentRequests()
    }

    /// For how long requests are recent.
    public static let recentMinutes = RecentRequests.minutes

    private let state = Mutex(State())
    private let began = ContinuousClock.now

    public init() {}

    /// A request was answered, or given up.
    /// - Parameter broke: the answer broke off after its head was sent.
    public func requestEnded(
        _ route: CountedRoute, _ outcome: Outcome, after time: Duration, broke: Bool = false,
        now: ContinuousClock.Instant = .now
    ) {
        state.withLock { state in
            state.reading.requests.add(route, outcome)
            state.reading.requestTimes[route.index].add(time)
            if broke { state.reading.brokenLists &+= 1 }
            state.recent.add(failed: outcome.isFailure, at: now - began)
            let isNews = outcome != .error(.circuitOpen) || state.reading.lastFailure == nil
            if outcome.isFailure, isNews, case .error(let code) = outcome {
                state.reading.lastFailure = Failure(code: code, time: Glibc.time(nil))
            }
        }
    }

    /// A call to the clinic's system ended.
    public func callEnded(_ operation: SystemOperation, _ outcome: Outcome, after time: Duration) {
        state.withLock { state in
            state.reading.calls.add(operation, outcome)
            state.reading.callTimes[operation.index].add(time)
        }
    }

    public func reading(now: ContinuousClock.Instant = .now) -> Reading {
        state.withLock { state in
            var reading = state.reading
            reading.recent = state.recent.counts(at: now - began)
            return reading
        }
    }
}

/// What is counted for the process as a whole.
public final class ServerMeter: Sendable {
    private let open = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let reloads = Mutex(Reloads())

    private struct Reloads {
        var counts = [Int](repeating: 0, count: ReloadLabel.all.count)
        var last: ReloadLabel?
    }

    /// Requests of no tenant: without a known key, or without a path that leads to one.
    public let nobody = TenantMeter()

    public init() {}

    public func connectionOpened() { open.add(1, ordering: .relaxed) }
    public func connectionClosed() { open.subtract(1, ordering: .relaxed) }
    /// One too many was told so, or closed.
    public func connectionRefused() { refused.add(1, ordering: .relaxed) }
    public func configurationRead(_ result: ReloadLabel) {
        reloads.withLock { reloads in
            reloads.counts[result.index] += 1
            reloads.last = result
        }
    }

    /// Inbound connections.
    public var connectionsOpen: Int { open.load(ordering: .relaxed) }
    public var connectionsRefused: Int { refused.load(ordering: .relaxed) }
    /// How often files were read again.
    public func reloads(_ result: ReloadLabel) -> Int { reloads.withLock { $0.counts[result.index] } }
    /// How the last one ended; nil while there was none.
    public var lastReload: ReloadLabel? { reloads.withLock { $0.last } }
}
