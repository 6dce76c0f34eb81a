import Gateway
import JSONBytes
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConnectionLimitTests {
    @Test func oneConnectionTooManyIsToldSo() async throws {
        var options = GatewayOptions()
        options.maxConnections = 3
        let system = FakeSystem()
        try await RunningGateway.with(system, options) { gateway in
            var open: [RawHTTP.Connection] = []
            for _ in 0..<3 {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(RawHTTP.head("GET", "/clients/id-1", close: false).utf8))
                #expect(await connection.readOne()?.status == 200)
                open.append(connection)
            }
            for request in ["", RawHTTP.head("GET", "/clients/id-2", close: false), "not HTTP\r\n\r\n"] {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(request.utf8))
                let (bytes, inOrder) = await connection.readToEndOrReset()
                let answer = try #require(RawHTTP.parse(bytes))
                #expect(answer.status == 503 && answer.isComplete && inOrder)
                #expect(answer.header("retry-after") == "1")
                #expect(answer.header("connection") == "close")
                #expect(try JSONDocument(answer.body).root["code"]?.string == "too_many_connections")
            }
            // Those that are open go on, and a place that is free is given to the next.
            for connection in open {
                await connection.send(Array(RawHTTP.head("GET", "/clients/id-1", close: false).utf8))
                #expect(await connection.readOne()?.status == 200)
            }
            open.removeLast()
            var status: Int?
            while status != 200, !Task.isCancelled {
                status = try? await RawHTTP.call(gateway.port, "GET", "/clients/id-0").status
            }
            #expect(status == 200)
            #expect(system.state.withLock { !$0.idsAsked.contains("id-2") })
        }
    }
}
