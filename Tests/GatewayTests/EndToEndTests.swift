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
            let draft = """
                {"name":"Maria Silva Santos","phone":"5511999999998","email":"maria.silva@example.com",
                "birthday":"1985-03-15","healthInsurance":"conv123","location":"loc456"}
                """
            let created = try await call(port, "POST", "/clients", body: draft)
            #expect(created.status == 200)
            let maria = try JSONDocument(created.body).root
            #expect(maria["name"]?.string == "Maria Silva Santos")
            #expect(maria["allPhones"]?.elements.map(\.string) == ["5511999999998"])
            #expect(maria["birthday"]?.string == "1985-03-15")
            let id = try #require(maria["id"]?.string)
            let patch =
                #"{"name":"Maria Silva Santos Oliveira","email":"maria.oliveira@example.com","birthday":"1985-03-15"}"#
            let patched = try await call(port, "PATCH", "/clients/\(id)", body: patch)
            #expect(patched.status == 200)
            let after = try JSONDocument(try await call(port, "GET", "/clients/\(id)").body).root
            #expect(after["name"]?.string == "Maria Silva Santos Oliveira")
            #expect(after["email"]?.string == "maria.oliveira@example.com")
            #expect(after["phone"]?.string == "5511999999998")
        }
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
            #expect([400, 404].contains(answer.status))
            #expect(mock.requests.count(.login) <= 1)
            if let last = mock.requests.last(.get) {
                #expect(last.query.isEmpty)
                #expect(last.path.split(separator: "/").count == 3)
            }
            #expect(mock.requests.count(.list) == 0)
        }
    }

    @Test func aSystemThatMisbehavesIsAProblemAndNeverAnEmptyAnswer() async throws {
        try await withPonte { port, mock in
            let faults: [(MockFault, Set<Int>)] = [
                (.html, [502]), (.empty, [502]), (.badJSON, [502]), (.status(500, retryAfter: nil), [502]),
                (.status(429, retryAfter: 7), [429]), (.reset(before: true), [502]), (.truncate, [502]),
                (.resetMidBody, [502]), (.endless, [502, 504]),
            ]
            // Log in first, so that the faults strike the search.
            #expect(try await call(port, "GET", "/clients?limit=1").status == 200)
            for (fault, statuses) in faults {
                mock.inject(fault, operation: .search)
                let answer = try await call(port, "GET", "/clients/search?term=5511999999999")
                #expect(statuses.contains(answer.status), "\(fault): \(answer.status) \(answer.text)")
                #expect(answer.header("content-type") == "application/problem+json", "\(fault)")
                mock.clearFaults()
            }
            #expect(try await call(port, "GET", "/clients/search?term=5511999999999").status == 200)
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
