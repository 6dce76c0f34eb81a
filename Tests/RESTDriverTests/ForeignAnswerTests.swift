import ClientContract
import DriverSupport
import DriverTestSupport
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// 404 and 409 that are not about the client: nobody is hidden by them, and nobody called absent.
@Suite struct ForeignAnswerTests {
    private static let gateway = #"{"message":"no Route matched with those values"}"#
    private static let framework =
        #"{"timestamp":"2026-01-05T12:00:00Z","status":404,"error":"Not Found","path":"/api/pacientes/7"}"#

    /// Profiles that say what "no such client" looks like, and an answer of that form.
    private static let named: [(profile: String, status: Int, absent: String)] = [
        ("agenda-demo", 404, #"{"sucesso":false,"mensagem":"Paciente não encontrado"}"#),
        ("conexa", 404, #"{"status":404,"object":null,"msg":"Paciente não encontrado"}"#),
        ("feegow", 409, #"{"success":false,"content":"Paciente não encontrado"}"#),
        ("gestaods", 404, #"{"message":"paciente nao encontrado"}"#),
        ("odoo", 404, #"{"name":"odoo.exceptions.MissingError","message":"Record does not exist"}"#),
        ("openemr", 404, #"{"validationErrors":[],"internalErrors":[],"data":[]}"#),
        ("openemr", 400, #"{"validationErrors":{"uuid":{"x":"does not exist"}},"internalErrors":[],"data":[]}"#),
        ("prodoctor", 200, #"{"payload":null,"sucesso":false,"mensagens":["Paciente não encontrado."]}"#),
        ("prodoctor", 404, #"{"payload":null,"sucesso":false,"mensagens":["Inexistente"]}"#),
        ("realclinic", 200, "[]"), ("clinicorp", 200, "{}"),
    ]

    private func driver(_ name: String, _ answer: UpstreamAnswer) throws -> RESTDriver {
        let profile = try Sample.shipped(name)
        let secrets = Dictionary(uniqueKeysWithValues: profile.credentials.map { ($0, Secret("senha-\($0)")) })
        let settings = Dictionary(
            uniqueKeysWithValues: profile.settings.filter { $0.isGiven && $0.fallback == nil }.map { ($0.name, "1") })
        let http = Script { request, _ in
            request.isLogin ? .json(#"{"access_token":"t","token":"t","expires_in":900}"#) : answer
        }
        return RESTDriver(
            profile: profile,
            tenant: RESTTenant(baseURL: "https://vendor.example.test", credentials: secrets, settings: settings),
            http: http)
    }

    private func get(_ name: String, _ answer: UpstreamAnswer) async throws -> String? {
        let driver = try driver(name, answer)
        let id = name == "openemr" ? "5f0e7a10-4c2b-4d1e-9a3f-000000001001" : "7"
        return await failure { _ = try await driver.client(ClientID(id), Sample.context) }?.name
    }

    @Test(arguments: named.indices) func onlyTheSystemsOwnFormIsBelieved(_ index: Int) async throws {
        let (name, status, absent) = Self.named[index]
        #expect(try await get(name, .json(absent, status: status)) == "not found")
        for body in [Self.gateway, Self.framework, "", "{}", "[]"] {
            #expect(try await get(name, .json(body, status: 404)) == "failed", "\(name): \(body)")
        }
        #expect(try Sample.shipped(name).capabilities.provesAbsence)
    }

    /// Where nobody knows what "no such client" looks like, Bridge is told that a 404 proves nothing.
    @Test(arguments: [
        "clinica-experts", "clinica-nas-nuvens", "cliniko", "easyappointments", "ninsaude", "simplybook",
    ]) func elsewhereBridgeIsTold(_ name: String) async throws {
        let profile = try Sample.shipped(name)
        #expect(!profile.capabilities.provesAbsence)
        #expect(profile.capabilities.operations.contains(.list))
    }

    @Test func aProfileThatNamesAbsenceKnowsNoOther() async throws {
        let rule = #"[{"when":{"status":404,"body":{"/code":"nobody"}},"then":"notFound"}]"#
        func get(_ body: String, _ status: Int = 404) async throws -> String? {
            let driver = try Sample.driver(
                [("/operations/get/outcomes", rule)], Script { _, _ in .json(body, status: status) })
            return await failure { _ = try await driver.client(ClientID("7"), Sample.context) }?.name
        }
        #expect(try await get(#"{"code":"nobody"}"#) == "not found")
        #expect(try await get(Self.gateway) == "failed")
        #expect(try await get("") == "failed")
        // No gateway calls an address gone.
        #expect(try await get("{}", 410) == "not found")
        let silent = try Sample.driver(Script { _, _ in .json(Self.gateway, status: 404) })
        #expect(await failure { _ = try await silent.client(ClientID("7"), Sample.context) }?.name == "not found")
        #expect(!silent.capabilities.provesAbsence)
        #expect(silent.canExist(ClientID("7")) && !silent.canExist(ClientID("")))
    }

    @Test(arguments: ["versatilis", "conexa"]) func aLookupThatMissesItsAddressIsNotNobody(_ name: String) async throws
    {
        func found(_ body: String) async throws -> String {
            let driver = try driver(name, .json(body, status: 404))
            let cpf = try #require(CPF("20000000108"))
            let error = await failure {
                _ = try await driver.candidates(
                    for: .cpf(cpf), attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
            }
            return error?.name ?? "nobody"
        }
        #expect(try await found(#"{"Message":"Usuário não encontrado","msg":"Usuário não encontrado"}"#) == "nobody")
        for body in [
            Self.gateway, Self.framework, "", #"{"message":"Not Found"}"#, #"{"fault":{"faultstring":"Unable"}}"#,
            #"{"detail":"Not Found"}"#, #"{"Message":"No HTTP resource was found that matches the request URI"}"#,
        ] {
            #expect(try await found(body) == "failed", "\(body)")
        }
    }

    /// A limit, a licence, another patient: none of them is an absent one.
    @Test(arguments: [
        "Limite de consultas excedido", "Licença suspensa", "Este CPF já está cadastrado para outro paciente",
        "Já foi encontrado outro paciente com este CPF; não é possível repetir",
    ]) func whatIsSaidOfSomethingElseIsNoAbsence(_ words: String) async throws {
        for (name, status, body) in [
            ("feegow", 409, #"{"success":false,"content":"\#(words)"}"#),
            ("prodoctor", 200, #"{"payload":null,"sucesso":false,"mensagens":["\#(words)"]}"#),
            ("prodoctor", 409, #"{"payload":null,"sucesso":false,"mensagens":["\#(words)"]}"#),
        ] {
            #expect(try await get(name, .json(body, status: status)) == "failed", "\(name): \(words)")
            let shown =
                name == "feegow"
                ? #"{"success":true,"content":{"nome":"Ana Teste"}}"#
                : #"{"sucesso":true,"payload":{"paciente":{"codigo":7,"nome":"Ana Teste"}}}"#
            let http = Script { request, _ in
                request.method == "GET" ? .json(shown) : .json(body, status: status)
            }
            let profile = try Sample.shipped(name)
            let driver = RESTDriver(
                profile: profile,
                tenant: RESTTenant(
                    credentials: Dictionary(uniqueKeysWithValues: profile.credentials.map { ($0, Secret("s")) })),
                http: http)
            let error = await failure {
                _ = try await driver.update(ClientID("7"), ClientPatch(name: "Ana Exemplo"), Sample.context)
            }
            let expected = name == "feegow" ? "conflict with 0 reasons" : "refused with 0 reasons"
            #expect(error?.name == expected, "\(name): \(words)")
        }
    }

    /// OpenEMR's router has no PATCH, and its PUT keeps what it is not sent.
    @Test func openEMRIsChangedByPUT() async throws {
        let operation = try #require(try Sample.shipped("openemr").plan.operations["update"])
        #expect(operation.method == "PUT")
    }
}
