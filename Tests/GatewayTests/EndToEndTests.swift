import Foundation
import Gateway
import JSONBytes
import MockUpstream
import Tenancy
import Testing
import Transport

/// Caller, Gateway, Bridge, rest driver, libcurl and a pretend clinic system, all real.
@Suite struct EndToEndTests {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let key = "demo-key-not-for-production"

    private func withPonte(_ body: (Int, MockServer) async throws -> Void) async throws {
        let options = MockOptions(patients: 230)
        let mock = try await MockServer.start(options)
        let engine = try CurlEngine()
        let secrets = SecretSource(environment: { $0 == "PONTE_DEMO_USER" ? options.user : options.password })
        let configuration = Configuration(
            serverFile: Self.repository.appending(path: "Config/server.json").path,
            options: .init(secrets: secrets, baseURLs: ["demo": mock.baseURL]))
        #expect(configuration.faults == [])
        let gateway = try await RunningGateway.start(TenantDirectory(configuration, engine: engine))
        do { try await body(gateway.port, mock) } catch { Issue.record(error) }
        try await gateway.stop()
        await engine.shutdown()
        await mock.stop()
    }

    private func call(_ port: Int, _ method: String, _ path: String, body: String? = nil) async throws -> RawHTTP.Answer
    {
        try await RawHTTP.call(port, method, path, key: Self.key, body: body)
    }

    @Test func theContractsExamplesWorkAsPrinted() async throws {
        try await withPonte { port, _ in
            let found = try await call(port, "GET", "/clients/search?term=5511999999999")
            #expect(found.status == 200)
            let joao = try #require(
                try JSONDocument(found.body).root.elements.first { $0["name"]?.string == "João Silva" })
            #expect(joao["phone"]?.string == "5511999999999")
            #expect(joao["allPhones"]?.elements.map(\.string) == ["5511999999999", "5521999999999"])
            #expect(joao["cpf"]?.string == "123.456.789-00")
            #expect(joao["email"]?.string == "joao@example.com")
            #expect(joao["birthday"]?.string == "1990-01-01")
            // The contract gives João and Maria one CPF: as long as he has it, the printed create is him.
            let draft = """
                {
                "name": "Maria Silva Santos",
                "phone": "5511999999999",
                "email": "maria.silva@example.com",
                "birthday": "1985-03-15",
                "cpf": "12345678900",
                "healthInsurance": "conv123",
                "location": "loc456"
                }
                """
            let same = try JSONDocument(try await call(port, "POST", "/clients", body: draft).body).root
            #expect(same["id"]?.string == joao["id"]?.string)
            let joaosID = try #require(joao["id"]?.string)
            let freed = try await call(port, "PATCH", "/clients/\(joaosID)", body: #"{"cpf":"11144477735"}"#)
            #expect(freed.status == 200)

            let created = try await call(port, "POST", "/clients", body: draft)
            #expect(created.status == 200)
            let maria = try JSONDocument(created.body).root
            let id = try #require(maria["id"]?.string)
            #expect(id != joao["id"]?.string)
            try expect(
                maria,
                """
                {
                "id": "\(id)",
                "name": "Maria Silva Santos",
                "phone": "5511999999999",
                "allPhones": ["5511999999999"],
                "cpf": "123.456.789-00",
                "email": "maria.silva@example.com",
                "birthday": "1985-03-15"
                }
                """)
            let patch = """
                {
                "name": "Maria Silva Santos Oliveira",
                "email": "maria.oliveira@example.com",
                "cpf": "12345678900",
                "birthday": "1985-03-15"
                }
                """
            let patched = try await call(port, "PATCH", "/clients/\(id)", body: patch)
            #expect(patched.status == 200)
            for answer in [patched, try await call(port, "GET", "/clients/\(id)")] {
                try expect(
                    try JSONDocument(answer.body).root,
                    """
                    {
                    "id": "\(id)",
                    "name": "Maria Silva Santos Oliveira",
                    "phone": "5511999999999",
                    "allPhones": ["5511999999999"],
                    "cpf": "123.456.789-00",
                    "email": "maria.oliveira@example.com",
                    "birthday": "1985-03-15"
                    }
                    """)
            }
        }
    }

    /// The same members with the same values, in any order; no more and no fewer.
    private func expect(
        _ answer: JSONValue, _ printed: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        func members(_ value: JSONValue) -> [String: [UInt8]] {
            Dictionary(value.members.map { ($0.key, $0.value.source.filter { $0 != 0x20 }) }) { $1 }
        }
        let wanted = members(try JSONDocument(Array(printed.utf8)).root)
        #expect(members(answer) == wanted, sourceLocation: location)
    }

    @Test func allPagesOfAListComeOnceEach() async throws {
        try await withPonte { port, _ in
            let all = try await call(port, "GET", "/clients")
            #expect(all.isComplete)
            let ids = try JSONDocument(all.body).root.elements.compactMap { $0["id"]?.string }
            #expect(Set(ids).count == ids.count)
            #expect(ids.count > 200)
            let window = try await call(port, "GET", "/clients?limit=7&offset=96")
            #expect(try JSONDocument(window.body).root.elements.compactMap { $0["id"]?.string } == Array(ids[96..<103]))
        }
    }

    @Test func anEqualCreateAnswersTheRecordThatIsThere() async throws {
        try await withPonte { port, mock in
            let draft = #"{"name":"Ana Teste Única","phone":"5511912349876"}"#
            let first = try await call(port, "POST", "/clients", body: draft)
            let second = try await call(port, "POST", "/clients", body: draft)
            #expect(first.status == 200)
            #expect(second.status == 200)
            #expect(first.body == second.body)
            #expect(mock.requests.count(.create) == 1)
        }
    }

    /// An id that means something in a path, and where it must never lead.
    @Test(arguments: ["..%2F..%2Fauth%2Flogin", "1%3Fpagina=2", "1%2F..%2F2", "1%23x", "%40example.test", "1;x=y"])
    func idsNeverChangeThePath(_ segment: String) async throws {
        try await withPonte { port, mock in
            let answer = try await call(port, "GET", "/clients/\(segment)")
            // This system's ids are numbers, so these exist nowhere, and nobody is asked.
            #expect(answer.status == 404)
            #expect(mock.requests.total == 0)
        }
    }

    @Test func aSystemThatMisbehavesIsAProblemAndNeverAnEmptyAnswer() async throws {
        let faults: [(MockFault, Set<Int>)] = [
            (.html, [502]), (.empty, [502]), (.badJSON, [502]), (.status(500, retryAfter: nil), [502]),
            (.status(429, retryAfter: 7), [429]), (.reset(before: true), [502]), (.truncate, [502]),
            (.resetMidBody, [502]), (.endless, [502, 504]),
        ]
        // A Ponte for each: what is learned of one must not decide about the next.
        for (fault, statuses) in faults {
            try await withPonte { port, mock in
                // Log in first, so that the faults strike the search.
                #expect(try await call(port, "GET", "/clients?limit=1").status == 200)
                mock.inject(fault, operation: .search)
                let answer = try await call(port, "GET", "/clients/search?term=5511999999999")
                #expect(statuses.contains(answer.status), "\(fault): \(answer.status) \(answer.text)")
                #expect(answer.header("content-type") == "application/problem+json", "\(fault)")
                mock.clearFaults()
                // Only a system that asked for it, or failed for good, is left alone after one search.
                let next = try await call(port, "GET", "/clients/search?term=5511999999999")
                #expect([200, 429, 503].contains(next.status), "\(fault): \(next.status) \(next.text)")
            }
        }
    }

    @Test func aSystemThatIsDownIsAProblem() async throws {
        try await withPonte { port, mock in
            await mock.stop()
            let answer = try await call(port, "GET", "/clients/search?term=5511999999999")
            #expect(answer.status == 502)
            #expect(try JSONDocument(answer.body).root["code"]?.string == "system_unreachable")
        }
    }
}
