import Gateway
import JSONBytes
import Testing

/// Lists without a limit: as they come, no further ahead than the reader is, and never half taken for whole.
@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    @Test func theFirstPageIsReadBeforeTheSecondIsAnswered() async throws {
        let system = FakeSystem(clients: 35)
        let gate = Gate()
        system.state.withLock { $0.pageGate = (10, gate) }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            var bytes: [UInt8] = []
            while !String(decoding: bytes, as: UTF8.self).contains("id-9\""), let more = await connection.readSome() {
                bytes += more
            }
            #expect(String(decoding: bytes, as: UTF8.self).contains("id-9\""))
            // At most one page is asked for ahead.
            #expect(system.state.withLock { $0.pages.allSatisfy { $0 <= 10 } })
            gate.open()
            bytes += await connection.readToEndOrReset().bytes
            let answer = try #require(RawHTTP.parse(bytes))
            #expect(answer.isComplete)
            #expect(try JSONDocument(answer.body).root.elements.count == 35)
            #expect(system.state.withLock { $0.pages } == [0, 10, 20, 30])
        }
    }

    @Test func aReaderWhoDoesNotReadStopsTheCalls() async throws {
        let count = FakeSystem.many
        // What the buffers on the way hold, generously; the list has 4,000 pages.
        let most = 800
        let system = FakeSystem(clients: count)
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port, receiveBuffer: 8 << 10)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            var bytes = try #require(await connection.readSome())
            // Time enough for the whole list, if it were read ahead.
            for _ in 0..<300 {
                #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/id-0", key: "key-bruno").status == 200)
            }
            let ahead = system.state.withLock { $0.pages.count }
            #expect(ahead < most)
            // Reading on lets them go on, and no further than before.
            let page = 900
            var furthest = 0
            while bytes.count < 2_000_000, let more = await connection.readSome() {
                bytes += more
                furthest = max(furthest, system.state.withLock { $0.pages.count } - bytes.count / page)
            }
            #expect(furthest < most)
            #expect(system.state.withLock { $0.pages.count } > ahead)
            bytes += await connection.readToEndOrReset().bytes
            let answer = try #require(RawHTTP.parse(bytes))
            #expect(answer.isComplete)
            let ids = try JSONDocument(answer.body).root.elements.compactMap { $0["id"]?.string }
            #expect(ids == (0..<count).map { "id-\($0)" })
        }
    }

    @Test(arguments: ["1.1", "1.0"]) func aFailureMidwayCannotBeMistakenForTheEnd(_ version: String) async throws {
        let system = FakeSystem(clients: 35)
        system.state.withLock { $0.failsFrom = 20 }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array("GET /clients HTTP/\(version)\r\nHost: a\r\nX-API-Key: key-ana\r\n\r\n".utf8))
            let (bytes, inOrder) = await connection.readToEndOrReset()
            if version == "1.1" {
                // No last chunk, though the caller had asked to keep the connection.
                let answer = try #require(RawHTTP.parse(bytes))
                #expect(answer.status == 200 && !answer.isComplete)
                #expect((try? JSONDocument(answer.body)) == nil)
            } else {
                #expect(!inOrder)
            }
            await gateway.log.line(with: "\"broken\":true")
            let line = try #require(gateway.log.all.first { $0.contains("\"broken\":true") })
            let record = try JSONDocument(Array(line.utf8)).root
            #expect(record["code"]?.string == "system_failed")
            #expect(record["level"]?.string == "warning")
        }
    }

    @Test func aReaderWhoGoesAwayStopsTheCall() async throws {
        let system = FakeSystem(clients: 35)
        let gate = Gate()
        system.state.withLock { $0.pageGate = (20, gate) }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            await gate.arrival()
            connection.hangUp()
            await gate.departure()
            await gateway.log.line(with: "\"code\":\"caller_gone\"")
            #expect(system.state.withLock { $0.pages.allSatisfy { $0 <= 20 } })
        }
    }

    @Test func aReaderWhoGoesAwayBetweenTwoPagesStopsTheCalls() async throws {
        let system = FakeSystem(clients: FakeSystem.many)
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port, receiveBuffer: 8 << 10)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            _ = await connection.readSome()
            connection.hangUp()
            await gateway.log.line(with: "\"code\":\"caller_gone\"")
            let asked = system.state.withLock { $0.pages.count }
            #expect(asked < 4000)
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/id-0").status == 200)
            #expect(system.state.withLock { $0.pages.count } == asked)
        }
    }
}
