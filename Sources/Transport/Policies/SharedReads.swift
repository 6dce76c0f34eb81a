import Synchronization

/// Identical reads of one channel that are under way at the same time share one call. Nothing is kept once it is over.
///
/// - Whoever leaves (cancelled, or its deadline passed) leaves the others alone; the last one ends the call.
/// - A call that ends because its own time was short is not the answer for a waiter who has more: it asks anew.
/// - After a write has ended, reads that are already under way can no longer be joined: whoever reads after a write sees
///   it.
final class SharedReads: Sendable {
    typealias Outcome = Result<UpstreamAnswer, TransportError>

    /// What makes two requests the same.
    struct Key: Hashable, Sendable {
        let method: String
        let url: String
        let headers: [String]
        let body: [UInt8]?
        let redirects: Int

        init(_ request: OutboundRequest) {
            method = request.method
            url = request.url
            headers = request.headers.flatMap { [$0.name, $0.value] }
            body = request.body
            redirects = request.redirects
        }
    }

    private let flights = Mutex<[Key: Flight]>([:])

    /// Too little for another try of a waiter's own.
    private static let least = Duration.milliseconds(50)

    /// Joins the same read, or starts it.
    func answer(
        _ request: OutboundRequest, _ deadline: ContinuousClock.Instant,
        _ operation: @escaping @Sendable () async -> Outcome
    ) async -> Outcome {
        let key = Key(request)
        while true {
            if Task.isCancelled { return .failure(.refusal(.cancelled, "the caller was cancelled")) }
            let (flight, place, leads) = flights.withLock { flights in
                if let flight = flights[key], let place = flight.join() { return (flight, place, false) }
                let flight = Flight(deadline: deadline)
                flights[key] = flight
                return (flight, Flight.leader, true)
            }
            if leads {
                flight.start(
                    Task {
                        let outcome = await operation()
                        self.remove(key, flight)
                        flight.settle(outcome)
                    })
            }
            let outcome = await flight.wait(place, until: deadline < flight.deadline ? deadline : nil)
            guard !leads, case .failure(let error) = outcome, error.kind.dependsOnTime, flight.deadline < deadline,
                deadline - .now > Self.least, !Task.isCancelled
            else { return outcome }
        }
    }

    /// How many wait for reads that can be joined.
    var waiting: Int { flights.withLock { $0.values.reduce(0) { $0 + $1.waiting } } }

    /// A write has ended.
    func wereOvertaken() { flights.withLock { $0 = [:] } }

    private func remove(_ key: Key, _ flight: Flight) {
        flights.withLock { flights in
            if flights[key] === flight { flights[key] = nil }
        }
    }
}

/// One call and those who wait for it.
private final class Flight: Sendable {
    typealias Outcome = SharedReads.Outcome
    typealias Waiter = CheckedContinuation<Outcome, Never>

    private struct State {
        var outcome: Outcome?
        /// Those who wait; nil until they have come to their waiting place.
        var present: [Int: Waiter?] = [leader: nil]
        /// Those who left before they came there.
        var left: [Int: TransportError] = [:]
        var next = leader + 1
        /// Why the last one left: the call ends for this reason.
        var abandoned: TransportError?
        var task: Task<Void, Never>?
    }

    static let leader = 0
    let deadline: ContinuousClock.Instant
    private let state = Mutex(State())

    init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

    func start(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.task = task
            return state.abandoned != nil
        }
        if isOver { task.cancel() }
    }

    /// A place among those who wait; nil when the call is over or given up.
    func join() -> Int? {
        state.withLock { state in
            guard state.outcome == nil, state.abandoned == nil else { return nil }
            defer { state.next += 1 }
            state.present[state.next] = .some(nil)
            return state.next
        }
    }

    var waiting: Int { state.withLock { $0.present.values.count { $0 != nil } } }

    /// - Parameter limit: nil where the call ends by itself in time.
    func wait(_ place: Int, until limit: ContinuousClock.Instant?) async -> Outcome {
        let timer = limit.map { limit in
            Task {
                do {
                    try await Task.sleep(until: limit, clock: .continuous)
                    leave(place, .deadline, "the deadline passed")
                } catch {}
            }
        }
        defer { timer?.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known: Outcome? = state.withLock { state in
                    if let outcome = state.outcome { return outcome }
                    if let error = state.left[place] { return .failure(error) }
                    state.present[place] = .some(waiter)
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            leave(place, .cancelled, "the caller was cancelled")
        }
    }

    func settle(_ outcome: Outcome) {
        let (waiters, outcome): ([Waiter], Outcome) = state.withLock { state in
            var outcome = outcome
            if let abandoned = state.abandoned, case .failure(let error) = outcome, error.kind == .cancelled {
                // How far it had come, and why it ended.
                outcome = .failure(
                    TransportError(
                        kind: abandoned.kind, phase: error.phase, mayHaveReachedServer: error.mayHaveReachedServer,
                        detail: abandoned.detail))
            }
            state.outcome = outcome
            defer {
                state.present = [:]
                state.task = nil
            }
            return (state.present.values.compactMap { $0 }, outcome)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    private func leave(_ place: Int, _ kind: TransportError.Kind, _ detail: String) {
        // What the others still wait for may well have reached the server.
        let error = TransportError(kind: kind, phase: .waiting, mayHaveReachedServer: true, detail: detail)
        let (waiter, task): (Waiter?, Task<Void, Never>?) = state.withLock { state in
            guard state.outcome == nil, state.abandoned == nil, let entry = state.present[place] else {
                return (nil, nil)
            }
            if state.present.count == 1 {
                // Ends the call, which tells this waiter how far it had come.
                state.abandoned = error
                return (nil, state.task)
            }
            state.present[place] = nil
            if entry == nil { state.left[place] = error }
            return (entry, nil)
        }
        waiter?.resume(returning: .failure(error))
        task?.cancel()
    }
}

extension TransportError.Kind {
    /// With more time it might have come out otherwise.
    fileprivate var dependsOnTime: Bool {
        switch self {
        case .deadline, .saturated, .rateLimited, .cancelled: true
        default: false
        }
    }
}
