import Bridge
import Gateway
import JSONBytes
import Testing

/// What a request line, its headers and its body may be.
@Suite struct RequestTests {
    private func code(_ answer: RawHTTP.Answer) -> String? { try? JSONDocument(answer.body).root["code"]?.string }

    @Test func answersTheFiveCalls() async throws {
        try await RunningGateway.with { gateway in
            let list = try await RawHTTP.call(gateway.port, "GET", "/clients")
            #expect(list.status == 200)
            #expect(try JSONDocument(list.body).root.elements.map { $0["id"]?.string } == ["id-0", "id-1", "id-2"])
            let found = try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=ana1@example.test")
            #expect(try JSONDocument(found.body).root.elements.map { $0["id"]?.string } == ["id-1"])
            let one = try await RawHTTP.call(gateway.port, "GET", "/clients/id-2")
            #expect(try JSONDocument(one.body).root["name"]?.string == "Ana Teste 2")
            let body = #"{"name":"Bruno Exemplo","phone":"5511912345678"}"#
            let created = try await RawHTTP.call(gateway.port, "POST", "/clients", body: body)
            #expect(created.status == 200)
            #expect(try JSONDocument(created.body).root["phone"]?.string == "5511912345678")
            let patched = try await RawHTTP.call(gateway.port, "PATCH", "/clients/id-0", body: #"{"name":"Ana Outra"}"#)
            #expect(try JSONDocument(patched.body).root["name"]?.string == "Ana Outra")
            for answer in [list, found, one, created, patched] {
                #expect(answer.status == 200)
                #expect(answer.header("content-type") == "application/json")
                #expect(answer.header("cache-control") == "no-store")
                #expect(answer.isComplete)
            }
        }
    }

    static let misses: [(method: String, path: String, status: Int, allow: String?)] = [
        ("GET", "/", 404, nil), ("GET", "/client", 404, nil), ("GET", "/clients/", 404, nil),
        ("GET", "//clients", 404, nil), ("GET", "/clients/id-0/", 404, nil), ("GET", "/clients/a/b", 404, nil),
        ("GET", "/t/", 404, nil), ("GET", "/t//clients", 404, nil), ("GET", "/t/ana", 404, nil),
        ("GET", "/health", 404, nil), ("GET", "/CLIENTS", 404, nil), ("GET", "/clients/search/", 404, nil),
    ]

    /// Paths and the methods that they answer.
    static let paths: [(path: String, allow: String)] = [
        ("/clients", "GET, POST"), ("/clients/search", "GET"), ("/clients/id-0", "GET, PATCH"),
        ("/t/ana/clients", "GET, POST"), ("/t/ana/clients/search", "GET"), ("/t/ana/clients/id-0", "GET, PATCH"),
        ("/health/live", "GET"), ("/health/ready", "GET"),
    ]

    @Test(arguments: [
        "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "BREW", "get", "PROPFIND", "QUERY", "M-SEARCH",
    ])
    func otherMethodsAreRefusedWithWhatIsAllowed(_ method: String) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (path, allow) in Self.paths + [("/nothing", "")] where !allow.contains(method) || method == "get" {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(RawHTTP.head(method, path).utf8))
                let (bytes, inOrder) = await connection.readToEndOrReset()
                let answer = try #require(RawHTTP.parse(bytes), "\(method) \(path)")
                #expect(answer.status == (allow.isEmpty ? 404 : 405), "\(method) \(path)")
                #expect(answer.header("allow") == (allow.isEmpty ? nil : allow), "\(method) \(path)")
                #expect(answer.header("content-type") == "application/problem+json", "\(method) \(path)")
                #expect(inOrder)
                let code = allow.isEmpty ? "no_such_route" : "method_not_allowed"
                #expect(self.code(answer) == (method == "HEAD" ? nil : code), "\(method) \(path)")
                // Nothing follows the head of an answer to HEAD (RFC 9110, section 9.3.2).
                if method == "HEAD" { #expect(bytes.suffix(4) == [13, 10, 13, 10]) }
            }
        }
        #expect(system.state.withLock { $0.pages.count + $0.idsAsked.count + $0.creates + $0.updates } == 0)
    }

    @Test func knowsItsPaths() async throws {
        try await RunningGateway.with { gateway in
            for miss in Self.misses {
                let answer = try await RawHTTP.call(gateway.port, miss.method, miss.path)
                #expect(answer.status == miss.status, "\(miss)")
                #expect(answer.header("allow") == miss.allow, "\(miss)")
                #expect(answer.header("content-type") == "application/problem+json", "\(miss)")
                #expect(code(answer) == "no_such_route", "\(miss)")
            }
        }
    }

    @Test func answersUnderThePrefixAndTheTenantsPath() async throws {
        var options = GatewayOptions()
        options.pathPrefix = "/api/v1"
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            for path in ["/clients", "/api/v1/clients", "/t/ana/clients", "/api/v1/t/ana/clients", "/t/%61na/clients"] {
                let answer = try await RawHTTP.call(gateway.port, "GET", path)
                #expect(answer.status == 200, "\(path)")
            }
            for path in ["/api/v1", "/api/v1clients", "/api/v2/clients", "/t/ana/api/v1/clients"] {
                let answer = try await RawHTTP.call(gateway.port, "GET", path)
                #expect(answer.status == 404, "\(path)")
            }
        }
    }

    /// A path segment, and the id that must reach the system; nil when it must be refused.
    static let ids: [(segment: String, id: String?)] = [
        ("id-0", "id-0"), ("a%2Fb", "a/b"), ("..%2F..%2Fadmin", "../../admin"), ("%252e", "%2e"),
        ("a%3Fb%23c", "a?b#c"),
        ("a%20b", "a b"), ("a+b", "a+b"), ("%C3%A9", "é"), ("a;b=c", "a;b=c"), ("%73earch", "search"), ("...", "..."),
        ("9007199254740993", "9007199254740993"), ("%40x", "@x"),
        ("http%3A%2F%2Fevil.example.test", "http://evil.example.test"),
        ("%00", nil), ("a%00b", nil), ("a%0D%0Ab", nil), ("%7F", nil), ("%C2%85", nil), ("%2E%2E", nil), ("..", nil),
        (".", nil), ("%", nil), ("%4", nil), ("%zz", nil), ("%FF", nil), ("%C3", nil), ("%ED%A0%80", nil),
        (String(repeating: "a", count: 513), nil),
    ]

    @Test func idsReachTheSystemUnchangedOrNotAtAll() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (segment, id) in Self.ids {
                system.state.withLock { $0.idsAsked = [] }
                let answer = try await RawHTTP.call(gateway.port, "GET", "/clients/\(segment)")
                let asked = system.state.withLock { $0.idsAsked }
                #expect(asked == (id.map { [$0] } ?? []), "\(segment)")
                #expect(answer.status == (id == nil ? 400 : id == "id-0" ? 200 : 404), "\(segment)")
                #expect(
                    code(answer) == (id == nil ? "invalid_input" : id == "id-0" ? nil : "no_such_client"), "\(segment)")
                if id == nil {
                    let fault = try JSONDocument(answer.body).root["errors"]?.elements.first
                    #expect(fault?["parameter"]?.string == "id", "\(segment)")
                }
            }
        }
    }

    static let queries: [(query: String, status: Int, count: Int?)] = [
        ("/clients?limit=2", 200, 2), ("/clients?limit=0", 200, 0), ("/clients?offset=2", 200, 1),
        ("/clients?limit=1&offset=1", 200, 1), ("/clients?offset=99", 200, 0),
        ("/clients?limit=1000000000", 200, 3), ("/clients?offset=1000000000", 200, 0), ("/clients?limit=abc", 400, nil),
        ("/clients?other=%zz", 200, 3),
        ("/clients?", 200, 3), ("/clients?&&", 200, 3), ("/clients?%6Cimit=1", 200, 1),
        ("/clients?limit=", 400, nil), ("/clients?limit=-1", 400, nil), ("/clients?limit=1.5", 400, nil),
        ("/clients?limit=1e3", 400, nil), ("/clients?limit=99999999999999999999", 400, nil),
        ("/clients?limit=1&limit=1", 400, nil), ("/clients?offset=+1", 400, nil), ("/clients?offset=%zz", 400, nil),
        ("/clients?offset", 400, nil), ("/clients/search", 400, nil), ("/clients/search?term=", 400, nil),
        ("/clients/search?term=%20%09", 400, nil), ("/clients/search?term=+++", 400, nil),
        ("/clients/search?term=a&term=a", 400, nil), ("/clients/search?term=a%00b", 400, nil),
        ("/clients/search?term=a%0Ab", 400, nil), ("/clients/search?term=%FF", 400, nil),
        ("/clients/search?term=ana1@example.test&limit=-1", 400, nil),
        ("/clients/search?term=%2B55+11+98765-0001", 200, 1), ("/clients/search?term=+55+11+98765-0001", 200, 1),
        ("/clients/search?term=5511987650001", 200, 1), ("/clients/search?term=Ana+Teste+1", 200, 1),
        ("/clients/search?term=ANA1%40EXAMPLE.TEST", 200, 1), ("/clients/search?term=5511999990000", 200, 0),
        ("/clients/search?term=" + String(repeating: "a", count: 513), 400, nil),
        ("/clients/search?term=" + String(repeating: "a", count: 10_240), 400, nil),
    ]

    @Test func readsQueriesStrictly() async throws {
        var bridge = BridgeOptions()
        bridge.searchBy = [.phone, .cpf, .email, .name]
        try await RunningGateway.with(bridge: bridge) { gateway in
            for (query, status, count) in Self.queries {
                let answer = try await RawHTTP.call(gateway.port, "GET", query)
                #expect(answer.status == status, "\(query)")
                if let count { #expect(try JSONDocument(answer.body).root.elements.count == count, "\(query)") }
                if status == 400 {
                    let fault = try JSONDocument(answer.body).root["errors"]?.elements.first
                    #expect(["limit", "offset", "term"].contains(fault?["parameter"]?.string), "\(query)")
                }
            }
        }
    }

    /// A tenant may demand check digits of what is written; what is searched for was written before.
    @Test func checkDigitsAreTheTenantsChoice() async throws {
        var strict = BridgeOptions()
        strict.searchBy = [.cpf]
        strict.rules.cpfCheckDigits = true
        for bridge in [BridgeOptions(), strict] {
            try await RunningGateway.with(bridge: bridge) { gateway in
                let draft = #"{"name":"Bruno Exemplo","phone":"5511912345678","cpf":"12345678900"}"#
                for (method, path, body) in [
                    ("POST", "/clients", draft), ("PATCH", "/clients/id-0", #"{"cpf":"123.456.789-00"}"#),
                ] {
                    let answer = try await RawHTTP.call(gateway.port, method, path, body: body)
                    guard bridge.rules.cpfCheckDigits else {
                        #expect(answer.status == 200, "\(method)")
                        continue
                    }
                    #expect(answer.status == 400, "\(method)")
                    let fault = try JSONDocument(answer.body).root["errors"]?.elements.first
                    #expect(fault?["pointer"]?.string == "#/cpf" || fault?["pointer"]?.string == "/cpf")
                    let sound = body.replacing("00\"}", with: "09\"}")
                    #expect(try await RawHTTP.call(gateway.port, method, path, body: sound).status == 200, "\(method)")
                }
                let search = try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=12345678900")
                #expect(search.status == 200)
            }
        }
    }
}
