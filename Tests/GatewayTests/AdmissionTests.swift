import Bridge
import Gateway
import JSONBytes
import Tenancy
import Testing
import Transport

/// Who may call, beside having a key: its last day, where the call comes from, how often.
@Suite(.timeLimit(.minutes(1))) struct AdmissionTests {
    private func tenants(
        expires: String? = nil, allow: [String]? = nil, perMinute: Int? = nil
    ) throws -> TenantDirectory {
        let day = try expires.map { try #require(CalendarDay($0) as CalendarDay?) }
        let networks = try allow?.map { try #require(AddressRange($0) as AddressRange?) }
        return TenantDirectory([
            Tenant(
                id: "ana", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-ana"), expires: day)],
                bridge: Bridge(driver: FakeSystem(), options: BridgeOptions()), allow: networks,
                requestsPerMinute: perMinute),
            Tenant(
                id: "bruno", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-bruno"))],
                bridge: Bridge(driver: FakeSystem(), options: BridgeOptions())),
        ])
    }

    private func with(
        _ tenants: TenantDirectory, _ options: GatewayOptions = GatewayOptions(),
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let gateway = try await RunningGateway.start(tenants, options)
        do { try await body(gateway) } catch {
            try await gateway.stop()
            throw error
        }
        try await gateway.stop()
    }

    private func code(_ answer: RawHTTP.Answer) -> String? {
        (try? JSONDocument(answer.body))?.root["code"]?.string
    }

    private func call(_ gateway: RunningGateway, key: String = "key-ana", forwarded: String? = nil) async throws
        -> RawHTTP.Answer
    {
        try await RawHTTP.call(
            gateway.port, "GET", "/clients/id-0", key: key, forwarded.map { ["X-Forwarded-For: \($0)"] } ?? [])
    }

    @Test(arguments: [("2099-12-31", 200), ("2020-01-01", 401)])
    func aKeyIsGoodThroughItsLastDay(_ day: String, _ status: Int) async throws {
        try await with(tenants(expires: day)) { gateway async throws in
            let answer = try await call(gateway)
            #expect(answer.status == status)
            #expect(code(answer) == (status == 200 ? nil : "key_expired"))
            #expect(try await call(gateway, key: "key-bruno").status == 200)
        }
    }

    @Test func callsFromElsewhereAreRefused() async throws {
        try await with(tenants(allow: ["203.0.113.0/24"])) { gateway async throws in
            let answer = try await call(gateway)
            #expect(answer.status == 403)
            #expect(code(answer) == "source_not_allowed")
            // Nobody believes a caller about itself.
            #expect(try await call(gateway, forwarded: "203.0.113.7").status == 403)
            #expect(try await call(gateway, key: "key-bruno").status == 200)
        }
        try await with(tenants(allow: ["203.0.113.0/24", "127.0.0.0/8"])) { gateway async throws in
            #expect(try await call(gateway).status == 200)
        }
    }

    @Test func aTrustedProxyIsBelieved() async throws {
        var options = GatewayOptions()
        options.trustedProxies = [try #require(AddressRange("127.0.0.1") as AddressRange?)]
        try await with(tenants(allow: ["203.0.113.0/24"]), options) { gateway async throws in
            #expect(try await call(gateway, forwarded: "203.0.113.7").status == 200)
            #expect(try await call(gateway, forwarded: "203.0.113.7, 198.51.100.1").status == 403)
            #expect(try await call(gateway, forwarded: "unknown").status == 403)
            #expect(try await call(gateway).status == 403)
        }
        // Whoever is behind a proxy that forgets the field does not come from the proxy's own network.
        try await with(tenants(allow: ["127.0.0.0/8"]), options) { gateway async throws in
            #expect(try await call(gateway).status == 403)
            #expect(try await call(gateway, forwarded: "127.0.0.2").status == 200)
        }
        try await with(tenants(allow: ["127.0.0.1"]), options) { gateway async throws in
            #expect(try await call(gateway).status == 200)
            #expect(try await call(gateway, forwarded: "203.0.113.7").status == 403)
        }
    }

    /// Where the proxies' networks hold callers, too, what a caller writes in front of what the proxy saw is not believed.
    @Test func aCallerInTheProxiesNetworkChoosesNoAddress() async throws {
        var options = GatewayOptions()
        options.trustedProxies = try ["127.0.0.0/8", "10.0.0.0/8"].map {
            try #require(AddressRange($0) as AddressRange?)
        }
        try await with(tenants(allow: ["10.0.0.7"]), options) { gateway async throws in
            #expect(try await call(gateway, forwarded: "10.0.0.7").status == 200)
            #expect(try await call(gateway, forwarded: "10.5.5.5").status == 403)
            #expect(try await call(gateway, forwarded: "10.0.0.7, 10.5.5.5").status == 403)
            #expect(try await call(gateway, forwarded: "10.0.0.7, 10.0.0.7, 10.5.5.5").status == 403)
        }
    }

    @Test func aKeyHasAPace() async throws {
        try await with(tenants(perMinute: 20)) { gateway async throws in
            // A tenth at once.
            #expect(try await call(gateway).status == 200)
            #expect(try await call(gateway).status == 200)
            var refused: RawHTTP.Answer?
            for _ in 0..<3 where refused == nil {
                let answer = try await call(gateway)
                if answer.status == 429 { refused = answer }
            }
            let answer = try #require(refused)
            #expect(code(answer) == "too_many_requests")
            let seconds = try #require(answer.header("retry-after").flatMap { Int($0) })
            #expect((1...6).contains(seconds))
            // Another tenant's key of the same name has a pace of its own: none.
            #expect(try await call(gateway, key: "key-bruno").status == 200)
        }
    }

    @Test func oneAddressDoesNotTakeAllConnections() async throws {
        var options = GatewayOptions()
        options.maxConnectionsPerAddress = 2
        try await with(tenants(), options) { gateway async throws in
            let first = try RawHTTP.Connection(port: gateway.port)
            let second = try RawHTTP.Connection(port: gateway.port)
            for connection in [first, second] {
                await connection.send(Array(RawHTTP.head("GET", "/health/live", [], close: false).utf8))
                #expect(await connection.readOne()?.status == 200)
            }
            let third = try RawHTTP.Connection(port: gateway.port)
            let answer = try #require(await third.readOne())
            #expect(answer.status == 503)
            #expect(code(answer) == "too_many_connections")
        }
    }
}
