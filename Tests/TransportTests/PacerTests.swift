import Testing

@testable import Transport

/// Calls in a period. Moments are computed from given ones, so no test waits for a clock.
@Suite struct PacerTests {
    private let start = ContinuousClock.now
    private var never: ContinuousClock.Instant { start + .seconds(1_000_000) }

    /// No stretch of the period holds more calls than allowed, whatever the arrivals.
    @Test(arguments: [1, 2, 5, 17]) func noStretchHoldsMore(_ calls: Int) throws {
        let pace = Pace(calls: calls, per: .seconds(1))
        let pacer = Pacer([pace])
        var random = SystemRandomNumberGenerator()
        var now = start
        var moments: [ContinuousClock.Instant] = []
        for _ in 0..<400 {
            now += .milliseconds(Int.random(in: 0...200, using: &random))
            let moment = try #require(pacer.moment(from: now, before: never))
            #expect(moment >= now)
            moments.append(moment)
        }
        #expect(moments == moments.sorted())
        for index in calls..<moments.count { #expect(moments[index] - moments[index - calls] >= pace.per) }
    }

    @Test func callsWithinThePaceDoNotWait() throws {
        let pacer = Pacer([Pace(calls: 3, per: .seconds(60))])
        for _ in 0..<3 { #expect(pacer.moment(from: start, before: never) == start) }
        #expect(pacer.moment(from: start, before: never) == start + .seconds(60))
    }

    @Test func allPacesHold() throws {
        let pacer = Pacer([Pace(calls: 2, per: .seconds(1)), Pace(calls: 3, per: .seconds(60))])
        let moments = (0..<4).compactMap { _ in pacer.moment(from: start, before: never) }
        #expect(moments == [start, start, start + .seconds(1), start + .seconds(60)])
    }

    /// A call whose turn comes too late takes nobody's place.
    @Test func aTurnAfterTheDeadlineIsRefusedAndNotTaken() throws {
        let pacer = Pacer([Pace(calls: 1, per: .seconds(60))])
        #expect(pacer.moment(from: start, before: never) == start)
        #expect(pacer.moment(from: start, before: start + .seconds(30)) == nil)
        #expect(pacer.moment(from: start, before: never) == start + .seconds(60))
    }

    /// Through the door: the second call of an hour is refused at once, and the server never sees it.
    @Test func aChannelRefusesWhatItsPaceCannotServe() async throws {
        let settings = ChannelSettings(paces: [Pace(calls: 1, per: .seconds(3600))])
        try await withServer(answerAll, settings) { server, channel in
            #expect(try await channel.get(server.url).status == 200)
            let error = try await channel.failure(of: OutboundRequest(url: server.url, repeatability: .safe))
            #expect(error.kind == .saturated)
            #expect(!error.mayHaveReachedServer)
            #expect(server.requests.count == 1)
        }
    }
}
