import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// What a Patient resource shows to the contract.
@Suite struct ReadingTests {
    @Test(arguments: [
        (#""name":[{"text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"given":["Ana","Maria"],"family":"Teste"}]"#, "Ana Maria Teste"),
        (#""name":[{"use":"usual","text":"Aninha"},{"use":"official","text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"use":"old","text":"Ana Antiga"},{"text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"use":"maiden","text":"Ana Solteira"},{"use":"usual","text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"use":"official","text":"Ana Antiga","period":{"end":"2001"}},{"text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"use":"official","text":"Ana Teste","period":{"end":"2999-01"}},{"text":"Outra"}]"#, "Ana Teste"),
        (#""name":[{"use":"official","text":"  "},{"text":"Ana Teste"}]"#, "Ana Teste"),
        (#""name":[{"text":"  Ana Teste "}]"#, "Ana Teste"),
        (#""name":{"text":"Ana Teste"}"#, "Ana Teste"),
        (#""name":[{"text":"Ana \u0022Aspas\u0022"}]"#, "Ana \"Aspas\""),
        (#""active":true"#, ""),
    ]) func names(_ members: String, _ name: String) async throws {
        #expect(try await Sample.read(members).name == name)
    }

    @Test(
        arguments: [
            (#"{"system":"phone","value":"+55 11 90000-0001"}"#, ["5511900000001"]),
            (#"{"system":"phone","value":"5511900000001","use":"old"}"#, []),
            (#"{"system":"phone","value":"5511900000001","period":{"end":"2020-02-03"}}"#, []),
            (#"{"system":"phone","value":"5511900000001","period":{"start":"2020-02-03"}}"#, ["5511900000001"]),
            (
                #"{"system":"phone","value":"1133330001","use":"home"},{"system":"phone","value":"11900000001","use":"mobile"}"#,
                ["5511900000001", "551133330001"]
            ),
            (
                #"{"system":"phone","value":"11900000002","use":"mobile","rank":2},{"system":"phone","value":"1133330001","use":"work","rank":1}"#,
                ["551133330001", "5511900000002"]
            ),
            (#"{"system":"sms","value":"11900000001"}"#, ["5511900000001"]),
            (#"{"system":"fax","value":"1133330001"}"#, []),
            (#"{"system":"url","value":"11900000001"}"#, []),
            (#"{"value":"11900000001"}"#, ["5511900000001"]),
            (#"{"system":"phone","value":"tel:+5511900000001"}"#, ["5511900000001"]),
            (#"{"system":"phone","value":"não tem"}"#, []),
            (#"{"system":"phone","value":"11900000001 / 1133330001"}"#, ["5511900000001", "551133330001"]),
        ] as [(String, [String])]) func phones(_ points: String, _ digits: [String]) async throws
    {
        #expect(try await Sample.read(#""telecom":[\#(points)]"#).allPhones.map(\.digits) == digits)
    }

    @Test func aTenantsAreaCodeCompletesNumbers() async throws {
        let client = try await Sample.read(
            #""telecom":[{"system":"phone","value":"98888-0001"}]"#, phones: PhoneContext(areaCode: 31))
        #expect(client.phone?.digits == "5531988880001")
    }

    @Test(
        arguments: [
            (#"{"system":"email","value":"ana@example.test"}"#, "ana@example.test"),
            (
                #"{"system":"email","value":"b@example.test"},{"system":"email","value":"a@example.test","rank":1}"#,
                "a@example.test"
            ),
            (#"{"system":"email","value":"velha@example.test","use":"old"}"#, nil),
            (#"{"system":"email","value":"não tem"},{"system":"email","value":"a@example.test"}"#, "a@example.test"),
            (#"{"value":" a@example.test "}"#, "a@example.test"),
        ] as [(String, String?)]) func emails(_ points: String, _ email: String?) async throws
    {
        #expect(try await Sample.read(#""telecom":[\#(points)]"#).email == email)
    }

    @Test(
        arguments: [
            (#"{"system":"https://saude.gov.br/fhir/sid/cpf","value":"12345678900"}"#, "12345678900"),
            (#"{"system":"urn:oid:2.16.840.1.113883.13.237","value":"123.456.789-00"}"#, "12345678900"),
            // The one that is written is preferred.
            (
                #"{"system":"urn:oid:2.16.840.1.113883.13.237","value":"11111111111"},{"system":"https://saude.gov.br/fhir/sid/cpf","value":"12345678900"}"#,
                "12345678900"
            ),
            (#"{"system":"https://saude.gov.br/fhir/sid/cpf","value":"12345678900","use":"old"}"#, nil),
            (#"{"system":"https://saude.gov.br/fhir/sid/cns","value":"12345678900"}"#, nil),
            (#"{"system":"https://saude.gov.br/fhir/sid/cpf","value":"1234"}"#, nil),
            (#"{"value":"12345678900"}"#, nil),
        ] as [(String, String?)]) func cpfs(_ identifiers: String, _ cpf: String?) async throws
    {
        #expect(try await Sample.read(#""identifier":[\#(identifiers)]"#).cpf?.digits == cpf)
    }

    @Test func aTypeCanMakeACPF() async throws {
        let cpf = ["cpf": #"{"read":[],"write":"urn:x:cpf","types":["CPF","TAX"]}"#]
        let byText = #""identifier":[{"type":{"text":"CPF"},"value":"12345678900"}]"#
        let byCode = #""identifier":[{"type":{"coding":[{"code":"TAX"}]},"value":"12345678900"}]"#
        let other = #""identifier":[{"type":{"text":"RG"},"value":"12345678900"}]"#
        #expect(try await Sample.read(byText, cpf).cpf?.digits == "12345678900")
        #expect(try await Sample.read(byCode, cpf).cpf?.digits == "12345678900")
        #expect(try await Sample.read(other, cpf).cpf == nil)
    }

    @Test(
        arguments: [("1990-03-07", "1990-03-07"), ("1990-03", nil), ("1990", nil), ("1990-02-30", nil), ("", nil)]
            as [(String, String?)]) func birthDates(_ text: String, _ iso: String?) async throws
    {
        #expect(try await Sample.read(#""birthDate":"\#(text)""#).birthday?.iso == iso)
    }

    @Test(
        arguments: [
            (#"{"url":"https://a.example.test/1.jpg"}"#, "https://a.example.test/1.jpg"),
            (#"{"contentType":"image/png","data":"iVBORw0KGgo="}"#, "data:image/png;base64,iVBORw0KGgo="),
            (#"{"url":"Binary/7"}"#, nil),
            (#"{"contentType":"application/pdf","data":"JVBERi0="}"#, nil),
            (#"{"url":"Binary/7"},{"url":"https://a.example.test/2.jpg"}"#, "https://a.example.test/2.jpg"),
        ] as [(String, String?)]) func photos(_ photos: String, _ image: String?) async throws
    {
        #expect(try await Sample.read(#""photo":[\#(photos)]"#).text(.image) == image)
    }

    @Test(arguments: [
        #""active":false"#, #""link":[{"type":"replaced-by","other":{"reference":"Patient/2"}}]"#,
    ]) func recordsThatDoNotCountAreNotFound(_ members: String) async throws {
        #expect(await failure { _ = try await Sample.read(members) }?.name == "not found")
        let http = Script(.fhir(Sample.bundle([Sample.patient(members), Sample.patient("", id: "p2")])))
        let page = try await Sample.driver(http).page(PageRequest(.offset(0), size: 10), Sample.context)
        #expect(page.clients.map(\.id.text) == ["p2"])
        #expect(page.rows == 2)
    }

    @Test(arguments: [
        (#"{"resourceType":"Patient","id":"p2"}"#, "malformed answer"),
        (#"{"resourceType":"Practitioner","id":"p1"}"#, "malformed answer"),
        (#"{"resourceType":"Patient"}"#, "malformed answer"), ("[]", "malformed answer"),
        ("<html>", "malformed answer"),
        ("", "malformed answer"),
    ]) func otherAnswersAreNoClient(_ body: String, _ name: String) async throws {
        let driver = try Sample.driver(Script(.fhir(body)))
        #expect(await failure { _ = try await driver.client(ClientID("p1"), Sample.context) }?.name == name)
    }

    @Test(arguments: [
        (
            404, "application/fhir+json", #"{"resourceType":"OperationOutcome","issue":[{"code":"not-found"}]}"#,
            "not found"
        ),
        // An authorisation that failed, on some servers; gateways.
        (404, "application/fhir+json", "", "failed"),
        (404, "application/json", #"{"message":"no Route matched with those values"}"#, "failed"),
        (404, "text/plain", "default backend - 404", "failed"), (410, "application/fhir+json", "", "not found"),
        (404, "text/html", "<html>", "failed"), (500, "application/fhir+json", "{}", "failed"),
        (403, "application/fhir+json", "{}", "credentials rejected"), (429, "text/plain", "", "rate limited"),
        (405, "text/plain", "", "unsupported"),
    ]) func statuses(_ status: Int, _ type: String, _ body: String, _ name: String) async throws {
        let answer = UpstreamAnswer(status: status, headers: [("Content-Type", type)], body: Array(body.utf8))
        let driver = try Sample.driver(Script(answer))
        #expect(await failure { _ = try await driver.client(ClientID("p1"), Sample.context) }?.name == name)
    }

    @Test(arguments: [("", "not found"), ("{}", "not found"), ("<html>", "failed")])
    func aServerMayMeanItsBare404(_ body: String, _ name: String) async throws {
        let driver = try Sample.driver(Script(.fhir(body, status: 404)), ["bareNotFound": "true"])
        #expect(await failure { _ = try await driver.client(ClientID("p1"), Sample.context) }?.name == name)
    }
}
