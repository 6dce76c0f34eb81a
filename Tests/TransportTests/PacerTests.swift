import Testing

@testable import Transport

/// Calls in a period. Moments are computed from given ones, so no test waits for a clock.
@Suite struct PacerTests {
    private let start = ContinuousClock.now

    /// No stretch of the period holds more calls than allowed, whatever the arrivals.
    @Test(arguments: [1, 2, 5, 17]) func noStretchHoldsMore(_ calls: Int) throws {
        let pace = Pace(calls: calls, per: .seconds(1))
        var pacer = Pacer([pace])
        var random = SystemRandomNumberGenerator()
        var now = start
        var moments: [ContinuousClock.Instant] = []
        for _ in 0..<400 {
            now = pacer.free(from: now + .milliseconds(Int.random(in: 0...200, using: &random)))
            pacer.take(now)
            moments.append(now)
        }
        for index in calls..<moments.count { #expect(moments[index] - moments[index - calls] >= pace.per) }
    }

    @Test func callsWithinThePaceDoNotWait() throws {
        var pacer = Pacer([Pace(calls: 3, per: .seconds(60))])
        for _ in 0..<3 {
            #expect(pacer.free(from: start) == start)
            pacer.take(start)
        }
        #expect(pacer.free(from: start) == start + .seconds(60))
    }

    @Test func allPacesHold() throws {
        var pacer = Pacer([Pace(calls: 2, per: .seconds(1)), Pace(calls: 3, per: .seconds(60))])
        let moments = (0..<4).map { _ in
            let moment = pacer.free(from: start)
            pacer.take(moment)
            return moment
        }
        #expect(moments == [start, start, start + .seconds(1), start + .seconds(60)])
    }

    /// What is foretold for those who wait is what comes when all of them go as early as they may.
    @Test(arguments: [1, 2, 5, 17]) func theMomentBehindOthersIsTheirs(_ calls: Int) throws {
        var pacer = Pacer([Pace(calls: calls, per: .seconds(1))])
        var random = SystemRandomNumberGenerator()
        for _ in 0..<Int.random(in: 0...(2 * calls), using: &random) {
            pacer.take(pacer.free(from: start + .milliseconds(Int.random(in: 0...900, using: &random))))
        }
        let now = start + .milliseconds(1500)
        let foretold = (0..<(3 * calls)).map { pacer.free(from: now, behind: $0) }
        let moments = (0..<(3 * calls)).map { _ in
            let moment = pacer.free(from: now)
            pacer.take(moment)
            return moment
        }
        #expect(foretold == moments)
    }

    @Test func anotherPaceCountsWhatWentOutBefore() throws {
        var pacer = Pacer([Pace(calls: 4, per: .seconds(10))])
        for second in 0..<4 { pacer.take(start + .seconds(second)) }
        let slower = pacer.continued([Pace(calls: 2, per: .seconds(60))])
        #expect(slower.free(from: start + .seconds(4)) == start + .seconds(62))
    }

    /// The pace holds where calls are dialled: what waited for a place does not go out in a burst.
    @Test func whatWaitsForAPlaceKeepsThePace() async throws {
        let pace = Pace(calls: 5, per: .milliseconds(500))
        let settings = ChannelSettings(maxInFlight: 5, paces: [pace], sharesReads: false)
        let gate = Gate()
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    if request.turn == 1, connection.number <= 5 { gate.wait() }
                    connection.answer()
                }
            }, settings, policies: true
        ) { server, channel async throws in
            let begun = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await channel.get(server.url, deadline: soon(90)) } }
                while server.requests.count < 5 || channel.attempts < 20 { await moment() }
                // As long as the pace alone would have kept all of them.
                while ContinuousClock.now - begun < pace.per * 4 { await moment() }
                let opened = ContinuousClock.now
                for _ in 0..<5 { gate.open() }
                try await group.waitForAll()
                // Fifteen were left: five, five and five. A slow machine makes it more.
                #expect(ContinuousClock.now - opened >= pace.per * 2)
            }
        }
    }

    /// Turns that were waited for and not used are nobody's loss.
    @Test func whoLeavesLeavesTheTurn() async throws {
        let settings = ChannelSettings(paces: [Pace(calls: 1, per: .seconds(3600))], sharesReads: false)
        try await withServer(answerAll, settings, policies: true) { server, channel async throws in
            _ = try await channel.get(server.url)
            let patient = (0..<20).map { _ in
                Task { try await channel.failure(of: get(server.url), deadline: soon(60 * 3600)) }
            }
            while channel.attempts < 20 { await moment() }
            for task in patient { task.cancel() }
            for task in patient { #expect(try await task.value.kind == .cancelled) }
            // Its turn is the next one, in an hour. Behind the twenty it would be refused.
            let last = Task { try await channel.failure(of: get(server.url), deadline: soon(3 * 3600)) }
            let seen = Task { while channel.attempts < 1, !Task.isCancelled { await moment() } }
            let watch = Task {
                _ = try? await last.value
                seen.cancel()
            }
            await seen.value
            last.cancel()
            await watch.value
            #expect(try await last.value.kind == .cancelled)
            #expect(server.requests.count == 1)
        }
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
