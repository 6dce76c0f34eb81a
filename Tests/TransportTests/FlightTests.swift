import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Transport

/// Deadlines, cancellation, limits, shutdown.
@Suite struct FlightTests {
    /// Reads and never answers.
    @Sendable static func silent(_ connection: RawServer.Connection) {
        while connection.readRequest() != nil {}
    }

    @Test func deadlineEndsACallThatWaitsForItsAnswer() async throws {
        try await withServer(Self.silent) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url), deadline: .now + .milliseconds(200))
            #expect(error.kind == .deadline)
            #expect(error.phase == .waiting)
            #expect(error.mayHaveReachedServer)
        }
    }

    /// Libcurl alone forgets the deadline of one call in some hundreds, until its next timer: here after a minute.
    @Test func noDeadlineIsForgotten() async throws {
        let settings = ChannelSettings(connectTimeout: .seconds(60), maxInFlight: 64)
        try await withServer(Self.silent, settings) { server, channel async throws in
            let late = await withTaskGroup(of: Duration.self) { group in
                for caller in 0..<64 {
                    group.addTask {
                        var most = Duration.zero
                        for round in 0..<12 {
                            let deadline = ContinuousClock.now + .milliseconds(60 + (caller * 7 + round * 13) % 50)
                            _ = try? await channel.get(server.url, deadline: deadline)
                            most = max(most, ContinuousClock.now - deadline)
                        }
                        return most
                    }
                }
                return await group.reduce(.zero, max)
            }
            #expect(late < .seconds(30))
        }
    }

    @Test func nothingIsDialledAfterTheDeadline() async throws {
        try await withServer(answerAll) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url), deadline: .now)
            #expect(error.kind == .deadline)
            #expect(error.phase == .queued)
            #expect(error.mayHaveReachedServer == false)
            #expect(try await channel.get(server.url).status == 200)
            #expect(server.accepted == 1)
        }
    }

    @Test func deadlineEndsACallInTheQueue() async throws {
        try await withServer(Self.silent, ChannelSettings(maxInFlight: 1)) { server, channel async throws in
            let first = Task { try await channel.failure(of: get(server.url)) }
            while server.requests.isEmpty { await moment() }
            let error = try await channel.failure(of: get(server.url), deadline: .now + .milliseconds(100))
            #expect(error.kind == .deadline)
            #expect(error.phase == .queued)
            #expect(error.mayHaveReachedServer == false)
            first.cancel()
            #expect(try await first.value.kind == .cancelled)
            #expect(server.requests.count == 1)
        }
    }

    /// The TCP connection stands, the handshake never comes.
    @Test func connectTimeoutIsApartFromTheDeadline() async throws {
        let settings = ChannelSettings(connectTimeout: .milliseconds(100))
        try await withServer({ $0.waitForClose() }, settings) { server, channel async throws in
            let url = "https://127.0.0.1:\(server.port)/"
            let error = try await channel.failure(of: get(url))
            #expect(error.kind == .connectTimeout)
            #expect(error.phase == .handshaking)
            #expect(error.mayHaveReachedServer == false)
            let late = try await channel.failure(of: get(url), deadline: .now + .milliseconds(50))
            #expect(late.kind == .deadline)
            #expect(late.phase == .handshaking)
        }
    }

    @Test func refusedConnectionDidNotReachTheServer() async throws {
        let engine = try CurlEngine()
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = try listenOnLoopback(listener)
        close(listener)
        let error = try await engine.channel(.direct).failure(of: post("http://127.0.0.1:\(port)/", .unsafe))
        #expect(error.kind == .connect)
        #expect(error.phase == .connecting)
        #expect(error.mayHaveReachedServer == false)
        await engine.shutdown()
    }

    @Test func unknownHostDidNotReachTheServer() async throws {
        let engine = try CurlEngine()
        let error = try await engine.channel(ChannelSettings(connectTimeout: .seconds(30)).withoutPolicies).failure(
            of: get("http://ponte.invalid/"))
        #expect(error.kind == .nameResolution)
        #expect(error.phase == .resolving)
        #expect(error.mayHaveReachedServer == false)
        await engine.shutdown()
    }

    @Test func cancellationEndsTheTransfer() async throws {
        let closed = Gate()
        try await withServer({ connection in
            _ = connection.readRequest()
            connection.waitForClose()
            closed.open()
        }) { server, channel async throws in
            let task = Task { try await channel.failure(of: get(server.url)) }
            while server.requests.isEmpty { await moment() }
            task.cancel()
            let error = try await task.value
            #expect(error.kind == .cancelled)
            #expect(error.phase == .waiting)
            #expect(error.mayHaveReachedServer)
            // The server sees the connection end, though its own answer would never have come.
            closed.wait()
        }
    }

    @Test func cancelledTaskDialsNothing() async throws {
        try await withServer(answerAll) { server, channel async throws in
            let task = Task {
                while !Task.isCancelled { await moment() }
                return try await channel.failure(of: get(server.url))
            }
            task.cancel()
            let error = try await task.value
            #expect(error.kind == .cancelled)
            #expect(error.mayHaveReachedServer == false)
            #expect(server.accepted == 0)
        }
    }

    @Test func queuedCallLeavesOnCancellation() async throws {
        try await withServer(Self.silent, ChannelSettings(maxInFlight: 1)) { server, channel async throws in
            let first = Task { try await channel.failure(of: get(server.url)) }
            while server.requests.isEmpty { await moment() }
            let second = Task { try await channel.failure(of: get(server.url)) }
            second.cancel()
            let error = try await second.value
            #expect(error.kind == .cancelled)
            #expect(error.phase == .queued)
            first.cancel()
            _ = try await first.value
            #expect(server.requests.count == 1)
        }
    }

    /// Counts how many requests a server has at once.
    private final class Crowd: Sendable {
        private let present = Mutex((now: 0, most: 0))
        var most: Int { present.withLock { $0.most } }

        func server() throws -> RawServer {
            try RawServer { connection in
                while connection.readRequest() != nil {
                    self.present.withLock {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    // Gives others the time to be there too; the limit must hold however long this takes.
                    usleep(2000)
                    self.present.withLock { $0.now -= 1 }
                    connection.answer()
                }
            }
        }
    }

    private func mostAtOnce(_ settings: [ChannelSettings], _ options: EngineOptions) async throws -> Int {
        let crowd = Crowd()
        let server = try crowd.server()
        defer { server.stop() }
        let engine = try CurlEngine(options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for channel in settings.map({ engine.channel($0.withoutPolicies) }) {
                for _ in 0..<100 { group.addTask { _ = try await channel.get(server.url) } }
            }
            try await group.waitForAll()
        }
        await engine.shutdown()
        #expect(server.requests.count == 100 * settings.count)
        return crowd.most
    }

    @Test func channelLimitHolds() async throws {
        let most = try await mostAtOnce([ChannelSettings(maxInFlight: 4)], .init())
        #expect(most <= 4 && most > 1)
    }

    @Test func engineLimitHoldsOverChannels() async throws {
        let settings = ChannelSettings(maxInFlight: 8)
        let most = try await mostAtOnce([settings, settings, settings], EngineOptions(maxInFlight: 5))
        #expect(most <= 5 && most > 1)
    }

    /// One channel has twenty calls of the engine's only place; another's one call need not wait for all of them.
    @Test func aFreePlaceGoesToTheChannelThatHasTheFewest() async throws {
        let gate = Gate()
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                if connection.number == 1, request.turn == 1 { gate.wait() }
                // Time enough for a call that was admitted to come to the engine.
                usleep(50_000)
                connection.answer()
            }
        }
        defer { server.stop() }
        let engine = try CurlEngine(EngineOptions(maxInFlight: 1))
        let (busy, quiet) = (engine.channel(.direct), engine.channel(.direct))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await busy.get("\(server.url)/busy") } }
            while server.requests.isEmpty || busy.attempts < 20 { await moment() }
            group.addTask { _ = try await quiet.get("\(server.url)/quiet") }
            while quiet.attempts < 1 { await moment() }
            gate.open()
            try await group.waitForAll()
            let lines = server.requests.map(\.line)
            #expect(lines.count == 21)
            #expect(lines.last?.contains("busy") == true)
        }
        await engine.shutdown()
    }

    /// Three of four places are as many as a tenant gets whose system is silent; another one's call goes through.
    @Test func noChannelHasAllPlacesOfTheEngine() async throws {
        let server = try RawServer { connection in
            while let request = connection.readRequest(), !request.line.contains("mute") { connection.answer() }
            connection.waitForClose()
        }
        defer { server.stop() }
        let engine = try CurlEngine(EngineOptions(maxInFlight: 4))
        let (mute, quiet) = (engine.channel(.direct), engine.channel(.direct))
        let calls = (0..<12).map { _ in Task { try await mute.failure(of: get("\(server.url)/mute")) } }
        while mute.attempts < 12 || server.requests.count < 3 { await moment() }
        for _ in 0..<8 { #expect(try await quiet.get("\(server.url)/quiet").status == 200) }
        #expect(server.requests.count { $0.line.contains("mute") } == 3)
        for call in calls { call.cancel() }
        for call in calls { #expect(try await call.value.kind == .cancelled) }
        await engine.shutdown()
    }

    /// A reload in full flight: calls under the old and under the new settings keep the limit together.
    @Test func channelLimitHoldsOverAReload() async throws {
        let crowd = Crowd()
        let server = try crowd.server()
        defer { server.stop() }
        let engine = try CurlEngine()
        let settings = ChannelSettings(maxInFlight: 2).withoutPolicies
        let old = engine.channel(settings)
        let new = old.continued(settings)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for channel in [old, new] {
                for _ in 0..<100 { group.addTask { _ = try await channel.get(server.url) } }
            }
            try await group.waitForAll()
        }
        #expect(crowd.most == 2)
        await engine.shutdown()
    }

    @Test func fullQueueIsSaid() async throws {
        let options = EngineOptions(maxInFlight: 1, maxQueued: 1)
        try await withServer(Self.silent, .init(), options) { server, channel async throws in
            let first = Task { try await channel.failure(of: get(server.url)) }
            while server.requests.isEmpty { await moment() }
            // One of these two waits; the other one finds the queue full.
            let others = (0..<2).map { _ in Task { try await channel.failure(of: get(server.url)) } }
            let kinds = try await withThrowingTaskGroup(of: TransportError.self) { group in
                for task in others { group.addTask { try await task.value } }
                let saturated = try #require(try await group.next())
                for task in others { task.cancel() }
                let cancelled = try #require(try await group.next())
                return [saturated.kind, cancelled.kind]
            }
            #expect(kinds == [.saturated, .cancelled])
            first.cancel()
            _ = try await first.value
        }
    }

    /// A tenant whose calls all wait leaves a quarter of the engine's queue to the others, also over a reload.
    @Test(.timeLimit(.minutes(1))) func noChannelFillsTheEnginesQueue() async throws {
        let server = try RawServer(Self.silent)
        defer { server.stop() }
        let engine = try CurlEngine(EngineOptions(maxInFlight: 1, maxQueued: 8))
        var settings = ChannelSettings.direct
        settings.maxQueued = 100
        let busy = engine.channel(settings)
        let (reloaded, quiet) = (busy.continued(settings), engine.channel(settings))
        let first = Task { try await busy.failure(of: get(server.url)) }
        while server.requests.isEmpty, !Task.isCancelled { await moment() }
        // Of eight places six are as many as one channel gets: whoever comes later is told so at once.
        let ended = Ended()
        let calls = (0..<20).map { number in
            Task {
                let error = try await (number % 2 == 0 ? busy : reloaded).failure(of: get(server.url))
                ended.add(error.kind)
            }
        }
        while ended.kinds.count < 14, !Task.isCancelled { await moment() }
        #expect(Set(ended.kinds) == [.saturated])
        let waiting = Task { try await quiet.failure(of: get(server.url)) }
        while quiet.attempts < 1, !Task.isCancelled { await moment() }
        waiting.cancel()
        // It had a place: it waited until it was cancelled.
        #expect(try await waiting.value.kind == .cancelled)
        for call in calls { call.cancel() }
        for call in calls { try await call.value }
        #expect(ended.kinds.count { $0 == .cancelled } == 6)
        // Those who left have left the queue: the same number fits again.
        let again = (0..<6).map { _ in Task { try await busy.failure(of: get(server.url)) } }
        while busy.attempts < 7, !Task.isCancelled { await moment() }
        for call in again { call.cancel() }
        for call in again { #expect(try await call.value.kind == .cancelled) }
        first.cancel()
        _ = try await first.value
        await engine.shutdown()
    }

    @Test func shutdownLetsAcceptedCallsFinish() async throws {
        let gate = Gate()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            gate.wait()
            connection.answer()
        }
        defer { server.stop() }
        let engine = try CurlEngine()
        let channel = engine.channel(.direct)
        let task = Task { try await channel.get(server.url).status }
        while server.requests.isEmpty { await moment() }
        async let ended: Void = engine.shutdown()
        // Refused as soon as the shutdown has begun; before that, the call waits for the gate too.
        while true {
            do throws(TransportError) {
                _ = try await channel.get(server.url, deadline: .now)
            } catch {
                if error.kind == .shuttingDown { break }
                #expect(error.kind == .deadline)
            }
        }
        gate.open()
        #expect(try await task.value == 200)
        await ended
    }

    @Test func shutdownCanCancel() async throws {
        try await withServer(Self.silent, ChannelSettings(maxInFlight: 1)) { server, channel async throws in
            let engine = try CurlEngine()
            let own = engine.channel(ChannelSettings(maxInFlight: 1).withoutPolicies)
            let calls = (0..<2).map { _ in Task { try await own.failure(of: get(server.url)) } }
            while server.requests.isEmpty { await moment() }
            await engine.shutdown(cancelling: true)
            await engine.shutdown()
            for call in calls { #expect(try await call.value.kind == .shuttingDown) }
            let reached = try await [calls[0].value, calls[1].value].filter(\.mayHaveReachedServer)
            #expect(reached.count == 1)
        }
    }

    @Test func engineLetGoClosesItsConnections() async throws {
        let closed = Gate()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.answer()
            connection.waitForClose()
            closed.open()
        }
        defer { server.stop() }
        do {
            // The channel alone keeps the engine alive.
            let channel = try CurlEngine().channel(.init())
            #expect(try await channel.get(server.url).status == 200)
        }
        closed.wait()
    }

    @Test func manyCallsAtOnceAreAllAnswered() async throws {
        let settings = ChannelSettings(maxInFlight: 64)
        try await withServer(answerAll, settings) { server, channel async throws in
            // So far away that only a standstill reaches it, not a machine with more to do.
            let deadline = soon(90)
            let failures = await withTaskGroup(of: TransportError?.self) { group in
                for _ in 0..<3000 {
                    group.addTask {
                        do throws(TransportError) {
                            return try await channel.get(server.url, deadline: deadline).status == 200 ? nil : .other
                        } catch { return error }
                    }
                }
                return await group.reduce(into: [TransportError]()) { if let error = $1 { $0.append(error) } }
            }
            let seen = "\(server.accepted) connections, \(server.requests.count) requests"
            #expect(
                failures.isEmpty,
                "\(failures.count) of 3000 failed, first: \(failures.first?.description ?? ""); \(seen)")
            #expect(server.accepted <= 64)
        }
    }
}

/// How calls ended, in that order.
private final class Ended: Sendable {
    private let list = Mutex<[TransportError.Kind]>([])
    var kinds: [TransportError.Kind] { list.withLock { $0 } }
    func add(_ kind: TransportError.Kind) { list.withLock { $0.append(kind) } }
}

extension TransportError {
    fileprivate static var other: TransportError {
        TransportError(kind: .internal, phase: .receiving, mayHaveReachedServer: true, detail: "another status came")
    }
}
