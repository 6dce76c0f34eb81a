import ClientContract
import MockUpstream
import Tenancy
import Testing
import Transport
import UpstreamDriver

@testable import Workbench

/// What becomes of `onDuplicate: create`, and that the papers say the same.
@Suite struct RepeatedCreateTests {
    private func hapi(at baseURL: String, _ onDuplicate: String) throws -> TenantPlan {
        try Shipped.tenant(
            #"{ "driver": "fhir", "profile": "hapi", "baseURL": "\#(baseURL)" }"#, onDuplicate: onDuplicate)
    }

    /// Two creates with one CPF, by a tenant's file alone.
    @Test(arguments: [("create", 2), ("returnExisting", 1)]) func aTenantsFileDecides(
        _ onDuplicate: String, _ records: Int
    ) async throws {
        let mock = try await MockServer.start(MockOptions(dialect: .fhirHAPI, patients: 5))
        let engine = try CurlEngine()
        let plan = try hapi(at: mock.baseURL, onDuplicate)
        let driver = plan.driver.make(engine.channel(plan.channel))
        let context = CallContext(deadline: .now + .seconds(120), requestID: "test")
        var made: [Client] = []
        for (name, phone) in [("Ana Teste", "5531988880001"), ("Bia Teste", "5531988880002")] {
            let draft = ClientDraft(name: name, phone: try #require(PhoneNumber(phone)), cpf: CPF("20000000108"))
            if case .record(let client) = try await driver.create(draft, context) { made.append(client) }
        }
        await mock.stop()
        await engine.shutdown()
        #expect(made.count == 2 && Set(made.map(\.id)).count == records)
        #expect(made.last?.name == (records == 2 ? "Bia Teste" : "Ana Teste"))
    }

    @Test func thePapersSayWhatHappens() throws {
        let plan = try hapi(at: "https://fhir.example.test/r4", "create")
        let report = Homologation(plan).markdown
        for part in ["): cria outro registro.", "aceita duplicados.", "cria sem procurar a pessoa"] {
            #expect(report.contains(part), "\(part)")
        }
        for part in ["devolve o antigo", "procura antes", "a Ponte evita"] {
            #expect(!report.contains(part), "\(part)")
        }
        let text = Explanation(plan).text
        for part in ["makes another record", "nobody is looked for"] { #expect(text.contains(part), "\(part)") }

        // Its records are known by the CPF: another one with the same CPF cannot be.
        let nilo = try Shipped.tenant(
            """
            { "driver": "fhir", "profile": "nilo", "baseURL": "https://nilo.example.test/fhir",
              "credentials": { "key": { "env": "KEY" } } }
            """, searchBy: #"["cpf"]"#, secrets: ["KEY": "k"], onDuplicate: "create")
        let other = Homologation(nilo).markdown
        #expect(other.contains("não faz outro registro de quem reconhece"))
        for part in ["cria outro registro", "procura antes"] { #expect(!other.contains(part), "\(part)") }
        #expect(Explanation(nilo).text.contains("is sent all the same"))
    }
}
