import Bridge
import ClientContract
import JSONBytes
import Testing

/// `Idempotency-Key` as a caller sends it.
@Suite(.timeLimit(.minutes(1))) struct IdempotencyTests {
    private let draft = #"{"name":"Bruno Exemplo","phone":"5511912345678","email":"bruno@example.test"}"#

    /// A tenant whose duplicates are nobody's business: only the key tells that a create came before.
    private func with(_ body: (FakeSystem, RunningGateway) async throws -> Void) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system, bridge: BridgeOptions(onDuplicate: .create)) { gateway in
            try await body(system, gateway)
        }
    }

    private func post(
        _ gateway: RunningGateway, _ keys: [String], _ body: String? = nil, key: String = "key-ana"
    ) async throws -> RawHTTP.Answer {
        try await RawHTTP.call(
            gateway.port, "POST", "/clients", key: key, keys.map { "Idempotency-Key: \($0)" }, body: body ?? draft)
    }

    private func code(_ answer: RawHTTP.Answer) throws -> String? { try JSONDocument(answer.body).root["code"]?.string }

    @Test("a create with its key again is answered with the same client, in either spelling of the key")
    func again() async throws {
        try await with { system, gateway in
            let first = try await post(gateway, [#""8e03978e-40d5-43dd-bc93-6894a57f9324""#])
            #expect(first.status == 200)
            // The same values, written otherwise.
            let reordered = """
                { "phone": "+55 (11) 91234-5678", "email": "bruno@example.test", "name": "Bruno Exemplo", "extra": 1 }
                """
            for (key, body) in [
                (#""8e03978e-40d5-43dd-bc93-6894a57f9324""#, draft), ("8e03978e-40d5-43dd-bc93-6894a57f9324", draft),
                (#"  "8e03978e-40d5-43dd-bc93-6894a57f9324" "#, reordered),
            ] {
                let again = try await post(gateway, [key], body)
                #expect(again.status == 200)
                #expect(again.body == first.body)
            }
            #expect(system.state.withLock { $0.creates } == 1)
            // Without a key, or with another one, it is another request.
            #expect(try await post(gateway, []).status == 200)
            #expect(try await post(gateway, ["another"]).status == 200)
            #expect(system.state.withLock { $0.creates } == 3)
        }
    }

    @Test("a key with another body is refused with 422, and the first answer stands")
    func otherBody() async throws {
        try await with { system, gateway in
            let first = try await post(gateway, ["k"])
            let other = try await post(gateway, ["k"], BodyTests.draft)
            #expect(other.status == 422)
            #expect(try code(other) == "idempotency_key_reused")
            #expect(try await post(gateway, ["k"]).body == first.body)
            #expect(system.state.withLock { $0.creates } == 1)
        }
    }

    @Test("a key whose first request is under way is refused with 409 on every other connection")
    func inUse() async throws {
        let gate = Gate()
        try await with { system, gateway in
            system.state.withLock { $0.gate = gate }
            async let first = post(gateway, ["k"])
            await gate.arrival()
            for _ in 0..<3 {
                let second = try await post(gateway, ["k"])
                #expect(second.status == 409)
                #expect(try code(second) == "idempotency_key_in_use")
                let wait = try #require(second.header("retry-after").flatMap { Int($0) })
                #expect(1...12 ~= wait)
            }
            gate.open()
            let answer = try await first
            #expect(answer.status == 200)
            #expect(try await post(gateway, ["k"]).body == answer.body)
            #expect(system.state.withLock { $0.creates } == 1)
        }
    }

    static let noKeys: [[String]] = [
        [""], [" "], [#""""#], [#"""#], [#""a"#], [#"a""#], [#""a" "b""#], [#""a";x=1"#], [#""a\b""#], ["a,b"], ["a;b"],
        ["a b"], ["é"], [#""é""#], ["a\\b"], ["a", "b"], ["a", "a"], [String(repeating: "a", count: 256)],
        [#""\#(String(repeating: "a", count: 256))""#],
    ]

    @Test("a key that is none is refused with 400, by name", arguments: noKeys)
    func malformed(_ keys: [String]) async throws {
        try await with { system, gateway in
            let answer = try await post(gateway, keys)
            #expect(answer.status == 400)
            #expect(try code(answer) == "invalid_input")
            let fault = try #require(try JSONDocument(answer.body).root["errors"]?.elements.first)
            #expect(fault["parameter"]?.string == "Idempotency-Key")
            #expect(system.state.withLock { $0.creates } == 0)
        }
    }

    static let keys = [
        "k", #""k k""#, #""a\"b\\c""#, "~!#$%&'*+-.^_`|:/?@()[]{}<>=", String(repeating: "a", count: 255), #""a,b;c""#,
    ]

    @Test("a key that is one is taken", arguments: keys)
    func sound(_ key: String) async throws {
        try await with { system, gateway in
            for _ in 0..<2 {
                let answer = try await post(gateway, [key])
                #expect(answer.status == 200)
            }
            #expect(system.state.withLock { $0.creates } == 1)
        }
    }

    @Test("other methods take no notice of the header")
    func otherMethods() async throws {
        try await with { _, gateway in
            for (method, path, body) in [
                ("GET", "/clients/id-0", nil), ("PATCH", "/clients/id-0", #"{"name":"Ana Outra"}"#),
            ] as [(String, String, String?)] {
                let answer = try await RawHTTP.call(gateway.port, method, path, [#"Idempotency-Key: ""#], body: body)
                #expect(answer.status == 200)
            }
        }
    }

    @Test("a key of one tenant means nothing to another")
    func tenants() async throws {
        try await with { system, gateway in
            let ana = try await post(gateway, ["k"])
            // Another body: were the key shared, it would be refused.
            let bruno = try await post(
                gateway, ["k"], #"{"name":"Carla Teste","phone":"5511933334444"}"#, key: "key-bruno")
            #expect(ana.status == 200)
            #expect(bruno.status == 200)
            #expect(try JSONDocument(bruno.body).root["name"]?.string == "Carla Teste")
            #expect(system.state.withLock { $0.creates } == 1)
        }
    }

    @Test("no key and no digest of one is in the log")
    func log() async throws {
        try await with { _, gateway in
            _ = try await post(gateway, ["a-key-of-the-caller"])
            _ = try await post(gateway, ["a-key-of-the-caller"], BodyTests.draft)
            #expect(gateway.log.all.contains { $0.contains("idempotency_key_reused") })
            #expect(!gateway.log.all.contains { $0.contains("a-key-of-the-caller") })
        }
    }
}
