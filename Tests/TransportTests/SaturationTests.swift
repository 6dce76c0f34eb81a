import Glibc
import TestSupport
import Testing

@testable import Transport

/// Queues, paces and the time that is left.
@Suite(.timeLimit(.minutes(2))) struct SaturationTests {
    private let start = ContinuousClock.now

    private func health(_ settings: ChannelSettings) -> ChannelHealth { ChannelHealth(settings, start) }

    private func admit(
        _ health: ChannelHealth, left: Duration = .seconds(10), _ now: ContinuousClock.Instant? = nil
    ) -> Result<ChannelHealth.Turn, TransportError> {
        let now = now ?? start
        return health.admit(now, before: now + left)
    }

    private func refusal(_ result: Result<ChannelHealth.Turn, TransportError>) -> TransportError? {
        if case .failure(let error) = result { error } else { nil }
    }

    private func answer(_ status: Int, _ total: Duration = .zero, retryAfter: String? = nil) -> UpstreamAnswer {
        let made = UpstreamAnswer(
            status: status, headers: retryAfter.map { [("Retry-After", $0)] } ?? [], body: [])
        var timings = made.timings
        timings.total = total
        return UpstreamAnswer(
            status: made.status, headers: made.headers, body: [], reusedConnection: false, httpVersion: .http11,
            timings: timings)
    }

    /// Lets a channel answer some calls, so that it knows how long one takes.
    private func teach(_ health: ChannelHealth, _ time: Duration, _ count: Int = 16) throws {
        for _ in 0..<count {
            let turn = try admit(health).get()
            _ = health.ended(turn, .success(answer(200, time)), nil, onWire: time, start)
        }
    }

    @Test func aFullQueueIsRefusedAtOnce() throws {
        let health = health(ChannelSettings(maxInFlight: 2, maxQueued: 3))
        let turns = try (0..<5).map { _ in try admit(health).get() }
        let error = refusal(admit(health))
        #expect(error?.kind == .saturated)
        #expect(error?.retryAfter == 1)
        health.gaveUp(turns[0])
        #expect(refusal(admit(health)) == nil)
    }

    /// Two at a time, a second each: the ninth would wait for more than half of its time.
    @Test func whoWouldWaitTooLongIsRefusedAtOnce() throws {
        let health = health(ChannelSettings(maxInFlight: 2, maxQueued: 1000))
        try teach(health, .seconds(1))
        var admitted = 0
        while refusal(admit(health, left: .seconds(6))) == nil { admitted += 1 }
        #expect(admitted == 2 + 6)
        let error = refusal(admit(health, left: .seconds(6)))
        #expect(error?.kind == .saturated)
        #expect(error?.retryAfter == 4)
        // One with more time may still wait.
        #expect(refusal(admit(health, left: .seconds(10))) == nil)
    }

    @Test func whatWaitsIsGivenUpWhileTheUsualTimeIsLeft() throws {
        let health = health(ChannelSettings(maxInFlight: 1))
        let before = try admit(health, left: .seconds(5)).get()
        #expect(before.latestStart == start + .seconds(5))
        health.gaveUp(before)
        try teach(health, .seconds(1))
        #expect(try admit(health, left: .seconds(5)).get().latestStart == start + .seconds(4))
        #expect(health.usual(start) == .seconds(1))
        // What was learned is not believed for ever.
        #expect(health.usual(start + .seconds(60)) == .zero)
    }

    @Test func aTurnLaterThanHalfOfTheTimeIsRefused() throws {
        let health = health(ChannelSettings(paces: [Pace(calls: 1, per: .seconds(4))]))
        #expect(try admit(health).get().moment == start)
        #expect(try admit(health).get().moment == start + .seconds(4))
        let error = refusal(admit(health))
        #expect(error?.kind == .saturated)
        #expect(error?.retryAfter == 8)
    }

    private func isGranted(_ leave: ChannelHealth.Leave) -> Bool { if case .granted = leave { true } else { false } }

    private func wait(_ leave: ChannelHealth.Leave) -> ContinuousClock.Instant? {
        if case .wait(let moment) = leave { moment } else { nil }
    }

    private func refusal(_ leave: ChannelHealth.Leave) -> TransportError? {
        if case .refused(let error) = leave { error } else { nil }
    }

    @Test func aTurnIsTakenWhenDialledAndNotBefore() throws {
        let health = health(ChannelSettings(paces: [Pace(calls: 2, per: .seconds(1))]))
        let turns = try (0..<6).map { _ in try admit(health).get() }
        #expect(turns.map { $0.moment - start } == [0, 0, 1, 1, 2, 2].map { .seconds($0) })
        // All of them were kept waiting by something else.
        let later = start + .seconds(3)
        #expect(isGranted(health.leave(turns[0], later)))
        #expect(isGranted(health.leave(turns[1], later)))
        #expect(wait(health.leave(turns[2], later)) == later + .seconds(1))
        for turn in turns[2...] { health.gaveUp(turn) }
        #expect(try admit(health, later).get().moment == later + .seconds(1))
    }

    @Test func aPauseHoldsForThoseWhoWait() throws {
        let health = health(ChannelSettings())
        let turns = try (0..<3).map { _ in try admit(health).get() }
        #expect(isGranted(health.leave(turns[0], start)))
        _ = health.ended(turns[0], .success(answer(429, retryAfter: "3")), nil, onWire: .zero, start)
        #expect(wait(health.leave(turns[1], start)) == start + .seconds(3))
        let another = try admit(health).get()
        #expect(isGranted(health.leave(another, start + .seconds(3))))
        _ = health.ended(another, .success(answer(429, retryAfter: "30")), nil, onWire: .zero, start)
        // Longer than it can wait.
        let error = refusal(health.leave(turns[2], start + .seconds(4)))
        #expect(error?.kind == .rateLimited)
        #expect(error?.retryAfter == 26)
    }

    @Test func aTurnFromBeforeTheBreakerOpenedIsRefused() throws {
        let health = health(ChannelSettings(breaker: .init(failures: 1)))
        let turns = try (0..<2).map { _ in try admit(health).get() }
        #expect(isGranted(health.leave(turns[0], start)))
        let transition = health.ended(turns[0], .success(answer(500)), nil, onWire: .zero, start)
        #expect(transition != nil)
        #expect(refusal(health.leave(turns[1], start))?.kind == .circuitOpen)
    }

    /// Neither a success that forgives failures nor one of them.
    @Test func tooManyCallsIsNoSignOfHealth() throws {
        let health = health(ChannelSettings(breaker: .init(failures: 3)))
        func meet(_ status: Int, _ now: ContinuousClock.Instant) throws -> BreakerTransition? {
            let turn = try admit(health, now).get()
            _ = health.leave(turn, turn.moment)
            let made = answer(status, retryAfter: status == 429 ? "0" : nil)
            return health.ended(turn, .success(made), nil, onWire: .zero, now, jitter: 0)
        }
        for _ in 0..<6 { #expect(try meet(429, start) == nil) }
        for _ in 0..<2 { #expect(try meet(500, start) == nil) }
        #expect(try meet(429, start) == nil)
        #expect(try meet(500, start) == .opened(reason: "status_500", for: .seconds(5)))
        // A probe asks for a sign of life.
        #expect(try meet(429, start + .seconds(5)) == .closed)
    }

    @Test func aPauseThatTheSystemAsksForIsKept() throws {
        let health = health(ChannelSettings())
        _ = health.ended(
            try admit(health).get(), .success(answer(429, retryAfter: "3")), nil, onWire: .zero, start)
        #expect(try admit(health).get().moment == start + .seconds(3))
        let error = refusal(admit(health, left: .seconds(5)))
        #expect(error?.kind == .rateLimited)
        #expect(error?.retryAfter == 3)
        // However long it asks for, it is tried again after a minute.
        _ = health.ended(
            try admit(health).get(), .success(answer(429, retryAfter: "3000")), nil, onWire: .zero, start)
        #expect(refusal(admit(health))?.retryAfter == 60)
        #expect(try admit(health, start + .seconds(60)).get().moment == start + .seconds(60))
    }

    @Test func a503ThatSaysForHowLongOpensTheBreaker() throws {
        let health = health(ChannelSettings())
        let transition = health.ended(
            try admit(health).get(), .success(answer(503, retryAfter: "7")), nil, onWire: .zero, start)
        #expect(transition == .opened(reason: "status_503", for: .seconds(7)))
        #expect(refusal(admit(health))?.kind == .circuitOpen)
        #expect(refusal(admit(health))?.retryAfter == 7)
        #expect(refusal(admit(health, start + .seconds(7))) == nil)
    }

    /// A call that spent its time in Ponte's own queue says nothing of the system.
    @Test func aDeadlineCountsOnlyWhenTheSystemHadTheTime() throws {
        let late = TransportError(kind: .deadline, phase: .waiting, mayHaveReachedServer: true, detail: "late")
        let patient = health(ChannelSettings(breaker: .init(failures: 1)))
        let short = patient.ended(try admit(patient).get(), .failure(late), nil, onWire: .seconds(4), start)
        #expect(short == nil)
        let long = patient.ended(try admit(patient).get(), .failure(late), nil, onWire: .seconds(5), start)
        #expect(long != nil)
    }

    /// A mute system is mute, whether its callers wait to the end or lose patience.
    @Test func whoLeavesLateCountsAsADeadline() throws {
        let gone = TransportError(kind: .cancelled, phase: .waiting, mayHaveReachedServer: true, detail: "gone")
        let health = health(ChannelSettings(breaker: .init(failures: 1)))
        let early = health.ended(try admit(health).get(), .failure(gone), nil, onWire: .seconds(4), start)
        #expect(early == nil)
        let late = health.ended(try admit(health).get(), .failure(gone), nil, onWire: .seconds(5), start)
        #expect(late != nil)
    }

    @Test func withoutAdaptingNothingIsLearned() throws {
        let health = health(.direct)
        for _ in 0..<30 {
            let turn = try admit(health).get()
            #expect(health.ended(turn, .success(answer(503, retryAfter: "7")), nil, onWire: .zero, start) == nil)
        }
        #expect(refusal(admit(health)) == nil)
    }

    @Test func aLearnedPaceHalvesGrowsAndIsForgotten() throws {
        var pace = LearnedPace()
        for index in 0..<20 { pace.take(start + .milliseconds(index)) }
        let refused = start + .milliseconds(500)
        #expect(pace.free(refused) == refused)
        // Twenty in the last second were too many, however many answers say so.
        for _ in 0..<5 { pace.limited(refused) }
        #expect(pace.rate(refused) == 10)
        #expect(pace.free(refused) == refused + .milliseconds(100))
        pace.take(refused + .milliseconds(100))
        #expect(pace.free(refused) == refused + .milliseconds(200))
        let later = refused + .seconds(10)
        let grown = try #require(pace.rate(later))
        #expect(grown > 16 && grown < 17)
        pace.limited(later)
        #expect(try #require(pace.rate(later)) < 1)
        var forgotten = LearnedPace()
        for index in 0..<20 { forgotten.take(start + .milliseconds(index)) }
        forgotten.limited(refused)
        #expect(forgotten.rate(refused + .seconds(60)) == nil)
        #expect(forgotten.free(refused + .seconds(60)) == refused + .seconds(60))
    }

    /// More than can be served in time: what is served is served in time, and the rest hears it early.
    @Test func tooManyCallsAreToldEarlyAndTheRestIsServed() async throws {
        let settings = ChannelSettings(maxInFlight: 2, sharesReads: false)
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    if request.line.contains("slow") { usleep(20_000) }
                    connection.answer()
                }
            }, settings, policies: true
        ) { server, channel async throws in
            for _ in 0..<16 { _ = try await channel.get("\(server.url)/slow") }
            let kinds = await withTaskGroup(of: TransportError.Kind?.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        do throws(TransportError) {
                            _ = try await channel.get("\(server.url)/slow", deadline: .now + .milliseconds(600))
                            return nil
                        } catch { return error.kind }
                    }
                }
                return await group.reduce(into: [TransportError.Kind?]()) { $0.append($1) }
            }
            // All sixty take 600 ms: half of them may wait.
            #expect(kinds.count { $0 == nil } >= 3)
            #expect(kinds.count { $0 == .saturated } >= 10)
        }
    }
}
