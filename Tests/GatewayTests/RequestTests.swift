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
        ("PUT", "/clients", 405, "GET, POST"), ("HEAD", "/clients", 405, "GET, POST"),
        ("DELETE", "/clients/id-0", 405, "GET, PATCH"), ("PUT", "/clients/id-0", 405, "GET, PATCH"),
        ("POST", "/clients/search", 405, "GET"), ("POST", "/health/live", 405, "GET"),
        ("BREW", "/t/ana/clients", 405, "GET, POST"),
    ]

    @Test func knowsItsPathsAndMethods() async throws {
        try await RunningGateway.with { gateway in
            for miss in Self.misses {
                let answer = try await RawHTTP.call(gateway.port, miss.method, miss.path)
                // A method that HTTP's own parser does not know never gets as far.
                if miss.method == "BREW", answer.status == 400 { continue }
                #expect(answer.status == miss.status, "\(miss)")
                #expect(answer.header("allow") == miss.allow, "\(miss)")
                #expect(answer.header("content-type") == "application/problem+json", "\(miss)")
                if miss.method != "HEAD" {
                    #expect(code(answer) == (miss.status == 404 ? "no_such_route" : "method_not_allowed"), "\(miss)")
                }
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
        ("/clients?limit=1&offset=1", 200, 1), ("/clients?offset=99", 200, 0), ("/clients?other=%zz", 200, 3),
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

    static let malformed = [
        "GET /clients/a\u{0}b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /clients/a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "NOT HTTP AT ALL\r\n\r\n", "GET /clients HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        "POST /clients HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
        "POST /clients HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ]

    @Test(arguments: malformed) func refusesWhatIsNoHTTP(_ text: String) async throws {
        try await RunningGateway.with { gateway in
            let answer = try await RawHTTP.exchange(gateway.port, text)
            #expect(answer.status == 400)
            // And goes on serving others.
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients").status == 200)
        }
    }
}
