import JSONBytes
import Testing

@Suite struct AuthenticationTests {
    static let cases: [(path: String, headers: [String], status: Int, code: String?)] = [
        ("/clients", ["X-API-Key: key-ana"], 200, nil),
        ("/clients", ["x-api-key: key-ana"], 200, nil),
        ("/clients", ["Authorization: Bearer key-ana"], 200, nil),
        ("/clients", ["Authorization: bearer key-ana"], 200, nil),
        ("/clients", ["Authorization: Bearer key-ana", "X-API-Key: key-ana"], 200, nil),
        ("/clients", ["Authorization: Basic YTpi", "X-API-Key: key-ana"], 200, nil),
        ("/clients", [], 401, "unknown_key"),
        ("/clients", ["X-API-Key: "], 401, "unknown_key"),
        ("/clients", ["X-API-Key: KEY-ANA"], 401, "unknown_key"),
        ("/clients", ["X-API-Key: key-ana2"], 401, "unknown_key"),
        ("/clients", ["Authorization: key-ana"], 401, "unknown_key"),
        ("/clients", ["Authorization: Basic key-ana"], 401, "unknown_key"),
        ("/clients", ["Authorization: Bearer"], 401, "unknown_key"),
        ("/clients", ["Authorization: Bearer key-ana", "X-API-Key: key-bruno"], 401, "unknown_key"),
        ("/clients", ["X-API-Key: key-ana", "X-API-Key: key-bruno"], 401, "unknown_key"),
        ("/clients", ["Authorization: Bearer key-ana key-bruno"], 401, "unknown_key"),
        ("/t/ana/clients", ["X-API-Key: key-ana"], 200, nil),
        ("/t/ana/clients", ["X-API-Key: key-bruno"], 403, "other_tenant"),
        ("/t/nobody/clients", ["X-API-Key: key-ana"], 403, "other_tenant"),
        ("/t/%zz/clients", ["X-API-Key: key-ana"], 403, "other_tenant"),
        ("/t/nobody/clients", ["X-API-Key: wrong"], 401, "unknown_key"),
        ("/clients/%00", ["X-API-Key: wrong"], 401, "unknown_key"),
        ("/clients?limit=x", [], 401, "unknown_key"),
    ]

    @Test func theKeyChoosesTheTenant() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (path, headers, status, code) in Self.cases {
                let answer = try await RawHTTP.exchange(gateway.port, RawHTTP.head("GET", path, key: nil, headers))
                #expect(answer.status == status, "\(path) \(headers)")
                #expect((try? JSONDocument(answer.body).root["code"]?.string) == code, "\(path) \(headers)")
                #expect((answer.header("www-authenticate") != nil) == (status == 401), "\(path) \(headers)")
            }
        }
    }

    @Test func otherTenantsSeeTheirOwnClientsOnly() async throws {
        try await RunningGateway.with { gateway in
            let answer = try await RawHTTP.call(gateway.port, "GET", "/clients", key: "key-bruno")
            #expect(try JSONDocument(answer.body).root.elements.count == 1)
        }
    }

    @Test func theKeyIsCheckedBeforeTheBodyIsRead() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            // The body never comes: an answer must.
            let connection = try RawHTTP.Connection(port: gateway.port)
            let headers = ["Content-Type: application/json", "Content-Length: 50"]
            await connection.send(Array(RawHTTP.head("POST", "/clients", key: "wrong", headers, close: false).utf8))
            #expect(await connection.readOne()?.status == 401)
        }
        #expect(system.state.withLock { $0.creates } == 0)
    }

    @Test func healthNeedsNoKey() async throws {
        try await RunningGateway.with { gateway in
            let live = try await RawHTTP.call(gateway.port, "GET", "/health/live", key: nil)
            #expect(live.status == 200)
            let ready = try await RawHTTP.call(gateway.port, "GET", "/health/ready", key: nil)
            #expect(ready.text == #"{"status":"ready","tenants":2}"#)
        }
        let none = try await RunningGateway.start(.init([]))
        #expect(try await RawHTTP.call(none.port, "GET", "/health/ready", key: nil).status == 503)
        try await none.stop()
    }
}
