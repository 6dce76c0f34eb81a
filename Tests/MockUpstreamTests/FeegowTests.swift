import JSONBytes
import MockUpstream
import Testing

@Suite struct FeegowTests {
    struct Caller {
        let client: RawClient

        init(_ server: MockServer) throws { client = try RawClient(port: server.port) }

        func call(_ method: String, _ target: String, body: String? = nil) throws -> RawClient.Answer {
            let headers = ["X-Access-Token": "chave-de-demonstracao", "Content-Type": "application/json"]
            return try client.call(method, "/v1/api/patient/" + target, headers: headers, body: body)
        }

        func ids(_ query: String) throws -> [Int] {
            try #require(try call("GET", "list?\(query)").json()["content"]).elements.compactMap {
                $0["patient_id"]?.int
            }
        }

        func detail(_ id: Int) throws -> JSONValue {
            try #require(try call("GET", "search?paciente_id=\(id)").json()["content"])
        }

        func create(_ body: String) throws -> Int? {
            try call("POST", "create", body: body).json()["content"]?["paciente_id"]?.int
        }
    }

    private func options(patients: Int = 18, staleReads: Int = 0) -> MockOptions {
        MockOptions(dialect: .feegow, patients: patients, staleReads: staleReads)
    }

    @Test func aKeyIsNeeded() async throws {
        try await withMock(options()) { server in
            let client = try RawClient(port: server.port)
            func status(_ headers: [String: String]) throws -> Int {
                try client.call("GET", "/v1/api/patient/list", headers: headers).status
            }
            #expect(try status([:]) == 401)
            #expect(try status(["x-access-token": "errada"]) == 401)
            #expect(try status(["x-access-token": "inactive"]) == 403)
            #expect(try status(["x-access-token": "chave-de-demonstracao"]) == 200)
        }
    }

    @Test func aListRowAndADetailAreTwoShapes() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let row = try #require(try caller.call("GET", "list?limit=1").json()["content"]?.elements.first)
            #expect(row["patient_id"]?.int == 1_001)
            #expect(row["nome"]?.string == "João Silva")
            #expect(row["nascimento"]?.string == "1990-01-01")
            #expect(row["email"]?.string == "joao@example.com")
            #expect(row["celular"]?.string == "11999999999")
            #expect(row["cpf"] == nil)
            let detail = try caller.detail(1_001)
            #expect(detail["patient_id"] == nil)
            #expect(detail["nome"]?.string == "João Silva")
            #expect(detail["nascimento"]?.string == "01-01-1990")
            #expect(detail["celulares"]?.elements.map(\.string) == ["11999999999", "21999999999"])
            #expect(detail["telefones"]?.elements.map(\.isNull) == [true, true])
            #expect(detail["documentos"]?["cpf"]?.string == "12345678900")
            #expect(detail["email"]?.elements.map(\.string) == ["joao@example.com", nil])
        }
    }

    @Test func someDetailsShowNumbersWithoutDDD() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            #expect(try caller.detail(1_005)["celulares"]?.elements.first?.string == "98888-7777")
            #expect(try caller.detail(1_004)["celulares"]?.elements.first?.string == "31988887777")
        }
    }

    @Test func theDetailIsFoundByCPFTooAndLeavesThePhotoOutWhenAsked() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let detail = try caller.call("GET", "search?paciente_cpf=12345678900").json()["content"]
            #expect(detail?["foto"]?.string == "https://example.com/photo.jpg")
            let plain = try caller.call("GET", "search?paciente_id=1001&photo=false").json()["content"]
            #expect(plain?["nome"]?.string == "João Silva")
            #expect(plain?["foto"] == nil)
        }
    }

    @Test func offsetIsADisplacement() async throws {
        try await withMock(options(patients: 120)) { server in
            let caller = try Caller(server)
            #expect(try caller.ids("limit=4&offset=3") == [1_004, 1_005, 1_006, 1_007])
            #expect(try caller.ids("limit=10&offset=118") == [1_119, 1_120])
            #expect(try caller.ids("limit=10&offset=120").isEmpty)
            #expect(try caller.ids("limit=10&offset=9999999").isEmpty)
            #expect(try caller.ids("").count == 50)
            #expect(try caller.ids("limit=5000").count == 120)
            #expect(try caller.call("GET", "list?limit=1").json()["total"]?.int == 120)
            #expect(try caller.call("GET", "list?limit=x").status == 422)
        }
    }

    @Test func filtersFindAndUnknownOnesAreIgnored() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            #expect(try caller.ids("cpf=123.456.789-00") == [1_001])
            #expect(try caller.ids("telefone=21999999999") == [1_001])
            #expect(try caller.ids("telefone=5133330014") == [1_014])
            #expect(try caller.ids("telefone=988887777") == [1_002, 1_003, 1_004, 1_005])
            #expect(try caller.ids("telefone=31988887777&limit=2&offset=1") == [1_003, 1_004])
            #expect(try caller.ids("cpf=00000000000").isEmpty)
            #expect(try caller.ids("celular=21999999999").count == 18)
            #expect(try caller.ids("email=joao@example.com").count == 18)
        }
    }

    @Test func noSuchPatientIsAConflict() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            for query in [
                "paciente_id=1", "paciente_id=-9223372036854775808", "paciente_id=abc", "paciente_cpf=00000000000",
            ] {
                let answer = try caller.call("GET", "search?\(query)")
                #expect(answer.status == 409)
                #expect(answer.text == #"{"success":false,"content":"Paciente não encontrado"}"#)
            }
            #expect(try caller.call("GET", "search").status == 422)
        }
    }

    @Test func absentRoutesAreAPageAndWrongMethodsAnEmptyMessage() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let page = try caller.call("GET", "nada")
            #expect(page.status == 404)
            #expect(page.header("Content-Type")?.hasPrefix("text/html") == true)
            let wrong = try caller.call("GET", "create")
            #expect(wrong.status == 422)
            #expect(try wrong.json()["message"]?.string == "")
        }
    }

    // MARK: Create

    @Test func createAnswersTheIdOnly() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let answer = try caller.call(
                "POST", "create",
                body: """
                    {"nome_completo":"Ana Teste Nova","nome_paciente":"Ana Teste Nova","celular":"48988881234","telefone":"4833331234",
                     "cpf":"52998224725","data_nascimento":"07-03-1990","email":"nova@example.test"}
                    """)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"success":true,"content":{"paciente_id":1019}}"#)
            #expect(try caller.ids("telefone=48988881234") == [1_019])
            let detail = try caller.detail(1_019)
            #expect(detail["nascimento"]?.string == "07-03-1990")
            #expect(detail["telefones"]?.elements.first?.string == "4833331234")
            #expect(detail["documentos"]?["cpf"]?.string == "52998224725")
        }
    }

    @Test(arguments: [
        // The same CPF, whatever the name.
        (#"{"nome_completo":"Outra Pessoa","nome_paciente":"Outra Pessoa","cpf":"12345678900"}"#, 1_001),
        // Without CPF: the same name, and one thing more.
        (#"{"nome_completo":"joao silva","nome_paciente":"joao silva","celular":"21999999999"}"#, 1_001),
        (#"{"nome_completo":"João  Silva","nome_paciente":"João  Silva","email":"JOAO@example.com"}"#, 1_001),
        (#"{"nome_completo":"João Silva","nome_paciente":"João Silva","data_nascimento":"1990-01-01"}"#, 1_001),
        // The other of two people of one name.
        (
            #"{"nome_completo":"Conceição Exemplo","nome_paciente":"Conceição Exemplo","data_nascimento":"01-04-1991"}"#,
            1_014
        ),
        // Nothing of the kind: a new patient.
        (#"{"nome_completo":"João Silva","nome_paciente":"João Silva","celular":"48988881234"}"#, 1_019),
        (#"{"nome_completo":"Outra Pessoa","nome_paciente":"Outra Pessoa","celular":"11999999999"}"#, 1_019),
        (
            #"{"nome_completo":"João Silva","nome_paciente":"João Silva","cpf":"52998224725","celular":"11999999999"}"#,
            1_019
        ),
    ])
    func createSilentlyGivesBackWhoIsThere(_ body: String, _ id: Int) async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            #expect(try caller.create(body) == id)
            #expect(try caller.create(body) == id)
            #expect(try caller.call("GET", "list").json()["total"]?.int == (id == 1_019 ? 19 : 18))
            if id == 1_001 { #expect(try caller.detail(1_001)["nome"]?.string == "João Silva") }
        }
    }

    @Test(arguments: [
        (#"{"nome_paciente":"Ana","celular":"48988881234"}"#, "nome_completo"),
        (#"{"nome_completo":"Ana","celular":"48988881234"}"#, "nome_paciente"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana"}"#, "cpf"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana","cpf":"529.982.247-25"}"#, "cpf"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana","celular":"123456789012345678901"}"#, "celular"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana","data_nascimento":"31-02-1990"}"#, "data_nascimento"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana","email":"nada"}"#, "email"),
        (#"{"nome_completo":"Ana","nome_paciente":"Ana","cpf":"52998224725","celular":[]}"#, "celular"),
    ])
    func createRefusesWithABareMap(_ body: String, _ field: String) async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let answer = try caller.call("POST", "create", body: body)
            #expect(answer.status == 422)
            let faults = try answer.json().members
            #expect(faults.map(\.key) == [field])
            #expect(faults.first?.value.elements.first?.string?.isEmpty == false)
            #expect(try caller.call("GET", "list").json()["total"]?.int == 18)
        }
    }

    // MARK: Edit

    @Test func editSetsWhatIsSentAndLeavesTheRest() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            let answer = try caller.call(
                "POST", "edit", body: #"{"paciente_id":1001,"email":"novo@example.test","cpf":null,"celular":""}"#)
            #expect(answer.status == 200)
            #expect(try answer.json()["success"]?.bool == true)
            #expect(try answer.json()["content"]?.kind == .string)
            let detail = try caller.detail(1_001)
            #expect(detail["email"]?.elements.first?.string == "novo@example.test")
            #expect(detail["documentos"]?["cpf"]?.string == "12345678900")
            #expect(detail["celulares"]?.elements.first?.string == "11999999999")
            let row = try caller.call("GET", "list?limit=1").json()["content"]?.elements.first
            #expect(row?["email"]?.string == "novo@example.test")
            #expect(row?["alterado_em"]?.isNull == false)
        }
    }

    @Test func editOfNobodyIsASuccessfulFailure() async throws {
        try await withMock(options()) { server in
            let caller = try Caller(server)
            for id in ["1", "-9223372036854775808", #""abc""#, "9223372036854775807"] {
                let answer = try caller.call("POST", "edit", body: #"{"paciente_id":\#(id),"email":"a@example.test"}"#)
                #expect(answer.status == 200)
                #expect(try answer.json()["success"]?.bool == false)
            }
            #expect(try caller.call("POST", "edit", body: "{}").status == 422)
        }
    }

    // MARK: Reads that lag

    @Test func readsSeeAWriteOnlyWhenReleased() async throws {
        try await withMock(options(staleReads: 300)) { server in
            let caller = try Caller(server)
            let body = #"{"nome_completo":"Ana Teste Nova","nome_paciente":"Ana Teste Nova","celular":"48988881234"}"#
            #expect(try caller.create(body) == 1_019)
            let edit = #"{"paciente_id":1001,"email":"novo@example.test"}"#
            #expect(try caller.call("POST", "edit", body: edit).json()["success"]?.bool == true)
            #expect(try caller.ids("telefone=48988881234").isEmpty)
            #expect(try caller.call("GET", "search?paciente_id=1019").status == 409)
            #expect(try caller.detail(1_001)["email"]?.elements.first?.string == "joao@example.com")
            // Writes see writes.
            #expect(try caller.create(body) == 1_019)
            server.releaseReads()
            #expect(try caller.ids("telefone=48988881234") == [1_019])
            #expect(try caller.detail(1_001)["email"]?.elements.first?.string == "novo@example.test")
        }
    }

    @Test func readsSeeAWriteWhenTheClockHasPassed() async throws {
        try await withMock(options(staleReads: 300)) { server in
            let caller = try Caller(server)
            #expect(
                try caller.create(
                    #"{"nome_completo":"Ana Teste Nova","nome_paciente":"Ana Teste Nova","celular":"48988881234"}"#)
                    == 1_019)
            server.advanceClock(seconds: 200)
            #expect(
                try caller.create(
                    #"{"nome_completo":"Bia Teste Nova","nome_paciente":"Bia Teste Nova","celular":"48988881235"}"#)
                    == 1_020)
            #expect(try caller.ids("limit=100").count == 18)
            server.advanceClock(seconds: 100)
            #expect(try caller.ids("telefone=4898888123") == [1_019])
            server.advanceClock(seconds: 200)
            #expect(try caller.ids("telefone=4898888123") == [1_019, 1_020])
        }
    }
}
