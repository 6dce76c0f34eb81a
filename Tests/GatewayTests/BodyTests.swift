import Gateway
import JSONBytes
import Testing

@Suite struct BodyTests {
    static let draft = #"{"name":"Bruno Exemplo","phone":"5511912345678"}"#

    @Test func onlyJSONIsAccepted() async throws {
        let cases: [(type: String?, status: Int)] = [
            ("application/json", 200), ("application/json; charset=utf-8", 200),
            ("application/json;charset=\"UTF-8\"", 200),
            ("Application/JSON ; x=y", 200), ("application/json; charset=latin1", 415), ("text/json", 415),
            ("application/jsonp", 415), ("application/x-www-form-urlencoded", 415), (nil, 415),
        ]
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (type, status) in cases {
                let answer = try await RawHTTP.call(gateway.port, "POST", "/clients", body: Self.draft, type: type)
                #expect(answer.status == status, "\(type ?? "none")")
            }
            let coded = try await RawHTTP.call(
                gateway.port, "POST", "/clients", ["Content-Encoding: gzip"], body: Self.draft)
            #expect(coded.status == 415)
        }
    }

    static let refused: [(body: String, pointers: [String])] = [
        ("", [""]), ("{", [""]), ("[]", [""]), ("null", [""]), ("{\"name\":\"a\"} x", [""]),
        ("{}", ["/name", "/phone"]), (#"{"name":"Ana Teste"}"#, ["/phone"]),
        (#"{"name":5,"phone":"5511912345678"}"#, ["/name"]), (#"{"name":" ","phone":"5511912345678"}"#, ["/name"]),
        (
            #"{"name":"Ana Teste","phone":"abc","email":"x","birthday":"31/12/1990","cpf":"1"}"#,
            ["/birthday", "/cpf", "/email", "/phone"]
        ),
        // A member that is named twice, a number that JSON has not.
        (#"{"name":"Ana Teste","phone":"5511912345678","name":"Bruno Exemplo"}"#, ["/name"]),
        (#"{"name":"Ana Teste","phone":"5511912345678","x":NaN}"#, [""]),
        ("{\"name\":\"\\ud800\",\"phone\":\"5511912345678\"}", ["/name"]),
    ]

    @Test func faultsOfABodyHaveTheirPointers() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (body, pointers) in Self.refused {
                let answer = try await RawHTTP.call(gateway.port, "POST", "/clients", body: body)
                #expect(answer.status == 400, "\(body)")
                let errors = try JSONDocument(answer.body).root["errors"]?.elements ?? []
                #expect(errors.compactMap { $0["pointer"]?.string }.sorted() == pointers, "\(body)")
            }
            let patch = try await RawHTTP.call(
                gateway.port, "PATCH", "/clients/id-0", body: #"{"phone":"1","name":null}"#)
            #expect(patch.status == 400)
        }
        #expect(system.state.withLock { $0.creates + $0.updates } == 0)
    }

    @Test func aBodyThatIsNotJSONIsRefusedWithThePlace() async throws {
        try await RunningGateway.with { gateway in
            let answer = try await RawHTTP.call(
                gateway.port, "POST", "/clients", body: #"{"name":"Ana Teste","phone":NaN}"#)
            let message = try JSONDocument(answer.body).root["errors"]?.elements.first?["message"]?.string
            #expect(message?.contains("line 1, column 29") == true, "\(message ?? "")")
        }
    }

    @Test(arguments: ["[", #"{"a":"#]) func aBodyOfAMillionLevelsIsRefused(_ level: String) async throws {
        var options = GatewayOptions()
        options.bodyBytes = 8 << 20
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let body = String(repeating: level, count: 1_000_000)
            let refused = try await RawHTTP.call(gateway.port, "POST", "/clients", body: body)
            let other = try await RawHTTP.call(gateway.port, "GET", "/clients")
            #expect(refused.status == 400 && other.status == 200)
        }
    }

    @Test func anAnnouncedBodyThatIsTooLargeIsRefusedUnread() async throws {
        try await RunningGateway.with { gateway in
            for length in [1 << 20 + 1, 1 << 40, UInt64.max] as [UInt64] {
                let connection = try RawHTTP.Connection(port: gateway.port)
                let headers = ["Content-Type: application/json", "Content-Length: \(length)"]
                await connection.send(Array(RawHTTP.head("POST", "/clients", headers, close: false).utf8))
                let answer = await connection.readOne()
                #expect(answer?.status == 413)
                #expect(answer?.text.contains("body_too_large") == true)
            }
        }
    }

    @Test func aChunkedBodyThatIsTooLargeIsRefused() async throws {
        var options = GatewayOptions()
        options.bodyBytes = 2048
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let chunk = "400\r\n" + String(repeating: " ", count: 1024) + "\r\n"
            let head = RawHTTP.head(
                "POST", "/clients", ["Content-Type: application/json", "Transfer-Encoding: chunked"])
            let large = try await RawHTTP.exchange(
                gateway.port, head + String(repeating: chunk, count: 3) + "0\r\n\r\n")
            #expect(large.status == 413)
            let small = chunk + "\(String(Self.draft.utf8.count, radix: 16))\r\n\(Self.draft)\r\n0\r\n\r\n"
            #expect(try await RawHTTP.exchange(gateway.port, head + small).status == 200)
        }
    }

    @Test func anEndlessBodyIsCutOff() async throws {
        var options = GatewayOptions()
        options.bodyBytes = 2048
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let head = RawHTTP.head(
                "POST", "/clients", ["Content-Type: application/json", "Transfer-Encoding: chunked"], close: false)
            let chunk = Array(("100000\r\n" + String(repeating: " ", count: 1 << 20) + "\r\n").utf8)
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(head.utf8))
            for _ in 0..<40 { await connection.send(chunk) }
            // The server closes though the body has no end.
            let bytes = await connection.readToEnd()
            #expect(bytes != nil)
        }
    }

    @Test func aKeptConnectionGoesOnAfterARefusal() async throws {
        try await RunningGateway.with { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let body = String(repeating: " ", count: 100_000)
            let headers = ["Content-Type: text/plain", "Content-Length: \(body.utf8.count)"]
            await connection.send(Array((RawHTTP.head("POST", "/clients", headers, close: false) + body).utf8))
            #expect(await connection.readOne()?.status == 415)
            await connection.send(Array(RawHTTP.head("GET", "/clients/id-1", close: false).utf8))
            #expect(await connection.readOne()?.status == 200)
        }
    }
}
