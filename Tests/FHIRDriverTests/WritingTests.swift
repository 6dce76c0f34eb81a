import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// What creates and updates send, and what their answers are taken for.
@Suite struct WritingTests {
    private var ana: ClientDraft { get throws { try #require(Sample.ana) } }

    private func create(_ answer: UpstreamAnswer, _ changes: [String: String] = [:]) async throws
        -> (Result<WriteAnswer, UpstreamError>, OutboundRequest)
    {
        let http = Script(answer)
        let driver = try Sample.driver(http, changes)
        let draft = try ana
        let result: Result<WriteAnswer, UpstreamError>
        do throws(UpstreamError) {
            result = .success(try await driver.create(draft, Sample.context))
        } catch {
            result = .failure(error)
        }
        return (result, try #require(http.last))
    }

    private func name(_ result: Result<WriteAnswer, UpstreamError>) -> String {
        switch result {
        case .success(.id(let id)): "id \(id.text)"
        case .success(.record(let client)): "record \(client.id.text)"
        case .failure(let error): error.name
        }
    }

    // MARK: Create

    @Test func aCreateSaysWhatTheDraftSays() async throws {
        let (result, request) = try await create(.fhir(Sample.patient(""), status: 201))
        #expect(name(result) == "record p1")
        #expect(request.method == "POST" && request.target == "/Patient")
        #expect(request.repeatability == .unsafe)
        #expect(request.header("Content-Type") == "application/fhir+json")
        #expect(request.header("Prefer") == "return=representation")
        #expect(
            request.header("If-None-Exist") == "identifier=https%3A%2F%2Fsaude.gov.br%2Ffhir%2Fsid%2Fcpf%7C20000000108")
        #expect(
            request.text
                == #"{"resourceType":"Patient","active":true,"identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"20000000108"}],"name":[{"use":"official","text":"Ana Teste Nova"}],"telecom":[{"system":"phone","value":"+5531988880001","use":"mobile"},{"system":"email","value":"nova@example.test"}],"birthDate":"1990-03-07"}"#
        )
    }

    @Test func aCreateTakesTheProfilesForms() async throws {
        let changes = [
            "cpf": #"{"read":[],"write":"urn:x:cpf","spelling":"punctuated","members":{"use":"official"}}"#,
            "names": #"{"write":"parts","use":"usual"}"#, "phones": #"{"write":"masked","use":"none"}"#,
            "create": #"{"ifNoneExist":false,"members":{"gender":"unknown","active":false}}"#,
        ]
        let (_, request) = try await create(.fhir(Sample.patient(""), status: 201), changes)
        #expect(request.header("If-None-Exist") == nil)
        let sent = try JSONDocument(request.body ?? []).root
        #expect(
            sent["identifier"]?.elements.first.map { String(decoding: $0.source, as: UTF8.self) }
                == #"{"use":"official","system":"urn:x:cpf","value":"200.000.001-08"}"#)
        #expect(
            sent["name"]?.elements.first.map { String(decoding: $0.source, as: UTF8.self) }
                == #"{"use":"usual","given":["Ana","Teste"],"family":"Nova"}"#)
        #expect(
            sent["telecom"]?.elements.first.map { String(decoding: $0.source, as: UTF8.self) }
                == #"{"system":"phone","value":"(31) 98888-0001"}"#)
        #expect(sent["gender"]?.string == "unknown" && sent["active"]?.bool == false)
    }

    @Test func whatIsWrittenIsReadBack() async throws {
        for form in ["text", "parts", "both"] {
            for spelling in PhoneSpelling.allCases {
                let changes = [
                    "names": #"{"write":"\#(form)"}"#, "phones": #"{"write":"\#(spelling.rawValue)"}"#,
                ]
                let driver = try Sample.driver(Script(.fhir("{}")), changes)
                let writer = PatientWriter(plan: driver.plan, settings: [:], phones: PhoneContext())
                for (name, number) in [
                    ("Ana Teste Nova", "5531988880001"), ("Ana", "+351912345678"),
                    ("José D'Ávila \"Zé\"", "551133330001"),
                ] {
                    let draft = ClientDraft(
                        name: name, phone: try #require(PhoneNumber(number)), email: "a@example.test",
                        birthday: Birthday("1990-03-07"), cpf: CPF("12345678900"))
                    let written = String(decoding: writer.resource(for: draft, uuid: nil), as: UTF8.self)
                    let members = #""id":"p1","# + written.dropFirst().dropLast()
                    let client = try await Sample.driver(Script(.fhir("{" + members + "}")), changes)
                        .client(ClientID("p1"), Sample.context)
                    #expect(client.name == name)
                    #expect(client.allPhones == [draft.phone], "\(spelling)")
                    #expect(client.email == draft.email && client.birthday == draft.birthday && client.cpf == draft.cpf)
                }
            }
        }
    }

    @Test(arguments: [
        (201, "", "https://fhir.example.test/r4/Patient/abc-1/_history/1", "id abc-1"),
        (201, "", "Patient/abc.2", "id abc.2"), (200, "", "https://x/Patient/77/_history/3?x", "id 77"),
        (
            201, #"{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}"#,
            "Patient/9", "id 9"
        ),
        (201, "", "", "outcome unknown"), (201, "", "https://x/Organization/9", "outcome unknown"),
        (201, "<html>", "", "outcome unknown"), (201, #"{"id":"p7"}"#, "", "id p7"),
        (412, "", "", "conflict with 0 reasons"), (409, "", "", "conflict with 0 reasons"),
        (500, "", "", "outcome unknown"), (503, "", "", "outcome unknown"), (405, "", "", "unsupported"),
        (401, "", "", "credentials rejected"), (429, "", "", "rate limited"), (404, "", "", "failed"),
        (422, "<html>", "", "failed"),
    ]) func answersToACreate(_ status: Int, _ body: String, _ location: String, _ expected: String) async throws {
        let headers = location.isEmpty ? [] : [(name: "Location", value: location)]
        let (result, _) = try await create(.fhir(body, status: status, headers: headers))
        #expect(name(result) == expected)
    }

    /// A conditional create is answered by the record that has the CPF, clients or not.
    @Test(arguments: [
        (200, #""active":false"#, "conflict with 1 reasons"),
        (200, #""link":[{"type":"replaced-by","other":{"reference":"Patient/2"}}]"#, "conflict with 1 reasons"),
        (200, "", "record p1"), (201, #""active":false"#, "id p1"),
    ]) func aRecordThatDoesNotCountIsAConflict(_ status: Int, _ members: String, _ expected: String) async throws {
        let (result, _) = try await create(.fhir(Sample.patient(members), status: status))
        #expect(name(result) == expected)
    }

    @Test func reasonsAreTheServersWithoutPeople() async throws {
        let body = """
            {"resourceType":"OperationOutcome","issue":[
            {"severity":"error","code":"invalid","diagnostics":"CPF 200.000.001-08 of Ana Teste Nova is taken","expression":["Patient.identifier[0]"]},
            {"severity":"error","code":"required","details":{"text":"gender is missing"}},
            {"severity":"information","code":"informational","diagnostics":"hello"},{"severity":"error","code":"value"}]}
            """
        let (result, _) = try await create(.fhir(body, status: 422))
        guard case .failure(.refused(let reasons)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(reasons.count == 3)
        #expect(reasons.first?.hasPrefix("Patient.identifier[0]: CPF") == true)
        #expect(reasons.dropFirst() == ["gender is missing", "value"])
        for text in ["Ana", "Nova", "200.000", "20000000108"] { #expect(!reasons.joined().contains(text)) }
    }

    @Test func demandedMembersAreAskedForBeforeAnythingIsSent() async throws {
        let http = Script(.fhir("{}"))
        let driver = try Sample.driver(http, ["create": #"{"requires":["cpf","birthday"]}"#])
        let draft = ClientDraft(name: "Ana", phone: try #require(PhoneNumber("5531988880001")), cpf: CPF("12345678900"))
        let error = await failure { _ = try await driver.create(draft, Sample.context) }
        guard case .refused(let reasons) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reasons.count == 1 && reasons[0].hasPrefix("birthday"))
        #expect(http.requests.isEmpty)
    }

    // MARK: Upsert

    private static let upsert = [
        "create": #"{"style":"upsert","uuidIdentifier":true}"#, "update": #"{"style":"upsert","ifMatch":false}"#,
        "paths": #"{"update":"Patient"}"#,
    ]

    @Test(arguments: [
        #""identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"20000000108"}],"active":false"#,
        #""identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"20000000108"}],"link":[{"type":"replaced-by","other":{"reference":"Patient/2"}}]"#,
        #""identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"200.000.001-08","use":"old"}]"#,
        #""identifier":{"system":"urn:oid:2.16.840.1.113883.13.237","value":"20000000108","period":{"end":"2001"}}"#,
    ]) func anUpsertWritesOverNobodyWhoDoesNotCount(_ members: String) async throws {
        let http = Script { request, _ in
            .fhir(request.method == "GET" ? Sample.bundle([Sample.patient(members)]) : Sample.patient(members))
        }
        let driver = try Sample.driver(http, Self.upsert)
        let draft = try ana
        #expect(await failure { _ = try await driver.create(draft, Sample.context) }?.name == "conflict with 1 reasons")
        #expect(http.requests.map(\.method) == ["GET"])
    }

    @Test func anUpsertMakesThoseWhomNobodyHas() async throws {
        let other = #""identifier":[{"system":"urn:x:chart","value":"20000000108"}]"#
        for (bundle, methods) in [
            (Sample.bundle([]), ["GET", "POST"]), (Sample.bundle([Sample.patient(other)]), ["GET", "POST"]),
            // The record may stand on the next page.
            (Sample.bundle([], links: #"{"relation":"next","url":"?page=2"}"#), ["GET"]),
        ] {
            let http = Script { request, _ in .fhir(request.method == "GET" ? bundle : Sample.patient("")) }
            let driver = try Sample.driver(http, Self.upsert)
            let draft = try ana
            let error = await failure { _ = try await driver.create(draft, Sample.context) }
            #expect(error?.name == (methods.count == 1 ? "conflict with 1 reasons" : nil))
            #expect(http.requests.map(\.method) == methods)
        }
    }

    /// Eleven equal digits are typed by everybody who has no CPF.
    @Test func aPlaceholderIsNoKeyOfAnUpsert() async throws {
        let draft = ClientDraft(
            name: "Ana Teste", phone: try #require(PhoneNumber("5531988880001")), cpf: CPF("00000000000"))
        let http = Script(.fhir(Sample.patient("")))
        _ = try await Sample.driver(http, Self.upsert).create(draft, Sample.context)
        #expect(http.requests.map(\.method) == ["POST"])
        let sent = try JSONDocument(http.last?.body ?? []).root["identifier"]?.elements ?? []
        #expect(sent.map { $0["system"]?.string } == ["urn:ietf:rfc:3986"])
        let demanding = Script(.fhir("{}"))
        let driver = try Sample.driver(demanding, ["create": #"{"style":"upsert","requires":["cpf"]}"#])
        #expect(await failure { _ = try await driver.create(draft, Sample.context) }?.name == "refused with 1 reasons")
        #expect(demanding.requests.isEmpty)
    }

    @Test(arguments: [
        ("", false), (#""identifier":[{"system":"urn:x:chart","value":"P-1"}]"#, false),
        (#""identifier":[{"system":"urn:oid:2.16.840.1.113883.13.237","value":"20000000108"}]"#, false),
        (#""identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":""}]"#, false),
        (#""identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"20000000108"}]"#, true),
        (
            #""identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:8c1c6f2e-0b6e-4e5f-9a51-5a0d1c5f3a11"}]"#,
            true
        ),
    ]) func anUpsertChangesOnlyWhomItFindsAgain(_ members: String, _ isSent: Bool) async throws {
        let http = Script(.fhir(Sample.patient(members)))
        let driver = try Sample.driver(http, Self.upsert)
        let error = await failure {
            _ = try await driver.update(ClientID("p1"), ClientPatch(name: "Ana Nova"), Sample.context)
        }
        #expect(error?.name == (isSent ? nil : "unsupported"))
        #expect(http.requests.map(\.method) == (isSent ? ["GET", "POST"] : ["GET"]))
    }

    // MARK: Update

    /// Answers reads with the resource, in versions 1, 2, …, and writes in order.
    private func server(_ members: String, _ writes: [UpstreamAnswer]) -> Script {
        Script { request, index in
            if request.method == "GET" {
                return .fhir(Sample.patient(members), headers: [("ETag", "W/\"\(index / 2 + 1)\"")])
            }
            return writes[min(index / 2, writes.count - 1)]
        }
    }

    private let done = UpstreamAnswer.fhir(Sample.patient(#""name":[{"text":"Ana Nova"}]"#))

    private func patch(_ members: String, _ patch: ClientPatch, _ changes: [String: String] = [:]) async throws
        -> String
    {
        let http = server(members, [done])
        _ = try await Sample.driver(http, changes).update(ClientID("p1"), patch, Sample.context)
        let request = try #require(http.last)
        #expect(request.method == "PATCH" && request.target == "/Patient/p1")
        #expect(request.header("Content-Type") == "application/json-patch+json")
        #expect(request.header("If-Match") == "W/\"1\"")
        return request.text
    }

    @Test func aPatchTestsWhatItReplaces() async throws {
        let members =
            #""name":[{"use":"old","text":"X"},{"text":"Ana","_text":{"id":"1"}}],"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@example.test"}],"birthDate":"1990""#
        #expect(
            try await patch(
                members, ClientPatch(name: "Ana Nova", email: "b@example.test", birthday: Birthday("1990-03-07")))
                == #"[{"op":"test","path":"/name/1/text","value":"Ana"},{"op":"replace","path":"/name/1/text","value":"Ana Nova"},{"op":"remove","path":"/name/1/_text"},"#
                + #"{"op":"test","path":"/telecom/1/value","value":"a@example.test"},{"op":"replace","path":"/telecom/1/value","value":"b@example.test"},"#
                + #"{"op":"test","path":"/birthDate","value":"1990"},{"op":"replace","path":"/birthDate","value":"1990-03-07"}]"#
        )
    }

    @Test func aPatchAddsWhatIsNotThere() async throws {
        #expect(
            try await patch(
                #""telecom":[{"system":"phone","value":"1"}]"#,
                ClientPatch(
                    name: "Ana Nova", email: "b@example.test", cpf: CPF("12345678900"), birthday: Birthday("1990-03-07")
                ))
                == #"[{"op":"add","path":"/name","value":[{"use":"official","text":"Ana Nova"}]},"#
                + #"{"op":"add","path":"/telecom/-","value":{"system":"email","value":"b@example.test"}},"#
                + #"{"op":"add","path":"/identifier","value":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"12345678900"}]},"#
                + #"{"op":"add","path":"/birthDate","value":"1990-03-07"}]"#)
    }

    @Test func partsOfANameFollowItsText() async throws {
        let text = try await patch(
            #""name":[{"text":"Ana Velha","given":["Ana"],"_given":[{"id":"1"}],"family":"Velha","prefix":["Dra."]}]"#,
            ClientPatch(name: "Ana Maria Nova"))
        #expect(text.contains(#"{"op":"replace","path":"/name/0/given","value":["Ana","Maria"]}"#))
        #expect(text.contains(#"{"op":"replace","path":"/name/0/family","value":"Nova"}"#))
        #expect(text.contains(#"{"op":"remove","path":"/name/0/_given"}"#))
        #expect(!text.contains("prefix"))
    }

    @Test func aPutKeepsEverythingElse() async throws {
        let members =
            #""x":{"y":[1,2.50]},"name":[{"text":"Ana"}],"telecom":[{"system":"email","value":"a@example.test"},{"system":"phone","value":"1"}],"text":{"status":"additional","div":"<div/>"}"#
        let http = server(members, [done])
        let driver = try Sample.driver(http, ["update": #"{"style":"put"}"#])
        _ = try await driver.update(
            ClientID("p1"), ClientPatch(name: "Ana Nova", email: "b@example.test", cpf: CPF("12345678900")),
            Sample.context)
        #expect(http.last?.method == "PUT")
        #expect(http.last?.header("If-Match") == "W/\"1\"")
        #expect(
            http.last?.text
                == Sample.patient(
                    #""x":{"y":[1,2.50]},"name":[{"text":"Ana Nova"}],"telecom":[{"system":"email","value":"b@example.test"},{"system":"phone","value":"1"}],"text":{"status":"additional","div":"<div/>"},"identifier":[{"system":"https://saude.gov.br/fhir/sid/cpf","value":"12345678900"}]"#
                ))
    }

    @Test(arguments: ["patch", "put"]) func aRecordThatOthersChangedIsReadAgain(_ style: String) async throws {
        let http = server(#""name":[{"text":"Ana"}]"#, [.fhir("", status: 412), .fhir("", status: 409), done])
        let driver = try Sample.driver(http, ["update": #"{"style":"\#(style)"}"#])
        guard
            case .record(let client) = try await driver.update(
                ClientID("p1"), ClientPatch(name: "Ana Nova"), Sample.context)
        else {
            Issue.record("expected the record")
            return
        }
        #expect(client.name == "Ana Nova")
        #expect(http.requests.map(\.method).filter { $0 == "GET" }.count == 3)
        #expect(http.requests.compactMap { $0.header("If-Match") } == ["W/\"1\"", "W/\"2\"", "W/\"3\""])
    }

    @Test func triesEnd() async throws {
        let http = server(#""name":[{"text":"Ana"}]"#, [.fhir("", status: 412)])
        let driver = try Sample.driver(http, ["update": #"{"style":"put","attempts":2}"#])
        let error = await failure {
            _ = try await driver.update(ClientID("p1"), ClientPatch(name: "X"), Sample.context)
        }
        // Nothing collides: the same call may be sent again.
        #expect(error?.name == "failed" && error?.description.contains("may be sent again") == true)
        #expect(http.requests.count == 4)
    }

    @Test func withoutVersionsNothingIsConditional() async throws {
        let http = Script { request, _ in
            request.method == "GET" ? .fhir(Sample.patient(#""name":[{"text":"Ana"}]"#)) : .fhir("", status: 200)
        }
        let answer = try await Sample.driver(http).update(
            ClientID("p1"), ClientPatch(email: "a@example.test"), Sample.context)
        #expect(name(.success(answer)) == "id p1")
        #expect(http.last?.header("If-Match") == nil)
        // What it appends would be there twice if it were sent twice.
        #expect(http.last?.repeatability == .unsafe)
    }

    @Test(arguments: [
        (200, #"{"resourceType":"Patient","id":"p2"}"#, "malformed answer"), (204, "", "id p1"),
        (200, "<html>", "outcome unknown"), (200, #"{"error":"x"}"#, "outcome unknown"),
        (400, "{}", "refused with 0 reasons"),
        (422, "{}", "refused with 0 reasons"),
        (404, #"{"resourceType":"OperationOutcome","issue":[{"code":"not-found"}]}"#, "not found"),
        (404, "{}", "failed"), (404, "", "failed"), (410, "", "not found"), (500, "", "failed"),
        (405, "", "unsupported"),
        (502, "", "outcome unknown"), (504, "<html>", "outcome unknown"), (503, "", "failed"),
        (200, #"{"resourceType":"OperationOutcome","issue":[{"severity":"information"}]}"#, "id p1"),
    ]) func answersToAnUpdate(_ status: Int, _ body: String, _ expected: String) async throws {
        let http = server(#""name":[{"text":"Ana"}]"#, [.fhir(body, status: status)])
        let driver = try Sample.driver(http)
        let result: Result<WriteAnswer, UpstreamError>
        do throws(UpstreamError) {
            result = .success(try await driver.update(ClientID("p1"), ClientPatch(name: "X"), Sample.context))
        } catch {
            result = .failure(error)
        }
        #expect(name(result) == expected)
    }
}
