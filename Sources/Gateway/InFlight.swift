import ClientContract
import Metering
import Synchronization

/// The calls that are under way, one for each inbound connection at most (HTTP/1.1 answers in order).
///
/// Drivers keep the deadline themselves. This is the backstop for one that does not, at a moment and not in rounds, and
/// it is how a caller who is gone stops a call that only reads. A write goes on to its end, so that its outcome is known when the caller asks again.
final class InFlight: Sendable {
    /// What is under way.
    enum Work {
        /// The request's body is coming.
        case body
        case read
        case write
    }

    private struct Entry {
        let deadline: ContinuousClock.Instant
        let work: Work
        let stop: @Sendable (any Error) -> Void
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        /// When the watch looks again; nil: when somebody tells it to.
        var wakes: ContinuousClock.Instant?
        /// The watch's sleep, and its number, since a sleep that was cut short may end when the next has begun.
        var sleep: (number: Int, waker: CheckedContinuation<Void, Never>)?
        var sleeps = 0
        var isOver = false
        /// The server stops: no body is waited for any more.
        var cutsBodies = false
    }

    private let state = Mutex(State())

    private static let shuttingDown = ContractError(.shuttingDown, retryAfter: 5)

    /// How long after its deadline a call may still say itself what became of it.
    static let grace = Duration.milliseconds(20)

    /// Runs an operation in a task of its own, until it ends, its deadline passes or its caller is gone.
    func run<Value: Sendable>(
        on connection: ObjectIdentifier, until deadline: ContinuousClock.Instant, _ work: Work,
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let call = RunningCall<Value>()
        let entry = Entry(deadline: deadline + Self.grace, work: work) { call.stop($0) }
        guard add(entry, connection) else { throw Self.shuttingDown }
        defer { _ = state.withLock { $0.entries.removeValue(forKey: connection) } }
        return try await withTaskCancellationHandler {
            try await call.run(operation)
        } onCancel: {
            call.stop(work == .write ? ContractError(.outcomeUnknown) : Self.shuttingDown)
        }
    }

    /// Ends calls whose deadline has passed.
    func sweep(now: ContinuousClock.Instant = .now) {
        let late = state.withLock { state in
            let late = state.entries.filter { $0.value.deadline <= now }
            for connection in late.keys { state.entries[connection] = nil }
            return late.values
        }
        for entry in late { entry.stop(ContractError(entry.work == .write ? .outcomeUnknown : .deadline)) }
    }

    /// Ends what a connection's caller was waiting for, unless it writes.
    func callerIsGone(_ connection: ObjectIdentifier) {
        let entry = state.withLock { $0.entries[connection] }
        if let entry, entry.work == .read { entry.stop(CallerGone()) }
    }

    /// Ends the wait for bodies that have not come yet: nothing was done for their requests.
    func cutBodies() {
        let bodies = state.withLock { state in
            state.cutsBodies = true
            return state.entries.values.filter { $0.work == .body }
        }
        for body in bodies { body.stop(Self.shuttingDown) }
    }

    /// False when nothing of this kind is waited for any more.
    private func add(_ entry: Entry, _ connection: ObjectIdentifier) -> Bool {
        let (isTaken, waker) = state.withLock { state in
            if entry.work == .body, state.cutsBodies { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.entries[connection] = entry
            // Most deadlines are later than those of earlier calls: the watch sleeps on.
            if let wakes = state.wakes, wakes <= entry.deadline { return (true, nil) }
            defer { state.sleep = nil }
            return (true, state.sleep?.waker)
        }
        waker?.resume()
        return isTaken
    }

    /// Ends calls at their deadlines until the task is cancelled. It sleeps until the earliest of them.
    func keepSweeping() async {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                sweep()
                await sleep()
            }
        } onCancel: {
            let waker = state.withLock { state in
                state.isOver = true
                defer { state.sleep = nil }
                return state.sleep?.waker
            }
            waker?.resume()
        }
    }

    /// Until when the watch sleeps, for tests; nil while it does not, or sleeps until it is woken.
    var sleepsUntil: ContinuousClock.Instant? { state.withLock { $0.sleep == nil ? nil : $0.wakes } }

    /// Until the earliest deadline, or until a call with an earlier one comes.
    private func sleep() async {
        var timer: Task<Void, Never>?
        await withCheckedContinuation { waker in
            let (number, wakes): (Int?, ContinuousClock.Instant?) = state.withLock { state in
                if state.isOver { return (nil, nil) }
                state.sleeps += 1
                state.wakes = state.entries.values.lazy.map(\.deadline).min()
                state.sleep = (state.sleeps, waker)
                return (state.sleeps, state.wakes)
            }
            guard let number else { return waker.resume() }
            guard let wakes else { return }
            timer = Task {
                guard (try? await Task.sleep(until: wakes, tolerance: .zero, clock: .continuous)) != nil else { return }
                wake(number)
            }
        }
        timer?.cancel()
    }

    private func wake(_ number: Int) {
        let waker = state.withLock { state in
            guard let sleep = state.sleep, sleep.number == number else {
                return nil as CheckedContinuation<Void, Never>?
            }
            state.sleep = nil
            return sleep.waker
        }
        waker?.resume()
    }
}

/// Nobody is there to read an answer.
struct CallerGone: Error {
    /// In logs; callers never see it.
    static let code = Outcome.callerGone.value
    /// In logs, as other servers write it.
    static let status = Outcome.callerGone.status
}

/// A task and whoever waits for it; the first result counts.
private final class RunningCall<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiter: CheckedContinuation<Value, any Error>?
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())

    func run(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task {
            do { settle(.success(try await operation())) } catch { settle(.failure(error)) }
        }
        let isOver = state.withLock { state in
            state.task = task
            return state.result != nil
        }
        // Stopped before the task was known.
        if isOver { task.cancel() }
        return try await withCheckedThrowingContinuation { waiter in
            let result = state.withLock { state in
                if state.result == nil { state.waiter = waiter }
                return state.result
            }
            if let result { waiter.resume(with: result) }
        }
    }

    func stop(_ error: any Error) {
        settle(.failure(error))
        state.withLock { $0.task }?.cancel()
    }

    private func settle(_ result: Result<Value, any Error>) {
        let waiter = state.withLock { state in
            guard state.result == nil else { return nil as CheckedContinuation<Value, any Error>? }
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }
}
