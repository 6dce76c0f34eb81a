import TestSupport
import Testing
import Transport

/// How long a kept connection may be used. Libcurl counts whole seconds, and "older than 1 s" is two seconds or more: after a
/// wait of more than that, whatever a loaded machine adds, the connection is too old.
@Suite(.timeLimit(.minutes(5))) struct ConnectionAgeTests {
    private let wait = Duration.milliseconds(2100)

    /// A channel with a server, and beside it, to see that servers keep what they are left, one with the usual settings. It
    /// has an engine of its own: libcurl closes all idle connections of an engine that are too old for the call at hand.
    private func withTwo(
        _ settings: ChannelSettings, _ test: (_ reused: () async throws -> Bool, RawServer) async throws -> Void
    ) async throws {
        try await withServer(answerAll) { other, usual async throws in
            #expect(try await usual.get(other.url).reusedConnection == false)
            try await withServer(answerAll, settings) { server, channel async throws in
                try await test({ try await channel.get(server.url).reusedConnection }, server)
            }
            #expect(try await usual.get(other.url).reusedConnection)
            #expect(other.accepted == 1)
        }
    }

    @Test func anOldConnectionIsReplaced() async throws {
        try await withTwo(ChannelSettings(connectionLifetime: .seconds(1))) { reused, server async throws in
            #expect(try await reused() == false)
            // Busy meanwhile, and far from the 50 s after which an idle one is replaced: it is its age that ends it.
            let end = ContinuousClock.now + wait
            while ContinuousClock.now < end {
                _ = try await reused()
                try await Task.sleep(for: .milliseconds(100))
            }
            _ = try await reused()
            #expect(server.accepted >= 2)
            #expect(server.requests.last?.connection != 1)
        }
    }

    @Test func anIdleConnectionIsReplaced() async throws {
        try await withTwo(ChannelSettings(connectionMaxAge: .seconds(1))) { reused, server async throws in
            #expect(try await reused() == false)
            try await Task.sleep(for: wait)
            #expect(try await reused() == false)
            #expect(server.accepted == 2)
        }
    }

    /// Less than a second, and none at all, are one second: zero would mean for ever.
    @Test(arguments: [Duration.zero, .milliseconds(200)]) func thereIsNoForEver(_ life: Duration) async throws {
        try await withTwo(ChannelSettings(connectionLifetime: life)) { reused, server async throws in
            #expect(try await reused() == false)
            try await Task.sleep(for: wait)
            #expect(try await reused() == false)
            #expect(server.accepted == 2)
        }
    }
}
