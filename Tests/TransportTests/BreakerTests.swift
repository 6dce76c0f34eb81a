import Synchronization
import TestSupport
import Testing

@testable import Transport

/// The breaker as a machine of states, with moments given to it, and at the socket.
@Suite(.timeLimit(.minutes(2))) struct BreakerTests {
    private let start = ContinuousClock.now

    private func passes(_ breaker: inout Breaker, _ now: ContinuousClock.Instant) throws -> Breaker.Pass {
        guard case .pass(let pass) = breaker.admit(now) else { throw Unexpected(answer: "refused") }
        return pass
    }

    /// Opens a breaker by failures in a row.
    private func opened(_ settings: BreakerSettings = .init(failures: 3)) throws -> Breaker {
        var breaker = Breaker(settings, start)
        for number in 1...settings.failures {
            let change = breaker.failed(try passes(&breaker, start), start, jitter: 0)
            #expect(change == (number == settings.failures ? .opened(settings.openFor) : nil))
        }
        return breaker
    }

    @Test func failuresInARowOpenAndASuccessBetweenThemDoesNot() throws {
        var breaker = Breaker(.init(failures: 3), start)
        for _ in 0..<10 {
            for _ in 0..<2 { #expect(breaker.failed(try passes(&breaker, start), start, jitter: 0) == nil) }
            #expect(breaker.succeeded(try passes(&breaker, start), start) == nil)
            // So that their share stays small.
            for _ in 0..<4 { #expect(breaker.succeeded(try passes(&breaker, start), start) == nil) }
        }
        var open = try opened()
        #expect(open.admit(start) == .refused(wait: .seconds(5)))
        #expect(open.admit(start + .seconds(2)) == .refused(wait: .seconds(3)))
    }

    @Test func halfOfTheLatestCallsOpenIt() throws {
        var breaker = Breaker(.init(failures: 100), start)
        #expect(breaker.settings.leastCalls == 100)
        breaker.settings.failures = 8
        var opened: Int?
        for number in 1...40 where opened == nil {
            let pass = try passes(&breaker, start)
            let change = number % 2 == 0 ? breaker.failed(pass, start, jitter: 0) : breaker.succeeded(pass, start)
            if change != nil { opened = number }
        }
        #expect(opened == 20)
        // The same, spread so that no ten seconds hold twenty calls.
        var slow = Breaker(.init(failures: 8), start)
        for number in 1...200 {
            let now = start + .seconds(number)
            let pass = try passes(&slow, now)
            let change = number % 2 == 0 ? slow.failed(pass, now, jitter: 0) : slow.succeeded(pass, now)
            #expect(change == nil)
        }
    }

    @Test func exactlyOneProbePasses() throws {
        var breaker = try opened()
        let later = start + .seconds(5)
        #expect(try passes(&breaker, later).isProbe)
        for _ in 0..<10 { #expect(breaker.admit(later) == .refused(wait: Breaker.waitForProbe)) }
    }

    @Test func aProbeThatSucceedsClosesAndOneThatFailsOpensForLonger() throws {
        var breaker = try opened()
        var now = start
        for seconds in [5, 10, 20, 30, 30] {
            now += .seconds(seconds)
            let refused = breaker.admit(now - .milliseconds(1))
            #expect(refused == .refused(wait: .milliseconds(1)))
            let probe = try passes(&breaker, now)
            let next = min(30, seconds * 2)
            #expect(breaker.failed(probe, now, jitter: 0) == .opened(.seconds(next)))
        }
        now += .seconds(30)
        #expect(breaker.succeeded(try passes(&breaker, now), now) == .closed)
        #expect(try passes(&breaker, now).isProbe == false)
        // Closed means forgiven: it opens by as many failures as before, for as long as at first.
        for number in 1...3 {
            let change = breaker.failed(try passes(&breaker, now), now, jitter: 0)
            #expect(change == (number == 3 ? .opened(.seconds(5)) : nil))
        }
    }

    @Test func jitterSpreadsTheEnd() throws {
        var breaker = Breaker(.init(failures: 1), start)
        #expect(breaker.failed(try passes(&breaker, start), start, jitter: 1) == .opened(.seconds(6)))
    }

    @Test func aProbeThatSaysNothingGivesItsTurnBack() throws {
        var breaker = try opened()
        let later = start + .seconds(5)
        let first = try passes(&breaker, later)
        breaker.undecided(first)
        let second = try passes(&breaker, later)
        #expect(second.isProbe)
        #expect(breaker.succeeded(second, later) == .closed)
    }

    /// Calls that began before it opened neither close it nor keep it open.
    @Test func resultsOfAnEarlierStateCountForNothing() throws {
        var breaker = Breaker(.init(failures: 2), start)
        let old = try (0..<4).map { _ in try passes(&breaker, start) }
        _ = breaker.failed(old[0], start, jitter: 0)
        #expect(breaker.failed(old[1], start, jitter: 0) == .opened(.seconds(5)))
        #expect(breaker.succeeded(old[2], start) == nil)
        #expect(breaker.refusal(of: old[3], start + .seconds(1)) == .seconds(4))
        #expect(breaker.failed(old[3], start + .seconds(1), jitter: 0) == nil)
        let probe = try passes(&breaker, start + .seconds(5))
        #expect(breaker.succeeded(old[3], start) == nil)
        #expect(breaker.admit(start + .seconds(5)) == .refused(wait: Breaker.waitForProbe))
        #expect(breaker.succeeded(probe, start + .seconds(5)) == .closed)
        #expect(breaker.failed(old[3], start + .seconds(5), jitter: 0) == nil)
    }

    @Test func theSystemMaySayItself() throws {
        var breaker = Breaker(.init(), start)
        #expect(breaker.told(try passes(&breaker, start), toWait: .seconds(9), start) == .opened(.seconds(9)))
        #expect(breaker.admit(start + .seconds(4)) == .refused(wait: .seconds(5)))
    }

    // MARK: At the socket

    /// Fails until told otherwise, and counts.
    private final class Patient: Sendable {
        let isWell = Mutex(false)
        let transitions = Mutex<[BreakerTransition]>([])

        @Sendable func serve(_ connection: RawServer.Connection) {
            while connection.readRequest() != nil {
                connection.answer(status: isWell.withLock { $0 } ? "200 OK" : "500 Internal Server Error")
            }
        }
    }

    private func withPatient(
        _ settings: ChannelSettings, _ test: (Patient, RawServer, HTTPChannel) async throws -> Void
    ) async throws {
        let patient = Patient()
        let server = try RawServer(patient.serve)
        defer { server.stop() }
        let engine = try CurlEngine()
        let channel = engine.channel(settings) { transition in
            patient.transitions.withLock { $0.append(transition) }
        }
        do {
            try await test(patient, server, channel)
        } catch {
            await engine.shutdown(cancelling: true)
            throw error
        }
        await engine.shutdown(cancelling: true)
    }

    @Test func opensFailsFastProbesOnceAndCloses() async throws {
        let settings = ChannelSettings(breaker: .init(failures: 3, openFor: .seconds(1)), sharesReads: false)
        try await withPatient(settings) { patient, server, channel async throws in
            for _ in 0..<3 { #expect(try await channel.get(server.url).status == 500) }
            let refused = try await channel.failure(of: get(server.url))
            #expect(refused.kind == .circuitOpen)
            #expect((1...2).contains(refused.retryAfter ?? 0))
            #expect(!refused.mayHaveReachedServer)
            #expect(server.requests.count == 3)
            #expect(patient.transitions.withLock { $0.count } == 1)
            guard case .opened(reason: "status_500", _) = patient.transitions.withLock({ $0[0] }) else {
                Issue.record("not opened")
                return
            }
            patient.isWell.withLock { $0 = true }
            // Many callers who keep asking: one of them is the probe, and it closes for all.
            let statuses = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        while true {
                            if let status = try? await channel.get(server.url).status { return status }
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 32))
            #expect(patient.transitions.withLock { $0.last } == .closed)
            #expect(server.requests.count == 3 + 32)
        }
    }

    @Test func whoWaitsInTheQueueIsToldWhenItOpens() async throws {
        let (gate, isOpen) = (Gate(), Gate())
        let settings = ChannelSettings(
            maxInFlight: 1, breaker: .init(failures: 1, openFor: .seconds(60)), sharesReads: false)
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    (connection.number == 1 && request.turn == 1 ? gate : isOpen).wait()
                    connection.answer(status: "500 Internal Server Error")
                }
            }, settings, policies: true
        ) { server, channel async throws in
            let first = Task { try await channel.get(server.url).status }
            while server.requests.isEmpty { await moment() }
            let others = (0..<30).map { _ in Task { try? await channel.failure(of: get(server.url)) } }
            // They need not have come to the queue: whoever comes later is refused at the door, with the same words.
            gate.open()
            #expect(try await first.value == 500)
            isOpen.open()
            var refused = 0
            for other in others where await other.value?.kind == .circuitOpen { refused += 1 }
            // The place that the first one left is taken before anybody knows that it failed.
            #expect(refused + server.requests.count == 31)
            #expect(server.requests.count <= 2)
        }
    }

    @Test func refusalsOfARequestNeverOpenIt() async throws {
        let settings = ChannelSettings(breaker: .init(failures: 2), sharesReads: false)
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    let status = String(request.line.dropFirst(5).prefix(3))
                    connection.answer(status: "\(status) No", headers: "Connection: close\r\n")
                }
            }, settings, policies: true
        ) { server, channel async throws in
            for status in [400, 401, 403, 404, 409, 422, 501] {
                for _ in 0..<4 { #expect(try await channel.get("\(server.url)/\(status)").status == status) }
            }
        }
    }

    /// Whoever knows the system decides: a 500 that means "not found" is harmless, a page in place of data is not.
    @Test func theReadingOfTheDriverCounts() async throws {
        let settings = ChannelSettings(breaker: .init(failures: 2), sharesReads: false)
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    connection.answer(status: request.line.contains("/500") ? "500 No" : "200 OK")
                }
            }, settings, policies: true
        ) { server, channel async throws in
            var harmless = get("\(server.url)/500")
            harmless.reading = { _ in AnswerReading(.alive) }
            for _ in 0..<6 { #expect(try await channel.send(harmless, deadline: soon()).status == 500) }
            var page = get("\(server.url)/200")
            page.reading = { _ in AnswerReading(.failing) }
            for _ in 0..<2 { #expect(try await channel.send(page, deadline: soon()).status == 200) }
            #expect(try await channel.failure(of: page).kind == .circuitOpen)
        }
    }

    @Test func oneChannelIsNotAnother() async throws {
        let settings = ChannelSettings(breaker: .init(failures: 1), sharesReads: false)
        try await withPatient(settings) { patient, server, channel async throws in
            #expect(try await channel.get(server.url).status == 500)
            #expect(try await channel.failure(of: get(server.url)).kind == .circuitOpen)
            let engine = try CurlEngine()
            #expect(try await engine.channel(settings).get(server.url).status == 500)
            // The same system under new settings is still the same system.
            #expect(try await channel.continued(settings).failure(of: get(server.url)).kind == .circuitOpen)
            await engine.shutdown()
        }
    }
}
