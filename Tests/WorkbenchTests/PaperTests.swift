import ClientContract
import Foundation
import MockUpstream
import RESTDriver
import Tenancy
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

    /// Every limit, and who may call.
    @Test func explainShowsEveryLimit() throws {
        let plan = try Shipped.tenant(
            """
            { "driver": "rest", "profile": "belle", "baseURL": "https://belle.example.test", "settings": { "unit": "1" },
              "credentials": { "token": { "env": "TOKEN" } }, "limits": { "concurrent": 3, "queued": 17 },
              "retries": 1, "breaker": { "failures": 5, "openFor": "7s" }, "addresses": ["private"],
              "timeouts": { "connectionLifetime": "45s" } }
            """, searchBy: #"["cpf"]"#, secrets: ["TOKEN": "t"], key: #", "expires": "2026-01-01""#,
            inbound: #", "allow": ["203.0.113.0/24", "2001:db8::7"], "perMinute": 90"#,
            more: #", "idempotency": { "keepFor": "90m" }"#)
        let lastDay = 1_767_225_600 + 86_399
        let text = Explanation(plan, at: lastDay + 1).text
        for part in [
            "EXPIRED after 2026-01-01", "203.0.113.0/24, 2001:db8::7", "at most 90 requests by one key",
            "at most 17, then 503", "tried again, once", "5 in a row", "for 7s", "kept for 90m", "in memory",
            "and private", "at most 45s",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        let before = Explanation(plan, at: lastDay).text
        #expect(before.contains("until 2026-01-01"))
        #expect(!before.contains("EXPIRED"))

        let plain = Explanation(try Shipped.demo(at: "http://127.0.0.1:1")).text
        #expect(plain.contains("for ever"))
        #expect(plain.contains("any address"))
    }

    /// A paper that promises calls which nobody answers would be sent.
    @Test func theReportOfATenantThatIsNotServedSaysSo() throws {
        func report(key: String = "", more: String = "") throws -> String {
            let plan = try Shipped.tenant(
                """
                { "driver": "rest", "profile": "belle", "settings": { "unit": "1" },
                  "credentials": { "token": { "env": "TOKEN" } } }
                """, searchBy: #"["cpf"]"#, secrets: ["TOKEN": "t"], key: key, more: more)
            return Homologation(plan).markdown
        }
        #expect(try report(more: #", "disabled": true"#).contains("desativada"))
        #expect(try report(key: #", "expires": "2020-01-01""#).contains("chaves desta integração venceram"))
        let served = try report(key: #", "expires": "2999-01-01""#)
        #expect(!served.contains("desativada"))
        #expect(!served.contains("venceram"))
    }

    /// What was not tried is not called inapplicable.
    @Test func theReportTellsUntriedFromInapplicable() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 3))
        let engine = try CurlEngine()
        let plan = try Shipped.demo(at: mock.baseURL, password: "errada")
        let findings = await Doctor(plan, engine: engine).examine()
        await engine.shutdown()
        await mock.stop()
        let text = Homologation(plan, findings: findings).markdown
        #expect(text.contains("| consulta por id | não testado |"))
        #expect(text.contains("| busca por telefone | não testado |"))
        #expect(!text.contains("não se aplica"))
    }

    @Test func theReportSaysEachEndpointAndSearchInPortuguese() throws {
        let text = Homologation(try Shipped.demo(at: "http://127.0.0.1:1")).markdown
        for part in [
            "# Homologação", "`GET /clients`", "`POST /clients`", "`PATCH /clients/{id}`", "## Campos", "`birthday`",
            "## Buscas", "| telefone | sim |", "| nome | não |", "## Limites conhecidos", "disponíveis: 5 de 5",
            "Tipo de termo a configurar na interface da Clinia: telefone ou CPF ou e-mail", "Não foi feita",
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
        #expect(text.contains("| visto em 10 clientes da lista |"))
        #expect(!text.contains("falhou"))
        for part in personal { #expect(!text.contains(part)) }
    }

    /// A system of which one lookup is known: what Clinia must expect of it comes first.
    @Test func theReportOfAPoorSystemPromisesNothing() throws {
        let plan = try Shipped.tenant(
            """
            { "driver": "rest", "profile": "belle", "settings": { "unit": "1" },
              "credentials": { "token": { "env": "TOKEN" } } }
            """, searchBy: #"["cpf"]"#, secrets: ["TOKEN": "t"])
        let text = Homologation(plan, day: CalendarDay("2026-11-27")).markdown
        for part in [
            "disponíveis: 1 de 5", "a configurar na interface da Clinia: CPF.", "não busca por telefone",
            "| `POST /clients` | não | o sistema da clínica não oferece; responde `501` |", "| Data | 2026-11-27 |",
        ] { #expect(text.contains(part), "\(part)") }
        for part in ["Duplicados", "sem `limit`", "Aceitos na criação", "não é alterável"] {
            #expect(!text.contains(part), "\(part)")
        }
    }

    @Test func theReportSaysThatSomethingFailed() throws {
        let findings = [Doctor.Finding("connection", .bad, "x", advice: "y")]
        let text = Homologation(try Shipped.demo(at: "http://127.0.0.1:1"), findings: findings).markdown
        #expect(text.contains("| conexão e TLS | falhou |"))
        #expect(text.contains("1 teste falhou"))
    }

    /// What the doctor did not see is not promised.
    @Test func aSearchThatWasNotSeenToWorkIsNotVerified() throws {
        var slow = Doctor.Finding("search by cpf", .doubtful, "x", advice: "slow")
        slow.isProved = true
        let findings = [
            Doctor.Finding("search by phone", .doubtful, "x", advice: "--known"), slow,
            Doctor.Finding("search by email", .bad, "x", advice: "y"),
        ]
        let text = Homologation(try Shipped.demo(at: "http://127.0.0.1:1"), findings: findings).markdown
        for part in [
            "| telefone | não verificada |", "| CPF | sim |", "| e-mail | não verificada |",
            "a configurar na interface da Clinia: CPF.", "a não configurar ainda: telefone, e-mail.",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(!text.contains("não busca por telefone"))
    }

    /// Whoever cannot be looked for is not recognised, and the paper must not say so.
    @Test func duplicatesAreToldByWhatCanBeFound() throws {
        let both = Homologation(try Shipped.demo(at: "http://127.0.0.1:1")).markdown
        #expect(both.contains("(mesmo CPF, ou mesmo telefone e nome): devolve"))
        #expect(!both.contains("Sem CPF, quem já existe"))

        let nilo = try Shipped.tenant(
            """
            { "driver": "fhir", "profile": "nilo", "baseURL": "https://nilo.example.test/fhir",
              "credentials": { "key": { "env": "KEY" } } }
            """, searchBy: #"["cpf"]"#, secrets: ["KEY": "k"])
        let text = Homologation(nilo).markdown
        #expect(text.contains("Criar alguém que já existe (mesmo CPF): devolve"))
        #expect(text.contains("Sem CPF, quem já existe não é reconhecido"))
        #expect(text.contains("grava sobre ele"))
    }

    @Test func aMapNamesWhatItsFormatCannotRead() throws {
        let record = #"{"codigo":7,"nome":"Ana Teste","dataNascimento":"1990-03-07T00:00","correioEletronico":""}"#
        let table = MappingTable(
            try Shipped.profile("prodoctor"), record: Array(record.utf8), form: .detail, phones: PhoneContext())
        #expect(table.text.contains("birthday is there and cannot be read"))
        #expect(table.text.contains(#"/dataNascimento holds "1990-03-07T00:00""#))
        #expect(table.text.contains("Not in the answer: description, phone, allPhones, cpf, image, email"))
    }

    @Test func aMapOfAProfileThatOnlyReadsSaysSoOnce() throws {
        let record = #"[{"codigo":7,"nome":"Ana Teste","celular":"(31) 98888-0001","cpf":"20000000108"}]"#
        let table = MappingTable(
            try Shipped.profile("belle"), record: Array(record.utf8), form: .row, phones: PhoneContext())
        #expect(table.text.contains("No create: the profile has none."))
        #expect(table.text.contains("No change: the profile has no update."))
    }

    @Test func aMapMadeOfCallsForEachMemberSaysWhich() throws {
        let record = #"{"object":{"patient":{"id":7,"name":"Ana Teste"}}}"#
        let table = MappingTable(
            try Shipped.profile("conexa"), record: Array(record.utf8), form: .detail, phones: PhoneContext())
        #expect(table.text.contains("A change is a call of its own, for: email"))
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
            // What stands around the record, too.
            #""paciente": {"#,
            "A change of email sends", "Not in the answer: image",
        ] { #expect(table.text.contains(part), "\(part)") }
    }

    @Test func aMapShowsWhatATenantGivesByItsName() throws {
        func table(_ create: String) throws -> String {
            let skeleton = try #require(Skeleton(vendor: "vendor")?.files.first).content
                .replacingOccurrences(
                    of: #""request": {"#, with: #""settings": { "unit": {}, "place": {} }, "request": {"#
                )
                .replacingOccurrences(of: #""json": "{record}", "answer""#, with: create + #", "answer""#)
            let profile = try Profile(Array(skeleton.utf8), file: "vendor.json")
            let record = #"{"id":7,"name":"Ana Teste","phone":"31988880001"}"#
            return MappingTable(profile, record: Array(record.utf8), form: .detail, phones: PhoneContext()).text
        }
        let json = try table(
            #""json": { "unidade": "{setting.unit|number}", "local": "{setting.place}", "cliente": "{record}" }"#)
        for part in [#""unidade": 101"#, #""local": "{setting.place}""#, #""cliente": {"#] {
            #expect(json.contains(part), "\(json)")
        }
        let form = try table(#""form": { "unit": "{setting.unit}", "at": "{setting.place}", "...": "{record}" }"#)
        for part in ["│ at=%7Bsetting.place%7D", "│ name=Ana%20Teste"] { #expect(form.contains(part), "\(form)") }
    }

    @Test func aRecordThatCannotBeReadSaysWhy() throws {
        let table = MappingTable(
            try Shipped.profile("prodoctor"), record: Array("[1]".utf8), form: .detail, phones: PhoneContext())
        #expect(!table.isReadable)
        #expect(table.text.contains("malformed"))
    }
}
