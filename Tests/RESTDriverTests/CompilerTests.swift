import DriverSupport
import JSONBytes
import StrictConfig
import Testing

@testable import RESTDriver

/// A profile in which something cannot work is refused when it is loaded: file, pointer, and the nearest valid name.
@Suite struct CompilerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let changes: [(String, String?)]
        let pointer: String
        let says: String

        init(_ changes: [(String, String?)], _ pointer: String, _ says: String) {
            (self.changes, self.pointer, self.says) = (changes, pointer, says)
        }

        init(_ place: String, _ json: String?, _ pointer: String? = nil, says: String) {
            self.init([(place, json)], pointer ?? place, says)
        }

        var testDescription: String { "\(pointer): \(says)" }
    }

    private static let login = #"{"request":{"method":"POST","path":"/login","json":{}},"token":"/t"}"#

    static let names: [Case] = [
        Case("/opertions", "{}", says: "did you mean \"operations\""),
        Case("/fields/phnes", "{}", says: "did you mean \"phones\""),
        Case("/fields/name/fromat", "\"text\"", says: "did you mean \"format\""),
        Case("/fields/name", #"{"detial":{"at":"/n"}}"#, "/fields/name/detial", says: "did you mean \"detail\""),
        Case("/fields/name", #"{"row":{"at":"/n"},"at":"/n"}"#, "/fields/name/at", says: "unknown member \"at\""),
        Case("/fields/phones/format", "\"natinal\"", says: "did you mean \"national\""),
        Case("/fields/cpf/format", "\"punctuatd\"", says: "did you mean \"punctuated\""),
        Case("/operations/list/pth", "\"/x\"", says: "did you mean \"path\""),
        Case("/operations/list/method", "\"FETCH\"", says: "unknown value \"FETCH\""),
        Case("/operations/list/path", "\"/p/{credential.kee}\"", says: "did you mean \"credential.key\""),
        Case("/operations/list/query/x", "\"{ofset}\"", says: "did you mean \"offset\""),
        Case("/operations/get/query", #"{"x":"{term}"}"#, "/operations/get/query/x", says: "unknown variable \"term\""),
        Case("/operations/create/json", #"{"a":"{nam}"}"#, "/operations/create/json/a", says: "unknown variable"),
        Case(
            "/operations/create/json", #"{"a":"{idd|number}","...":"{record}"}"#, "/operations/create/json/a",
            says: "unknown variable"),
        Case("/operations/list/paging/style", "\"ofset\"", says: "did you mean \"offset\""),
        Case(
            "/outcomes", #"[{"when":{"status":404},"then":"notfound"}]"#, "/outcomes/0/then",
            says: "did you mean \"notFound\""),
        Case("/search/phone/operation", "\"fnd\"", says: "did you mean \"find\""),
        Case("/search/phone/spellings", "\"digits\"", says: "does not fit a phone"),
        Case("/search/cpf/spellings", "[\"lastEight\"]", "/search/cpf/spellings/0", says: "does not fit a cpf"),
        Case("/update/style", "\"prtial\"", says: "did you mean \"partial\""),
        Case("/create/duplicates", "\"reuses\"", says: "Known: creates"),
        Case(
            "/settings", #"{"unit":{"from":"kee","afterLast":"-"}}"#, "/settings/unit/from",
            says: "did you mean \"key\""),
        Case("/baseURL", "\"https://{setting.unit}.example.test\"", says: "declare it in \"settings\""),
        Case("/operations/list/query/x", "\"{setting.unit}\"", says: "declare it in \"settings\""),
        Case("/credentials", #"["a b","key"]"#, "/credentials/0", says: "is not a name"),
        Case("/search/phone/with", #"{"fild":"2"}"#, "/search/phone/with/fild", says: "none is allowed"),
        Case(
            [
                ("/operations/find/query/f", "\"{with.field}\""), ("/search/phone/with", #"{"field":"2","x":""}"#),
                ("/search/cpf", nil), ("/search/name", nil),
            ],
            "/search/phone/with/x", "Known: field"),
        Case("/operations/find/query/f", "\"{with.field}\"", "/search/phone", says: "gives no \"with.field\""),
        Case("/operations/lst", #"{"path":"/x","items":""}"#, says: "did you mean \"list\""),
    ]

    static let lenses: [Case] = [
        Case("/fields/name", "{}", says: "lacks the member \"at\""),
        Case("/fields/name/at", "\"name\"", says: "is not a JSON pointer"),
        Case("/fields/name/at", #"["/a","/b","/c","/d","/e"]"#, says: "more than four"),
        Case(
            "/fields/email", #"{"at":"/e","where":{"/t":1}}"#, "/fields/email/where",
            says: "name the array with \"each\""),
        Case(
            "/fields/email", #"{"each":"/l","where":{"t":1},"at":"/e"}"#, "/fields/email/where/t",
            says: "not a JSON pointer"),
        Case("/fields/email/parts", #"{"first":"/a","rest":"/b"}"#, says: "exclude each other"),
        Case(
            "/fields/email", #"{"parts":{"first":"/a","rest":"/b"}}"#, "/fields/email/parts",
            says: "belong to name and phones"),
        Case(
            "/fields/name", #"{"parts":{"first":"/a","family":"/b"}}"#, "/fields/name/parts/first",
            says: "mixes two ways"),
        Case(
            "/fields/name", #"{"parts":{"given":"/a","family":"/b","middle":"/c"}}"#, "/fields/name/parts/middle",
            says: "belongs to \"first\" and \"rest\""),
        Case(
            "/fields/name", #"{"parts":{"given":"/a","family":"/b","blank":"-"}}"#, "/fields/name/parts/blank",
            says: "belongs to \"first\" and \"rest\""),
        Case(
            "/search/email", #"{"operation":"find","query":{"q":"{term}"},"spellings":"firstWord"}"#,
            "/search/email/spellings", says: "does not fit a email"),
        Case("/fields/name", #"{"parts":{"first":"/a"}}"#, "/fields/name/parts", says: "lacks the member \"rest\""),
        Case(
            "/fields/phones", #"{"parts":{"areaCode":"/d"}}"#, "/fields/phones/parts",
            says: "lacks the member \"number\""),
        Case("/fields/birthday/format", "\"YYYY-MM-DD\"", says: "is not a date format"),
        Case("/fields/email/as", "\"number\"", says: "cannot be \"number\""),
        Case(
            "/fields/phones", #"{"at":"/p","format":"masked","as":"number"}"#, "/fields/phones/as",
            says: "cannot be \"number\""),
        Case(
            "/fields/cpf", #"{"at":"/p","format":"punctuated","as":"number"}"#, "/fields/cpf/as",
            says: "cannot be \"number\""),
        Case(
            "/fields/birthday", #"{"at":"/p","format":"ddMMyyyy","as":"number"}"#, "/fields/birthday/as",
            says: "cannot be \"number\""),
        Case("/fields/email/only", "\"mobile\"", says: "belongs to phones"),
        Case("/fields/email/foreign", "\"digits\"", says: "belongs to phones"),
        Case(
            "/fields/phones", #"{"at":"/p","format":"e164","foreign":"digits"}"#, "/fields/phones/foreign",
            says: "belongs to phones"),
        Case("/fields/phones/foreign", "\"digit\"", says: "did you mean \"digits\""),
        Case("/fields/email/prefix", "\"x\"", says: "belongs to image"),
        Case("/fields/email/is", "true", says: "belongs to active"),
        Case("/fields/active", #"{"at":"/a"}"#, says: "lacks the member \"is\""),
        Case(
            "/fields/active", #"{"row":{"at":"/a","is":true},"write":{"at":"/a","is":true}}"#, "/fields/active/write",
            says: "says nothing"),
        Case("/fields/location", #"{"row":{"at":"/a"}}"#, "/fields/location/row", says: "says nothing"),
        Case(
            "/fields/email",
            #"{"row":{"at":"/a"},"detail":{"at":"/a"},"write":{"at":"/a"},"create":{"at":"/a"},"update":{"at":"/a"}}"#,
            "/fields/email/write", says: "is never used"),
        Case(
            "/fields/email", #"[{"at":"/a","readOnly":true},{"at":"/b"}]"#, "/fields/email/1",
            says: "read after a read-only place"),
        Case("/fields/email", "[]", says: "at least one place"),
        Case("/fields/name", nil, "/fields", says: "lacks the member \"name\""),
        Case("/fields/id", nil, "/fields", says: "lacks an id for the shape \"row\""),
        Case("/fields/id", #"{"detail":{"at":"/id"}}"#, "/fields", says: "lacks an id for the shape \"row\""),
        Case(
            "/fields/name", #"{"row":{"at":"/n"},"detail":{"at":"/n"}}"#, "/fields", says: "where a create writes name"),
        Case("/fields/phones/readOnly", "true", "/fields", says: "where a create writes phones"),
    ]

    static let operations: [Case] = [
        Case("/operations/list/path", nil, "/operations/list", says: "lacks the member \"path\""),
        Case("/operations/list/path", "\"patients\"", says: "must begin with /"),
        Case("/operations/list/path", "\"/a/../b\"", says: "steps out"),
        Case("/operations/get/path", "\"/p/{+id}\"", says: "change the path"),
        Case("/operations/get/path", "\"/p/{#id}\"", says: "change the path"),
        Case("/operations/get/path", "\"/p/{id\"", says: "without }"),
        Case("/operations/get/path", "\"/p\"", "/operations/get", says: "never says which client"),
        Case("/operations/get/item", nil, "/operations/get", says: "lacks the member \"item\""),
        Case("/operations/get/paging", #"{"style":"none"}"#, says: "means nothing in the operation \"get\""),
        Case("/operations/list/items", nil, "/operations/list", says: "lacks the member \"items\""),
        Case("/operations/list/answer", #"{"id":"/x"}"#, says: "means nothing in the operation \"list\""),
        Case("/operations/list/json", "{}", says: "is not sent with GET"),
        Case([("/operations/create/form", #"{"a":"1"}"#)], "/operations/create/form", "stands beside another body"),
        Case("/operations/list/headers", #"{"Host":"x"}"#, "/operations/list/headers/Host", says: "the transport's"),
        Case("/operations/list/headers", #"{"A B":"x"}"#, "/operations/list/headers/A B", says: "not a header name"),
        Case("/operations/list/headers", #"{"A":"{"}"#, "/operations/list/headers/A", says: "without }"),
        Case("/operations/list/paging/base", "1", says: "belongs to the style \"page\""),
        Case("/operations/list/paging/next", "\"/n\"", says: "belongs to the styles"),
        Case("/operations/list/paging", #"{"style":"link"}"#, says: "lacks the member \"next\""),
        Case("/operations/list/paging", #"{"style":"page"}"#, says: "never sends {page}"),
        Case(
            "/operations/list/query", #"{"limit":"{limit}"}"#, "/operations/list/paging", says: "never sends {offset}"),
        Case(
            "/operations/list/query", #"{"offset":"{offset}"}"#, "/operations/list/paging",
            says: "never sends how many rows"),
        Case("/operations/list/paging", #"{"style":"cursor","next":"/n"}"#, says: "never sends {cursor}"),
        Case("/operations/list/paging", nil, "/operations/list", says: "sends {offset}, but its paging gives none"),
        Case(
            "/operations/list/paging", #"{"style":"none","maximum":3}"#, "/operations/list/paging/maximum",
            says: "means nothing"),
        Case("/operations/create/answer", nil, "/operations/create", says: "lacks the member \"answer\""),
        Case("/operations/create/json", #"{"a":1}"#, "/operations/create", says: "never sends the record"),
        Case("/operations/create/json", #"{"...":"x"}"#, "/operations/create/json/...", says: "must be \"{record}\""),
        Case("/operations/find/query/x", "\"{record}\"", says: "unknown variable"),
        Case("/operations/update/path", "\"/p\"", "/operations/update", says: "never says which client"),
        Case(
            [
                ("/operations/update/json", nil), ("/operations/update/form", "\"{record}\""),
                ("/fields/email/at", "\"/c/email\""),
            ],
            "/operations/update", "a form is flat"),
        Case(
            [
                ("/operations/update/json", nil), ("/operations/update/form", "\"{record}\""),
                ("/update/style", "\"full\""),
            ],
            "/operations/update", "cannot carry a whole record"),
        Case("/update", nil, "/operations/update", says: "needs \"update\""),
        Case("/operations/update", nil, "/update", says: "no operation \"update\""),
        Case([("/update/style", "\"full\""), ("/operations/get", nil)], "/update", "no operation \"get\""),
        Case("/update/style", "\"partialWithRequired\"", "/update", says: "needs \"required\""),
        Case(
            [("/update/style", "\"partialWithRequired\""), ("/update/required", "[\"image\"]")], "/update",
            "has no place"),
        Case("/update/calls", "{}", says: "belongs to the style \"perField\""),
        Case(
            [("/update/style", "\"perField\""), ("/update/calls", #"{"nme":"x"}"#)], "/update/calls/nme",
            "did you mean \"name\""),
        Case(
            [("/update/style", "\"perField\""), ("/update/calls", #"{"phones":"find"}"#)], "/update/calls/phones",
            "is never changed"),
        Case(
            [("/update/style", "\"perField\""), ("/update/calls", #"{"name":"fnd"}"#)], "/update/calls/name",
            "did you mean \"find\""),
        Case(
            [("/update/style", "\"perField\""), ("/update/calls", #"{"name":"find"}"#)], "/operations/find",
            "never sends {id}"),
        Case(
            [("/update/style", "\"perField\""), ("/update/calls", #"{"name":"find"}"#)], "/operations/update",
            "is never called"),
    ]

    static let rest: [Case] = [
        Case("/search/phone", #"{"operation":"find"}"#, says: "never sends the term"),
        Case("/search/phone/together", "true", says: "needs {terms}"),
        Case("/search/cpf/twin", "true", says: "belongs to phones"),
        Case("/search/name/escape", #"{"characters":"%_","with":"\\"}"#, says: "must escape \"with\" too"),
        Case("/search/name/operation", "\"create\"", says: "without \"items\" or \"item\""),
        Case("/search/name/trust", "\"sure\"", says: "Known: exact"),
        Case("/outcomes", #"[{"when":{},"then":"ok"}]"#, "/outcomes/0/when", says: "names no condition"),
        Case(
            "/outcomes", #"[{"when":{"status":"4x"},"then":"ok"}]"#, "/outcomes/0/when/status", says: "is not a status"),
        Case("/outcomes", #"[{"when":{"status":99},"then":"ok"}]"#, "/outcomes/0/when/status", says: "from 100 to 599"),
        Case(
            "/outcomes", #"[{"when":{"body":{"a":1}},"then":"ok"}]"#, "/outcomes/0/when/body/a",
            says: "not a JSON pointer"),
        Case(
            "/outcomes", #"[{"when":{"body":{"/a":[1]}},"then":"ok"}]"#, "/outcomes/0/when/body/~1a",
            says: "expected a value"),
        Case(
            "/outcomes", #"[{"when":{"body":{"/a":{"equals":1,"empty":true}}},"then":"ok"}]"#,
            "/outcomes/0/when/body/~1a", says: "exactly one"),
        Case(
            "/outcomes", #"[{"when":{"status":404},"then":"notFound","reasons":"/m"}]"#, "/outcomes/0/reasons",
            says: "are heard only"),
        Case("/baseURL", "\"ftp://x\"", says: "must begin with https://"),
        Case("/request/basic", #"{"user":"{credential.key}"}"#, says: "lacks the member \"password\""),
        Case("/login", Self.login, says: "no request carries"),
        Case(
            [("/login", Self.login), ("/login/token", nil), ("/request/headers/A", "\"{login.token}\"")], "/login",
            "lacks the member \"token\""),
        Case(
            [
                ("/login", Self.login), ("/login/refresh", #"{"request":{"path":"/r"}}"#),
                ("/request/headers/A", "\"{login.token}\""),
            ],
            "/login/refresh", "needs \"refreshToken\""),
        Case(
            [("/login", Self.login), ("/login/lifetime", "\"5\""), ("/request/headers/A", "\"{login.token}\"")],
            "/login/lifetime",
            "is not a duration"),
        Case("/request/headers/A", "\"{login.token}\"", says: "unknown variable"),
        Case("/request/headers", "{}", "/credentials/0", says: "is sent nowhere"),
        Case("/settings", #"{"unit":{}}"#, "/settings/unit", says: "is sent nowhere"),
        Case(
            "/settings", #"{"unit":{"from":"key","afterLast":"--"}}"#, "/settings/unit/afterLast", says: "one character"
        ),
        Case("/settings", #"{"unit":{"afterLast":"-"}}"#, "/settings/unit/afterLast", says: "belongs to \"from\""),
        Case("/staleReads", "300", says: "expected a duration"),
        Case("/staleReads", "\"5m\"", "/operations/update", says: "needs an \"answer\""),
        Case(
            [
                ("/staleReads", "\"5m\""),
                ("/operations/update/outcomes", #"[{"when":{"status":404},"then":"ok"}]"#),
            ], "/operations/update", "needs an \"answer\""),
        Case(
            [
                ("/staleReads", "\"5m\""), ("/operations/update", nil),
                ("/update", #"{"style":"perField","calls":{"name":"rename"}}"#),
                ("/operations/rename", #"{"method":"PUT","path":"/p/{id}/{value}"}"#),
            ], "/operations/rename", "needs an \"answer\""),
        Case("/limits", #"{"concurrent":0}"#, "/limits/concurrent", says: "from 1 to 1000"),
        Case("/limits", #"{"calls":120}"#, "/limits", says: "needs \"calls\" and \"per\" together"),
        Case("/limits", #"{"calls":0,"per":"1m"}"#, "/limits/calls", says: "from 1 to 100000"),
        Case("/limits", #"{"calls":1,"per":"1ms"}"#, "/limits/per", says: "must be from"),
        Case("/retryAfter", #"{"as":"seconds"}"#, says: "lacks the member \"header\""),
        Case("/name", nil, "", says: "lacks the member \"name\""),
        Case("/operations", nil, "", says: "lacks the member \"operations\""),
    ]

    @Test(arguments: names + lenses + operations + rest + OutcomeRuleTests.nobody) func refuses(_ sample: Case) throws {
        let error = #expect(throws: ConfigError.self) { try Sample.compile(sample.changes) }
        let faults = error?.faults ?? []
        #expect(
            faults.contains {
                $0.pointer == sample.pointer && $0.message.contains(sample.says) && $0.file == "sample.json"
            },
            "\(faults)")
    }

    @Test func theSampleIsSound() throws { _ = try Sample.compile() }

    @Test func whatProvesAChangeMayLag() throws {
        let lag = ("/staleReads", Optional("\"5m\""))
        _ = try Sample.compile([lag, ("/operations/update/answer", #"{"item":""}"#)])
        _ = try Sample.compile([lag, ("/operations/update/answer", #"{"id":"/id"}"#)])
        _ = try Sample.compile([lag, ("/outcomes", #"[{"when":{"body":{"/done":true}},"then":"ok"}]"#)])
        _ = try Sample.compile([lag, ("/operations/update", nil), ("/update", nil)])
    }

    @Test func allFaultsComeAtOnceWithTheirLines() throws {
        let text = """
            {
              "name": "x", "title": "X",
              "fields": {
                "nme": { "at": "/n" },
                "name": { "at": "n" }
              },
              "operations": {}
            }
            """
        let error = #expect(throws: ConfigError.self) { try Profile(Array(text.utf8), file: "x.json") }
        let told = error?.faults.map { "\($0.line) \($0.pointer)" } ?? []
        #expect(told.contains("4 /fields/nme"))
        #expect(told.contains("5 /fields/name/at"))
        #expect(error?.description.hasPrefix("x.json:4:") ?? false)
    }

    @Test(arguments: ["", "{", "[]", "null", "\"x\"", #"{"name":1}"#, #"{"fields":[]}"#, #"{"operations":[]}"#])
    func anyOtherFileIsRefused(_ text: String) {
        #expect(throws: ConfigError.self) { try Profile(Array(text.utf8), file: "x.json") }
    }

    /// Whatever a member is replaced by, the compiler answers with faults or a profile and never traps.
    @Test func anyValueAnywhereIsSurvived() throws {
        let source = try JSONDocument(Array(Sample.profile.utf8)).root
        var pointers: [JSONPointer] = []
        func walk(_ value: JSONValue, _ pointer: JSONPointer) {
            pointers.append(pointer)
            for member in value.members { walk(member.value, pointer.appending(member.key)) }
            for (index, element) in value.elements.enumerated() { walk(element, pointer.appending(index)) }
        }
        walk(source, .root)
        var refused = 0
        for pointer in pointers where pointer != .root {
            for json in ["null", "1", "\"\"", "\"{\"", "[]", "{}", "[[]]", "true", "{\"at\":{}}", "\"/~2\""] {
                var edits = JSONEdits()
                edits.set(pointer, Array(json.utf8))
                do { _ = try Profile(edits.apply(to: source), file: "x.json") } catch { refused += 1 }
            }
        }
        #expect(refused > pointers.count)
    }
}
