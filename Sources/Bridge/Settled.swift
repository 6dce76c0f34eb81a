import Synchronization

/// Something that comes about once. Whoever waits for it stays no longer than its own deadline.
final class Settled<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Value?, Never>] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    /// The first value counts.
    func settle(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [:] as [Int: CheckedContinuation<Value?, Never>] }
            state.value = value
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: value) }
    }

    /// The value; nil when it has not come about by the deadline.
    func value(until deadline: ContinuousClock.Instant) async -> Value? {
        let ticket = state.withLock { state in
            state.last += 1
            return state.last
        }
        let timer = Task {
            try? await Task.sleep(until: deadline, clock: .continuous)
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: nil)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { waiter in
            let known: Value?? = state.withLock { state in
                if let value = state.value { return .some(value) }
                if ContinuousClock.now >= deadline { return .some(nil) }
                state.waiters[ticket] = waiter
                return nil
            }
            if let known { waiter.resume(returning: known) }
        }
    }
}
