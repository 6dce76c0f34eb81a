import ClientContract
import DriverSupport
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

@Suite struct OutcomeTests {
    private func judge(
        _ rules: String?, _ role: CallRole, status: Int = 200, type: String = "application/json", _ body: String = "{}",
        fold: Bool = false, headers: [(name: String, value: String)] = [], hints: String? = nil
    ) throws -> Exchange {
        let driver = try Sample.driver(
            [("/outcomes", rules ?? "[]"), ("/foldCase", "\(fold)"), ("/retryAfter", hints ?? "[]")], Script("{}"))
        let operation = try #require(driver.plan.operations["get"])
        let answer = UpstreamAnswer(status: status, headers: [("Content-Type", type)] + headers, body: Array(body.utf8))
        return driver.exchanger.judge(operation, role, answer)
    }

    @Test(arguments: [
        (200, CallRole.read, OutcomeKind.ok), (204, .update, .ok), (401, .get, .unauthorised),
        (403, .read, .unauthorised),
        (404, .get, .notFound), (410, .update, .notFound), (404, .read, .failure), (404, .create, .failure),
        (409, .create, .conflict),
        (412, .update, .conflict), (409, .read, .failure), (422, .create, .refused), (400, .update, .refused),
        (400, .read, .failure),
        (429, .create, .rateLimited), (500, .get, .failure), (503, .read, .failure), (302, .get, .failure),
        (304, .read, .failure),
    ]) func statusesWithoutARule(_ status: Int, _ role: CallRole, _ kind: OutcomeKind) throws {
        let exchange = try judge(nil, role, status: status)
        #expect(exchange.kind == kind)
        #expect(!exchange.ruled)
    }

    /// What an answer says of the system's health, for the breaker: the profile has the last word.
    @Test(
        arguments: [
            (nil, 200, "application/json", AnswerReading(.alive)),
            (nil, 404, "application/json", AnswerReading(.alive)),
            (nil, 401, "text/html", AnswerReading(.alive)), (nil, 400, "text/html", AnswerReading(.alive)),
            (nil, 500, "application/json", AnswerReading(.failing, retryAfter: 9)),
            (nil, 503, "text/html", AnswerReading(.failing, retryAfter: 9)),
            (nil, 501, "application/json", AnswerReading(.alive)),
            (nil, 429, "application/json", AnswerReading(.limited, retryAfter: 9)),
            (nil, 200, "text/html", AnswerReading(.failing)),
            (
                #"[{"when":{"status":500,"text":"<p>"},"then":"notFound"}]"#, 500,
                "application/json",
                AnswerReading(.alive)
            ),
            (
                #"[{"when":{"status":403},"then":"rateLimited"}]"#, 403, "text/plain",
                AnswerReading(.limited, retryAfter: 9)
            ),
            (
                #"[{"when":{"status":200,"contentType":"text/html"},"then":"empty"}]"#, 200, "text/html",
                AnswerReading(.alive)
            ),
            (#"[{"when":{"status":422},"then":"failure"}]"#, 422, "application/json", AnswerReading(.alive)),
        ] as [(String?, Int, String, AnswerReading)])
    func healthIsReadByTheProfilesRules(
        _ rules: String?, _ status: Int, _ type: String, _ reading: AnswerReading
    ) throws {
        let driver = try Sample.driver([("/outcomes", rules ?? "[]")], Script("{}"))
        let operation = try #require(driver.plan.operations["get"])
        let answer = UpstreamAnswer(
            status: status, headers: [("Content-Type", type), ("Retry-After", "9")], body: Array("<p>".utf8))
        #expect(driver.exchanger.reading(operation, .get, answer) == reading)
    }

    /// A system that sends its JSON as `text/html` is not taken for broken, nor is one that sends nothing.
    @Test(arguments: ["{}", " \n[1]", "\u{FEFF}{}", ""]) func jsonUnderHTMLIsNoFailure(_ body: String) throws {
        let driver = try Sample.driver(Script("{}"))
        let operation = try #require(driver.plan.operations["get"])
        let answer = UpstreamAnswer(status: 200, headers: [("Content-Type", "text/html")], body: Array(body.utf8))
        #expect(driver.exchanger.reading(operation, .get, answer) == AnswerReading(.alive))
    }

    /// A wrong address or a proxy must not look like a missing patient.
    @Test(arguments: [(404, CallRole.get), (410, .update), (409, .create), (422, .create), (400, .update), (403, .get)])
    func aWebPageSaysNothingAboutAClient(_ status: Int, _ role: CallRole) throws {
        #expect(try judge(nil, role, status: status, type: "text/html; charset=utf-8", "nginx").kind == .failure)
        #expect(try judge(nil, role, status: status, type: "text/plain", "\n<html></html>").kind == .failure)
        // Nor a proxy's plain words, where they could mean that there is nobody.
        let plain = try judge(nil, role, status: status, type: "text/plain", "404 page not found").kind
        #expect((plain == .failure) == [404, 410].contains(status))
        #expect(try judge(nil, role, status: status, type: "text/plain", "").kind != .failure)
        // A rule that knows of such pages has the last word; one that does not is no rule for them.
        if status != 403 {
            let rule = #"[{"when":{"status":\#(status)},"then":"notFound"}]"#
            #expect(try judge(rule, role, status: status, type: "text/html", "<p>").kind == .failure)
        }
        for condition in [#""contentType":"text/html""#, #""text":"nobody""#]
        where status != 403 || !condition.contains("Type") {
            let knowing = #"[{"when":{"status":\#(status),\#(condition)},"then":"notFound"}]"#
            #expect(try judge(knowing, role, status: status, type: "text/html", "<p>Nobody").kind == .notFound)
        }
    }

    @Test(arguments: [
        (#"{"status":409}"#, 409, "{}", true), (#"{"status":"4xx"}"#, 499, "{}", true),
        (#"{"status":"4xx"}"#, 500, "{}", false),
        (#"{"status":[200,"5xx"]}"#, 503, "{}", true), (#"{"body":{"/a":1}}"#, 200, #"{"a":1}"#, true),
        (#"{"body":{"/a":1}}"#, 200, #"{"a":"1"}"#, false),
        (#"{"body":{"/a":"não"}}"#, 200, #"{"a":"n\u00e3o"}"#, true),
        (#"{"body":{"/a":false}}"#, 200, #"{"a":false}"#, true), (#"{"body":{"/a":null}}"#, 200, #"{"a":null}"#, true),
        (#"{"body":{"/a":null}}"#, 200, "{}", false), (#"{"body":{"/a":{"equals":[1,2]}}}"#, 200, #"{"a":2}"#, true),
        (#"{"body":{"/a":{"present":true}}}"#, 200, #"{"a":null}"#, true),
        (#"{"body":{"/a":{"present":false}}}"#, 200, "{}", true),
        (#"{"body":{"/a":{"empty":true}}}"#, 200, "{}", true),
        (#"{"body":{"/a":{"empty":true}}}"#, 200, #"{"a":[                    ]}"#, true),
        (#"{"body":{"/a":{"empty":true}}}"#, 200, #"{"a":""}"#, true),
        (#"{"body":{"/a":{"empty":true}}}"#, 200, #"{"a":0}"#, false),
        (#"{"body":{"/a":{"empty":false}}}"#, 200, #"{"a":[1]}"#, true),
        (#"{"body":{"/a":{"contains":"ENCON"}}}"#, 200, #"{"a":"não encontrado"}"#, true),
        (#"{"body":{"":{"empty":true}}}"#, 200, "{}", true), (#"{"body":{"/a":1}}"#, 200, "not json", false),
        (#"{"text":"não encontrado"}"#, 200, "<p>Não Encontrado</p>", true),
        (#"{"text":"não encontrado"}"#, 200, #"{"m":"N\u00e3o encontrado"}"#, true),
        (#"{"text":"x","status":500}"#, 200, "x", false), (#"{"contentType":"text/html"}"#, 200, "{}", false),
        (#"{"status":200,"body":{"/a":1,"/b":2}}"#, 200, #"{"a":1,"b":3}"#, false),
    ]) func conditions(_ when: String, _ status: Int, _ body: String, _ fits: Bool) throws {
        let exchange = try judge(#"[{"when":\#(when),"then":"rateLimited"}]"#, .get, status: status, body)
        #expect((exchange.kind == .rateLimited) == fits)
        #expect(exchange.ruled == fits)
    }

    @Test func contentTypesAreComparedByTheirBeginning() throws {
        let rule = #"[{"when":{"contentType":"Text/HTML"},"then":"failure"}]"#
        #expect(try judge(rule, .get, type: "text/html; charset=UTF-8").kind == .failure)
        #expect(try judge(rule, .get, type: "application/json").kind == .ok)
    }

    @Test func theFirstRuleWinsAndTheOperationsComeFirst() throws {
        let driver = try Sample.driver(
            [
                (
                    "/outcomes",
                    #"[{"when":{"status":409},"then":"conflict"},{"when":{"status":"4xx"},"then":"failure"}]"#
                ),
                ("/operations/get/outcomes", #"[{"when":{"status":409},"then":"notFound"}]"#),
            ], Script("{}"))
        func kind(_ name: String, _ status: Int) throws -> OutcomeKind {
            driver.exchanger.judge(try #require(driver.plan.operations[name]), .get, .json("{}", status: status)).kind
        }
        #expect(try kind("get", 409) == .notFound)
        #expect(try kind("list", 409) == .conflict)
        #expect(try kind("get", 410) == .failure)
    }

    @Test func memberNamesFoldWhereDeclared() throws {
        let rule = #"[{"when":{"body":{"/sucesso":false}},"then":"failure"}]"#
        #expect(try judge(rule, .get, #"{"Sucesso":false}"#, fold: true).kind == .failure)
        #expect(try judge(rule, .get, #"{"Sucesso":false}"#).kind == .ok)
    }

    @Test func waitingTimesAreReadAndBounded() throws {
        func wait(_ name: String, _ value: String, _ hints: String? = nil) throws -> Int? {
            try judge(nil, .read, status: 429, headers: [(name, value)], hints: hints).retryAfter
        }
        #expect(try wait("Retry-After", "7") == 7)
        #expect(try wait("retry-after", "0") == 1)
        #expect(try wait("Retry-After", "999999") == 3600)
        #expect(try wait("Retry-After", "soon") == nil)
        #expect(try wait("Retry-After", "-7") == nil)
        #expect(try wait("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT") == 1)
        #expect(try wait("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT") == 3600)
        #expect(try wait("X-Wait", "9", #"{"header":"X-Wait"}"#) == 9)
        // By the answer's own clock, where it tells the time: one day wrong, or this machine's, makes no difference.
        for date in ["Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 2100 23:59:00 GMT"] {
            let moment = try #require(RetryAfter.date(UpstreamAnswer.json("{}", headers: [("Date", date)]).headers))
            let answered = try judge(
                nil, .read, status: 429, headers: [("Date", date), ("X-RateLimit-Reset", String(moment + 90))],
                hints: #"{"header":"X-RateLimit-Reset","as":"epochSeconds"}"#)
            #expect(answered.retryAfter == 90)
        }
        let inTwoMinutes = String(Int(EpochClock.now()) + 120)
        let told = try #require(
            try wait("X-RateLimit-Reset", inTwoMinutes, #"{"header":"X-RateLimit-Reset","as":"epochSeconds"}"#))
        #expect((100...120).contains(told))
    }

    @Test func reasonsAreTheVendorsWordsWithoutPeople() async throws {
        let body =
            #"{"erros":[{"campo":"cpf","mensagem":"CPF 200.000.001-08 já usado por Ana Teste"},"Telefone 31 98888 0001 em uso","ana@example.test inválido","Ana duplicada"]}"#
        let driver = try Sample.driver(
            [("/outcomes", #"[{"when":{"status":422},"then":"refused","reasons":"/erros"}]"#)],
            Script { _, _ in .json(body, status: 422) })
        let draft = try #require(Sample.ana)
        let error = await failure { _ = try await driver.create(draft, Sample.context) }
        guard case .refused(let reasons) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let told = reasons.joined(separator: "|")
        for secret in ["Ana", "Teste", "200.000", "00108", "98888", "example.test"] {
            #expect(!told.contains(secret), "\(told)")
        }
        #expect(told.contains("já usado por"))
        #expect(told.contains("em uso"))
    }

    @Test func aSearchTermIsNotRepeatedInReasons() async throws {
        let driver = try Sample.driver(
            [("/outcomes", #"[{"when":{"status":422},"then":"refused","reasons":"/m"}]"#)],
            Script { _, _ in .json(#"{"m":"Nada sobre Ana Teste"}"#, status: 422) })
        let error = await failure {
            _ = try await driver.candidates(
                for: .name("Ana Teste"), attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
        }
        guard case .refused(let reasons) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reasons.joined().contains("Ana"))
        #expect(reasons.joined().contains("Nada sobre"))
    }

    private func reasons(_ changes: [(String, String?)], _ body: String, _ key: String = "k-1") async throws -> [String]
    {
        let driver = try Sample.driver(
            changes, credentials: ["key": Secret(key)],
            Script { request, _ in
                request.url.hasSuffix("/login") ? .json(#"{"t":"tok-7/x"}"#) : .json(body, status: 422)
            })
        let draft = try #require(Sample.ana)
        guard case .refused(let reasons) = await failure({ _ = try await driver.create(draft, Sample.context) }) else {
            throw Sample.Unusable()
        }
        return reasons
    }

    /// Elsewhere a system may say who the other patient is.
    @Test func onlyPlacesThatTheProfileNamesAreHeard() async throws {
        let body = #"{"erros":["E-mail em uso por Bruno Exemplo"],"campo":"cpf inválido"}"#
        #expect(try await reasons([], body) == [])
        let rule = #"{"when":{"status":422},"then":"refused"}"#
        #expect(try await reasons([("/outcomes", "[\(rule)]")], body) == [])
        let named = rule.dropLast() + #","reasons":"/campo"}"#
        #expect(try await reasons([("/outcomes", "[\(named)]")], body) == ["cpf inválido"])
    }

    @Test func reasonsHoldNoSecrets() async throws {
        let changes: [(String, String?)] = [
            ("/outcomes", #"[{"when":{"status":422},"then":"refused","reasons":"/m"}]"#),
            ("/settings", #"{"unit":{"default":"unidade-centro"}}"#),
            (
                "/request",
                #"{"basic":{"user":"{credential.key}","password":"{setting.unit}"},"headers":{"X-T":"Token {login.token}"}}"#
            ),
            ("/login", #"{"request":{"path":"/login"},"token":"/t"}"#),
        ]
        let key = "chave secreta/ã"
        let spelled = [
            key, key.uppercased(), PercentEncoding.encode(key), "tok-7/x", "tok-7%2Fx", "unidade-centro",
            Base64.encode(Array("\(key):unidade-centro".utf8)),
        ]
        for secret in spelled {
            var writer = JSONWriter()
            // So far behind that cutting the text would leave a part of it.
            writer.string(String(repeating: "x", count: 295) + secret + " fim")
            let told = try await reasons(changes, #"{"m":\#(String(decoding: writer.finish(), as: UTF8.self))}"#, key)
            #expect(told == [String(repeating: "x", count: 295) + "… fim"], "\(secret)")
        }
    }

    /// A system that broke may have broken after the record was made.
    @Test(arguments: [302, 303, 500, 501, 502, 503, 504, 599]) func aBrokenCreateMayHaveHappened(_ status: Int)
        async throws
    {
        let http = Script { _, _ in .json(#"{"id":1}"#, status: status) }
        let driver = try Sample.driver(http)
        let draft = try #require(Sample.ana)
        #expect(await failure { _ = try await driver.create(draft, Sample.context) }?.name == "outcome unknown")
        // A change that a gateway passed on may have been made; one that the system itself failed at is told so.
        #expect(
            await failure { _ = try await driver.update(ClientID("7"), ClientPatch(name: "B"), Sample.context) }?.name
                == ([502, 504].contains(status) ? "outcome unknown" : "failed"))
        #expect(await failure { _ = try await driver.client(ClientID("7"), Sample.context) }?.name == "failed")
    }

    @Test func aProfileMayKnowThatABrokenCreateDidNotHappen() async throws {
        let draft = try #require(Sample.ana)
        let known = try Sample.driver(
            [("/outcomes", #"[{"when":{"status":500,"body":{"/code":"E1"}},"then":"failure"}]"#)],
            Script { _, _ in .json(#"{"code":"E1"}"#, status: 500) })
        #expect(await failure { _ = try await known.create(draft, Sample.context) }?.name == "failed")
        // A request that was never understood was not carried out.
        let lost = try Sample.driver(Script { _, _ in .json("{}", status: 404) })
        #expect(await failure { _ = try await lost.create(draft, Sample.context) }?.name == "failed")
    }

    /// What never arrived, and what may have.
    @Test(arguments: [
        (TransportError.Kind.connect, false, CallRole.create, "unreachable"),
        (.receive, true, .create, "outcome unknown"),
        (.truncated, true, .create, "outcome unknown"), (.tooLarge, true, .create, "outcome unknown"),
        (.deadline, true, .create, "outcome unknown"),
        (.deadline, false, .create, "timeout"), (.deadline, true, .update, "outcome unknown"),
        (.deadline, true, .get, "timeout"),
        (.truncated, true, .read, "malformed answer"), (.badEncoding, true, .get, "malformed answer"),
        (.cancelled, false, .read, "cancelled"),
        (.saturated, false, .create, "saturated"), (.circuitOpen, false, .create, "circuit open"),
        (.rateLimited, false, .update, "rate limited"), (.shuttingDown, false, .get, "shutting down"),
        (.connectTimeout, false, .update, "unreachable"), (.receive, true, .read, "unreachable"),
        (.invalidRequest, false, .update, "unsupported"), (.tls, false, .login, "unreachable"),
    ]) func transportErrors(_ kind: TransportError.Kind, _ reached: Bool, _ role: CallRole, _ name: String) {
        let error = TransportError(kind: kind, phase: .waiting, mayHaveReachedServer: reached, detail: "a fixed phrase")
        #expect(UpstreamError(error, isWrite: role.isWrite).name == name)
    }

    @Test(arguments: [
        (TransportError.Kind.connect, UpstreamError.Obstacle.connection), (.emptyAnswer, .connection),
        (.nameResolution, .name), (.connectTimeout, .silence), (.tls, .tls), (.ownFile, .tls),
        (.certificate, .certificate), (.addressRefused, .address),
    ]) func obstacles(_ kind: TransportError.Kind, _ obstacle: UpstreamError.Obstacle) {
        let error = TransportError(
            kind: kind, phase: .connecting, mayHaveReachedServer: false, detail: "a fixed phrase")
        for role in [CallRole.login, .read, .get, .create, .update] {
            guard case .unreachable("a fixed phrase", obstacle) = UpstreamError(error, isWrite: role.isWrite) else {
                Issue.record("\(kind) \(role)")
                continue
            }
        }
    }
}
