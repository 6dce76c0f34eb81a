import Foundation
import RESTDriver
import TestSupport
import Testing

@testable import Workbench

@Suite struct GoldenPairTests {
    /// The skeleton's profile, with parts of it replaced.
    private func profile(_ changes: [(String, String)] = []) throws -> Profile {
        let skeleton = try #require(Skeleton(vendor: "vendor"))
        let file = try #require(skeleton.files.first)
        var text = file.content
        for (part, other) in changes {
            try #require(text.contains(part))
            text = text.replacingOccurrences(of: part, with: other)
        }
        return try Profile(Array(text.utf8), file: file.path)
    }

    private func differences(
        _ input: String, _ expected: String, _ changes: [(String, String)] = [], type: String = "json"
    ) async throws -> [String] {
        let profile = try profile(changes)
        let pair = GoldenPair(
            name: "pair", input: Array(input.utf8), inputType: type, expected: Array(expected.utf8))
        return await pair.differences(profile)
    }

    /// The skeleton's own pairs hold: what `ponte new` writes is where `ponte test` begins.
    @Test func theSkeletonHolds() async throws {
        let skeleton = try #require(Skeleton(vendor: "other-vendor"))
        let content = Dictionary(uniqueKeysWithValues: skeleton.files.map { ($0.path, $0.content) })
        let profile = try Profile(
            Array(try #require(content["other-vendor.json"]).utf8), file: "other-vendor.json")
        #expect(profile.name == "other-vendor")
        #expect(profile.remarks == [])
        for name in ["list", "wrong-key", "not-found"] {
            let pair = GoldenPair(
                name: name, input: Array(try #require(content["other-vendor.pairs/\(name).in.json"]).utf8),
                inputType: "json",
                expected: Array(try #require(content["other-vendor.pairs/\(name).out.json"]).utf8))
            #expect(await pair.differences(profile) == [])
        }
    }

    @Test(arguments: ["", "-x", "Vendor", "a/b", "a.b", String(repeating: "x", count: 64)])
    func aNameThatIsNoFileIsRefused(_ name: String) { #expect(Skeleton(vendor: name) == nil) }

    @Test func aDifferenceHasItsPlace() async throws {
        let lines = try await differences(
            #"{"id":7,"name":"Ana Teste","phone":"31988880001"}"#,
            #"{"call":"get","id":"7","gives":{"id":"7","name":"Bia Teste","phone":"5531988880001","email":"x@example.test"}}"#
        )
        #expect(lines.contains(#"/name: want "Bia Teste", got "Ana Teste""#))
        #expect(lines.contains(#"/email: want "x@example.test", got nothing"#))
        #expect(lines.contains { $0.hasPrefix("/allPhones: want nothing") })
    }

    @Test func aFailureIsCompared() async throws {
        #expect(try await differences("{}", #"{"call":"get","status":404,"fails":"not found"}"#) == [])
        let failed = try await differences("{}", #"{"call":"get","status":500,"fails":"not found"}"#)
        #expect(failed.first?.hasPrefix("want not found, got: failed (500)") == true)
        #expect(try await differences("<html>", #"{"call":"get","fails":"malformed answer"}"#, type: "html").count <= 1)
        #expect(try await differences(#"{"id":1,"name":"A"}"#, #"{"call":"get","fails":"not found"}"#).count == 1)
    }

    @Test func whatIsSentIsCompared() async throws {
        let sends = #""name":"Ana Teste","phone":"31988880001","cpf":"20000000108","email":"ana@example.test""#
        let sound = #"{"call":"create","status":201,"gives":{"id":"9"},"sends":{\#(sends),"birthdate":"1990-03-07"}}"#
        #expect(try await differences(#"{"id":9}"#, sound) == [])
        let other = #"{"call":"create","status":201,"gives":{"id":"9"},"sends":{\#(sends),"birthdate":"07/03/1990"}}"#
        #expect(try await differences(#"{"id":9}"#, other).first?.hasPrefix("sent /birthdate: want") == true)
    }

    @Test func whoeverMeansNobodyIsToldTheRule() async throws {
        let lines = try await differences(
            "{}", #"{"call":"search","by":"cpf","status":404,"gives":[]}"#)
        #expect(lines.count == 2)
        #expect(lines.last?.contains(#"{ "when": { "status": 404 }, "then": "empty" }"#) == true)
    }

    /// An answer that an error inside, an outage or a wrong key gives, too, is never made to mean nobody by its status.
    @Test(arguments: [
        (200, #"{"error":"nada encontrado"}"#, "json"), (500, #"{"message":"database is down"}"#, "json"),
        (502, "<html>Bad Gateway</html>", "html"), (404, "<html>nginx</html>", "html"), (400, "{}", "json"),
    ]) func noOutageIsMadeNobody(_ status: Int, _ answer: String, _ type: String) async throws {
        let lines = try await differences(
            answer, #"{"call":"search","by":"cpf","status":\#(status),"gives":[]}"#, type: type)
        let hint = try #require(lines.last)
        #expect(hint.contains("→ \(status) alone does not mean nobody"))
        #expect(hint.contains("THE VENDOR'S WORDS"))
        #expect(!hint.contains(#"{ "status": \#(status) }"#))
    }

    /// What is proposed can be put in as it stands; what would empty the clinic cannot.
    @Test func proposedRulesCompile() async throws {
        func with(_ rule: String) -> [(String, String)] { [(#""outcomes": ["#, #""outcomes": [\#(rule),"#)] }
        let nobody = #"{"call":"search","by":"cpf","status":404,"gives":[]}"#
        let rule = #"{ "when": { "status": 404 }, "then": "empty" }"#
        #expect(try await differences("{}", nobody).last?.contains(rule) == true)
        #expect(try await differences("{}", nobody, with(rule)) == [])

        let inside = #"{"call":"search","by":"cpf","gives":[]}"#
        let answer = #"{"error":"nada encontrado"}"#
        let hint = try #require(try await differences(answer, inside).last)
        let proposed = String(hint[try #require(hint.range(of: #"{ "when""#)).lowerBound...])
        let filled = proposed.replacingOccurrences(of: "/MEMBER", with: "/error")
            .replacingOccurrences(of: "THE VENDOR'S WORDS FOR NOBODY", with: "nada encontrado")
        #expect(try await differences(answer, inside, with(filled)) == [])
        #expect(try await differences(answer, inside, with(proposed)) != [])
        for status in ["200", "500", #""2xx""#, "401"] {
            #expect(throws: (any Error).self) {
                try profile(with(#"{ "when": { "status": \#(status) }, "then": "empty" }"#))
            }
        }
    }

    @Test func aWrongKeyInsideASuccessIsAboutTheCredentials() async throws {
        let lines = try await differences(
            #"{"error":"chave recusada"}"#, #"{"call":"list","fails":"credentials rejected"}"#)
        #expect(lines.last?.contains(#""then": "unauthorised""#) == true)
    }

    /// What a tenant gives has a value in every pair: digits where a body wants a number, or what the pair says.
    @Test func settingsFitWhereTheyAreSent() async throws {
        let unit = [
            (#""request": {"#, #""settings": { "unidade": {} }, "request": {"#),
            (
                #""json": "{record}", "answer""#,
                #""json": { "unidade": "{setting.unidade|number}", "p": "{record}" }, "answer""#
            ),
        ]
        let patient =
            #""p":{"name":"Ana Teste","phone":"31988880001","cpf":"20000000108","email":"ana@example.test","birthdate":"1990-03-07"}"#
        func pair(_ more: String, _ number: String) -> String {
            #"{"call":"create","status":201,\#(more)"gives":{"id":"9"},"sends":{"unidade":\#(number),\#(patient)}}"#
        }
        #expect(try await differences(#"{"id":9}"#, pair("", "101"), unit) == [])
        #expect(try await differences(#"{"id":9}"#, pair(#""settings":{"unidade":"7"},"#, "7"), unit) == [])
        let letters = try await differences(#"{"id":9}"#, pair(#""settings":{"unidade":"x"},"#, "7"), unit)
        #expect(letters.contains { $0.hasPrefix("→") && $0.contains(#""settings""#) }, "\(letters)")
        let other = try await differences(#"{"id":9}"#, pair(#""settings":{"unidad":"7"},"#, "7"), unit)
        #expect(other.contains { $0.contains(#"did you mean "unidade"?"#) }, "\(other)")
    }

    /// An answer is copied as the vendor prints it, its next link too.
    @Test func aVendorsNextLinkMayStay() async throws {
        let link = [
            (#""query": { "page": "{page}", "per_page": "{size}" },"#, ""),
            (#"{ "style": "page", "base": 1, "maximum": 100 }"#, #"{ "style": "link", "next": "/next" }"#),
        ]
        func answer(_ next: String) -> String { #"{"data":[],"next":"\#(next)"}"# }
        let empty = #"{"call":"list","gives":[]}"#
        #expect(try await differences(answer("https://api.vendor.example/patients?page=2"), empty, link) == [])
        let elsewhere = answer("https://clinic.example.test/v2/patients?page=2")
        #expect(try await differences(elsewhere, empty, link).last?.contains(#""baseURL""#) == true)
        #expect(
            try await differences(
                elsewhere, #"{"call":"list","baseURL":"https://clinic.example.test/v2","gives":[]}"#, link) == [])
    }

    /// A member of another kind, or of another call, would test nothing.
    @Test(arguments: [
        (#""call":"list","status":"500","gives":[]"#, "/status: expected a whole number"),
        (#""call":"list","status":99,"gives":[]"#, "/status: must be a whole number"),
        (#""call":"create","status":422,"fails":"refused","reasons":"Telefone""#, "/reasons: expected an array"),
        (#""call":"create","status":422,"fails":"refused","reasons":[1]"#, "/reasons/0: expected a string"),
        (#""call":"get","id":77,"fails":"not found""#, "/id: expected a string"),
        (#""call":"search","by":"phone","term":123,"gives":[]"#, "/term: expected a string"),
        (
            #""call":"list","status":429,"fails":"rate limited","retryAfter":"3""#,
            "/retryAfter: expected a whole number"
        ),
        (#""call":"list","status":500,"fails":"failed","retryAfter":3"#, "/retryAfter: is heard where"),
        (#""call":"get","gives":{"id":"1"},"reasons":[]"#, "/reasons: is heard where"),
        (#""call":"list","headers":["A"],"gives":[]"#, "/headers: expected an object"),
        (#""call":"list","headers":{"A":1},"gives":[]"#, "/headers/A: expected a string"),
        (#""call":"list","contentType":1,"gives":[]"#, "/contentType: expected a string"),
        (#""call":"get","fails":["not found"]"#, "/fails: expected a string"),
        (#""call":"get","fails":"notfound""#, #"did you mean "not found"?"#),
        (#""call":"update","reads":1,"gives":{"id":"1"}"#, "/reads: expected a string"),
        (#""call":"create","draft":"Ana","gives":{"id":"1"}"#, "/draft: is no body"),
        (#""call":"list","term":"Ana","gives":[]"#, "/term: is not heard by list"),
        (#""call":"create","patch":{"name":"Ana"},"gives":{"id":"1"}"#, "/patch: is not heard by create"),
        (#""call":"list","status":200,"status":500,"gives":[]"#, "/status: stands twice"),
        (#""call":"list","baseURL":"vendor.example","gives":[]"#, "/baseURL: must begin with https://"),
        (#""call":"list","credentials":{"tokn":"t"},"gives":[]"#, #"did you mean "token"?"#),
        (#""call":"list","settings":{"a":"1"},"gives":[]"#, "/settings/a: unknown setting"),
        (#""call":"list","gives":[],"fails":"failed""#, "/fails: stands beside"),
    ]) func aMemberThatIsNotHeardIsAFault(_ members: String, _ said: String) async throws {
        let lines = try await differences(#"{"data":[]}"#, "{\(members)}")
        #expect(lines.contains { $0.contains(said) }, "\(lines)")
    }

    @Test func theTimeToWaitIsCompared() async throws {
        func wait(_ seconds: Int) async throws -> [String] {
            try await differences(
                "{}",
                #"{"call":"list","status":429,"headers":{"Retry-After":"3"},"fails":"rate limited","retryAfter":\#(seconds)}"#
            )
        }
        #expect(try await wait(3) == [])
        #expect(try await wait(4) == ["retryAfter: want 4, got 3"])
    }

    @Test(arguments: [
        (#"{"call":"remove","gives":[]}"#, #"unknown value "remove""#),
        (#"{"call":"get","givs":{},"fails":"failed"}"#, #"did you mean "gives"?"#),
        (#"{"call":"get"}"#, #"either "gives" or "fails""#), ("[]", "expected an object"), ("x", "is not JSON"),
        (#"{"call":"search","gives":[]}"#, #"lacks the member "by""#),
        (#"{"call":"search","by":"cpf","term":"abc","gives":[]}"#, "cannot be a cpf"),
        (#"{"call":"create","draft":{"nome":"Ana"},"gives":{"id":"1"}}"#, "/draft: is no body"),
        (#"{"call":"update","reads":"absent","gives":{"id":"1"}}"#, #"unknown pair "absent""#),
    ])
    func aPairThatMakesNoSenseIsSaid(_ expected: String, _ said: String) async throws {
        let lines = try await differences("{}", expected)
        #expect(lines.count == 1)
        #expect(lines.first?.contains(said) == true, "\(lines)")
    }

    @Test func aFolderOfPairsIsReadWhole() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pairs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { Leaks.discard(folder) }
        for (name, text) in [
            ("one.in.json", "{}"), ("one.out.json", "{}"), ("page.in.html", "<html>"), ("page.out.json", "{}"),
            ("alone.in.json", "{}"), ("two.in.jsn", "{}"), ("notes.md", "x"), ("login.json", #"{"token":"t"}"#),
        ] { try Data(text.utf8).write(to: folder.appending(path: name)) }
        let read = try PairFolder(folder.path)
        #expect(read.pairs.map(\.name) == ["one", "page"])
        #expect(read.strays == ["alone.in.json", "notes.md", "two.in.jsn"])
        #expect(read.login == Array(#"{"token":"t"}"#.utf8))
        #expect(try PairFolder(folder.appending(path: "nowhere").path).pairs.isEmpty)
    }
}
