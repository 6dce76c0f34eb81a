import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Words of the profile language that keep a vendor's silence, its texts and its blanks from being taken for more than
/// they say.
@Suite struct VendorRuleTests {
    // MARK: The end of a list

    @Test(
        arguments: [
            (#"{"style":"offset"}"#, false), (#"{"style":"offset","total":"/total"}"#, true),
            (#"{"style":"offset","more":"/more"}"#, true), (#"{"style":"offset","pages":"/pages"}"#, true),
            (#"{"style":"offset","fixed":20}"#, true), (#"{"style":"offset","shortPageEnds":true}"#, true),
            (#"{"style":"offset","total":"/total","shortPageEnds":false}"#, false),
        ] as [(String, Bool)]) func aShortPageEndsOnlyAListThatShowsItsEnd(_ paging: String, _ ends: Bool) throws
    {
        let profile = try Sample.compile([("/operations/list/paging", paging)])
        #expect(profile.capabilities.listPaging.shortPageEnds == ends)
    }

    // MARK: Who counts

    @Test(
        arguments: [
            (nil, true), ("null", true), (#""""#, true), (#"" ""#, true), ("true", true), (#""true""#, true),
            ("1", true), ("false", false), (#""N""#, false), ("0", false),
        ] as [(String?, Bool)]) func nothingOnRecordCounts(_ value: String?, _ counts: Bool) async throws
    {
        let member = value.map { #","active":\#($0)"# } ?? ""
        let record = #"{"id":"1","name":"Ana Teste"\#(member)}"#
        let http = Script { request, _ in
            .json(request.target.hasPrefix("/patients?") ? #"{"items":[\#(record)],"total":1}"# : record)
        }
        let rule = #"{"at":"/active","isNot":[false,"N",0]}"#
        let driver = try Sample.driver([("/fields/active", rule)], http)
        let page = try await driver.page(PageRequest(.offset(0), size: 10), Sample.context)
        #expect(page.clients.count == (counts ? 1 : 0) && page.rows == 1)
        let error = await failure { _ = try await driver.client(ClientID("1"), Sample.context) }
        #expect(error?.name == (counts ? nil : "not found"))
        // Whoever does not count is not changed either.
        let change = await failure {
            _ = try await driver.update(ClientID("1"), ClientPatch(name: "Ana Nova"), Sample.context)
        }
        #expect(change?.name == (counts ? nil : "not found"))
        #expect(http.requests.contains { $0.method == "PUT" } == counts)
    }

    @Test func valuesThatCountAreStillTheOnlyOnesWhereTheyAreNamed() async throws {
        let http = Script(#"{"id":"1","name":"Ana Teste","active":"X"}"#)
        let driver = try Sample.driver([("/fields/active", #"{"at":"/active","is":["S"]}"#)], http)
        #expect(await failure { _ = try await driver.client(ClientID("1"), Sample.context) }?.name == "not found")
    }

    // MARK: What an answer says

    @Test func allTextsOfARuleMustStand() async throws {
        let rule = #"[{"when":{"status":400,"text":["paciente","não encontrad"]},"then":"empty"}]"#
        func search(_ body: String) async throws -> String {
            let driver = try Sample.driver([("/outcomes", rule)], Script { _, _ in .json(body, status: 400) })
            let error = await failure {
                _ = try await driver.candidates(
                    for: .name("Ana Teste"), attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
            }
            return error?.name ?? "nobody"
        }
        #expect(try await search(#"{"m":"Paciente N\u00e3o encontrado"}"#) == "nobody")
        #expect(try await search(#"{"m":"Token não encontrado"}"#) == "failed")
        #expect(try await search(#"{"m":"Paciente inválido"}"#) == "failed")
    }

    /// Feegow's 409 is nobody only where it speaks of a patient.
    @Test(
        arguments: [
            ("Paciente não encontrado", "nobody"), ("O paciente não existe", "nobody"),
            ("Conflito: Token não encontrado", "failed"), ("Conflito", "failed"),
        ]) func feegowKnowsNobody(_ content: String, _ says: String) async throws
    {
        let http = Script { _, _ in .json(#"{"success":false,"content":"\#(content)"}"#, status: 409) }
        let driver = RESTDriver(
            profile: try Sample.shipped("feegow"), tenant: RESTTenant(credentials: ["token": Secret("t")]), http: http)
        let error = await failure {
            _ = try await driver.candidates(
                for: .cpf(try #require(CPF("20000000108"))), attempt: 0, PageRequest(.offset(0), size: 10),
                Sample.context)
        }
        #expect(error?.name ?? "nobody" == says)
    }

    @Test(arguments: ["empty", "notFound"]) func aWebPageSaysNothingAboutAnybody(_ outcome: String) async throws {
        let http = Script { _, _ in
            UpstreamAnswer(
                status: 404, headers: [("Content-Type", "text/html")], body: Array("<html>Not Found</html>".utf8))
        }
        func driver(_ when: String) throws -> RESTDriver {
            try Sample.driver([("/outcomes", #"[{"when":\#(when),"then":"\#(outcome)"}]"#)], http)
        }
        let careless = try driver(#"{"status":404}"#)
        #expect(await failure { _ = try await careless.client(ClientID("1"), Sample.context) }?.name == "failed")
        // Unless the profile is about such pages.
        let knowing = try driver(#"{"status":404,"contentType":"text/html"}"#)
        #expect(await failure { _ = try await knowing.client(ClientID("1"), Sample.context) }?.name == "not found")
    }

    @Test func faultyMembersAreNamedWithoutTheTextsBesideThem() async throws {
        let rule = #"[{"when":{"status":422},"then":"refused","members":"/fields"}]"#
        let body = #"{"fields":{"cpf":["Já é de Maria Modelo"],"e_mail":["x"],"Maria Modelo":["y"]}}"#
        let driver = try Sample.driver([("/outcomes", rule)], Script { _, _ in .json(body, status: 422) })
        let draft = try #require(Sample.ana)
        guard case .refused(let reasons) = await failure({ _ = try await driver.create(draft, Sample.context) }) else {
            Issue.record("it was not refused")
            return
        }
        #expect(reasons == ["cpf", "e_mail"])
    }

    // MARK: Creates

    @Test func whatTheVendorDemandsIsSaidBeforeAnythingIsSent() async throws {
        let http = Script(#"{"id":"7"}"#)
        let driver = try Sample.driver([("/create/requires", #"["birthday","cpf"]"#)], http)
        var draft = try #require(Sample.ana)
        draft.birthday = nil
        let error = await failure { _ = try await driver.create(draft, Sample.context) }
        guard case .refused(let reasons) = error else {
            Issue.record("it was not refused: \(String(describing: error))")
            return
        }
        #expect(reasons == ["birthday is required"])
        #expect(http.requests.isEmpty)
        _ = try await driver.create(try #require(Sample.ana), Sample.context)
        #expect(http.requests.count == 1)
    }

    @Test func anIdThatTheCallerGivesNeedNotBeAnswered() async throws {
        let draft = try #require(Sample.ana)
        func create(_ body: String) async throws -> String {
            let answer = #"{"id":"/cpf","sent":"/cpf"}"#
            let driver = try Sample.driver([("/operations/create/answer", answer)], Script(body))
            var made = ""
            let error = await failure {
                guard case .id(let id) = try await driver.create(draft, Sample.context) else { return }
                made = id.text
            }
            return error?.name ?? made
        }
        #expect(try await create(#"{"id":55}"#) == "20000000108")
        #expect(try await create(#"{"cpf":"20000000299"}"#) == "20000000299")
        // No data, no proof.
        #expect(try await create("[]") == "outcome unknown")
        #expect(try await create("") == "outcome unknown")
    }

    // MARK: Searches and templates

    @Test func spellingsOfEveryDay() async throws {
        let http = Script(#"{"items":[],"total":0}"#)
        let driver = try Sample.driver(
            [("/search/phone/spellings", #"["lastFour","spaced"]"#)], http)
        let term = SearchTerm.phone(try #require(PhoneNumber("5531988880001")))
        let attempts = try #require(driver.capabilities.searches[.phone])
        for attempt in attempts.indices {
            _ = try await driver.candidates(
                for: term, attempt: attempt, PageRequest(.offset(0), size: 10), Sample.context)
        }
        // The last four digits of a number and of its twin are the same.
        #expect(
            http.requests.map { $0.target.replacing("/patients?limit=10&offset=0", with: "") } == [
                "&phone=0001", "&phone=%2B55%2031%2098888-0001", "&phone=%2B55%2031%208888-0001",
            ])
        #expect(attempts.flatMap(\.samples) == ["0001", "+55 31 98888-0001"])
        let alone = try Sample.driver([("/search/phone/spellings", #"["lastFour","lastEight"]"#)], http)
        #expect(alone.capabilities.searches[.phone]?.count == 2)
        // Numbers of other countries have no such spelling.
        let lisbon = SearchTerm.phone(try #require(PhoneNumber("+351912345678")))
        #expect(driver.question(for: lisbon, attempt: 1) == nil)
    }

    @Test func aBlankSettingIsNone() async throws {
        let changes = [
            ("/settings", #"{"database":{"default":""}}"#), ("/request/headers/X-Base", "\"{setting.database}\""),
        ]
        for (settings, sent) in [([:], nil), (["database": ""], nil), (["database": "um"], "um")]
            as [([String: String], String?)]
        {
            let http = Script(#"{"id":"1","name":"Ana Teste"}"#)
            _ = try await Sample.driver(changes, settings: settings, http).client(ClientID("1"), Sample.context)
            #expect(http.last?.header("X-Base") == sent)
        }
    }

    // MARK: What cannot work

    @Test(
        arguments: [
            ("/fields/active", #"{"at":"/a","is":[1],"isNot":[0]}"#, "exclude each other"),
            ("/fields/email/isNot", "[1]", "belongs to active"),
            ("/create/requires", #"["name"]"#, "cannot be missing"),
            ("/operations/update/answer", #"{"sent":"/cpf"}"#, "belongs to the operation \"create\""),
            ("/update/guard", #"{"held":"/a"}"#, "belongs to the style \"full\""),
            ("/update", #"{"style":"full","guard":{"held":"/a","unless":"x"}}"#, "unknown setting"),
            ("/outcomes", #"[{"when":{"status":404},"then":"empty","members":"/a"}]"#, "are heard only"),
        ]) func whatCannotWorkIsRefused(_ place: String, _ json: String, _ says: String) throws
    {
        let error = #expect(throws: (any Error).self) { try Sample.compile([(place, json)]) }
        #expect(error.map { "\($0)".contains(says) } == true, "\(String(describing: error))")
    }
}
