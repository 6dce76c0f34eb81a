import Foundation
import Glibc
import MockUpstream
import Testing

/// `ponte serve` as a process: signals, output that takes nothing, few files.
@Suite(.timeLimit(.minutes(2))) struct ServeProcessTests {
    private func with(
        before: String = ":", redirections: String = "", server: String = "",
        _ test: (ShellPonte, MockServer) async throws -> Void
    ) async throws {
        let mock = try await MockServer.start(MockOptions(patients: 10))
        let ponte = try await ShellPonte(mock, before: before, redirections: redirections, server: server)
        do { try await test(ponte, mock) } catch { Issue.record(error) }
        await ponte.kill()
        await mock.stop()
    }

    @Test func aSecondSIGTERMEndsItAtOnce() async throws {
        // Only the second signal can end it within the test's time.
        try await with(server: #","shutdown":{"grace":"10m"},"timeouts":{"head":"10m"}"#) { ponte, mock async throws in
            #expect(await ponte.patient().contains("200 OK"))
            mock.inject(.latency(milliseconds: 600_000), operation: .get)
            // A head that does not end keeps its connection, and so the server.
            let connection = try #require(OpenConnection(ponte.port))
            connection.send("GET /clients/1001 HTTP/1.1\r\nHost: a\r\nX-API-Key: \(ponte.key)\r\n\r\n")
            while mock.requests.count(.get) < 2 { try await Task.sleep(for: .milliseconds(2)) }
            ponte.signal(SIGTERM)
            // The operator sees it to the end.
            try await ponte.page("/status", untilItHas: #""status":"draining""#)
            #expect(await ponte.page("/metrics").contains("\nponte_draining 1\n"))
            ponte.signal(SIGTERM)
            #expect(await ponte.status() == 128 + SIGTERM)
            _ = connection
        }
    }

    @Test func oneSIGTERMEndsItInOrder() async throws {
        try await with { ponte, _ async throws in
            #expect(await ponte.patient().contains("200 OK"))
            // Neither keeps it from ending.
            let idle = [OpenConnection(ponte.port), OpenConnection(ponte.pagePort)]
            ponte.signal(SIGTERM)
            #expect(await ponte.status() == 0)
            #expect(idle.count == 2)
        }
    }

    @Test func aReloadIsCounted() async throws {
        try await with { ponte, _ async throws in
            let page = await ponte.page("/metrics")
            #expect(page.contains(#"ponte_configuration_reloads_total{result="ok"} 0"#))
            ponte.signal(SIGHUP)
            try await ponte.page("/metrics", untilItHas: #"ponte_configuration_reloads_total{result="ok"} 1"#)
            try Data("{".utf8).write(to: ponte.folder.appending(path: "tenants/aurora.json"))
            ponte.signal(SIGHUP)
            try await ponte.page("/metrics", untilItHas: #"ponte_configuration_reloads_total{result="faults"} 1"#)
            #expect(await ponte.page("/status").contains(#""state":"stale","stale":true"#))
            #expect(await ponte.patient().contains("200 OK"))
        }
    }

    /// A full disk, and output that was closed before it started: nothing that it opens then may take the number of what
    /// it prints to.
    @Test(arguments: [(">/dev/full 2>&1", true), (">&- 2>&-", false), ("<&- >&- 2>&-", false)])
    func whatItPrintsMayGoNowhere(_ redirections: String, _ isLost: Bool) async throws {
        try await with(redirections: redirections, server: #","log":{"level":"trace"}"#) { ponte, _ async throws in
            for _ in 0..<20 { #expect(await ponte.patient().contains("200 OK")) }
            let page = await ponte.page("/metrics")
            let lost = page.firstMatch(of: /\nponte_log_lines_dropped_total ([0-9]+)\n/).flatMap { Int($0.1) }
            #expect(isLost ? (lost ?? 0) > 0 : lost == 0)
            let database = try Data(contentsOf: ponte.folder.appending(path: "creates.db"))
            #expect(database.isEmpty || database.starts(with: Data("SQLite format 3".utf8)))
            ponte.signal(SIGTERM)
            #expect(await ponte.status() == 0)
        }
    }

    /// Where this machine lets no process open enough files, Ponte takes fewer connections than it is told to.
    private static var manyFilesMayBeOpen: Bool {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_max >= 4096
    }

    @Test(.enabled(if: manyFilesMayBeOpen)) func idleConnectionsCostLittleAndTheOneBeyondIsTold() async throws {
        let count = 400
        let limits = #","limits":{"connections":\#(count),"connectionsPerAddress":1000}"#
        try await with(server: limits) { ponte, _ async throws in
            func memory() async -> Double {
                let page = await ponte.page("/metrics")
                let bytes = page.firstMatch(of: /\nprocess_resident_memory_bytes ([0-9]+)\n/).flatMap { Double($0.1) }
                return (bytes ?? .nan) / 1024
            }
            #expect(await ponte.patient().contains("200 OK"))
            let before = await memory()
            // The connection of the call before may not have been counted out yet.
            try await ponte.page("/metrics", untilItHas: "\nponte_connections_open 0\n")
            var connections: [OpenConnection] = []
            for _ in 0..<count { connections.append(try #require(OpenConnection(ponte.port))) }
            try await ponte.page("/metrics", untilItHas: "\nponte_connections_open \(count)\n")
            // `ponte-bench idle` measures 12 KiB for each.
            let each = (await memory() - before) / Double(count)
            #expect(each < 120, "\(each) KiB")
            let refused = await ponte.patient()
            #expect(refused.contains("503 ") && refused.contains("too_many_connections"))
            #expect(await ponte.page("/metrics").contains("\nponte_connections_refused_total 1\n"))
            // Those that are open are served.
            connections[count - 1].send(
                "GET /clients/1001 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-API-Key: \(ponte.key)\r\n\r\n")
            #expect(connections[count - 1].readToEnd().contains("200 OK"))
        }
    }

    /// More callers than it may open files for: without any the process would end.
    @Test func moreCallersThanFilesWaitAndNothingSpins() async throws {
        let limit = 256
        try await with(before: "ulimit -n \(limit)") { ponte, _ async throws in
            #expect(await ponte.patient().contains("200 OK"))
            var connections: [OpenConnection] = []
            for _ in 0..<600 { if let connection = OpenConnection(ponte.port) { connections.append(connection) } }
            #expect(connections.count == 600)
            func refused(_ page: String) -> Int {
                page.firstMatch(of: /\nponte_connections_refused_total ([0-9]+)\n/).flatMap { Int($0.1) } ?? 0
            }
            // Those that find no place are told so, some at a time.
            while refused(await ponte.page("/metrics")) < 100 {
                try Task.checkCancellation()
                #expect(ponte.descriptors < limit - 16)
            }
            // Then there is a quiet second: a thread that spins leaves none.
            var spent = 1.0
            for _ in 0..<20 where spent > 0.5 {
                let before = try ponte.processorTime()
                try await Task.sleep(for: .seconds(1))
                spent = try ponte.processorTime() - before
            }
            #expect(spent <= 0.5, "\(spent) s of a second")
            connections = []
            while await !ponte.patient().contains("200 OK") {
                try Task.checkCancellation()
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func withTooFewFilesItDoesNotStart() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 1))
        await #expect(throws: ShellPonte.Failure.self) { _ = try await ShellPonte(mock, before: "ulimit -n 255") }
        await mock.stop()
    }
}
