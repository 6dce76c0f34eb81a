import ClientContract
import MockUpstream
import Testing
import Transport

@testable import Workbench

/// What is printed from files alone: explain, report, map.
@Suite struct PaperTests {
    @Test func explainShowsWhatWasUnderstoodAndNoSecret() throws {
        let text = Explanation(try Shipped.demo(at: "http://127.0.0.1:1", password: "segredo-de-teste")).text
        for part in [
            "demo", "agenda-demo", "http://127.0.0.1:1", "credential password  ••••", "GET /clients/search",
            "at most 10s",
            "answers the client on record",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(!text.contains("segredo-de-teste"))
        #expect(!text.contains("ponte\n"))
    }

    @Test func theReportSaysEachEndpointAndSearchInPortuguese() throws {
        let text = Homologation(try Shipped.demo(at: "http://127.0.0.1:1")).markdown
        for part in [
            "# Homologação", "`GET /clients`", "`POST /clients`", "`PATCH /clients/{id}`", "## Campos", "`birthday`",
            "## Buscas", "| telefone | sim |", "| nome | não configurada |", "## Limites conhecidos",
        ] { #expect(text.contains(part), "\(part)") }
        // Every table has as many cells in each row.
        for table in text.split(separator: "\n\n") where table.hasPrefix("|") {
            let widths = Set(table.split(separator: "\n").map { line in line.count { $0 == "|" } })
            #expect(widths.count == 1)
        }
    }

    @Test func theLiveReportAddsWhatTheDoctorSaw() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 20))
        let engine = try CurlEngine()
        let plan = try Shipped.demo(at: mock.baseURL)
        let findings = await Doctor(plan, engine: engine).examine()
        let text = Homologation(plan, findings: findings).markdown
        await engine.shutdown()
        await mock.stop()
        #expect(text.contains("busca por telefone | certo"))
        for part in personal { #expect(!text.contains(part)) }
    }

    @Test func aMapShowsBothDirections() throws {
        let record = """
            {"codigo":7,"nome":"Ana Teste","telefone1":{"ddd":"31","numero":"98888-0001"},"cpf":"20000000108",
            "correioEletronico":"ana@example.test","dataNascimento":"07/03/1990","observacao":"x"}
            """
        let table = MappingTable(
            try Shipped.profile("prodoctor"), record: Array(record.utf8), form: .detail, phones: PhoneContext())
        #expect(table.isReadable)
        for part in [
            #""phone": "5531988880001""#, #""birthday": "1990-03-07""#, #""ddd": "31""#, #""cpfNaoExiste": false"#,
            "A change of email sends", "Not in the answer: image",
        ] { #expect(table.text.contains(part), "\(part)") }
    }

    @Test func aRecordThatCannotBeReadSaysWhy() throws {
        let table = MappingTable(
            try Shipped.profile("prodoctor"), record: Array("[1]".utf8), form: .detail, phones: PhoneContext())
        #expect(!table.isReadable)
        #expect(table.text.contains("malformed"))
    }
}
