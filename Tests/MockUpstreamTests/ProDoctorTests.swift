import JSONBytes
import MockUpstream
import Testing

@Suite struct ProDoctorTests {
    private struct Caller {
        let client: RawClient

        init(_ server: MockServer) throws { client = try RawClient(port: server.port) }

        static let keys = [
            "X-APIKEY": "chave-de-demonstracao", "X-APIPASSWORD": "senha-de-demonstracao", "X-APITIMEZONE": "-03:00",
            "Content-Type": "application/json",
        ]

        func call(_ method: String, _ rest: String, _ body: String? = nil, headers: [String: String] = keys) throws
            -> RawClient.Answer
        {
            try client.call(method, "/api/v1/Pacientes" + rest, headers: headers, body: body)
        }

        func codes(_ body: String) throws -> [Int] {
            let answer = try call("POST", "", body).json()
            return answer["payload"]?["pacientes"]?.elements.compactMap { $0["codigo"]?.int } ?? []
        }

        func detail(_ code: Int) throws -> JSONValue {
            try #require(try call("GET", "/Detalhar/\(code)").json()["payload"]?["paciente"])
        }
    }

    private let options = MockOptions(dialect: .prodoctor, patients: 18)

    @Test func bothKeysAreNeeded() async throws {
        try await withMock(options) { server in
            let caller = try Caller(server)
            for name in ["X-APIKEY", "X-APIPASSWORD"] {
                var headers = Caller.keys
                headers[name] = "x"
                #expect(try caller.call("POST", "", #"{"termo":""}"#, headers: headers).status == 401)
            }
            #expect(try caller.call("POST", "", #"{"termo":""}"#).status == 200)
        }
    }

    @Test func pagesAndFieldCodes() async throws {
        try await withMock(options) { server in
            let caller = try Caller(server)
            #expect(try caller.codes(#"{"termo":"","campo":0,"pagina":1,"quantidade":500}"#).count == 18)
            #expect(
                try caller.codes(#"{"termo":"","campo":0,"pagina":2,"quantidade":5}"#) == [
                    1006, 1007, 1008, 1009, 1010,
                ])
            let beyond = try caller.call("POST", "", #"{"termo":"","campo":0,"pagina":9,"quantidade":5}"#).json()
            #expect(beyond["payload"]?["pacientes"]?.isNull == true)
            #expect(try caller.codes(#"{"termo":"conceição","campo":0}"#) == [1013, 1014])
            #expect(try caller.codes(#"{"termo":"200.000.001-08","campo":1}"#) == [1002])
            #expect(try caller.codes(#"{"termo":"31988887777","campo":2}"#) == [1002, 1003, 1004, 1005])
            #expect(try caller.call("POST", "", #"{"termo":"x","campo":7}"#).json()["sucesso"]?.bool == false)
            #expect(server.requests.count(.list) == 3)
            #expect(server.requests.count(.search) == 4)
        }
    }

    @Test func rowsShowLessThanTheDetail() async throws {
        try await withMock(options) { server in
            let caller = try Caller(server)
            let row = try #require(
                try caller.call("POST", "", #"{"termo":"João Silva","campo":0}"#).json()["payload"]?["pacientes"]?
                    .elements.first)
            let detail = try caller.detail(1001)
            for name in ["correioEletronico", "observacao", "foto", "convenios"] {
                #expect(row[name] == nil && detail[name] != nil, "\(name)")
            }
            #expect(detail["telefone1"]?["ddd"]?.string == "11")
            #expect(detail["telefone1"]?["numero"]?.string == "99999-9999")
            #expect(detail["telefone2"]?["ddd"]?.string == "21")
            #expect(detail["telefone3"]?.isNull == true)
            #expect(detail["dataNascimento"]?.string == "01/01/1990")
            // The address of the fixed person's picture, in Base64.
            #expect(detail["foto"]?.string == "aHR0cHM6Ly9leGFtcGxlLmNvbS9waG90by5qcGc=")
            let missing = try caller.call("GET", "/Detalhar/1")
            #expect(missing.status == 200)
            #expect(try missing.json()["sucesso"]?.bool == false)
        }
    }

    @Test func insertingRefusesWhatIsThere() async throws {
        try await withMock(options) { server in
            let caller = try Caller(server)
            func insert(_ patient: String) throws -> JSONValue {
                try caller.call("POST", "/Inserir", #"{"paciente":\#(patient)}"#).json()
            }
            #expect(try insert(#"{"nome":"Nova","cpf":"20000000108"}"#)["sucesso"]?.bool == false)
            #expect(try insert(#"{"nome":"Nova"}"#)["sucesso"]?.bool == false)
            #expect(
                try insert(#"{"nome":"Nova","cpfNaoExiste":true,"dataNascimento":"1990-01-01"}"#)["sucesso"]?.bool
                    == false)
            let known = try insert(#"{"nome":"Nova","cpf":"20000000108"}"#)
            #expect(known["mensagens"]?.elements.first?.string?.contains("Maria") == true)
            // A mobile has a type.
            #expect(
                try insert(#"{"nome":"Nova","cpfNaoExiste":true,"telefone1":{"ddd":"31","numero":"97777-0001"}}"#)[
                    "sucesso"]?.bool == false)
            let made = try insert(
                #"{"nome":"Nova","cpfNaoExiste":true,"telefone1":{"ddd":"31","numero":"97777-0001","tipo":{"codigo":3}}}"#
            )
            #expect(made["payload"]?["paciente"]?["codigo"]?.int == 1019)
            #expect(try caller.codes(#"{"termo":"31977770001","campo":2}"#) == [1019])
        }
    }

    @Test func alteringReplacesEverything() async throws {
        try await withMock(options) { server in
            let caller = try Caller(server)
            let before = try caller.detail(1001)
            let body = #"{"codigo":1001,"paciente":{"nome":"João Novo","cpfNaoExiste":true,"extra":[1]}}"#
            #expect(try caller.call("PUT", "/Alterar", body).json()["sucesso"]?.bool == true)
            let after = try caller.detail(1001)
            #expect(after["nome"]?.string == "João Novo")
            #expect(after["correioEletronico"] == nil && after["sexo"] == nil)
            #expect(after["extra"]?.elements.count == 1)
            #expect(before["foto"]?.string != nil && after["foto"]?.isNull == true)
            #expect(after["convenios"]?.elements.isEmpty == true)
            let nobody = try caller.call(
                "PUT", "/Alterar", #"{"codigo":1,"paciente":{"nome":"X","cpfNaoExiste":true}}"#)
            #expect(try nobody.json()["sucesso"]?.bool == false)
        }
    }

    @Test func peopleOfOnesOwnStandInPlaceOfTheFixedOnes() async throws {
        var options = MockOptions(dialect: .feegow, patients: 18)
        options.people = [
            MockPerson(name: "Um Teste", phones: ["551133330001", "5511988880001"], cpf: "20000000108"),
            MockPerson(name: "Dois Teste", phones: ["351912345678"], birthday: "1990-03-07"),
        ]
        try await withMock(options) { server in
            let caller = try FeegowTests.Caller(server)
            #expect(try caller.ids("") == [1001, 1002])
            let first = try caller.detail(1001)
            #expect(first["celulares"]?.elements.first?.string == "11988880001")
            #expect(first["telefones"]?.elements.first?.string == "1133330001")
            #expect(try caller.detail(1002)["celulares"]?.elements.first?.string == "351912345678")
            #expect(server.id(ofPerson: 1) == "1002")
            #expect(server.keepsakes(ofPerson: 0) != nil && server.keepsakes(ofPerson: 2) == nil)
        }
    }
}
