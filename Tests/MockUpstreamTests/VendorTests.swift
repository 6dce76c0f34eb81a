import Foundation
import JSONBytes
import MockUpstream
import Testing

/// What the vendors' dialects do that a careless client trips over, byte by byte and without a driver. Where the driver
/// meets them is `RESTDriverTests.VendorsOverSocketsTests`.
@Suite struct VendorTests {
    struct Exchange: Sendable, CustomTestStringConvertible {
        let dialect: MockOptions.Dialect
        let name: String
        let request: String
        var headers: [String: String] = [:]
        var body: String?
        let status: Int
        /// What the body holds; empty for a body that is empty.
        let holds: String
        var type: String? = "application/json"
        var testDescription: String { "\(dialect.rawValue): \(name)" }

        init(
            _ dialect: MockOptions.Dialect, _ name: String, _ request: String, _ headers: [String: String] = [:],
            body: String? = nil, _ status: Int, _ holds: String, type: String? = "application/json"
        ) {
            self.dialect = dialect
            self.name = name
            self.request = request
            self.headers = headers
            self.body = body
            self.status = status
            self.holds = holds
            self.type = type
        }
    }

    private static let key = "chave-de-demonstracao"
    private static let bearer = ["Authorization": "Bearer \(key)"]
    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
    private static let clinicorp = ["Authorization": basic("ponte", key)]
    private static let nuvens = [
        "Authorization": basic("ponte", "senha-de-demonstracao"), "clinicaNasNuvens-cid": key,
    ]
    private static let cliniko = ["Authorization": basic(key + "-au1", ""), "User-Agent": "Teste (a@example.test)"]
    private static let real = ["Authorization": basic("", key), "x-api-version": "1.0"]
    private static let shosp = ["x-api-key": key, "id": "ponte"]
    private static let belle = "/api/release/controller/IntegracaoExterna/v1.0/cliente/listar?codEstab=1"
    private static let customers = "/index.php/api/v1/customers"
    private static let form = ["Content-Type": "application/x-www-form-urlencoded"]

    static let exchanges = [
        Exchange(.belle, "the token has no scheme", "GET \(belle)&cpf=20000000108", bearer, 401, #""dis":false"#),
        Exchange(.belle, "complaints are 200", "GET \(belle)", ["Authorization": key], 200, #""dis":false"#),
        Exchange(
            .belle, "a lookup", "GET \(belle)&cpf=200.000.001-08", ["Authorization": key], 200, #"[{"codigo":1002,"#),
        Exchange(
            .clinicaExperts, "the total is called of", "GET /api/v1/patients?per_page=3", bearer, 200, #""of":40"#),
        Exchange(.clinicaExperts, "pages have a limit", "GET /api/v1/patients?per_page=1001", bearer, 422, "fields"),
        Exchange(
            .clinicaExperts, "a number is found as it stands", "GET /api/v1/patients?phone=5511999999999", bearer, 200,
            #""data":[]"#),
        Exchange(
            .clinicaExperts, "PUT without a name",
            "PUT /api/v1/patients/5f0e7a10-4c2b-4d1e-9a3f-000000001001", bearer, body: #"{"email":"a@example.test"}"#,
            422, #""fields":{"name":["#),
        Exchange(
            .clinicaNasNuvens, "the clinic's header", "GET /paciente/1001", ["Authorization": "x"], 401, "mensagem"),
        Exchange(.clinicaNasNuvens, "nobody", "GET /paciente/lista?cpfCnpj=1", nuvens, 200, #"{"lista":[]}"#),
        Exchange(
            .clinicaNasNuvens, "unknown filters are ignored", "GET /paciente/lista?telefone=1", nuvens, 200,
            #"{"lista":[{"id":1001"#),
        Exchange(
            .clinicaNasNuvens, "a birth date is demanded", "POST /paciente/novo", nuvens, body: #"{"nome":"Bia"}"#, 400,
            "dataNascimento"),
        Exchange(
            .clinicorp, "nobody is an empty object",
            "GET /rest/v1/patient/get?subscriber_id=clinica-teste&Email=x@example.test", clinicorp, 200, "{}"),
        Exchange(
            .clinicorp, "one is an object",
            "GET /rest/v1/patient/get?subscriber_id=clinica-teste&OtherDocumentId=20000000108", clinicorp, 200,
            #"{"PatientId":9007199254740994,"#),
        Exchange(
            .clinicorp, "several are an array",
            "GET /rest/v1/patient/get?subscriber_id=clinica-teste&Email=gemeos@example.test", clinicorp, 200, "[{"),
        Exchange(
            .clinicorp, "a number is found as it stands",
            "GET /rest/v1/patient/get?subscriber_id=clinica-teste&Phone=11999999999", clinicorp, 200, "{}"),
        Exchange(
            .clinicorp, "the clinic's number is demanded", "GET /rest/v1/patient/get?PatientId=1", clinicorp, 400,
            #"{"Error":0,"Message":"#),
        Exchange(
            .clinicorp, "namesakes are refused", "POST /rest/v1/patient/create", clinicorp,
            body: #"{"subscriber_id":"clinica-teste","Name":"Ana Teste"}"#, 400, "already exists"),
        Exchange(
            .clinicorp, "unless it looks away", "POST /rest/v1/patient/create", clinicorp,
            body: #"{"subscriber_id":"clinica-teste","Name":"Ana Teste","IgnoreSameName":"X"}"#, 200,
            #""id":9007199254741033"#),
        Exchange(
            .cliniko, "whom to write to", "GET /v1/patients",
            ["Authorization": basic(key + "-au1", ""), "User-Agent": "Teste"], 403, "User-Agent"),
        Exchange(.cliniko, "no filter for phones", "GET /v1/patients?q[]=phone:=1", cliniko, 422, "errors"),
        Exchange(
            .cliniko, "wildcards", "GET /v1/patients?q%5B%5D=last_name:~~sil%25", cliniko, 200, #""first_name":"João""#),
        Exchange(
            .conexa, "a CPF without its zeros", "GET /integration/enterprise/patients/1001", ["token": key], 200,
            #""cpf":12345678900"#),
        Exchange(
            .easyappointments, "401 in plain text", "GET \(customers)", [:], 401, "not authorized", type: "text/plain"),
        Exchange(.easyappointments, "404 without a body", "GET \(customers)/9999", bearer, 404, "", type: nil),
        Exchange(
            .easyappointments, "500 for a faulty record", "POST \(customers)", bearer, body: #"{"firstName":"Bia"}"#,
            500, "Not all required fields are provided"),
        Exchange(
            .easyappointments, "the keyword looks where nothing is shown", "GET \(customers)?q=21999999999", bearer,
            200,
            #"[{"id":1001"#),
        Exchange(
            .gestaods, "not found inside a 200", "GET /api/paciente/\(key)/99999999999/", [:], 200, #"{"status":400,"#),
        Exchange(.gestaods, "the token is in the path", "GET /api/paciente/errado/12345678900/", [:], 403, "token"),
        Exchange(
            .gestaods, "nobody in test mode", "GET /api/dev-paciente/\(key)/99999999999/", [:], 404,
            "Paciente não encontrado"),
        Exchange(
            .gestaods, "a number has eleven digits", "POST /api/paciente/cadastrar/", [:],
            body: #"{"token":"\#(key)","nome_completo":"Bia","cpf":"20000009830","celular":"+5531988880001"}"#, 400,
            "celular"),
        Exchange(
            .ninsaude, "no session, no list", "GET /v1/cadastro_paciente/listar?ativo=1", [:], 401, "invalid_token"),
        Exchange(
            .gestaods, "the test mode", "GET /api/dev-paciente/\(key)/12345678900/", [:], 200, #""cpf":"12345678900""#),
        Exchange(
            .ninsaude, "a session", "POST /v1/oauth2/token", form,
            body: "grant_type=refresh_token&refresh_token=\(key)", 200, #""refresh_token":"refresh."#),
        Exchange(
            .odoo, "absent is false", "POST /json/2/res.partner/search_read", bearer,
            body: #"{"domain":[["name","=ilike","lia exemplo da fam_lia"]],"fields":["name","vat"]}"#, 200,
            #"[{"id":1004,"name":"Lia Exemplo da Família","vat":false}]"#),
        Exchange(
            .odoo, "nobody to read", "POST /json/2/res.partner/read", bearer, body: #"{"ids":[9999]}"#, 404,
            "odoo.exceptions.MissingError"),
        Exchange(
            .openemr, "a session", "POST /oauth2/default/token", form,
            body: "grant_type=password&client_id=\(key)&username=ponte&password=senha-de-demonstracao", 200,
            #""access_token":"#),
        Exchange(.openemr, "no session", "GET /apis/default/api/patient", [:], 401, "access_denied"),
        Exchange(
            .realclinic, "capitals in even records", "POST /Clinica/api/PacienteIntegracao/Buscar", real,
            body: #"{"id":1002}"#, 200, #"{"Id":1002,"Nome":"#),
        Exchange(
            .realclinic, "nobody is an empty list", "POST /Clinica/api/PacienteIntegracao/Buscar", real,
            body: #"{"id":9999}"#, 200, "[]"),
        Exchange(
            .realclinic, "the version's header", "POST /Clinica/api/PacienteIntegracao/Buscar",
            ["Authorization": basic("", key)], body: #"{"id":1002}"#, 400, "x-api-version"),
        Exchange(
            .shosp, "prontuario", "GET /v1/cadastro/paciente?cpf=12345678900", shosp, 200, #""prontuario":"1001""#),
        Exchange(.shosp, "or codigo", "GET /v1/cadastro/paciente?cpf=20000000108", shosp, 200, #""codigo":"1002""#),
        Exchange(
            .shosp, "a write tells no id", "POST /v1/cadastro/paciente",
            shosp.merging(form) { $1 }, body: "nome=Bia+Teste&celular=48988881234", 200, #"{"ret":"1","#),
        Exchange(
            .shosp, "JSON is no form", "POST /v1/cadastro/paciente", shosp, body: #"{"nome":"Bia"}"#, 200,
            #"{"ret":"0","#),
        Exchange(
            .shosp, "a spent quota", "GET /v1/cadastro/paciente?cpf=1", ["x-api-key": "cota-esgotada", "id": "ponte"],
            429, "Limit Exceeded"),
        Exchange(
            .simplybook, "a session", "POST /admin/auth", ["Content-Type": "application/json"],
            body: #"{"company":"clinica-teste","login":"ponte","password":"senha-de-demonstracao"}"#, 200,
            #""token":"vendor."#),
        Exchange(
            .versatilis, "a session by password", "POST /Clinica/Token", form,
            body: "grant_type=password&username=ponte&password=senha-de-demonstracao", 200, #""access_token":"vendor."#),
        Exchange(
            .versatilis, "a wrong password", "POST /Clinica/Token", form,
            body: "grant_type=password&username=ponte&password=x", 401, "Message"),
        Exchange(
            .versatilis, "no session", "GET /Clinica/api/Login/DadosUsuarioPorCPF?UserCPF=200.000.001-08", [:], 401,
            "Message"),
        Exchange(.simplybook, "the company's header", "GET /admin/clients", ["X-Token": "x"], 401, "Unauthorized"),
    ]

    @Test(arguments: exchanges) func quirks(_ exchange: Exchange) async throws {
        try await withMock(MockOptions(dialect: exchange.dialect, patients: 40)) { server in
            let client = try RawClient(port: server.port)
            let parts = exchange.request.split(separator: " ", maxSplits: 1).map(String.init)
            var headers = exchange.headers
            if exchange.body != nil, headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
            let answer = try client.call(parts[0], parts[1], headers: headers, body: exchange.body)
            #expect(answer.status == exchange.status, "\(answer.text)")
            #expect(
                exchange.holds.isEmpty ? answer.text.isEmpty : answer.text.contains(exchange.holds), "\(answer.text)")
            if let type = exchange.type {
                #expect(answer.header("Content-Type")?.hasPrefix(type) == true)
            } else {
                #expect(answer.header("Content-Type") == nil)
            }
        }
    }

    @Test(arguments: [
        MockOptions.Dialect.belle, .clinicaExperts, .clinicaNasNuvens, .clinicorp, .cliniko, .conexa,
        .easyappointments, .gestaods, .ninsaude, .odoo, .openemr, .realclinic, .shosp, .simplybook, .versatilis,
    ]) func absentRoutesAreCountedAsUnknown(_ dialect: MockOptions.Dialect) async throws {
        try await withMock(MockOptions(dialect: dialect, patients: 1)) { server in
            let base = String(server.baseURL.dropFirst("http://127.0.0.1:\(server.port)".count))
            let client = try RawClient(port: server.port)
            #expect(try client.call("GET", base + "/nada").status == 404)
            #expect(try client.call("DELETE", "/").status == 404)
            #expect(server.requests.count(.unknown) == 2)
        }
    }

    @Test func versatilisWantsPunctuation() async throws {
        try await withMock(MockOptions(dialect: .versatilis, patients: 18)) { server in
            let client = try RawClient(port: server.port)
            let session = try client.call(
                "POST", "/Clinica/Token", headers: Self.form,
                body: "grant_type=password&username=ponte&password=senha-de-demonstracao")
            let token = try #require(try session.json()["access_token"]?.string)
            func find(_ cpf: String) throws -> RawClient.Answer {
                try client.call(
                    "GET", "/Clinica/api/Login/DadosUsuarioPorCPF?UserCPF=\(cpf)",
                    headers: ["Authorization": "Bearer \(token)"])
            }
            #expect(try find("200.000.001-08").text.hasPrefix(#"[{"CodUsuario":1002,"#))
            #expect(try find("20000000108").status == 404)
            #expect(try find("987.654.321-00").status == 404)
            #expect(server.requests.count(.search) == 3)
        }
    }

    /// Reads lag, writes see writes, in the engine that plays all of these.
    @Test func readsLagWritesAsLongAsTheyAreTold() async throws {
        try await withMock(MockOptions(dialect: .easyappointments, patients: 18, staleReads: 60)) { server in
            let client = try RawClient(port: server.port)
            let headers = Self.bearer.merging(["Content-Type": "application/json"]) { $1 }
            let body = #"{"firstName":"Bia","lastName":"Teste","email":"bia@example.test","phone":"5531988881234"}"#
            let made = try client.call("POST", Self.customers, headers: headers, body: body)
            #expect((200...201).contains(made.status), "\(made.text)")
            let id = try #require(try made.json()["id"]?.scalarText)
            let path = Self.customers + "/" + id
            #expect(try client.call("GET", path, headers: headers).status == 404)
            #expect(try !client.call("GET", Self.customers + "?length=100", headers: headers).text.contains("bia@"))
            // The address is taken already, and the record can be changed.
            #expect(try client.call("POST", Self.customers, headers: headers, body: body).status == 500)
            let change = #"{"firstName":"Bianca"}"#
            #expect(try client.call("PUT", path, headers: headers, body: change).status == 200)
            server.advanceClock(seconds: 59)
            #expect(try client.call("GET", path, headers: headers).status == 404)
            server.advanceClock(seconds: 2)
            #expect(try client.call("GET", path, headers: headers).text.contains("Bianca"))

            // A record that reads know shows its old self as long.
            let known = Self.customers + "/" + server.id(ofPerson: 0)
            let before = try client.call("GET", known, headers: headers).text
            _ = try client.call("PUT", known, headers: headers, body: #"{"firstName":"Joana"}"#)
            #expect(try client.call("GET", known, headers: headers).text == before)
            server.releaseReads()
            #expect(try client.call("GET", known, headers: headers).text.contains("Joana"))
        }
    }

    @Test func oneRefreshTokenWorksOnce() async throws {
        try await withMock(MockOptions(dialect: .ninsaude, patients: 1)) { server in
            let client = try RawClient(port: server.port)
            func login(_ token: String) throws -> RawClient.Answer {
                try client.call(
                    "POST", "/v1/oauth2/token", headers: Self.form,
                    body: "grant_type=refresh_token&refresh_token=\(token)")
            }
            let second = try #require(try login(Self.key).json()["refresh_token"]?.string)
            #expect(try login(Self.key).status == 401)
            #expect(try login(second).status == 200)
            #expect(try login(second).status == 401)
        }
    }
}
