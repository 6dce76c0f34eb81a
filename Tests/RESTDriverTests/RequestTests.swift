import ClientContract
import DriverSupport
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// What a request says: credentials in any part of it, and ids that cannot change anything but themselves.
@Suite struct RequestTests {
    private static let client = #"{"id":"7","name":"Ana Teste"}"#

    @Test func credentialsStandAnywhere() async throws {
        let http = Script(#"{"id":"7"}"#)
        let driver = try Sample.driver(
            [
                ("/credentials", #"["a","b","c","d"]"#),
                ("/settings", #"{"unit":{"default":"U 1"},"shard":{"from":"a","afterLast":"-"}}"#),
                (
                    "/request",
                    #"{"headers":{"Authorization":"{credential.a}","X-Unit":"{setting.unit}","X-Shard":"{setting.shard}","X-Request":"{requestId}"},"query":{"k":"{credential.b}"}}"#
                ),
                ("/operations/create/path", "\"/t/{credential.c}/patients\""),
                ("/operations/create/json", #"{"auth":{"t":"{credential.d}"},"...":"{record}"}"#),
            ],
            credentials: ["a": Secret("x-y-au1"), "b": Secret("b&b"), "c": Secret("c/c"), "d": Secret("d\"d")], http)
        _ = try await driver.create(
            ClientDraft(name: "Ana Teste", phone: try #require(PhoneNumber("5531988880001"))), Sample.context)
        let request = try #require(http.last)
        #expect(request.target == "/t/c%2Fc/patients?k=b%26b")
        #expect(request.header("Authorization") == "x-y-au1")
        #expect(request.header("X-Unit") == "U 1")
        #expect(request.header("X-Shard") == "au1")
        #expect(request.header("X-Request") == "req-1")
        #expect(request.text == #"{"auth":{"t":"d\"d"},"name":"Ana Teste","phone":"31988880001"}"#)
        #expect(request.repeatability == .unsafe)
        #expect(!"\(request)".contains("c%2Fc"))
    }

    @Test(arguments: [
        ("{credential.key}", "", "k-1:"), ("", "{credential.key}", ":k-1"), ("u", "{credential.key}", "u:k-1"),
    ])
    func basicMayHaveAnEmptyHalf(_ user: String, _ password: String, _ pair: String) async throws {
        let http = Script(Self.client)
        let driver = try Sample.driver(
            [("/request", #"{"basic":{"user":"\#(user)","password":"\#(password)"}}"#)], http)
        _ = try await driver.client(ClientID("7"), Sample.context)
        #expect(http.last?.header("Authorization") == "Basic " + Base64.encode(Array(pair.utf8)))
    }

    @Test func anOperationsHeadersWin() async throws {
        let http = Script(Self.client)
        let driver = try Sample.driver(
            [
                ("/operations/get/headers", #"{"x-key":"other","Accept":"application/x"}"#),
                ("/operations/create/headers", #"{"Content-Type":"application/vnd.api+json"}"#),
            ],
            http)
        _ = try await driver.client(ClientID("7"), Sample.context)
        #expect(http.last?.headers.map(\.value) == ["other", "application/x"])
        _ = try await driver.create(
            ClientDraft(name: "Ana", phone: try #require(PhoneNumber("5531988880001"))), Sample.context)
        #expect(http.last?.headers.filter { $0.name == "Content-Type" }.map(\.value) == ["application/vnd.api+json"])
    }

    @Test func formsAreFlatAndKeepTheirNames() async throws {
        let http = Script(#"{"id":"7"}"#)
        let driver = try Sample.driver(
            [
                ("/operations/create/json", nil),
                ("/operations/create/form", #"{"unit":"1","name":"fixed","...":"{record}"}"#),
                ("/create/fixed", #"{"/on":true,"/x":null,"/n":3}"#),
            ],
            http)
        _ = try await driver.create(
            ClientDraft(name: "Ana & Cia", phone: try #require(PhoneNumber("5531988880001"))), Sample.context)
        #expect(http.last?.text == "unit=1&name=fixed&phone=31988880001&on=1&n=3")
    }

    @Test(arguments: [
        "../x", "..%2Fx", "a/b", "%2F", "?q=1", "a?b", "#x", "a\r\nX: y", "a\0", "{id}", "{credential.key}", "a b", "ã",
        "a;b", "...", ".a",
    ])
    func idsAreOneSegment(_ id: String) async throws {
        let http = Script { _, _ in .json(#"{"id":"","name":"x"}"#) }
        let driver = try Sample.driver(http)
        _ = await failure { _ = try await driver.client(ClientID(id), Sample.context) }
        let url = try #require(http.last?.url)
        #expect(url.hasPrefix("https://vendor.example.test/v1/patients/"))
        let segment = url.dropFirst("https://vendor.example.test/v1/patients/".count)
        #expect(!segment.contains("/") && !segment.contains("?") && !segment.contains("#"))
        #expect(PercentEncoding.decode(String(segment)) == id)
    }

    /// Encoding cannot help here: a server would take these segments for steps.
    @Test(arguments: ["", ".", ".."]) func idsThatAreNoSegmentDoNotExist(_ id: String) async throws {
        let http = Script(Self.client)
        let driver = try Sample.driver(http)
        #expect(await failure { _ = try await driver.client(ClientID(id), Sample.context) }?.name == "not found")
        #expect(
            await failure { _ = try await driver.update(ClientID(id), ClientPatch(name: "A"), Sample.context) }?.name
                == "not found")
        #expect(http.requests.isEmpty)
    }

    @Test(arguments: [
        ("digits", "12", true), ("digits", "012", true), ("digits", "1a", false), ("digits", "١", false),
        ("digits", "-1", false),
        ("number", "12", true), ("number", "012", false), ("number", "0", true), ("number", "1.0", false),
        ("number", "1e3", false),
        ("number", "9007199254740993", true), ("number", "123456789012345678901", false), ("text", "a-1", true),
    ]) func idsOfTheWrongFormAreNotAskedFor(_ form: String, _ id: String, _ exists: Bool) async throws {
        let http = Script(#"{"id":"\#(id)","name":"A"}"#)
        let driver = try Sample.driver([("/fields/id/format", "\"\(form)\"")], http)
        let error = await failure { _ = try await driver.client(ClientID(id), Sample.context) }
        #expect(error?.name == (exists ? nil : "not found"))
        #expect(http.requests.count == (exists ? 1 : 0))
    }

    @Test func anIdKeepsAllItsDigits() async throws {
        let http = Script(#"{"id":9007199254740993,"name":"A"}"#)
        let driver = try Sample.driver(
            [("/operations/get", #"{"method":"POST","path":"/p","json":{"id":"{id|number}"},"item":""}"#)], http)
        #expect(try await driver.client(ClientID("9007199254740993"), Sample.context).id.text == "9007199254740993")
        #expect(http.last?.text == #"{"id":9007199254740993}"#)
        #expect(await failure { _ = try await driver.client(ClientID("x"), Sample.context) }?.name == "unsupported")
    }

    @Test(arguments: [
        (#"{"id":"8","name":"Bruno Exemplo"}"#, "malformed answer"), ("[]", "not found"),
        (#"[{"id":"7","name":"A"},{"id":"7","name":"B"}]"#, "malformed answer"),
        ("{}", "malformed answer"), ("null", "malformed answer"), ("\"x\"", "malformed answer"),
        ("", "malformed answer"), ("<html>", "malformed answer"),
        (#"{"name":"Ana"}"#, "malformed answer"),
    ]) func aRecordIsTheOneThatWasAskedForOrNone(_ body: String, _ name: String) async throws {
        let driver = try Sample.driver(Script(body))
        let error = await failure { _ = try await driver.client(ClientID("7"), Sample.context) }
        #expect(error?.name == name)
        #expect(!(error.map { "\($0)" } ?? "").contains("Bruno"))
    }

    @Test func nothingIsNobodyWhereDeclared() async throws {
        for (body, name) in [("{}", "emptyObject"), ("null", "null")] {
            let driver = try Sample.driver([("/operations/get/tolerate", #"["\#(name)"]"#)], Script(body))
            #expect(await failure { _ = try await driver.client(ClientID("7"), Sample.context) }?.name == "not found")
        }
        let one = try Sample.driver(Script("[\(Self.client)]"))
        #expect(try await one.client(ClientID("7"), Sample.context).name == "Ana Teste")
    }

    @Test func theDriverSaysWhatItCannotDo() async throws {
        let driver = try Sample.driver(
            [
                ("/operations", #"{"find":{"path":"/c","items":"/items"}}"#),
                ("/search", #"{"cpf":{"operation":"find","query":{"cpf":"{term}"}}}"#), ("/update", nil),
            ],
            Script("{}"))
        #expect(driver.capabilities.operations == [.search])
        #expect(
            await failure { _ = try await driver.page(PageRequest(.offset(0), size: 1), Sample.context) }?.name
                == "unsupported")
        #expect(await failure { _ = try await driver.client(ClientID("1"), Sample.context) }?.name == "unsupported")
        #expect(
            await failure { _ = try await driver.update(ClientID("1"), ClientPatch(name: "A"), Sample.context) }?.name
                == "unsupported")
        let draft = try #require(Sample.ana)
        #expect(await failure { _ = try await driver.create(draft, Sample.context) }?.name == "unsupported")
    }
}
