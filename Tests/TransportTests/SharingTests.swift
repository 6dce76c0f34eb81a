import Synchronization
import TestSupport
import Testing

@testable import Transport

/// Identical reads under way share one call; nobody pays for it.
@Suite(.timeLimit(.minutes(2))) struct SharingTests {
    /// Holds each request back until the gate opens once for it, then answers with its number.
    private func withGate(
        _ settings: ChannelSettings = .init(retries: 0),
        _ test: (Gate, RawServer, HTTPChannel) async throws -> Void
    ) async throws {
        let gate = Gate()
        let count = Mutex(0)
        try await withServer(
            { connection in
                while connection.readRequest() != nil {
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    gate.wait()
                    connection.answer(String(number))
                }
            }, settings, policies: true
        ) { server, channel async throws in
            do {
                try await test(gate, server, channel)
            } catch {
                for _ in 0..<100 { gate.open() }
                throw error
            }
            for _ in 0..<100 { gate.open() }
        }
    }

    private func arrival(_ server: RawServer, _ count: Int) async {
        while server.requests.count < count { await moment() }
    }

    @Test func identicalReadsAreOneCall() async throws {
        try await withGate { gate, server, channel async throws in
            let first = Task { try await channel.get(server.url).text }
            await arrival(server, 1)
            let others = (0..<20).map { _ in Task { try await channel.get(server.url).text } }
            // Until all of them have joined.
            while channel.waitingReaders < 21 { await moment() }
            gate.open()
            #expect(try await first.value == "1")
            for other in others { #expect(try await other.value == "1") }
            #expect(server.requests.count == 1)
            // Nothing is kept.
            gate.open()
            #expect(try await channel.get(server.url).text == "2")
        }
    }

    @Test(arguments: [
        OutboundRequest(url: "/b", repeatability: .safe),
        OutboundRequest(method: "HEAD", url: "/a", repeatability: .safe),
        OutboundRequest(url: "/a", headers: [("X-Key", "1")], repeatability: .safe),
        OutboundRequest(method: "GET", url: "/a", body: [1], repeatability: .safe),
        OutboundRequest(url: "/a", repeatability: .safe, redirects: 1),
        OutboundRequest(url: "/a", repeatability: .idempotent), OutboundRequest(url: "/a", repeatability: .unsafe),
    ]) func whatDiffersIsNotShared(_ other: OutboundRequest) async throws {
        try await withGate { gate, server, channel async throws in
            let first = Task { try await channel.get("\(server.url)/a").text }
            await arrival(server, 1)
            var other = other
            other.url = server.url + other.url
            let request = other
            let second = Task { try await channel.send(request, deadline: soon()).status }
            await arrival(server, 2)
            gate.open()
            gate.open()
            #expect(try await second.value == 200)
            _ = try await first.value
        }
    }

    @Test func whoLeavesLeavesTheOthersAlone() async throws {
        try await withGate { gate, server, channel async throws in
            let leader = Task { try await channel.failure(of: get(server.url)) }
            await arrival(server, 1)
            let stays = Task { try await channel.get(server.url).text }
            let leaves = Task { try await channel.failure(of: get(server.url)) }
            while channel.waitingReaders < 3 { await moment() }
            leader.cancel()
            leaves.cancel()
            #expect(try await leader.value.kind == .cancelled)
            #expect(try await leaves.value.kind == .cancelled)
            let short = try await channel.failure(of: get(server.url), deadline: .now + .milliseconds(100))
            #expect(short.kind == .deadline)
            gate.open()
            #expect(try await stays.value == "1")
            #expect(server.requests.count == 1)
        }
    }

    @Test func theLastOneWhoLeavesEndsTheCall() async throws {
        let closed = Gate()
        try await withServer(
            { connection in
                _ = connection.readRequest()
                connection.waitForClose()
                closed.open()
            }, policies: true
        ) { server, channel async throws in
            let readers = (0..<3).map { _ in Task { try await channel.failure(of: get(server.url)) } }
            while server.requests.isEmpty || channel.waitingReaders < 3 { await moment() }
            for reader in readers { reader.cancel() }
            for reader in readers { #expect(try await reader.value.kind == .cancelled) }
            closed.wait()
        }
    }

    /// The leader's time is over; the one who joined has more, and asks anew.
    @Test func nobodyInheritsAShorterDeadline() async throws {
        try await withGate { gate, server, channel async throws in
            let leader = Task { try await channel.failure(of: get(server.url), deadline: .now + .milliseconds(500)) }
            await arrival(server, 1)
            let patient = Task { try await channel.get(server.url).text }
            #expect(try await leader.value.kind == .deadline)
            await arrival(server, 2)
            for _ in 0..<2 { gate.open() }
            #expect(try await patient.value == "2")
        }
    }

    /// Read your writes: a read that begins after a write does not join one that began before its end.
    @Test func aReadAfterAWriteSeesIt() async throws {
        let gate = Gate()
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    if request.line.hasPrefix("GET") { gate.wait() }
                    connection.answer()
                }
            }, policies: true
        ) { server, channel async throws in
            let old = Task { try await channel.get(server.url).status }
            await arrival(server, 1)
            let meanwhile = Task { try await channel.get(server.url).status }
            while channel.waitingReaders < 2 { await moment() }
            #expect(try await channel.create(server.url).status == 200)
            let new = Task { try await channel.get(server.url).status }
            // The old read is still under way, and two share it; the new one goes out.
            await arrival(server, 3)
            for _ in 0..<2 { gate.open() }
            for read in [old, meanwhile, new] { #expect(try await read.value == 200) }
            #expect(server.requests.count == 3)
        }
    }
}
