import Gateway
import Testing

@Suite(.timeLimit(.minutes(1))) struct ShutdownTests {
    @Test func requestsUnderWayEndBeforeTheServerDoes() async throws {
        let system = FakeSystem()
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        let gateway = try await RunningGateway.start(system)
        let connection = try RawHTTP.Connection(port: gateway.port)
        await connection.send(Array(RawHTTP.head("GET", "/clients/id-0", close: false).utf8))
        await gate.arrival()
        await gateway.group.triggerGracefulShutdown()
        // Draining has begun as soon as the log says so; only then the request may end.
        await gateway.log.line(with: "draining")
        gate.open()
        let answer = await connection.readOne()
        #expect(answer?.status == 200)
        try await gateway.end()
        #expect(throws: (any Error).self) { try RawHTTP.Connection(port: gateway.port) }
    }

    @Test func aRequestThatOutlivesTheGraceIsCutOff() async throws {
        let system = FakeSystem()
        let gate = Gate(ignoresCancellation: true)
        system.state.withLock { $0.gate = gate }
        var options = GatewayOptions()
        options.shutdownGrace = .milliseconds(50)
        let gateway = try await RunningGateway.start(system, options)
        let connection = try RawHTTP.Connection(port: gateway.port)
        await connection.send(Array(RawHTTP.head("GET", "/clients/id-0", close: false).utf8))
        await gate.arrival()
        await gateway.group.triggerGracefulShutdown()
        // Does not return before the time limit unless the grace is enforced: the driver waits for a gate that is shut.
        try await gateway.end()
        #expect(!Task.isCancelled)
        gate.open()
    }

    @Test func aBodyThatIsStillComingIsCut() async throws {
        let system = FakeSystem()
        let gateway = try await RunningGateway.start(system)
        let connection = try RawHTTP.Connection(port: gateway.port)
        let headers = ["Content-Type: application/json", "Content-Length: 100", "Expect: 100-continue"]
        await connection.send(Array(RawHTTP.head("POST", "/clients", headers, close: false).utf8))
        // Now the body is waited for.
        #expect(await connection.readHead()?.hasPrefix("HTTP/1.1 100 ") == true)
        await connection.send(Array("{".utf8))
        await gateway.group.triggerGracefulShutdown()
        let answer = await connection.readOne()
        #expect(answer?.status == 503)
        #expect(answer?.text.contains("shutting_down") == true)
        try await gateway.end()
        #expect(!gateway.log.all.contains { $0.contains("stopped before") })
        #expect(system.state.withLock { $0.creates } == 0)
    }

    @Test func saysNotReadyWhileItStillAccepts() async throws {
        var options = GatewayOptions()
        // Longer than the test: it is ended by cancellation.
        options.shutdownDelay = .seconds(600)
        let gateway = try await RunningGateway.start(FakeSystem(), options)
        #expect(try await RawHTTP.call(gateway.port, "GET", "/health/ready").status == 200)
        await gateway.group.triggerGracefulShutdown()
        await gateway.log.line(with: "draining")
        let ready = try await RawHTTP.call(gateway.port, "GET", "/health/ready")
        #expect(ready.status == 503)
        #expect(ready.text == #"{"status":"draining","tenants":2}"#)
        #expect(try await RawHTTP.call(gateway.port, "GET", "/health/live").status == 200)
        #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/id-0").status == 200)
        gateway.running.cancel()
        _ = await gateway.running.result
    }

    @Test func aPortInUseIsAnError() async throws {
        let first = try await RunningGateway.start(FakeSystem())
        var options = GatewayOptions()
        options.port = first.port
        await #expect(throws: (any Error).self) { try await RunningGateway.start(FakeSystem(), options) }
        try await first.stop()
    }
}
