import Foundation
import MockUpstream
import Testing

/// The sample answers in `Tests/Fixtures`, which driver tests read too, are what the mock says.
@Suite struct FixtureTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let file: String
        let method: String
        let target: String
        let body: String?
        let status: Int

        init(_ file: String, _ method: String, _ target: String, _ body: String? = nil, status: Int = 200) {
            (self.file, self.method, self.target, self.body, self.status) = (file, method, target, body, status)
        }

        var testDescription: String { file }
    }

    static let agendaDemo = [
        Sample("list.json", "GET", "/api/pacientes?porPagina=3"),
        Sample("empty.json", "GET", "/api/pacientes?cpf=00000000000"),
        Sample("record.json", "GET", "/api/pacientes/1001"),
        Sample("record-almost-empty.json", "GET", "/api/pacientes/1010"),
        Sample("not-found.json", "GET", "/api/pacientes/1", status: 404),
        Sample("created.json", "POST", "/api/pacientes", #"{"nomeCompleto":"Ana Teste"}"#, status: 201),
        Sample("invalid.json", "POST", "/api/pacientes", #"{"dataNascimento":"1990-01-01"}"#, status: 422),
    ]

    static let feegow = [
        Sample("list.json", "GET", "/v1/api/patient/list?limit=3"),
        Sample("empty.json", "GET", "/v1/api/patient/list?cpf=00000000000"),
        Sample("detail.json", "GET", "/v1/api/patient/search?paciente_id=1001"),
        Sample("detail-without-ddd.json", "GET", "/v1/api/patient/search?paciente_id=1005"),
        Sample("not-found.json", "GET", "/v1/api/patient/search?paciente_id=1", status: 409),
        Sample(
            "created.json", "POST", "/v1/api/patient/create",
            #"{"nome_completo":"Ana Nova","nome_paciente":"Ana Nova","celular":"48988881234"}"#),
        Sample("invalid.json", "POST", "/v1/api/patient/create", #"{"celular":"x"}"#, status: 422),
        Sample("edited.json", "POST", "/v1/api/patient/edit", #"{"paciente_id":1001,"email":"novo@example.test"}"#),
        Sample("not-edited.json", "POST", "/v1/api/patient/edit", #"{"paciente_id":1}"#),
        Sample("wrong-method.json", "PUT", "/v1/api/patient/edit", "{}", status: 422),
        Sample("absent-route.html", "GET", "/v1/api/patient/nada", status: 404),
    ]

    /// Calls of the gnuhealth dialect: the method is the call's, the target its parameters.
    static let gnuHealth = [
        Sample("list.json", "search_read", #"[["is_patient","=",true]],0,3,[["id","ASC"]],"# + rowFields),
        Sample("empty.json", "search_read", #"[["id","=",1]],0,2,[["id","ASC"]],"# + rowFields),
        Sample("record.json", "search_read", #"[["id","=",1001]],0,2,[["id","ASC"]],["name","lastname","photo"]"#),
        Sample(
            "changeable.json", "search_read",
            #"[["id","=",1008]],0,2,[["id","ASC"]],["name","identifiers.type","identifiers.code","#
                + #""person_names.use","person_names.family","_timestamp"]"#),
        Sample("defaults.json", "default_get", #"["fed_country"]"#),
        Sample(
            "created.json", "create",
            #"[{"name":"Ana","lastname":"Nova","fed_country":null,"is_patient":true,"contact_mechanisms":"#
                + #"[["create",[{"type":"mobile","value":"+5548988881234"}]]]}]"#),
        Sample("written.json", "write", #"[1002],{"name":"Maria"}"#),
        Sample(
            "refused-cpf.json", "write",
            #"[1002],{"identifiers":[["create",[{"type":"br_cpf","code":"52998224726"}]]]}"#),
        Sample("error.json", "search_read", #"[],0,1,null,["nope"]"#),
    ]
    private static let rowFields =
        #"["name","lastname","dob","contact_mechanisms.type","contact_mechanisms.value","identifiers.type","#
        + #""identifiers.code"]"#

    @Test(arguments: gnuHealth)
    func gnuHealthSays(_ sample: Sample) async throws {
        try await withMock(MockOptions(dialect: .gnuHealth, patients: 20)) { server in
            let answer = try GNUHealthTests.Caller(server).call(sample.method, sample.target)
            try compare(answer, sample, in: "gnuhealth")
        }
    }

    @Test(arguments: agendaDemo)
    func agendaDemoSays(_ sample: Sample) async throws {
        try await withMock(MockOptions(patients: 20)) { server in
            let session = try AgendaDemoTests.Session(server)
            try compare(session.call(sample.method, sample.target, body: sample.body), sample, in: "agenda-demo")
        }
    }

    @Test func agendaDemoSaysOfTokens() async throws {
        try await withMock(MockOptions(patients: 1)) { server in
            let login = Sample(
                "login.json", "POST", "/auth/login", #"{"usuario":"ponte","senha":"senha-de-demonstracao"}"#)
            let client = try RawClient(port: server.port)
            try compare(client.call(login.method, login.target, body: login.body), login, in: "agenda-demo")
            let expired = Sample("token-expired.json", "GET", "/api/pacientes", status: 401)
            let headers = ["Authorization": "Bearer vencido"]
            try compare(client.call("GET", expired.target, headers: headers), expired, in: "agenda-demo")
        }
    }

    @Test(arguments: feegow)
    func feegowSays(_ sample: Sample) async throws {
        try await withMock(MockOptions(dialect: .feegow, patients: 20)) { server in
            let client = try RawClient(port: server.port)
            let key = ["x-access-token": "chave-de-demonstracao"]
            let answer = try client.call(sample.method, sample.target, headers: key, body: sample.body)
            try compare(answer, sample, in: "feegow")
        }
    }

    private func compare(_ answer: RawClient.Answer, _ sample: Sample, in folder: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/\(folder)/\(sample.file)")
        if ProcessInfo.processInfo.environment["PONTE_RECORD_FIXTURES"] != nil {
            try Data(answer.body + [0x0A]).write(to: file)
        }
        let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(answer.text == expected.trimmingCharacters(in: .newlines))
        #expect(answer.status == sample.status)
    }
}
