import MockUpstream
import Testing

/// A pretend system that follows a script.
@Suite struct ScriptTests {
    private func exchange(_ path: String, _ status: Int = 200, optional: Bool = false, faults: [MockFault] = [])
        -> MockExchange
    {
        MockExchange(
            status: status, headers: [("Content-Type", "text/plain"), ("X-Path", path)], body: Array(path.utf8),
            faults: faults, isOptional: optional
        ) { $0.path == path }
    }

    private func play(
        _ groups: [[MockExchange]], always: [MockExchange] = [], _ body: (RawClient) throws -> Void
    ) async throws -> MockScript.Report {
        let script = MockScript(always: always)
        let server = try await MockServer.start(script)
        script.expect(groups)
        do { try body(try RawClient(port: server.port)) } catch { Issue.record(error) }
        await server.stop()
        return script.finish()
    }

    private func statuses(_ client: RawClient, _ paths: String...) throws -> [Int] {
        try paths.map { try client.call("GET", $0).status }
    }

    @Test func exchangesAreAnsweredInOrder() async throws {
        let report = try await play([[exchange("/a")], [exchange("/b", 404)]]) { client in
            let first = try client.call("GET", "/a?x=1")
            #expect((first.status, first.text) == (200, "/a"))
            #expect(first.header("Content-Type") == "text/plain")
            #expect(first.header("X-Path") == "/a")
            let second = try client.call("GET", "/b")
            #expect(second.status == 404)
        }
        #expect(report.unexpected.isEmpty)
        #expect(report.missing.isEmpty)
    }

    @Test func aCallOutOfOrderIsNotExpected() async throws {
        let report = try await play([[exchange("/a")], [exchange("/b")]]) { client in
            let statuses = try statuses(client, "/b", "/a")
            #expect(statuses == [500, 200])
        }
        #expect(report.unexpected.map(\.request.path) == ["/b"])
        #expect(report.unexpected.first?.awaited.map(\.group) == [0])
        #expect(report.missing.map(\.group) == [1])
    }

    @Test func callsOfAGroupComeInAnyOrderOnceEach() async throws {
        let report = try await play([[exchange("/a"), exchange("/b")], [exchange("/c")]]) { client in
            let statuses = try statuses(client, "/b", "/a", "/c", "/a")
            #expect(statuses == [200, 200, 200, 500])
        }
        #expect(report.unexpected.map(\.request.path) == ["/a"])
        #expect(report.missing.isEmpty)
    }

    @Test func someCallsMayComeAtAnyTimeOrNotAtAll() async throws {
        let groups = [[exchange("/a"), exchange("/maybe", optional: true)], [exchange("/b")]]
        let report = try await play(groups, always: [exchange("/login")]) { client in
            let statuses = try statuses(client, "/login", "/a", "/login", "/b")
            #expect(statuses == [200, 200, 200, 200])
        }
        #expect(report.unexpected.isEmpty)
        #expect(report.missing.isEmpty)
    }

    @Test func aStatedCallComesBeforeThoseThatMayAlwaysCome() async throws {
        let report = try await play([[exchange("/login", 401)]], always: [exchange("/login")]) { client in
            let statuses = try statuses(client, "/login", "/login")
            #expect(statuses == [401, 200])
        }
        #expect(report.missing.isEmpty)
    }

    @Test func anExchangeCanHaveAFault() async throws {
        let report = try await play([[exchange("/a", faults: [.truncate])]]) { client in
            try client.send("GET", "/a")
            #expect(throws: RawClient.Unexpected.self) { try client.readAnswer() }
        }
        #expect(report.missing.isEmpty)
    }
}
