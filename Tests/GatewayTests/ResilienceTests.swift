import Foundation
import Gateway
import JSONBytes
import MockUpstream
import Tenancy
import TestSupport
import Testing
import Transport

/// What callers and operators see of retries and breakers, over real sockets and pretend clinic systems.
@Suite(.timeLimit(.minutes(2))) struct ResilienceTests {
    private struct World: Sendable {
        let gateway: RunningGateway
        /// Of the tenants "ana" and "bruno".
        let mocks: [MockServer]
        /// Lines of circuits.
        let log: LogLines
        /// Reads Ana's file again, with another name and perhaps another address.
        let reload: @Sendable (_ baseURL: String?) throws -> [String]

        func status(_ key: String = "key-ana", _ path: String = "/clients/1001") async throws -> Int {
            try await RawHTTP.call(gateway.port, "GET", path, key: key).status
        }
    }

    private func with(_ upstream: String, _ test: (World) async throws -> Void) async throws {
        let options = MockOptions(patients: 20)
        let mocks = [try await MockServer.start(options), try await MockServer.start(options)]
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-resilience-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        @Sendable func write(_ id: String, _ baseURL: String, name: String) throws {
            let text = """
                {"id":"\(id)","name":"\(name)","inbound":{"keys":[{"name":"main",
                "sha256":"\(KeyDigest(of: "key-\(id)").hex)"}]},
                "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"\(baseURL)",
                "credentials":{"user":{"env":"PONTE_USER"},"password":{"env":"PONTE_PASSWORD"}}\(upstream)}}
                """
            try Data(text.utf8).write(to: folder.appending(path: "tenants/\(id).json"))
        }
        for (id, mock) in zip(["ana", "bruno"], mocks) { try write(id, mock.baseURL, name: id) }
        let configuration = try Configuration.ofTest(in: folder, options)
        let engine = try CurlEngine()
        let log = LogLines()
        let logger = LogOutput.logger(level: .info, format: .json, sink: log.sink)
        let tenants = TenantDirectory(configuration, engine: engine, observer: CircuitLog.observer(logger))
        let gateway = try await RunningGateway.start(tenants)
        let world = World(gateway: gateway, mocks: mocks, log: log) { baseURL in
            try write("ana", baseURL ?? mocks[0].baseURL, name: "Another name")
            return tenants.replace(with: configuration.readAgain(), engine: engine).replaced
        }
        do { try await test(world) } catch { Issue.record(error) }
        try await gateway.stop()
        await engine.shutdown()
        for mock in mocks { await mock.stop() }
    }

    @Test func aReadIsServedAlthoughItsFirstTryFails() async throws {
        try await with("") { world async throws in
            #expect(try await world.status() == 200)
            for fault in [
                MockFault.status(503, retryAfter: nil), .reset(before: true), .truncate, .noReply, .resetMidBody,
            ] {
                world.mocks[0].requests.reset()
                world.mocks[0].inject(fault, operation: .get, times: 1)
                #expect(try await world.status() == 200, "\(fault)")
                #expect(world.mocks[0].requests.count(.get) == 2, "\(fault)")
            }
        }
    }

    @Test func aSystemThatKeepsFailingIsLeftAloneAndItsNeighbourIsNot() async throws {
        try await with(#","retries":0,"breaker":{"failures":2,"openFor":"5m"}"#) { world async throws in
            #expect(try await world.status() == 200)
            world.mocks[0].inject(.status(500, retryAfter: nil), operation: .get)
            for _ in 0..<2 { #expect(try await world.status() == 502) }
            world.mocks[0].requests.reset()
            let refused = try await RawHTTP.call(world.gateway.port, "GET", "/clients/1001")
            #expect(refused.status == 503)
            #expect(try JSONDocument(refused.body).root["code"]?.string == "circuit_open")
            #expect((1...360).contains(refused.header("retry-after").flatMap { Int($0) } ?? 0))
            #expect(world.mocks[0].requests.total == 0)
            #expect(try await world.status("key-bruno") == 200)
            // One line, with the tenant and the reason, and nothing of the request.
            await world.log.line(with: "circuit open")
            let lines = world.log.all
            #expect(lines.count == 1)
            let line = try JSONDocument(Array(try #require(lines.first).utf8)).root
            #expect(line["tenant"]?.string == "ana")
            #expect(line["reason"]?.string == "status_500")
            // The same system after a reload is still the same system; another address is another one.
            world.mocks[0].clearFaults()
            #expect(try world.reload(nil) == ["ana"])
            #expect(try await world.status() == 503)
            #expect(try world.reload(world.mocks[1].baseURL) == ["ana"])
            #expect(try await world.status() == 200)
        }
    }

    @Test func aSystemThatIsBackIsCalledAgain() async throws {
        try await with(#","retries":0,"breaker":{"failures":2,"openFor":"500ms"}"#) { world async throws in
            #expect(try await world.status() == 200)
            world.mocks[0].inject(.reset(before: true), operation: .get)
            for _ in 0..<2 { #expect(try await world.status() == 502) }
            world.mocks[0].clearFaults()
            // Until the probe: a caller sees nothing but "wait".
            var statuses: [Int] = []
            repeat { statuses.append(try await world.status()) } while statuses.last != 200 && !Task.isCancelled
            #expect(Set(statuses.dropLast()).isSubset(of: [503]))
            await world.log.line(with: "circuit closed")
            for _ in 0..<3 { #expect(try await world.status() == 200) }
        }
    }

    @Test func equalReadsAtOnceAreOneCall() async throws {
        try await with("") { world async throws in
            #expect(try await world.status() == 200)
            world.mocks[0].requests.reset()
            world.mocks[0].inject(.latency(milliseconds: 1500), operation: .get)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<10 { group.addTask { try await world.status() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 10))
            // Those who come within the time share; a slow machine may need two.
            #expect(world.mocks[0].requests.count(.get) <= 2)
        }
    }
}
