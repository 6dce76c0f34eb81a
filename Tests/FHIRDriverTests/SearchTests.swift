import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// What searches ask, and what their answers are taken for.
@Suite struct SearchTests {
    private let empty = UpstreamAnswer.fhir(#"{"resourceType":"Bundle","type":"searchset","total":0}"#)
    private let first = PageRequest(.offset(0), size: 10)

    private func ask(_ term: SearchTerm, _ changes: [String: String] = [:], attempt: Int = 0) async throws
        -> OutboundRequest
    {
        let http = Script(empty)
        let page = try await Sample.driver(http, changes).candidates(
            for: term, attempt: attempt, first, Sample.context)
        #expect(page.clients.isEmpty && page.more == false)
        return try #require(http.last)
    }

    // MARK: Asking

    @Test func aPhoneIsAskedForInEverySpellingAtOnce() async throws {
        let phone = try #require(PhoneNumber("5531988880001"))
        let request = try await ask(.phone(phone))
        let values = try #require(request.query("telecom").first).split(separator: ",").map(String.init)
        for text in [
            "5531988880001", "+5531988880001", "31988880001", "(31) 98888-0001", "+55 31 98888-0001",
            "+55 (31) 98888-0001", "(31)98888-0001", "31 98888-0001", "031988880001", "tel:+5531988880001",
            "+55 31 988880001", "31 988880001", "55 31 98888-0001", "(031) 98888-0001", "31 9 8888-0001",
            "(31) 9 8888-0001",
            "553188880001", "(31) 8888-0001",
        ] { #expect(values.contains(text)) }
        #expect(Set(values).count == values.count)
        #expect(request.url.contains("%2B5531988880001"))
        #expect(!request.url.contains("+"))
        // Another country's has three.
        let foreign = try await ask(.phone(try #require(PhoneNumber("+351912345678"))))
        #expect(foreign.query("telecom") == ["351912345678,+351912345678,tel:+351912345678"])
    }

    @Test func aCPFIsAskedForUnderEverySystem() async throws {
        let cpf = SearchTerm.cpf(try #require(CPF("12345678900")))
        let request = try await ask(
            cpf, ["cpf": #"{"read":["urn:a:1","urn:b:2"],"write":"urn:c:3"}"#])
        #expect(
            request.query("identifier") == [
                "urn:c:3|12345678900,urn:c:3|123.456.789-00,urn:a:1|12345678900,urn:a:1|123.456.789-00,urn:b:2|12345678900,urn:b:2|123.456.789-00"
            ])
        let typed = try await ask(cpf, ["cpf": #"{"read":[],"write":"urn:c:3","types":["CPF"]}"#])
        #expect(typed.query("identifier") == ["12345678900,123.456.789-00"])
    }

    @Test func tenantsChooseTheSystemThatIsWritten() async throws {
        let http = Script(empty)
        let driver = try Sample.driver(http, settings: ["cpfSystem": "urn:mine:cpf"])
        _ = try await driver.candidates(
            for: .cpf(try #require(CPF("12345678900"))), attempt: 0, first, Sample.context)
        #expect(http.last?.query("identifier").first?.hasPrefix("urn:mine:cpf|12345678900,") == true)
    }

    @Test func valuesAreEscapedForTheSearchAndForTheAddress() async throws {
        let odd = "Ana,Teste|Silva$ \\&=#%"
        let request = try await ask(.name(odd), ["names": #"{"search":["whole"]}"#])
        #expect(request.query("name") == ["Ana\\,Teste\\|Silva\\$ \\\\&=#%"])
        #expect(request.query("_count") == ["10"])
    }

    @Test(arguments: [
        ("first", 0, ["Ana"]), ("words", 0, ["Ana", "Maria", "Teste"]), ("whole", 0, ["Ana Maria Teste"]),
    ]) func namesAreAskedForAsTheServerKeepsThem(_ search: String, _ attempt: Int, _ values: [String]) async throws {
        let request = try await ask(
            .name("Ana  Maria Teste"), ["names": #"{"search":["\#(search)"]}"#], attempt: attempt)
        #expect(request.query("name") == values)
    }

    @Test func headersAskForStrictnessAndForFreshness() async throws {
        let request = try await ask(.email("Ana@example.test"), ["search": #"{"noCache":true}"#])
        #expect(request.header("Prefer") == "handling=strict")
        #expect(request.header("Cache-Control") == "no-cache")
        #expect(request.header("Accept") == "application/fhir+json")
        #expect(request.query("telecom") == ["Ana@example.test,ana@example.test"])
        let lenient = try await ask(.email("a@example.test"), ["search": #"{"strict":false}"#])
        #expect(lenient.header("Prefer") == nil && lenient.header("Cache-Control") == nil)
    }

    @Test func aPostedSearchKeepsTermsOutOfTheAddress() async throws {
        let request = try await ask(.email("ana@example.test"), ["search": #"{"method":"post"}"#])
        #expect(request.method == "POST")
        #expect(request.target == "/Patient/_search")
        #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(request.text == "telecom=ana%40example.test&_count=10")
        #expect(request.repeatability == .safe)
    }

    @Test func equalQuestionsAreSeenToBeEqual() throws {
        let driver = try Sample.driver(Script(empty))
        let one = SearchTerm.email("ana@example.test")
        #expect(driver.question(for: one, attempt: 0) == driver.question(for: .email("ana@example.test"), attempt: 0))
        #expect(driver.question(for: one, attempt: 0) != driver.question(for: .email("b@example.test"), attempt: 0))
    }

    // MARK: The self link

    private func answered(selfLink: String, _ changes: [String: String] = [:]) async -> UpstreamError? {
        let http = Script(
            .fhir(
                Sample.bundle(
                    [Sample.patient(#""telecom":[{"system":"email","value":"ana@example.test"}]"#)],
                    links: #"{"relation":"self","url":"\#(selfLink)"}"#)))
        return await failure {
            _ = try await Sample.driver(http, changes).candidates(
                for: .email("ana@example.test"), attempt: 0, first, Sample.context)
        }
    }

    @Test(arguments: [
        "https://fhir.example.test/r4/Patient?telecom=ana%40example.test&_count=10",
        "http://inside:8080/r4/Patient?_count=10&telecom=ana@example.test", "Patient?telecom=ANA%40example.test,x",
        // It says nothing.
        "https://fhir.example.test/r4/Patient", "https://fhir.example.test/r4?_getpages=abc", "",
    ]) func aSelfLinkThatRepeatsTheQuestionIsFine(_ link: String) async {
        #expect(await answered(selfLink: link) == nil)
    }

    @Test(arguments: [
        "https://fhir.example.test/r4/Patient?_count=10",
        "https://fhir.example.test/r4/Patient?phone=ana%40example.test",
        "https://fhir.example.test/r4/Patient?telecom=other%40example.test", "https://fhir.example.test/r4/Patient?",
        "Patient?telecoms=ana%40example.test",
    ]) func aFilterThatWasIgnoredIsNoticedAtOnce(_ link: String) async {
        let error = await answered(selfLink: link)
        #expect(error?.name == "malformed answer")
        #expect(error?.description.contains("\"telecom\"") == true)
        #expect(error?.description.contains("ana@") == false)
        #expect(await answered(selfLink: link, ["search": #"{"selfLink":"ignore"}"#]) == nil)
    }

    // MARK: Pages

    private func next(_ link: String) async throws -> (ClientPage?, UpstreamError?) {
        let http = Script(.fhir(Sample.bundle([Sample.patient("")], links: #"{"relation":"next","url":"\#(link)"}"#)))
        let driver = try Sample.driver(http)
        var page: ClientPage?
        let error = await failure { page = try await driver.page(first, Sample.context) }
        return (page, error)
    }

    @Test(arguments: [
        ("https://fhir.example.test/r4?_getpages=a", "https://fhir.example.test/r4?_getpages=a"),
        ("https://FHIR.example.test:443/r4/Patient?ct=b", "https://FHIR.example.test:443/r4/Patient?ct=b"),
        ("/r4/Patient?_page_token=c", "https://fhir.example.test/r4/Patient?_page_token=c"),
        ("?ct=d", "https://fhir.example.test/r4/Patient?ct=d"),
    ]) func nextLinksOfTheSameOriginAreFollowed(_ link: String, _ url: String) async throws {
        let (page, error) = try await next(link)
        #expect(error == nil)
        #expect(page?.more == true)
        let http = Script(.fhir(Sample.bundle([Sample.patient("", id: "p2")])))
        let driver = try Sample.driver(http)
        let token = try #require(page?.next)
        let second = try await driver.page(PageRequest(.token(token), size: 10), Sample.context)
        #expect(http.last?.url == url)
        #expect(second.more == false && second.clients.map(\.id.text) == ["p2"])
    }

    @Test(arguments: [
        "https://other.example.test/r4?_getpages=a", "http://fhir.example.test/r4?_getpages=a",
        "https://fhir.example.test:8443/r4", "//other.example.test/r4", "https://fhir.example.test@other.example.test/",
        "file:///etc/passwd", "https://fhir.example.test.other.example.test/r4",
    ]) func otherNextLinksAreNot(_ link: String) async throws {
        let (page, error) = try await next(link)
        #expect(page == nil)
        #expect(error?.name == "malformed answer")
    }

    @Test func aPageThatIsItsOwnNextIsNoEndlessList() async throws {
        let link = "https://fhir.example.test/r4?_getpages=a"
        let http = Script(.fhir(Sample.bundle([Sample.patient("")], links: #"{"relation":"next","url":"\#(link)"}"#)))
        let driver = try Sample.driver(http)
        let error = await failure {
            _ = try await driver.page(PageRequest(.token(PageToken(link)), size: 10), Sample.context)
        }
        #expect(error?.name == "malformed answer")
    }

    // MARK: Outcomes

    private let issue =
        #"{"resourceType":"OperationOutcome","issue":[{"severity":"SEVERITY","code":"processing","diagnostics":"Ana"}]}"#

    private func outcome(_ severity: String) -> String { issue.replacing("SEVERITY", with: severity) }

    @Test func anOutcomeAmongTheEntriesIsRead() async throws {
        func page(_ severity: String) async throws -> ClientPage {
            let entry = #"{"resource":\#(outcome(severity)),"search":{"mode":"outcome"}}"#
            let body =
                #"{"resourceType":"Bundle","type":"searchset","entry":[\#(entry),{"resource":\#(Sample.patient(""))}]}"#
            return try await Sample.driver(Script(.fhir(body))).page(first, Sample.context)
        }
        #expect(try await page("warning").clients.count == 1)
        #expect(try await page("information").rows == 1)
        let error = await failure { _ = try await page("error") }
        #expect(error?.name == "failed")
        #expect(error?.description.contains("processing") == true)
        #expect(error?.description.contains("Ana") == false)
        #expect(await failure { _ = try await page("fatal") }?.name == "failed")
    }

    @Test func anOutcomeInPlaceOfABundleIsAFailure() async throws {
        let driver = try Sample.driver(Script(.fhir(outcome("error"))))
        #expect(await failure { _ = try await driver.page(first, Sample.context) }?.name == "failed")
    }

    @Test(arguments: [
        "{}", "[]", "null", #"{"resourceType":"Bundle","type":"collection"}"#, #"{"resourceType":"Bundle"}"#,
        #"{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"x"}]}"#,
        #"{"resourceType":"Bundle","type":"searchset","entry":{}}"#,
        #"{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Practitioner","id":"1"}}]}"#,
        #"{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Patient"}}]}"#,
        "<html></html>", "",
    ]) func otherAnswersAreNeverAnEmptyList(_ body: String) async throws {
        let driver = try Sample.driver(Script(.fhir(body)))
        #expect(await failure { _ = try await driver.page(first, Sample.context) }?.name == "malformed answer")
    }

    @Test func includedResourcesAreNoMatches() async throws {
        let body =
            #"{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Organization","id":"o"},"search":{"mode":"include"}},{"resource":\#(Sample.patient(""))}]}"#
        let page = try await Sample.driver(Script(.fhir(body))).page(first, Sample.context)
        #expect(page.rows == 1 && page.clients.map(\.id.text) == ["p1"])
    }

    @Test(arguments: [400, 404, 410, 500]) func aSearchThatFailsIsNoEmptyAnswer(_ status: Int) async throws {
        let driver = try Sample.driver(Script(.fhir(outcome("error"), status: status)))
        #expect(await failure { _ = try await driver.page(first, Sample.context) }?.name == "failed")
    }

    @Test func aListAsksForItsOrder() async throws {
        let http = Script(empty)
        let driver = try Sample.driver(http, ["list": #"{"count":25,"sort":"_id"}"#])
        _ = try await driver.page(PageRequest(.offset(0), size: 1000), Sample.context)
        #expect(http.last?.target == "/Patient?_count=25&_sort=_id")
        #expect(driver.capabilities.listPaging.maximum == 25)
    }
}
