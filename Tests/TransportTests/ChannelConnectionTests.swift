import TestSupport
import Testing
import Transport

/// Kept connections are their channel's: another tenant's calls to the same host have their own, and so have calls under
/// new settings.
@Suite(.timeLimit(.minutes(1))) struct ChannelConnectionTests {
    @Test func keptConnectionsAreOfTheirChannelOnly() async throws {
        let server = try RawServer(answerAll)
        defer { server.stop() }
        let engine = try CurlEngine()
        for url in [server.url, "http://localhost:\(server.port)"] {
            let before = server.accepted
            let channels = (0..<3).map { _ in engine.channel(.direct) }
            for round in 0..<3 {
                for (number, channel) in channels.enumerated() {
                    let answer = try await channel.get("\(url)/\(number)")
                    #expect(answer.reusedConnection == (round > 0), "\(url), channel \(number)")
                }
            }
            #expect(server.accepted == before + channels.count)
            // What is told by the connection, such as a client certificate, may be another under new settings.
            let continued = channels[0].continued(.direct)
            #expect(try await !continued.get("\(url)/continued").reusedConnection)
            #expect(server.accepted == before + channels.count + 1)
            #expect(try await channels[0].get("\(url)/0").reusedConnection)
        }
        var users: [Int: Set<String>] = [:]
        for request in server.requests { users[request.connection, default: []].insert(request.line) }
        #expect(users.values.allSatisfy { $0.count == 1 })
        await engine.shutdown()
    }
}
