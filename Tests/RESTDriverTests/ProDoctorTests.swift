import ClientContract
import Foundation
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// What the shipped ProDoctor profile sends, byte by byte.
@Suite struct ProDoctorTests {
    private func driver(_ http: Script) throws -> RESTDriver {
        RESTDriver(
            profile: try Sample.shipped("prodoctor"),
            tenant: RESTTenant(credentials: ["key": Secret("k"), "password": Secret("p")]), http: http)
    }

    @Test func readingIsByPostWithAFieldCode() async throws {
        let http = Script(#"{"payload":{"pacientes":[]},"sucesso":true,"mensagens":[]}"#)
        let driver = try driver(http)
        _ = try await driver.candidates(
            for: .phone(try #require(PhoneNumber("5531988880001"))), attempt: 0, PageRequest(.offset(500), size: 500),
            Sample.context)
        let request = try #require(http.last)
        #expect(request.method == "POST")
        #expect(request.url == "https://open-api.prodoctor.net/api/v1/Pacientes")
        #expect(request.repeatability == .safe)
        #expect(request.header("X-APIKEY") == "k")
        #expect(request.header("X-APIPASSWORD") == "p")
        #expect(request.header("X-APITIMEZONE") == "-03:00")
        #expect(request.text == #"{"termo":"31988880001","campo":2,"pagina":2,"quantidade":500,"somenteAtivos":true}"#)
    }

    @Test func createsAreWrapped() async throws {
        let http = Script(#"{"payload":{"paciente":{"codigo":303}},"sucesso":true}"#)
        let draft = ClientDraft(name: "Ana Teste", phone: try #require(PhoneNumber("551133330009")))
        _ = try await driver(http).create(draft, Sample.context)
        #expect(
            http.last?.text
                == #"{"paciente":{"nome":"Ana Teste","telefone2":{"ddd":"11","numero":"3333-0009"},"cpfNaoExiste":true}}"#
        )
        let other = try #require(Sample.ana)
        _ = try await driver(http).create(other, Sample.context)
        let patient = try #require(try JSONDocument(http.last?.body ?? []).root["paciente"])
        #expect(patient["telefone1"]?["tipo"]?["codigo"]?.int == 3)
        #expect(patient["cpfNaoExiste"]?.bool == false)
        #expect(patient["dataNascimento"]?.string == "07/03/1990")
    }

    @Test func changesKeepTheRest() async throws {
        let file = Sample.repository.appending(path: "Tests/Fixtures/prodoctor/detail-photo.in.json")
        let detail = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let http = Script { request, _ in
            .json(request.method == "GET" ? detail : #"{"payload":{"paciente":{"codigo":301}},"sucesso":true}"#)
        }
        _ = try await driver(http).update(ClientID("301"), ClientPatch(email: "nova@example.test"), Sample.context)
        #expect(http.last?.method == "PUT")
        let root = try JSONDocument(http.last?.body ?? []).root
        #expect(root["codigo"]?.int == 301)
        let sent = try #require(root["paciente"])
        let read = try #require(try JSONDocument(Array(detail.utf8)).root["payload"]?["paciente"])
        for member in read.members where !["correioEletronico", "convenios"].contains(member.key) {
            #expect(sent[member.key]?.source == member.value.source, "\(member.key)")
        }
        #expect(sent["correioEletronico"]?.string == "nova@example.test")
        #expect(sent["foto"]?.isNull == false)
        #expect(!sent.members.contains { $0.key == "convenios" })
    }

    /// Insurances cannot be sent back in the form in which they are read: such a record is left alone, unless the tenant
    /// saw that they stay.
    @Test(arguments: [nil, "no", "yes"]) func insurancesAreNotRisked(_ stays: String?) async throws {
        let detail = #"""
            {"payload":{"paciente":{"codigo":301,"nome":"Carla Modelo","cpf":null,"convenios":[{"codigo":1}]}},"sucesso":true}
            """#
        let http = Script { request, _ in
            .json(request.method == "GET" ? detail : #"{"payload":{"paciente":{"codigo":301}},"sucesso":true}"#)
        }
        let driver = RESTDriver(
            profile: try Sample.shipped("prodoctor"),
            tenant: RESTTenant(
                credentials: ["key": Secret("k"), "password": Secret("p")],
                settings: stays.map { ["insurancesStay": $0] } ?? [:]), http: http)
        let error = await failure {
            _ = try await driver.update(ClientID("301"), ClientPatch(email: "nova@example.test"), Sample.context)
        }
        #expect(error?.name == (stays == "yes" ? nil : "unsupported"))
        #expect(http.requests.contains { $0.method == "PUT" } == (stays == "yes"))
    }
}
