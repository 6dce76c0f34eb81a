import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// What is written can be read, what was read stays, and what nobody knows survives.
@Suite struct WritingTests {
    private static let lenses: [(field: String, lens: String)] = [
        ("name", #"{"at":"/n"}"#), ("name", #"{"at":["/n","/other"],"also":"/copy"}"#),
        ("name", #"{"at":"/deep/er/n"}"#),
        ("name", #"{"parts":{"first":"/f","rest":"/r"}}"#),
        ("name", #"{"parts":{"first":"/f","rest":"/r","blank":"-"}}"#),
        ("name", #"{"parts":{"given":"/g","family":"/f"}}"#),
        ("name", #"{"each":"/names","where":{"/use":"official"},"at":"/text"}"#),
        ("email", #"{"at":"/e"}"#), ("email", #"{"at":"/e/0"}"#),
        ("email", #"{"each":"/t","where":{"/k":"email"},"at":"/v","set":{"/rank":1}}"#),
        ("cpf", #"{"at":"/c"}"#), ("cpf", #"{"at":"/c","format":"punctuated"}"#),
        ("cpf", #"{"at":"/c","as":"number"}"#),
        ("cpf", #"{"each":"/docs","where":{"/type":"CPF"},"at":"/value"}"#),
        ("birthday", #"{"at":"/b"}"#), ("birthday", #"{"at":"/b","format":"dd/MM/yyyy"}"#),
        ("birthday", #"{"at":"/b","format":"yyyyMMdd","as":"number"}"#),
        ("birthday", #"{"at":"/b","format":"yyyy-MM-dd*"}"#),
        ("birthday", #"{"at":["/b","/b2"],"format":"dd-MM-yyyy","absent":["00-00-0000"]}"#),
        ("phones", #"{"at":"/p"}"#), ("phones", #"{"at":"/p","format":"e164"}"#),
        ("phones", #"{"at":"/p","format":"international","as":"number"}"#),
        ("phones", #"{"at":"/p","format":"masked"}"#), ("phones", #"{"parts":{"areaCode":"/p/ddd","number":"/p/n"}}"#),
        ("phones", #"{"parts":{"areaCode":"/p/ddd","number":"/p/n","spelling":"masked"},"set":{"/p/t":3}}"#),
        ("phones", #"{"each":"/t","where":{"/k":"phone"},"at":"/v"}"#), ("phones", #"{"at":"/list/0"}"#),
    ]

    private func changes(_ field: String, _ lens: String, style: String) -> [(String, String?)] {
        [("/fields/\(field)", lens), ("/update/style", "\"\(style)\""), ("/operations/update/answer", nil)]
    }

    private func draft(_ random: inout Seeded) throws -> ClientDraft {
        let names = ["Ana", "Bruno", "d'Ávila", "Exemplo", "Teste", "\"Zé\"", "João", "😀"]
        let base = Int.random(in: 1...999_999_999, using: &random)
        let digits = String(base)
        return ClientDraft(
            name: (0..<Int.random(in: 1...4, using: &random)).map { _ in names.randomElement(using: &random) ?? "Ana" }
                .joined(separator: " "),
            phone: try #require(PhoneNumber("55319" + String(Int.random(in: 80_000_000...99_999_999, using: &random)))),
            email: "p\(base)@example.test",
            birthday: Birthday(
                year: .random(in: 1920...2020, using: &random), month: 2, day: .random(in: 1...28, using: &random)),
            cpf: CPF(String(repeating: "0", count: 11 - digits.count) + digits))
    }

    /// read(write(v)) = v
    @Test(arguments: lenses) func whatIsWrittenIsRead(_ field: String, _ lens: String) async throws {
        var random = Seeded(11)
        let http = Script(#"{"id":"7"}"#)
        let driver = try Sample.driver(changes(field, lens, style: "partial"), http)
        for _ in 0..<100 {
            let draft = try draft(&random)
            _ = try await driver.create(draft, Sample.context)
            let echo = Script(#"{"id":"7",\#(try #require(http.last?.text).dropFirst())"#)
            let client = try await Sample.driver(changes(field, lens, style: "partial"), echo).client(
                ClientID("7"), Sample.context)
            #expect(client.name == draft.name)
            #expect(client.email == draft.email)
            #expect(client.cpf == draft.cpf)
            #expect(client.birthday == draft.birthday)
            #expect(client.allPhones.map(\.digits) == [draft.phone.digits])
        }
    }

    /// A full update of a record: one member changes, the rest stays byte for byte, unknown members too.
    @Test(arguments: lenses.filter { $0.field != "phones" }) func whatIsNotChangedSurvives(
        _ field: String, _ lens: String
    ) async throws {
        var random = Seeded(12)
        let maker = Script(#"{"id":"7"}"#)
        let changes = changes(field, lens, style: "full")
        _ = try await Sample.driver(changes, maker).create(try draft(&random), Sample.context)
        let record =
            #"{"id":"7","unknown":{"big":12345678901234567890,"t":"\u00e3\/"},"l":[1,{}],\#(try #require(maker.last?.text).dropFirst())"#
        let http = Script { request, _ in .json(request.method == "GET" ? record : "{}") }
        let driver = try Sample.driver(changes, http)
        let before = try await driver.client(ClientID("7"), Sample.context)
        // write(read(s)) = s
        let same = ClientPatch(name: before.name, email: before.email, cpf: before.cpf, birthday: before.birthday)
        _ = try await driver.update(ClientID("7"), same, Sample.context)
        #expect(http.last?.text == record)
        let other = try draft(&random)
        var patch = ClientPatch()
        switch field {
        case "name": patch.name = other.name
        case "email": patch.email = other.email
        case "cpf": patch.cpf = other.cpf
        default: patch.birthday = other.birthday
        }
        _ = try await driver.update(ClientID("7"), patch, Sample.context)
        let written = try #require(http.last?.text)
        #expect(written.contains(#""unknown":{"big":12345678901234567890,"t":"\u00e3\/"},"l":[1,{}]"#))
        let after = try await Sample.driver(changes, Script(written)).client(ClientID("7"), Sample.context)
        #expect(after.name == patch.name ?? before.name)
        #expect(after.email == patch.email ?? before.email)
        #expect(after.cpf == patch.cpf ?? before.cpf)
        #expect(after.birthday == patch.birthday ?? before.birthday)
        #expect(after.allPhones == before.allPhones)
    }

    private func sent(_ changes: [(String, String?)], record: String, _ patch: ClientPatch) async throws -> String {
        let http = Script { request, _ in .json(request.method == "GET" ? record : "{}") }
        _ = try await Sample.driver(changes, http).update(ClientID("7"), patch, Sample.context)
        return http.last?.text ?? ""
    }

    @Test func theVendorsOwnSpellingStays() async throws {
        let record = #"{"id":"7","name":"  Ana Teste ","cpf":"200.000.001-08","born":"1990-03-07"}"#
        let full = [("/update/style", Optional("\"full\""))]
        #expect(try await sent(full, record: record, ClientPatch(name: "Ana Teste", cpf: CPF("20000000108"))) == record)
        #expect(
            try await sent(full, record: record, ClientPatch(email: "a@example.test")) == record.dropLast()
                + #","email":"a@example.test"}"#)
    }

    @Test func aPartialUpdateSendsWhatChangesOnly() async throws {
        #expect(
            try await sent([], record: "{}", ClientPatch(email: "a@example.test")) == #"{"email":"a@example.test"}"#)
        // Arrays are replaced whole by most systems: the other elements go along.
        let arrays = [("/fields/email", Optional(#"{"each":"/contacts","where":{"/type":"email"},"at":"/value"}"#))]
        let record =
            #"{"id":"7","name":"A","contacts":[{"type":"phone","value":"1"},{"type":"email","value":"old@example.test","x":1},{"type":"email","value":"2@example.test"}],"z":1}"#
        #expect(
            try await sent(arrays, record: record, ClientPatch(email: "new@example.test"))
                == #"{"contacts":[{"type":"phone","value":"1"},{"type":"email","value":"new@example.test","x":1},{"type":"email","value":"2@example.test"}]}"#
        )
        #expect(
            try await sent(arrays, record: #"{"id":"7","contacts":null}"#, ClientPatch(email: "n@example.test"))
                == #"{"contacts":[{"type":"email","value":"n@example.test"}]}"#)
    }

    @Test func constantsBesideAValueGoAlong() async throws {
        let changes = [
            ("/fields/email", Optional(#"{"at":"/mails/0","set":{"/kind":2}}"#)),
            ("/update/fixed", #"{"/by":"ponte"}"#),
        ]
        #expect(
            try await sent(
                changes, record: #"{"id":"7","mails":["a","b"],"kind":1,"x":0}"#, ClientPatch(email: "n@example.test"))
                == #"{"mails":["n@example.test","b"],"kind":2,"by":"ponte"}"#)
    }

    @Test func requiredFieldsComeFromAFreshRead() async throws {
        let changes = [("/update", Optional(#"{"style":"partialWithRequired","required":["name","phones"]}"#))]
        let record = #"{"id":"7","name":"Ana Teste","phone":"(31) 98888-0001","other":1}"#
        #expect(
            try JSONDocument(Array(try await sent(changes, record: record, ClientPatch(email: "n@example.test")).utf8))
                .root.members.map(\.key).sorted()
                == ["email", "name", "phone"])
        #expect(try await sent(changes, record: record, ClientPatch(name: "Bia")).contains(#""name":"Bia""#))
    }

    @Test func someMembersAreNotSentBack() async throws {
        let changes = [
            ("/update", Optional(#"{"style":"full","omit":["/photo","/meta/etag","/gone"],"fixed":{"/meta/by":"p"}}"#))
        ]
        #expect(
            try await sent(
                changes, record: #"{"id":"7","name":"A","photo":"x","meta":{"etag":1,"k":2}}"#, ClientPatch(name: "B"))
                == #"{"id":"7","name":"B","meta":{"k":2,"by":"p"}}"#)
    }

    @Test func whatIsReadElsewhereIsCarriedOver() async throws {
        let changes = [
            ("/update/style", Optional("\"full\"")),
            (
                "/fields/birthday",
                #"{"detail":{"at":"/nascimento","format":"dd-MM-yyyy"},"write":{"at":"/data_nascimento"}}"#
            ),
            (
                "/fields/phones",
                #"{"detail":[{"at":"/tel/0"},{"at":"/tel/1"}],"write":[{"at":"/celular","only":"mobile"},{"at":"/fixo","only":"landline"}]}"#
            ),
        ]
        let text = try await sent(
            changes, record: #"{"id":"7","name":"A","nascimento":"07-03-1990","tel":["1133330009","31988880001"]}"#,
            ClientPatch(name: "B"))
        let root = try JSONDocument(Array(text.utf8)).root
        #expect(root["data_nascimento"]?.string == "1990-03-07")
        #expect(root["celular"]?.string == "31988880001")
        #expect(root["fixo"]?.string == "1133330009")
        #expect(root["name"]?.string == "B")
    }

    @Test func namesFoldWhereDeclared() async throws {
        let changes = [("/update/style", Optional("\"full\"")), ("/foldCase", "true")]
        #expect(
            try await sent(
                changes, record: #"{"ID":"7","Name":"A","EMAIL":"a@example.test"}"#,
                ClientPatch(name: "B", email: "b@example.test"))
                == #"{"ID":"7","Name":"B","EMAIL":"b@example.test"}"#)
    }

    @Test func aShorterNameLeavesNoRest() async throws {
        let record = #"{"id":"7","g":["Ana","Maria"],"f":"Teste"}"#
        let changes = [
            ("/update/style", Optional("\"full\"")), ("/fields/name", #"{"parts":{"given":"/g","family":"/f"}}"#),
        ]
        #expect(try await sent(changes, record: record, ClientPatch(name: "Bia")) == #"{"id":"7","g":["Bia"],"f":""}"#)
    }

    @Test func fillersStandWhereTheDraftHasNothing() async throws {
        let http = Script(#"{"id":"7"}"#)
        let driver = try Sample.driver(
            [
                ("/fields/cpf", #"{"at":"/cpf","set":{"/noCPF":false},"filler":{"/noCPF":true}}"#),
                ("/fields/email", #"{"at":"/email","filler":""}"#),
                (
                    "/fields/phones",
                    #"[{"at":"/mobile","only":"mobile","filler":""},{"at":"/home","only":"landline","filler":"0"}]"#
                ),
                ("/create/fixed", #"{"/unit/id":3}"#),
            ], http)
        _ = try await driver.create(
            ClientDraft(name: "Ana", phone: try #require(PhoneNumber("5531988880001"))), Sample.context)
        #expect(
            http.last?.text
                == #"{"name":"Ana","mobile":"31988880001","home":"0","noCPF":true,"email":"","unit":{"id":3}}"#)
        _ = try await driver.create(
            ClientDraft(name: "Ana", phone: try #require(PhoneNumber("551133330009")), cpf: CPF("20000000108")),
            Sample.context)
        #expect(
            try #require(http.last?.text).contains(
                #""home":"1133330009","mobile":"","cpf":"20000000108","noCPF":false"#))
    }

    @Test func whatAPlaceCannotHoldIsRefusedBeforeAnythingIsSent() async throws {
        let http = Script(#"{"id":"7"}"#)
        let foreign = ClientDraft(name: "Inês", phone: try #require(PhoneNumber("+351912345678")))
        for phones in [
            #"{"parts":{"areaCode":"/d","number":"/n"}}"#, #"{"at":"/p","as":"number"}"#,
            #"{"at":"/p","only":"landline"}"#,
        ] {
            let driver = try Sample.driver([("/fields/phones", phones)], http)
            #expect(
                await failure { _ = try await driver.create(foreign, Sample.context) }?.name == "unsupported",
                "\(phones)")
        }
        // What would be read back as nothing.
        let marked = try Sample.driver([("/fields/name/absent", #"["-"]"#)], http)
        #expect(
            await failure { _ = try await marked.update(ClientID("7"), ClientPatch(name: "-"), Sample.context) }?.name
                == "unsupported")
        #expect(http.requests.isEmpty)
    }

    @Test func fieldsMayHaveCallsOfTheirOwn() async throws {
        let http = Script("{}")
        let driver = try Sample.driver(
            [
                ("/operations/update", nil),
                ("/update", #"{"style":"perField","calls":{"name":"rename","cpf":"recpf"}}"#),
                ("/operations/rename", #"{"method":"PUT","path":"/p/{id}/name","json":{"v":"{value}"}}"#),
                ("/operations/recpf", #"{"method":"POST","path":"/p/{id}/cpf/{value}"}"#),
                ("/fields/cpf/format", "\"punctuated\""),
            ], http)
        _ = try await driver.update(ClientID("7"), ClientPatch(name: "Bia", cpf: CPF("20000000108")), Sample.context)
        #expect(
            http.requests.map { "\($0.method) \($0.target) \($0.text)" } == [
                #"PUT /p/7/name {"v":"Bia"}"#, "POST /p/7/cpf/200.000.001-08 ",
            ])
        #expect(driver.capabilities.unchangeable == [.email, .birthday])
        #expect(
            await failure {
                _ = try await driver.update(
                    ClientID("7"), ClientPatch(name: "C", email: "a@example.test"), Sample.context)
            }?.name == "unsupported")
        #expect(http.requests.count == 2)
    }

    @Test func aConditionalUpdateSendsTheTag() async throws {
        let http = Script { _, _ in .json(#"{"id":"7","name":"A"}"#, headers: [("ETag", "W/\"3\"")]) }
        let driver = try Sample.driver([("/operations/update/ifMatch", "true")], http)
        _ = try await driver.update(ClientID("7"), ClientPatch(name: "B"), Sample.context)
        #expect(http.last?.header("If-Match") == "W/\"3\"")
        #expect(http.last?.repeatability == .unsafe)
    }

    /// No request with one in a header would leave.
    @Test func aTagWithControlCharactersIsNone() async throws {
        let http = Script { _, _ in .json(#"{"id":"7","name":"A"}"#, headers: [("ETag", "\"3\u{1}\"")]) }
        let driver = try Sample.driver([("/operations/update/ifMatch", "true")], http)
        _ = try await driver.update(ClientID("7"), ClientPatch(name: "B"), Sample.context)
        #expect(http.requests.count == 2 && http.last?.header("If-Match") == nil)
    }

    @Test(
        arguments: [
            (#"{"id":"9"}"#, [], "9"), (#"{"id":12345678901234567890}"#, [], "12345678901234567890"),
            ("", [("Location", "https://x.example.test/p/a%2Fb?x=1")], "a/b"),
            (#"{"id":null}"#, [("Location", "/p/5")], "5"),
            (#"{"id":0}"#, [], nil), (#"{"id":""}"#, [], nil), (#"{"id":{}}"#, [], nil), ("{}", [], nil), ("", [], nil),
            ("<html>", [], nil),
        ] as [(String, [(String, String)], String?)]) func theNewIDIsFoundOrTheOutcomeIsUnknown(
            _ body: String, _ headers: [(String, String)], _ id: String?
        ) async throws
    {
        let http = Script { _, _ in .json(body, status: 201, headers: headers.map { (name: $0.0, value: $0.1) }) }
        let driver = try Sample.driver([("/operations/create/answer", #"{"id":"/id","location":true}"#)], http)
        let draft = try #require(Sample.ana)
        do {
            guard case .id(let found) = try await driver.create(draft, Sample.context) else {
                Issue.record("expected an id")
                return
            }
            #expect(found.text == id)
        } catch {
            #expect(id == nil && error.name == "outcome unknown")
        }
    }

    @Test func aPageOfHTMLIsNoSuccess() async throws {
        let driver = try Sample.driver(Script("<html>log in</html>"))
        #expect(
            await failure { _ = try await driver.update(ClientID("7"), ClientPatch(name: "B"), Sample.context) }?.name
                == "outcome unknown")
        let quiet = try Sample.driver(Script(""))
        #expect(
            await failure { _ = try await quiet.update(ClientID("7"), ClientPatch(name: "B"), Sample.context) } == nil)
    }
}
