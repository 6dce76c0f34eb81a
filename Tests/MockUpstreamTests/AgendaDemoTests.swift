import JSONBytes
import MockUpstream
import Testing

@Suite struct AgendaDemoTests {
    /// A caller that has logged in.
    struct Session {
        let client: RawClient
        let token: String

        init(_ server: MockServer) throws {
            client = try RawClient(port: server.port)
            let answer = try client.call(
                "POST", "/auth/login", body: #"{"usuario":"ponte","senha":"senha-de-demonstracao"}"#)
            token = try #require(try answer.json()["token"]?.string)
        }

        func call(_ method: String, _ target: String, body: String? = nil) throws -> RawClient.Answer {
            let headers = ["Authorization": "Bearer \(token)", "Content-Type": "application/json"]
            return try client.call(method, target, headers: headers, body: body)
        }

        /// The codes of a page.
        func codes(_ query: String) throws -> [Int] {
            let page = try call("GET", "/api/pacientes?\(query)").json()["dados"]
            return try #require(page?["itens"]).elements.compactMap { $0["codigo"]?.int }
        }
    }

    // MARK: Login

    @Test func loginGivesATokenWithItsLifetime() async throws {
        try await withMock(MockOptions(patients: 3, tokenLifetime: 60)) { server in
            let client = try RawClient(port: server.port)
            let answer = try client.call(
                "POST", "/auth/login", body: #"{"usuario":"ponte","senha":"senha-de-demonstracao"}"#)
            #expect(answer.status == 200)
            #expect(try answer.json()["expiraEm"]?.int == 60)
            #expect(try answer.json()["token"]?.string?.isEmpty == false)
        }
    }

    @Test(arguments: [
        (#"{"usuario":"ponte","senha":"outra"}"#, 401), (#"{"usuario":"ponte"}"#, 401), ("[]", 400), ("{", 400),
    ])
    func loginRefuses(_ body: String, _ status: Int) async throws {
        try await withMock { server in
            let answer = try RawClient(port: server.port).call("POST", "/auth/login", body: body)
            #expect(answer.status == status)
            #expect(try answer.json()["sucesso"]?.bool == false)
        }
    }

    @Test func everythingElseNeedsAToken() async throws {
        try await withMock { server in
            let client = try RawClient(port: server.port)
            for headers in [[:], ["Authorization": "Bearer nada"], ["Authorization": "Basic nada"]] {
                #expect(try client.call("GET", "/api/pacientes", headers: headers).status == 401)
                #expect(try client.call("GET", "/api/pacientes/1001", headers: headers).status == 401)
            }
        }
    }

    @Test func aTokenRunsOutByTheMocksClock() async throws {
        try await withMock(MockOptions(patients: 3, tokenLifetime: 900)) { server in
            let session = try Session(server)
            server.advanceClock(seconds: 500)
            #expect(try session.call("GET", "/api/pacientes/1001").status == 200)
            server.advanceClock(seconds: 401)
            let answer = try session.call("GET", "/api/pacientes/1001")
            #expect(answer.status == 401)
            #expect(answer.text == #"{"sucesso":false,"mensagem":"Token expirado"}"#)
        }
    }

    @Test func allTokensExpireAtOnceWhenAsked() async throws {
        try await withMock { server in
            let one = try Session(server)
            let other = try Session(server)
            #expect(one.token != other.token)
            server.expireTokens()
            #expect(try one.call("GET", "/api/pacientes/1001").status == 401)
            #expect(try other.call("GET", "/api/pacientes/1001").status == 401)
            #expect(try Session(server).call("GET", "/api/pacientes/1001").status == 200)
        }
    }

    // MARK: Pages

    @Test func pagesCoverAllPatientsOnceInTheOrderOfTheirCodes() async throws {
        try await withMock(MockOptions(patients: 53)) { server in
            let session = try Session(server)
            var codes: [Int] = []
            for page in 1...6 { codes += try session.codes("pagina=\(page)&porPagina=10") }
            #expect(codes == Array(1_001...1_053))
            #expect(try session.codes("pagina=7&porPagina=10").isEmpty)
        }
    }

    @Test func theEnvelopeSaysWhatThereIs() async throws {
        try await withMock(MockOptions(patients: 53)) { server in
            let answer = try Session(server).call("GET", "/api/pacientes?pagina=2&porPagina=10")
            let root = try answer.json()
            #expect(root["sucesso"]?.bool == true)
            #expect(root["dados"]?["total"]?.int == 53)
            #expect(root["dados"]?["pagina"]?.int == 2)
            #expect(root["dados"]?["paginas"]?.int == 6)
        }
    }

    @Test func aPageHasFiftyRowsUnlessAskedAndNeverMoreThanAHundred() async throws {
        try await withMock(MockOptions(patients: 130)) { server in
            let session = try Session(server)
            #expect(try session.codes("").count == 50)
            #expect(try session.codes("porPagina=100").count == 100)
            #expect(try session.codes("porPagina=1000").count == 100)
        }
    }

    @Test(arguments: ["pagina=0", "pagina=x", "porPagina=0", "porPagina=-1"])
    func oddPagesAreRefused(_ query: String) async throws {
        try await withMock { server in
            let answer = try Session(server).call("GET", "/api/pacientes?\(query)")
            #expect(answer.status == 422)
        }
    }

    @Test func aMockWithoutPatientsHasAnEmptyPage() async throws {
        try await withMock(MockOptions(patients: 0)) { server in
            let session = try Session(server)
            let page = try session.call("GET", "/api/pacientes").json()["dados"]
            #expect(page?["itens"]?.elements.isEmpty == true)
            #expect(page?["total"]?.int == 0)
            #expect(try session.codes("telefone=11999999999").isEmpty)
        }
    }

    // MARK: Filters

    @Test(arguments: [
        ("telefone=11999999999", [1_001]),
        // Any of the phones counts.
        ("telefone=21999999999", [1_001]),
        ("telefone=1133330009", [1_009]),
        // A part of the number is enough.
        ("telefone=8888000", [1_006, 1_007, 1_008, 1_009]),
        ("telefone=%2831%29+98888-7777", [1_002, 1_003, 1_004, 1_005]),
        ("cpf=12345678900", [1_001]),
        ("cpf=123.456.789-00", [1_001]),
        // A CPF is whole or nothing.
        ("cpf=1234567890", []),
        ("email=JOAO@example", [1_001]),
        ("email=gemeos@example.test", [1_006, 1_007]),
        ("nome=joao%20SILVA", [1_001]),
        ("nome=Concei%C3%A7%C3%A3o", [1_013, 1_014]),
        ("nome=d%27avila", [1_010]),
        ("telefone=000000000000", []),
    ])
    func filtersFind(_ query: String, _ codes: [Int]) async throws {
        try await withMock(MockOptions(patients: 18)) { server in
            let found = try Session(server).codes(query)
            #expect(found == codes)
        }
    }

    @Test func filteredRowsArePagedToo() async throws {
        try await withMock(MockOptions(patients: 18)) { server in
            let session = try Session(server)
            #expect(try session.codes("telefone=31988887777&pagina=2&porPagina=3") == [1_005])
            let page = try session.call("GET", "/api/pacientes?telefone=31988887777&porPagina=3").json()["dados"]
            #expect(page?["total"]?.int == 4)
            #expect(page?["paginas"]?.int == 2)
        }
    }

    // MARK: One record

    @Test func theContractsExamplePersonIsThere() async throws {
        try await withMock { server in
            let record = try #require(try Session(server).call("GET", "/api/pacientes/1001").json()["dados"])
            #expect(record["codigo"]?.int == 1_001)
            #expect(record["nomeCompleto"]?.string == "João Silva")
            #expect(record["dataNascimento"]?.string == "01/01/1990")
            #expect(record["documento"]?["cpf"]?.string == "123.456.789-00")
            #expect(record["contatos"]?["celular"]?.string == "(11) 99999-9999")
            let phones = try #require(record["contatos"]?["telefones"]).elements
            #expect(phones.map { $0["numero"]?.string } == ["(21) 99999-9999"])
            #expect(record["contatos"]?["email"]?.string == "joao@example.com")
            #expect(record["observacoes"]?.string == "Cliente regular")
            #expect(record["fotoUrl"]?.string == "https://example.com/photo.jpg")
        }
    }

    @Test func absentValuesAreNullOrEmptyText() async throws {
        try await withMock(MockOptions(patients: 18)) { server in
            let session = try Session(server)
            let odd = try session.call("GET", "/api/pacientes/1010").json()["dados"]
            #expect(odd?["documento"]?["cpf"]?.string == "")
            #expect(odd?["dataNascimento"]?.string == "")
            let even = try session.call("GET", "/api/pacientes/1017").json()["dados"]
            #expect(even?["documento"]?["cpf"]?.isNull == true)
            #expect(even?["contatos"]?["email"]?.isNull == true)
        }
    }

    @Test(arguments: ["1000", "1041", "99999999999999999999", "-1", "+1001", "abc", "..", "1001%20", "%31001"])
    func anUnknownCodeIsNotFound(_ code: String) async throws {
        try await withMock { server in
            let answer = try Session(server).call("GET", "/api/pacientes/\(code)")
            #expect(answer.status == 404)
            #expect(answer.text == #"{"sucesso":false,"mensagem":"Paciente não encontrado"}"#)
        }
    }

    @Test func unknownRoutesAndMethodsAreRefused() async throws {
        try await withMock { server in
            let session = try Session(server)
            #expect(try session.call("GET", "/api/medicos").status == 404)
            #expect(try session.call("GET", "/api/pacientes/1001/fotos").status == 404)
            let answer = try session.call("DELETE", "/api/pacientes/1001")
            #expect(answer.status == 405)
            #expect(answer.header("Allow") == "GET, PUT")
            #expect(try session.call("PUT", "/api/pacientes").status == 405)
            #expect(try session.call("GET", "/auth/login").status == 405)
        }
    }

    // MARK: Create

    @Test func createAnswersTheCodeOnlyAndTheRecordIsFoundByAllItsKeys() async throws {
        try await withMock { server in
            let session = try Session(server)
            let answer = try session.call(
                "POST", "/api/pacientes",
                body: """
                    {"nomeCompleto":"Ana Teste Nova","documento":{"cpf":"52998224725"},"dataNascimento":"29/02/2024",
                     "contatos":{"celular":"(48) 98888-1234","email":"Nova@example.test"}}
                    """)
            #expect(answer.status == 201)
            #expect(answer.text == #"{"sucesso":true,"dados":{"codigo":1041}}"#)
            for query in ["telefone=48988881234", "cpf=529.982.247-25", "email=nova@", "nome=ana+teste+nova"] {
                #expect(try session.codes(query) == [1_041])
            }
            let record = try session.call("GET", "/api/pacientes/1041").json()["dados"]
            #expect(record?["contatos"]?["celular"]?.string == "(48) 98888-1234")
            #expect(record?["observacoes"]?.isNull == true)
            #expect(record?["criadoEm"]?.string?.isEmpty == false)
        }
    }

    @Test func createMakesDuplicatesFreely() async throws {
        try await withMock { server in
            let session = try Session(server)
            let body = #"{"nomeCompleto":"João Silva","documento":{"cpf":"123.456.789-00"}}"#
            #expect(try session.call("POST", "/api/pacientes", body: body).status == 201)
            #expect(try session.call("POST", "/api/pacientes", body: body).status == 201)
            #expect(try session.codes("cpf=12345678900") == [1_001, 1_041, 1_042])
        }
    }

    @Test(arguments: [
        ("{}", ["nomeCompleto"]), (#"{"nomeCompleto":"  "}"#, ["nomeCompleto"]),
        (#"{"nomeCompleto":7}"#, ["nomeCompleto", "nomeCompleto"]),
        (#"{"nomeCompleto":"Ana","dataNascimento":"31/02/2000"}"#, ["dataNascimento"]),
        (#"{"nomeCompleto":"Ana","dataNascimento":"2000-02-01"}"#, ["dataNascimento"]),
        (#"{"nomeCompleto":"Ana","documento":{"cpf":"1234567890"}}"#, ["documento.cpf"]),
        (#"{"nomeCompleto":"Ana","documento":"12345678900"}"#, ["documento"]),
        (#"{"nomeCompleto":"Ana","contatos":{"celular":"12"}}"#, ["contatos.celular"]),
        (
            #"{"nomeCompleto":"Ana","contatos":{"telefones":[{"numero":"x"},{}]}}"#,
            ["contatos.telefones[0].numero", "contatos.telefones[1].numero"]
        ),
        (#"{"nomeCompleto":"Ana","contatos":{"email":"sem-arroba"}}"#, ["contatos.email"]),
    ])
    func createRefuses(_ body: String, _ fields: [String]) async throws {
        try await withMock { server in
            let session = try Session(server)
            let answer = try session.call("POST", "/api/pacientes", body: body)
            #expect(answer.status == 422)
            let faults = try #require(try answer.json()["erros"]).elements
            #expect(faults.compactMap { $0["campo"]?.string } == fields)
            #expect(faults.allSatisfy { $0["mensagem"]?.string?.isEmpty == false })
            #expect(try session.call("GET", "/api/pacientes/1041").status == 404)
        }
    }

    @Test func createRefusesWhatIsNotAJSONObject() async throws {
        try await withMock { server in
            let session = try Session(server)
            #expect(try session.call("POST", "/api/pacientes", body: "[]").status == 400)
            #expect(try session.call("POST", "/api/pacientes", body: "{").status == 400)
            let headers = ["Authorization": "Bearer \(session.token)", "Content-Type": "text/plain"]
            let answer = try session.client.call("POST", "/api/pacientes", headers: headers, body: "{}")
            #expect(answer.status == 415)
        }
    }

    // MARK: Update

    @Test func updateReplacesTheWholeRecord() async throws {
        try await withMock { server in
            let session = try Session(server)
            let answer = try session.call(
                "PUT", "/api/pacientes/1001",
                body: #"{"nomeCompleto":"João Silva Exemplo","contatos":{"celular":"(11) 98888-4321"},"tags":["nova"]}"#
            )
            #expect(answer.status == 200)
            let record = try #require(try answer.json()["dados"])
            #expect(record["codigo"]?.int == 1_001)
            #expect(record["nomeCompleto"]?.string == "João Silva Exemplo")
            #expect(record["documento"]?.isNull == true)
            #expect(record["observacoes"]?.isNull == true)
            #expect(record["prontuario"] == nil)
            #expect(record["tags"]?.elements.map(\.string) == ["nova"])
            #expect(try session.call("GET", "/api/pacientes/1001").json()["dados"]?.source == record.source)
        }
    }

    @Test func aRecordWrittenBackAsItWasReadStaysAsItWas() async throws {
        try await withMock(MockOptions(patients: 60)) { server in
            let session = try Session(server)
            for code in 1_001...1_060 {
                let before = try #require(try session.call("GET", "/api/pacientes/\(code)").json()["dados"])
                let body = String(decoding: before.source, as: UTF8.self)
                let after = try session.call("PUT", "/api/pacientes/\(code)", body: body)
                #expect(after.status == 200)
                let members = try #require(try after.json()["dados"]).members
                #expect(
                    Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value.source) })
                        == Dictionary(uniqueKeysWithValues: before.members.map { ($0.key, $0.value.source) }))
            }
        }
    }

    @Test func searchFollowsAnUpdate() async throws {
        try await withMock(MockOptions(patients: 18)) { server in
            let session = try Session(server)
            let body = #"{"nomeCompleto":"Outra Teste","contatos":{"celular":"(48) 98888-1234"}}"#
            for _ in 0..<3 { #expect(try session.call("PUT", "/api/pacientes/1003", body: body).status == 200) }
            #expect(try session.codes("telefone=48988881234") == [1_003])
            #expect(try session.codes("telefone=31988887777") == [1_002, 1_004, 1_005])
            #expect(try session.codes("nome=Jos%C3%A9").isEmpty)
            #expect(try session.codes("porPagina=4") == [1_001, 1_002, 1_003, 1_004])
        }
    }

    @Test func updateRefuses() async throws {
        try await withMock { server in
            let session = try Session(server)
            let body = #"{"nomeCompleto":"Ana Teste"}"#
            #expect(try session.call("PUT", "/api/pacientes/1", body: body).status == 404)
            #expect(try session.call("PUT", "/api/pacientes/1001", body: "{}").status == 422)
            let moved = #"{"codigo":1002,"nomeCompleto":"Ana Teste"}"#
            #expect(try session.call("PUT", "/api/pacientes/1001", body: moved).status == 422)
            let record = try session.call("GET", "/api/pacientes/1001").json()["dados"]
            #expect(record?["nomeCompleto"]?.string == "João Silva")
        }
    }
}
