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
        for index in 0..<20 { pace.take(start + .milliseconds(index), start) }
        let refused = start + .milliseconds(500)
        #expect(pace.free(refused) == refused)
        // Twenty in the last second were too many, however many answers say so.
        for _ in 0..<5 { pace.limited(refused) }
        #expect(pace.rate(refused) == 10)
        #expect(pace.free(refused) == refused + .milliseconds(100))
        pace.take(refused + .milliseconds(100), refused)
        #expect(pace.free(refused) == refused + .milliseconds(200))
        let later = refused + .seconds(10)
        let grown = try #require(pace.rate(later))
        #expect(grown > 16 && grown < 17)
        pace.limited(later)
        #expect(try #require(pace.rate(later)) < 1)
        var forgotten = LearnedPace()
        for index in 0..<20 { forgotten.take(start + .milliseconds(index), start) }
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
