import Foundation
import JSONBytes
import MockUpstream
import TestSupport
import Testing
import Transport

/// What one tenant's callers send, and what its system answers, never shows at another tenant.
@Suite(.timeLimit(.minutes(3))) struct IsolationTests {
    /// Runs a test with clinics that are all served from one host, each with its own account.
    private func with(
        _ ids: [String], engine: EngineOptions = .init(), _ change: (inout ClinicFile) -> Void = { _ in },
        _ test: (TenantWorld, SharedHost) async throws -> Void
    ) async throws {
        let host = try SharedHost()
        defer { host.stop() }
        let clinics = ids.map { id in
            var clinic = ClinicFile(id, at: host.baseURL, account: id.filter { $0 != "-" })
            change(&clinic)
            return clinic
        }
        try await TenantWorld.with(clinics, engine: engine) { try await test($0, host) }
    }

    // MARK: Keys

    private static let calls: [(method: String, path: String, body: String?)] = [
        ("GET", "/clients", nil), ("GET", "/clients?limit=1", nil), ("GET", "/clients/search?term=5511900000007", nil),
        ("GET", "/clients/7", nil), ("POST", "/clients", IsolationDrafts.draft()),
        ("PATCH", "/clients/7", #"{"name":"Outra Pessoa"}"#),
    ]

    @Test("a key opens no other tenant, by any route, method or header, and is not told whether there is one")
    func keys() async throws {
        // Ids that begin alike, as their keys do.
        let ids = ["ana", "an", "ana-2", "bruno"]
        try await with(ids) { world, host in
            for id in ids {
                for (method, path, body) in Self.calls {
                    func answer(_ tenant: String, _ headers: [String], key: String? = nil) async throws
                        -> RawHTTP.Answer
                    {
                        try await world.ponte.call(
                            method, "/t/\(tenant)\(path)", key: key, headers + ["X-Request-Id: the-same"], body: body)
                    }
                    let nobody = try await answer("ninguem", [], key: "key-\(id)")
                    #expect(nobody.status == 403 && nobody.code == "other_tenant")
                    for other in ids where other != id {
                        for headers in [["X-API-Key: key-\(id)"], ["Authorization: Bearer key-\(id)"]] {
                            let refused = try await answer(other, headers)
                            #expect(refused.status == 403, "\(id) at \(other): \(method) \(path)")
                            #expect(refused.body == nobody.body)
                        }
                        // Two keys are none.
                        for (first, second) in [(id, other), (other, id)] {
                            let both = ["Authorization: Bearer key-\(first)", "X-API-Key: key-\(second)"]
                            #expect(try await answer(other, both).code == "unknown_key")
                        }
                    }
                }
            }
            #expect(host.served.isEmpty)
            // Whose key it was is not in the log: the path named somebody else.
            let lines = world.ponte.gateway.log.all.filter { $0.contains("other_tenant") }
            #expect(lines.count == ids.count * Self.calls.count * 7)
            #expect(lines.allSatisfy { !$0.contains("\"tenant\"") && !$0.contains("\"key\"") })
            for id in ids {
                let own = try await world.ponte.call("GET", "/t/\(id)/clients/7", key: "key-\(id)")
                #expect(own.name == "Paciente de \(id.filter { $0 != "-" })")
            }
        }
    }

    /// Other scripts, other forms and other cases of the same letters, what is in front and behind, and other paths.
    private static let lookAlikes = [
        "AnA", "ANA", "ana%00", "ana%20", "%20ana", "ana.", "ana%2F", "ana%2Fclients", "ana%2F..%2Fbruno", "ana-",
        "anaa", "%61n", "ana-2", "%C3%A1na", "%D0%B0na", "an%D0%B0", "ana%E2%80%8B", "ana%EF%BC%8D2", "%EF%BD%81na",
        "ana%CC%81", "ana;bruno", "ana,bruno", "*", "%", "%2561na", "ana%0A", "..",
    ]

    @Test("a tenant's name in the path is its own or another's, however it is spelt")
    func lookAlikes() async throws {
        try await with(["ana", "bruno"]) { world, host in
            for name in Self.lookAlikes {
                for key in ["key-ana", "key-bruno"] {
                    let answer = try await world.ponte.call("GET", "/t/\(name)/clients/7", key: key)
                    #expect(answer.code == "other_tenant", "\(name): \(answer.status)")
                }
            }
            #expect(host.served.isEmpty)
            // The same letters, percent-encoded, are the same name.
            let own = try await world.ponte.call("GET", "/t/%61na/clients/7", key: "key-ana")
            #expect(own.name == "Paciente de ana")
        }
    }

    @Test("a key that moves to another tenant opens that one only")
    func aKeyThatMoves() async throws {
        try await with(["ana", "bruno"]) { world, host in
            #expect(try await world.ponte.call("GET", "/clients/7", key: "key-ana").name == "Paciente de ana")
            var (ana, bruno) = (ClinicFile("ana", at: host.baseURL), ClinicFile("bruno", at: host.baseURL))
            (ana.key, bruno.key) = ("new-key", "key-ana")
            try world.write(ana)
            try world.write(bruno)
            #expect(try world.ponte.reload().replaced.sorted() == ["ana", "bruno"])
            #expect(try await world.ponte.call("GET", "/clients/7", key: "key-ana").name == "Paciente de bruno")
            #expect(try await world.ponte.call("GET", "/t/ana/clients/7", key: "key-ana").code == "other_tenant")
            #expect(try await world.ponte.call("GET", "/clients/7", key: "key-bruno").code == "unknown_key")
        }
    }

    @Test("a pace and the networks of one tenant's keys are no other's, though the keys have one name")
    func admission() async throws {
        try await with(["ana", "bruno", "carla"]) {
            if $0.id == "ana" { $0.inbound = #","perMinute":1"# }
            if $0.id == "carla" { $0.inbound = #","allow":["203.0.113.0/24"]"# }
        } _: { world, host in
            func status(_ key: String) async throws -> Int {
                try await world.ponte.call("GET", "/clients/7", key: key).status
            }
            #expect(try await status("key-ana") == 200)
            let refused = try await world.ponte.call("GET", "/clients/7", key: "key-ana")
            #expect(refused.code == "too_many_requests" && refused.header("retry-after") != nil)
            #expect(try await status("key-carla") == 403)
            for _ in 0..<3 {
                let answer = try await world.ponte.call("GET", "/clients/7", key: "key-bruno")
                #expect(answer.status == 200 && answer.header("retry-after") == nil)
            }
            // The next clinic with that id, and a key of that name, begins anew.
            var other = ClinicFile("ana", at: host.baseURL, account: "outra")
            (other.key, other.inbound) = ("key-outra", #","perMinute":1"#)
            try world.write(other)
            _ = try world.ponte.reload()
            #expect(try await status("key-outra") == 200)
            #expect(try await status("key-outra") == 429)
        }
    }

    // MARK: Ids and answers

    @Test("ids that are equal in two systems are each system's own, before and after writes")
    func ids() async throws {
        let mocks = [
            try await MockServer.start(MockOptions(seed: 1, patients: 20, user: "ana", password: "senha-ana")),
            try await MockServer.start(MockOptions(seed: 2, patients: 20, user: "bruno", password: "senha-bruno")),
        ]
        let clinics = zip(["ana", "bruno"], mocks).map { id, mock in
            var clinic = ClinicFile(id, at: mock.baseURL)
            clinic.profile = "agenda-demo"
            clinic.clients = #"{"searchBy":["phone","name"]}"#
            return clinic
        }
        try await TenantWorld.with(clinics) { world in
            let ponte = world.ponte
            func names(_ key: String) async throws -> Set<String> {
                let list = try #require(try await ponte.call("GET", "/clients", key: key).json)
                return Set(list.elements.compactMap { $0["name"]?.string })
            }
            let id = mocks[0].id(ofPerson: 19)
            #expect(id == mocks[1].id(ofPerson: 19))
            let before = [
                try await ponte.call("GET", "/clients/\(id)", key: "key-ana"),
                try await ponte.call("GET", "/clients/\(id)", key: "key-bruno"),
            ]
            #expect(before.allSatisfy { $0.status == 200 } && before[0].text != before[1].text)
            // Made at the one, unknown at the other, until that one makes somebody with the same id.
            let made = try await ponte.call(
                "POST", "/clients", key: "key-ana", body: IsolationDrafts.draft("Dora Teste", "5511966660001"))
            let new = try #require(made.id)
            #expect(try await ponte.call("GET", "/clients/\(new)", key: "key-ana").name == "Dora Teste")
            #expect(try await ponte.call("GET", "/clients/\(new)", key: "key-bruno").code == "no_such_client")
            let change = #"{"name":"Dora Exemplo"}"#
            #expect(try await ponte.call("PATCH", "/clients/\(new)", key: "key-bruno", body: change).status == 404)
            let search = try await ponte.call("GET", "/clients/search?term=5511966660001", key: "key-bruno")
            #expect(search.status == 200 && search.text == "[]")
            let other = try await ponte.call(
                "POST", "/clients", key: "key-bruno", body: IsolationDrafts.draft("Elisa Teste", "5511966660002"))
            #expect(other.id == new)
            #expect(try await ponte.call("PATCH", "/clients/\(new)", key: "key-ana", body: change).status == 200)
            #expect(try await ponte.call("GET", "/clients/\(new)", key: "key-bruno").name == "Elisa Teste")
            #expect(try await ponte.call("GET", "/clients/\(new)", key: "key-ana").name == "Dora Exemplo")
            #expect(try await names("key-bruno").isDisjoint(with: ["Dora Teste", "Dora Exemplo"]))
            #expect(try await names("key-ana").isDisjoint(with: ["Elisa Teste"]))
        }
        for mock in mocks { await mock.stop() }
    }

    @Test("equal reads at the same moment are two calls where they are two tenants'")
    func equalReads() async throws {
        try await with(["ana", "bruno"]) { world, host async throws in
            host.hold("ana")
            host.hold("bruno")
            async let ana = world.ponte.call("GET", "/clients/7", key: "key-ana")
            async let bruno = world.ponte.call("GET", "/clients/7", key: "key-bruno")
            await host.until {
                $0.count("ana", "GET", "/v1/patients/7") == 1 && $0.count("bruno", "GET", "/v1/patients/7") == 1
            }
            // The one that is answered first is no answer for the other.
            host.release("bruno")
            #expect(try await bruno.name == "Paciente de bruno")
            host.release("ana")
            #expect(try await ana.name == "Paciente de ana")
        }
    }

    // MARK: Sessions and connections

    @Test("tokens, refresh tokens, cookies and kept connections are one tenant's, also on one host")
    func sessions() async throws {
        let ids = ["ana", "bruno", "carla"]
        try await with(ids) { world, host in
            func round(_ number: Int) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in ids {
                        for place in 0..<10 {
                            group.addTask {
                                // The path says who asks, so that the host's record shows with whose token.
                                let path = "/clients/de-\(id)-\(number)-\(place)"
                                let answer = try await world.ponte.call("GET", path, key: "key-\(id)")
                                #expect(answer.status == 404)
                                let own = try await world.ponte.call("GET", "/clients/7", key: "key-\(id)")
                                #expect(own.name == "Paciente de \(id)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await round(0)
            host.expireTokens(of: "ana")
            try await round(1)
            let served = host.served
            for call in served where call.path.hasPrefix("/v1/patients/de-") {
                let asked = call.path.dropFirst("/v1/patients/de-".count).prefix { $0 != "-" }
                #expect(call.token.hasPrefix("t-\(asked)-"), "\(call.path) with \(call.token)")
            }
            #expect(served.count { $0.path.hasPrefix("/v1/patients/de-") } >= 60)
            #expect(served.allSatisfy { !$0.hasCookie })
            // One login each; a token that is no longer good is renewed by its own tenant alone.
            #expect(ids.map { host.count($0, "POST", "/v1/login") } == [1, 1, 1])
            #expect(ids.map { host.count($0, "POST", "/v1/refresh") } == [1, 0, 0])
            // What came on one connection was one tenant's, and connections were kept.
            var users: [Int: Set<String>] = [:]
            for call in served {
                let user = call.account ?? String(call.token.dropFirst(2).prefix { $0 != "-" })
                users[call.connection, default: []].insert(user)
            }
            #expect(users.values.allSatisfy { $0.count == 1 }, "\(users)")
            #expect(users.count < served.count)
        }
    }

    // MARK: Trouble

    @Test("what a host answers one tenant in trouble holds no other one up, and is not told to it")
    func trouble() async throws {
        try await with(["ana", "bruno", "carla"]) {
            $0.upstream = #","retries":0,"breaker":{"failures":2,"openFor":"5m"}"#
        } _: { world, host in
            func call(_ id: String) async throws -> RawHTTP.Answer {
                try await world.ponte.call("GET", "/clients/7", key: "key-\(id)")
            }
            func brunoIsWell() async throws {
                let answer = try await call("bruno")
                #expect(answer.name == "Paciente de bruno" && answer.header("retry-after") == nil)
            }
            for id in ["ana", "bruno", "carla"] { #expect(try await call(id).status == 200) }
            // The host asks one of them for fewer calls …
            host.set("ana", .status("429 Too Many Requests", headers: "Retry-After: 40\r\n"))
            #expect(try await call("ana").code == "rate_limited")
            let asked = host.count("ana")
            host.set("ana", nil)
            let limited = try await call("ana")
            #expect(limited.code == "rate_limited")
            #expect((1...40).contains(limited.header("retry-after").flatMap { Int($0) } ?? 0))
            #expect(host.count("ana") == asked)
            try await brunoIsWell()
            // … and keeps failing another.
            host.set("carla", .status("500 Internal Server Error", headers: ""))
            for _ in 0..<2 { #expect(try await call("carla").status == 502) }
            #expect(try await call("carla").code == "circuit_open")
            try await brunoIsWell()
            #expect(try await call("ana").code == "rate_limited")
            await world.ponte.circuits.line(with: "circuit open")
            #expect(world.ponte.circuits.all.count == 1)
            #expect(world.ponte.circuits.all.allSatisfy { $0.contains(#""tenant":"carla""#) })
            // Nothing of this is the next clinic's that comes to have the id.
            var other = ClinicFile("carla", at: host.baseURL, account: "outra")
            other.key = "key-outra"
            try world.write(other)
            _ = try world.ponte.reload()
            #expect(try await world.ponte.call("GET", "/clients/7", key: "key-outra").name == "Paciente de outra")
            #expect(try await call("carla").code == "unknown_key")
        }
    }

    @Test("a tenant whose calls all hang takes neither all places nor the whole queue")
    func hanging() async throws {
        try await with(["ana", "bruno"], engine: EngineOptions(maxInFlight: 4, maxQueued: 8)) {
            $0.upstream = #","retries":0,"limits":{"concurrent":100,"queued":100},"timeouts":{"call":"60s"}"#
        } _: { world, host in
            #expect(try await world.ponte.call("GET", "/clients/7", key: "key-ana").status == 200)
            host.hold("ana")
            let answers = Counts()
            let calls = (0..<20).map { number in
                Task {
                    let answer = try await world.ponte.call("GET", "/clients/n-\(number)", key: "key-ana")
                    answers.add(answer.code ?? "")
                }
            }
            // Three on the wire, six in the queue, and the others are told so.
            while answers.of("saturated") < 11, !Task.isCancelled { try await Task.sleep(for: .milliseconds(2)) }
            for _ in 0..<10 {
                let answer = try await world.ponte.call("GET", "/clients/7", key: "key-bruno")
                #expect(answer.name == "Paciente de bruno")
            }
            host.release("ana")
            for call in calls { try await call.value }
            #expect(answers.of("saturated") == 11 && answers.of("no_such_client") == 9)
        }
    }

    // MARK: What is told

    @Test("problems and lines of the log speak of their own tenant alone")
    func words() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 20, user: "ana", password: "senha-ana"))
        let host = try SharedHost()
        defer { host.stop() }
        var ana = ClinicFile("ana", at: mock.baseURL)
        ana.profile = "agenda-demo"
        let bruno = ClinicFile("bruno", at: host.baseURL)
        try await TenantWorld.with([ana, bruno]) { world in
            var requests: [(id: String, tenant: String?)] = []
            for (id, foreign) in [
                ("ana", ["bruno", "Sistema Partilhado", ":\(host.port)"]),
                ("bruno", ["\"ana\"", "de ana", "Agenda Demo", ":\(mock.port)"]),
            ] {
                if id == "bruno" {
                    host.set("bruno", .status("500 Internal Server Error", headers: ""))
                } else {
                    mock.inject(.status(500, retryAfter: nil))
                }
                let bad =
                    [
                        ("GET", "/clients/7", nil), ("GET", "/clients/%00", nil), ("GET", "/clients?limit=x", nil),
                        ("POST", "/clients", "{}"), ("POST", "/clients", IsolationDrafts.draft()),
                        ("PATCH", "/clients/7", "{"), ("GET", "/clients/search?term=", nil),
                        ("DELETE", "/clients/7", nil),
                    ] as [(String, String, String?)]
                for (number, (method, path, body)) in bad.enumerated() {
                    let request = "request-of-\(id)-\(number)"
                    let answer = try await world.ponte.call(
                        method, path, key: "key-\(id)", ["X-Request-Id: \(request)"], body: body)
                    #expect(answer.status >= 400)
                    for word in foreign {
                        #expect(!answer.text.lowercased().contains(word.lowercased()), "\(answer.text)")
                        #expect(!answer.headers.contains { $0.value.contains(word) })
                    }
                    // A method that no path has is refused before anybody asks whose key it is.
                    requests.append((request, method == "DELETE" ? nil : id))
                }
            }
            for (request, tenant) in requests {
                let lines = world.ponte.gateway.log.all.filter { $0.contains("\"\(request)\"") }
                #expect(lines.count == 1, "\(request)")
                let line = try #require(try lines.first.map { try JSONDocument(Array($0.utf8)).root })
                #expect(line["tenant"]?.string == tenant, "\(request)")
                #expect(line["key"]?.string == tenant.map { _ in "clinia" }, "\(request)")
            }
        }
        await mock.stop()
    }
}

/// How often something was.
private final class Counts: Sendable {
    private let lines = LogLines()
    func add(_ what: String) { lines.sink(Array(what.utf8)) }
    func of(_ what: String) -> Int { lines.all.count { $0 == what } }
}
