import Gateway
import Testing

/// Peers that are slow on purpose: each is cut off, and others are served meanwhile.
@Suite(.timeLimit(.minutes(1))) struct SlowPeerTests {
    private static let short = Duration.milliseconds(200)

    /// Waits for the end of a connection, and serves somebody else while it has not come.
    private func end(
        of connection: RawHTTP.Connection, _ gateway: RunningGateway
    ) async throws -> (bytes: [UInt8], inOrder: Bool) {
        async let end = connection.readToEndOrReset()
        #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/id-0", key: "key-bruno").status == 200)
        return await end
    }

    @Test func aHeadThatDripsIsCutOff() async throws {
        var options = GatewayOptions()
        options.headTimeout = Self.short
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            for beginning in ["GET /clients HTTP/1.1\r\nHost: a\r\nX: ", "GET /clients/", "B", "\r\nGET /"] {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(beginning.utf8))
                // Bytes that come do not put the end off.
                async let dripping: Void = connection.drip("a")
                let (bytes, _) = try await end(of: connection, gateway)
                #expect(bytes.isEmpty, "\(beginning)")
                await dripping
            }
            #expect(gateway.log.all.filter { $0.contains("\"code\":\"head_late\"") }.count == 4)
        }
    }

    @Test func aSecondHeadThatDripsIsCutOffToo() async throws {
        var options = GatewayOptions()
        options.headTimeout = Self.short
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients/id-1", close: false).utf8))
            #expect(await connection.readOne()?.status == 200)
            await connection.send(Array("GET /cl".utf8))
            let (bytes, _) = try await end(of: connection, gateway)
            #expect(bytes.isEmpty)
        }
    }

    @Test func whatFollowsARequestDoesNotCutItsAnswerOff() async throws {
        var options = GatewayOptions()
        options.headTimeout = .milliseconds(20)
        let system = FakeSystem()
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system, options) { gateway in
            let slow = try RawHTTP.Connection(port: gateway.port)
            // An empty line behind a body, as old callers send it, and the beginning of something else.
            await slow.send(Array((RawHTTP.head("GET", "/clients/id-0", close: false) + "\r\nGET /cl").utf8))
            await gate.arrival()
            // Ends long after the limit for that beginning.
            let dripping = try RawHTTP.Connection(port: gateway.port)
            await dripping.send(Array("GET /cl".utf8))
            #expect(await dripping.readToEndOrReset().bytes.isEmpty)
            gate.open()
            #expect(await slow.readOne()?.status == 200)
            #expect(await slow.readToEndOrReset().bytes.isEmpty)
        }
    }

    @Test func aConnectionWithoutARequestIsClosed() async throws {
        var options = GatewayOptions()
        options.idleTimeout = Self.short
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let silent = try RawHTTP.Connection(port: gateway.port)
            #expect(try await end(of: silent, gateway).bytes.isEmpty)
            let kept = try RawHTTP.Connection(port: gateway.port)
            await kept.send(Array(RawHTTP.head("GET", "/clients/id-1", close: false).utf8))
            #expect(await kept.readOne()?.status == 200)
            #expect(try await end(of: kept, gateway).bytes.isEmpty)
        }
    }

    @Test func aBodyThatDripsIsCutOff() async throws {
        var options = GatewayOptions()
        options.bodyTimeout = Self.short
        let system = FakeSystem()
        try await RunningGateway.with(system, options, callTimeout: Self.short) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let headers = ["Content-Type: application/json", "Content-Length: 1000000"]
            await connection.send(Array(RawHTTP.head("POST", "/clients", headers, close: false).utf8))
            async let dripping: Void = connection.drip(" ")
            let (bytes, _) = try await end(of: connection, gateway)
            #expect(RawHTTP.parse(bytes)?.status == 400)
            await dripping
        }
        #expect(system.state.withLock { $0.creates } == 0)
    }

    /// A body that nobody reads because the request was refused, or because its route has none.
    @Test(arguments: [
        ("POST", "/clients", "wrong", 401), ("GET", "/clients/id-1", "key-ana", 200),
        ("PUT", "/clients", "key-ana", 405),
    ])
    func aBodyThatIsNotWantedIsNotWaitedFor(_ method: String, _ path: String, _ key: String, _ status: Int) async throws
    {
        var options = GatewayOptions()
        options.headTimeout = Self.short
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let headers = ["Content-Type: application/json", "Content-Length: 1000000"]
            await connection.send(Array(RawHTTP.head(method, path, key: key, headers, close: false).utf8))
            async let dripping: Void = connection.drip(" ")
            let (bytes, _) = try await end(of: connection, gateway)
            #expect(RawHTTP.parse(bytes)?.status == status)
            await dripping
        }
    }

    @Test func aReaderWhoDoesNotReadIsCutOff() async throws {
        var options = GatewayOptions()
        options.writeTimeout = Self.short
        let system = FakeSystem(clients: FakeSystem.many)
        try await RunningGateway.with(system, options) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port, receiveBuffer: 8 << 10)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            await gateway.log.line(with: "\"broken\":true")
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/id-0").status == 200)
            #expect(system.state.withLock { $0.pages.count } < 4000)
            let (bytes, _) = await connection.readToEndOrReset()
            #expect(RawHTTP.parse(bytes)?.isComplete == false)
        }
    }

    @Test func aReaderWhoReadsByteByByteIsCutOff() async throws {
        var options = GatewayOptions()
        options.writeTimeout = Self.short
        try await RunningGateway.with(FakeSystem(clients: FakeSystem.many), options) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port, receiveBuffer: 8 << 10)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            let reading = Task {
                while !Task.isCancelled, await connection.readSome(most: 16) != nil {
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            await gateway.log.line(with: "\"broken\":true")
            reading.cancel()
            _ = await reading.result
            let (_, _) = await connection.readToEndOrReset()
            #expect(gateway.log.all.contains { $0.contains("\"code\":\"caller_gone\"") })
        }
    }

    @Test func anOldReaderWhoDoesNotReadSeesTheAnswerBreakOff() async throws {
        var options = GatewayOptions()
        options.writeTimeout = Self.short
        try await RunningGateway.with(FakeSystem(clients: FakeSystem.many), options) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port, receiveBuffer: 8 << 10)
            await connection.send(Array("GET /clients HTTP/1.0\r\nX-API-Key: key-ana\r\n\r\n".utf8))
            await gateway.log.line(with: "\"broken\":true")
            #expect(await !connection.readToEndOrReset().inOrder)
        }
    }
}
