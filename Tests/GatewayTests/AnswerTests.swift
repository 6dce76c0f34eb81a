import ClientContract
import Gateway
import JSONBytes
import Testing
import UpstreamDriver

@Suite(.timeLimit(.minutes(2))) struct AnswerTests {
    @Test(arguments: [0, 1, 9, 10, 11, 35]) func aListWithoutALimitIsStreamedWhole(_ count: Int) async throws {
        try await RunningGateway.with(FakeSystem(clients: count)) { gateway in
            let answer = try await RawHTTP.call(gateway.port, "GET", "/clients")
            #expect(answer.header("transfer-encoding") == "chunked")
            #expect(answer.isComplete)
            let ids = try JSONDocument(answer.body).root.elements.map { $0["id"]?.string }
            #expect(ids == (0..<count).map { "id-\($0)" })
        }
    }

    @Test func aFailureOfTheFirstPageIsAProblem() async throws {
        let system = FakeSystem(clients: 35)
        system.state.withLock { $0.failsFrom = 0 }
        try await RunningGateway.with(system) { gateway in
            let answer = try await RawHTTP.call(gateway.port, "GET", "/clients")
            #expect(answer.status == 502)
            #expect(answer.header("content-type") == "application/problem+json")
        }
    }

    @Test func aFailureOfALaterPageBreaksTheAnswerOff() async throws {
        let system = FakeSystem(clients: 35)
        system.state.withLock { $0.failsFrom = 20 }
        try await RunningGateway.with(system) { gateway in
            let answer = try await RawHTTP.call(gateway.port, "GET", "/clients")
            #expect(answer.status == 200)
            #expect(!answer.isComplete)
            #expect((try? JSONDocument(answer.body)) == nil)
            // With a limit the same failure is a proper problem.
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients?limit=30").status == 502)
            #expect(gateway.log.all.contains { $0.contains("\"broken\":true") })
        }
    }

    static let failures: [(UpstreamError, Int, String)] = [
        (.unreachable("no route"), 502, "system_unreachable"), (.unreachable("x", .silence), 504, "system_silent"),
        (.unreachable("x", .certificate), 502, "system_certificate_untrusted"),
        (.timeout, 504, "deadline_passed"),
        (.credentialsRejected("login"), 502, "system_credentials_rejected"),
        (.refused(reasons: ["falta o convênio"]), 422, "refused_by_system"), (.notFound, 404, "no_such_client"),
        (.rateLimited(retryAfter: 7), 429, "rate_limited"), (.failed(status: 500, "it"), 502, "system_failed"),
        (.malformed("an object"), 502, "system_answer_malformed"), (.unsupported("no"), 501, "unsupported_by_system"),
        (.saturated(retryAfter: nil), 503, "saturated"), (.circuitOpen(retryAfter: 4, "it"), 503, "circuit_open"),
        (.outcomeUnknown("no answer"), 504, "outcome_unknown"),
    ]

    @Test func failuresOfTheSystemAreProblems() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (failure, status, code) in Self.failures {
                system.state.withLock { $0.failure = failure }
                let answer = try await RawHTTP.call(gateway.port, "GET", "/clients/id-0")
                let problem = try JSONDocument(answer.body).root
                #expect(answer.status == status, "\(code)")
                #expect(problem["code"]?.string == code)
                #expect(problem["status"]?.int == status)
                #expect(problem["requestId"]?.string == answer.header("x-request-id"))
                if case .rateLimited = failure { #expect(answer.header("retry-after") == "7") }
            }
        }
    }

    @Test func requestIdsAreTakenOrMade() async throws {
        try await RunningGateway.with { gateway in
            func id(_ header: String) async throws -> String? {
                try await RawHTTP.call(gateway.port, "GET", "/clients/id-0", [header]).header("x-request-id")
            }
            #expect(try await id("X-Request-Id: abc-1.2_3") == "abc-1.2_3")
            let first = try await id("X-Other: 1"), second = try await id("X-Other: 1")
            #expect(first != second)
            #expect(first?.count == 32)
            for good in [
                // A UUID, a ULID and a trace id may hold many digits in a row by chance.
                "12345678-1234-4123-8123-123456789abc", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01J1234567890ABCDEFGHJKMNP",
                "4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000009081726354abcdef", "req-123456", "a",
            ] {
                #expect(try await id("X-Request-Id: \(good)") == good)
            }
            for bad in [
                "a b", "a/b", "é", String(repeating: "a", count: 129), "5511999999999", "tel-5511999999999",
                "55-11-99999-9999", "tel.55.11.99999.9999", "123.456.789-00", "cpf-123.456.789-00", "12345", "-.-",
                "ana@example.test", "12345678901234567890123456789012", "12345678901234567890123456",
                "123456781-234-4123-8123-123456789abc",
            ] {
                let made = try await id("X-Request-Id: \(bad)")
                #expect(made != bad && made?.count == 32)
            }
        }
    }

    @Test("a caller's key is no request id, sound as it looks", arguments: ["X-API-Key: ", "Authorization: Bearer "])
    func aKeyIsNoRequestID(_ header: String) async throws {
        let gateway = try await RunningGateway.start(FakeSystem())
        for (key, status) in [("key-ana", 200), ("key-of-nobody", 401)] {
            let answer = try await RawHTTP.call(
                gateway.port, "GET", "/clients/id-0", key: nil, [header + key, "X-Request-Id: \(key)"])
            #expect(answer.status == status)
            #expect(answer.header("x-request-id")?.count == 32)
        }
        try await gateway.stop()
        #expect(gateway.log.all.filter { $0.contains("requestId") }.count == 2)
        #expect(gateway.log.all.allSatisfy { !$0.contains("key-ana") && !$0.contains("key-of-nobody") })
    }

    @Test func aDriverThatIgnoresItsDeadlineIsNotWaitedFor() async throws {
        let system = FakeSystem()
        let gate = Gate(ignoresCancellation: true)
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system, callTimeout: .milliseconds(50)) { gateway in
            let read = try await RawHTTP.call(gateway.port, "GET", "/clients/id-0")
            #expect(read.status == 504)
            #expect(try JSONDocument(read.body).root["code"]?.string == "deadline_passed")
            // On a busy machine the deadline can pass before anything was sent: nothing is unknown then.
            var write: RawHTTP.Answer
            repeat {
                write = try await RawHTTP.call(gateway.port, "POST", "/clients", body: BodyTests.draft)
            } while system.state.withLock { $0.creates } == 0 && !Task.isCancelled
            #expect(write.status == 504)
            #expect(try JSONDocument(write.body).root["outcome"]?.string == "unknown")
        }
        gate.open()
    }

    @Test func aCallerWhoHangsUpStopsWhatOnlyReads() async throws {
        let system = FakeSystem()
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients/id-0").utf8))
            await gate.arrival()
            connection.hangUp()
            // Not before the time limit unless the driver's task is cancelled.
            await gate.departure()
            #expect(!Task.isCancelled)
        }
    }

    @Test func aCallerWhoIsGoneIsLoggedAsThat() async throws {
        let system = FakeSystem()
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients/id-0").utf8))
            await gate.arrival()
            connection.hangUp()
            await gateway.log.line(with: "\"route\":\"/clients/{id}\"")
            let line = try #require(gateway.log.all.first { $0.contains("/clients/{id}") })
            let record = try JSONDocument(Array(line.utf8)).root
            #expect(record["code"]?.string == "caller_gone")
            #expect(record["status"]?.int == 499)
            #expect(record["level"]?.string == "info")
        }
    }

    @Test func aCallerWhoEndsItsSideOnlyIsAnswered() async throws {
        let system = FakeSystem(clients: 35)
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients/id-0", close: false).utf8))
            await gate.arrival()
            connection.halfClose()
            // Answered after the end of the stream was noticed, on the same event loop or not.
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients").status == 200)
            gate.open()
            let answer = try #require(await connection.readToEnd().flatMap(RawHTTP.parse))
            #expect(answer.status == 200 && answer.isComplete)
            let list = try RawHTTP.Connection(port: gateway.port)
            await list.send(Array(RawHTTP.head("GET", "/clients", close: false).utf8))
            list.halfClose()
            let clients = try #require(await list.readToEnd().flatMap(RawHTTP.parse))
            #expect(try JSONDocument(clients.body).root.elements.count == 35)
        }
    }

    @Test func aCallerWhoHangsUpDoesNotStopAWrite() async throws {
        let system = FakeSystem()
        let gate = Gate()
        system.state.withLock { $0.gate = gate }
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let body = BodyTests.draft
            let headers = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
            await connection.send(Array((RawHTTP.head("POST", "/clients", headers) + body).utf8))
            await gate.arrival()
            connection.hangUp()
            // Another request is answered after the hang-up was noticed.
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=a@b.example.test").status == 200)
            gate.open()
        }
        #expect(system.state.withLock { $0.cancelled } == 0)
        #expect(system.state.withLock { $0.clients.count } == 4)
    }
}
