import Gateway
import JSONBytes
import Testing

/// What HTTP asks of a server beside the contract.
@Suite(.timeLimit(.minutes(1))) struct ProtocolTests {
    static let expecting = [
        "Content-Type: application/json", "Content-Length: \(BodyTests.draft.utf8.count)", "Expect: 100-continue",
    ]

    @Test func aCallerThatWaitsIsToldToGoOn() async throws {
        try await RunningGateway.with { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            for _ in 0..<2 {
                await connection.send(
                    Array(RawHTTP.head("POST", "/clients", Self.expecting, close: false).utf8))
                // Without it the body would never be sent, and the read fails.
                #expect(await connection.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
                await connection.send(Array(BodyTests.draft.utf8))
                #expect(await connection.readOne()?.status == 200)
            }
            // The body came in a piece of its own: it is not taken for the beginning of the next request.
            await connection.send(Array("FOO /clients HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(await connection.readOne()?.status == 405)
        }
    }

    @Test func aCallerThatWaitsIsRefusedWithoutGoingOn() async throws {
        let cases: [(key: String, type: String, length: Int, status: Int)] = [
            ("nobody", "application/json", 20, 401), ("key-ana", "text/plain", 20, 415),
            ("key-ana", "application/json", 2 << 20, 413),
        ]
        try await RunningGateway.with { gateway in
            for (key, type, length, status) in cases {
                for expectation in ["100-continue", "100-continue, x", "x"] {
                    let connection = try RawHTTP.Connection(port: gateway.port)
                    let headers = ["Content-Type: \(type)", "Content-Length: \(length)", "Expect: \(expectation)"]
                    await connection.send(
                        Array(RawHTTP.head("POST", "/clients", key: key, headers, close: false).utf8))
                    // The first answer is the last: the server does not wait for a body that never comes.
                    let (bytes, inOrder) = await connection.readToEndOrReset()
                    let answer = try #require(RawHTTP.parse(bytes))
                    #expect(answer.status == status)
                    #expect(answer.header("connection") == "close")
                    #expect(answer.isComplete && inOrder)
                }
            }
        }
    }

    @Test func aBodyThatCameAnywayNeedsNoGoingOn() async throws {
        try await RunningGateway.with { gateway in
            let head = RawHTTP.head("POST", "/clients", Self.expecting, close: false)
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array((head + BodyTests.draft).utf8))
            // One read may hand over the head alone, so that both are right; the answer comes in any case.
            var first = await connection.readHead()
            if first?.hasPrefix("HTTP/1.1 100 ") == true { first = await connection.readHead() }
            #expect(first?.hasPrefix("HTTP/1.1 200 ") == true)
        }
    }

    private func old(_ method: String, _ path: String, _ headers: [String] = [], _ body: String = "") -> String {
        let lines = ["\(method) \(path) HTTP/1.0", "X-API-Key: key-ana"] + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    @Test(arguments: [[], ["Connection: keep-alive"]]) func anOldCallerGetsNoChunks(_ headers: [String]) async throws {
        try await RunningGateway.with(FakeSystem(clients: 35)) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(old("GET", "/clients", headers).utf8))
            let (bytes, inOrder) = await connection.readToEndOrReset()
            let answer = try #require(RawHTTP.parse(bytes))
            #expect(answer.status == 200 && inOrder)
            #expect(answer.header("transfer-encoding") == nil)
            #expect(answer.header("content-length") == nil)
            #expect(answer.header("connection") == "close")
            let end = try #require(bytes.indices.first { bytes[$0...].starts(with: [13, 10, 13, 10]) })
            #expect(try JSONDocument(Array(bytes[(end + 4)...])).root.elements.count == 35)
        }
    }

    @Test func anOldCallerSeesAListThatBreaksOff() async throws {
        let system = FakeSystem(clients: 35)
        system.state.withLock { $0.failsFrom = 20 }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(old("GET", "/clients").utf8))
            let (_, inOrder) = await connection.readToEndOrReset()
            #expect(!inOrder)
        }
    }

    @Test func anOldCallerIsAnsweredAsAnybody() async throws {
        try await RunningGateway.with { gateway in
            let length = "Content-Length: \(BodyTests.draft.utf8.count)"
            let calls: [(String, Int)] = [
                (old("GET", "/clients/id-1"), 200), (old("GET", "/nothing"), 404),
                (old("POST", "/clients", [length, "Content-Type: application/json"], BodyTests.draft), 200),
                (old("POST", "/clients", [length, "Content-Type: text/plain"], BodyTests.draft), 415),
                (old("POST", "/clients", ["Content-Length: 99999999", "Content-Type: application/json"]), 413),
            ]
            for (call, status) in calls {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(call.utf8))
                let (bytes, inOrder) = await connection.readToEndOrReset()
                let answer = try #require(RawHTTP.parse(bytes))
                #expect(answer.status == status && answer.isComplete && inOrder, "\(status)")
            }
        }
    }

    @Test func aBodyThatDoesNotComeIsNotWaitedForLong() async throws {
        var options = GatewayOptions()
        options.bodyTimeout = .milliseconds(50)
        let system = FakeSystem()
        try await RunningGateway.with(system, options, callTimeout: .milliseconds(50)) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let headers = ["Content-Type: application/json", "Content-Length: 100"]
            await connection.send(Array((RawHTTP.head("POST", "/clients", headers, close: false) + "{").utf8))
            let answer = try #require(await connection.readToEnd().flatMap(RawHTTP.parse))
            #expect(answer.status == 400)
            #expect(answer.text.contains("did not come in time"))
            #expect(answer.header("connection") == "close")
        }
        #expect(system.state.withLock { $0.creates } == 0)
    }
}
