import ClientContract
import DriverSupport
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

@Suite struct SearchTests {
    private static let empty = #"{"items":[],"total":0}"#

    private func phone(_ text: String) throws -> SearchTerm { .phone(try #require(PhoneNumber(text))) }

    /// What reaches the system for each attempt, without the paging.
    private func targets(_ changes: [(String, String?)], _ term: SearchTerm) async throws -> [String] {
        let http = Script(Self.empty)
        let driver = try Sample.driver(changes, http)
        let attempts = driver.capabilities.searches[term.kind]?.count ?? 0
        for attempt in 0..<attempts {
            _ = try await driver.candidates(
                for: term, attempt: attempt, PageRequest(.offset(0), size: 10), Sample.context)
        }
        return http.requests.map { $0.target.replacing("/patients?limit=10&offset=0", with: "") }
    }

    @Test func eachSpellingAndEachTwinIsACallOfItsOwn() async throws {
        let changes = [("/search/phone/spellings", #"["national","masked","subscriber"]"#)]
        #expect(
            try await targets(changes, phone("5531988880001")) == [
                "&phone=31988880001", "&phone=%2831%29%2098888-0001", "&phone=988880001",
                "&phone=3188880001", "&phone=%2831%29%208888-0001", "&phone=88880001",
            ])
        // A landline has no twin, and a number of another country no area code: nothing is asked for those.
        #expect(try await targets(changes, phone("551133330009")).count == 3)
        #expect(try await targets(changes, phone("+351912345678")).isEmpty)
        #expect(try await targets([("/search/phone/twin", "false")], phone("5531988880001")) == ["&phone=31988880001"])
        #expect(
            try await targets([("/search/phone/spellings", "\"lastEight\"")], phone("5531988880001")) == [
                "&phone=88880001"
            ])
    }

    @Test func severalSpellingsGoTogetherInOneCall() async throws {
        let changes = [
            (
                "/search/phone",
                #"{"operation":"find","query":{"phone":"{terms}"},"spellings":["international","e164"],"together":true}"#
            )
        ]
        #expect(
            try await targets(changes, phone("5531988880001")) == [
                "&phone=5531988880001%2C%2B5531988880001%2C553188880001%2C%2B553188880001"
            ])
    }

    @Test func valuesForTheOperationAreGiven() async throws {
        let http = Script(Self.empty)
        let driver = try Sample.driver(
            [
                (
                    "/operations/find",
                    #"{"method":"POST","path":"/search","json":{"term":"{term}","field":"{with.field|number}","from":"{offset}","n":"{limit}"},"items":"/items","paging":{"style":"offset"}}"#
                ),
                (
                    "/search",
                    #"{"cpf":{"operation":"find","with":{"field":"1"}},"name":{"operation":"find","with":{"field":"0"}}}"#
                ),
            ], http)
        let term = try #require(SearchTerm("20000000108", as: .cpf))
        _ = try await driver.candidates(for: term, attempt: 0, PageRequest(.offset(20), size: 10), Sample.context)
        #expect(http.last?.text == #"{"term":"20000000108","field":1,"from":20,"n":10}"#)
        #expect(http.last?.repeatability == .safe)
        _ = try await driver.candidates(
            for: .name(#"Ana "x" {y}"#), attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
        #expect(http.last?.text == #"{"term":"Ana \"x\" {y}","field":0,"from":0,"n":10}"#)
    }

    @Test func whatAFilterWouldReadIsEscapedOrRefused() async throws {
        let escape = [
            (
                "/search/name",
                #"{"operation":"find","query":{"q":"%{term}%"},"escape":{"characters":"%_\\","with":"\\"},"forbid":"*\n"}"#
            )
        ]
        #expect(try await targets(escape, .name(#"50%_\a"#)) == ["&q=%2550%5C%25%5C_%5C%5Ca%25"])
        // A combining mark does not hide a wildcard.
        #expect(try await targets(escape, .name("a%\u{301}")) == ["&q=%25a%5C%25%CC%81%25"])
        for text in ["a*b", "a*\u{301}"] {
            let driver = try Sample.driver(escape, Script(Self.empty))
            let error = await failure {
                _ = try await driver.candidates(
                    for: .name(text), attempt: 0, PageRequest(.offset(0), size: 1), Sample.context)
            }
            #expect(error?.name == "unsupported")
            #expect(!(error?.description.contains("a*") ?? true))
        }
    }

    @Test(arguments: [
        "../x", "a/b", "a%2Fb", "a?b=c", "a&cpf=1", "a#b", "a\r\nX: y", "a\0b", "{credential.key}", "ã", "a+b", "a;b",
    ])
    func termsNeverLeaveTheirParameter(_ text: String) async throws {
        let http = Script(Self.empty)
        let driver = try Sample.driver(http)
        _ = try await driver.candidates(for: .name(text), attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
        let target = try #require(http.last?.target)
        let parts = target.split(separator: "&")
        #expect(parts.count == 3)
        #expect(target.hasPrefix("/patients?limit=10&offset=0&q="))
        #expect(PercentEncoding.decode(String(parts.last?.dropFirst(2) ?? "")) == text)
        #expect(!target.contains("k-1"))
    }

    @Test func aLookupAnswersOneOrNobody() async throws {
        let changes = [
            ("/operations/byCPF", #"{"path":"/cpf/{term}","item":"/data"}"#),
            ("/search/cpf", #"{"operation":"byCPF"}"#),
        ]
        let term = try #require(SearchTerm("20000000108", as: .cpf))
        func find(_ answer: UpstreamAnswer) async throws -> [String] {
            let driver = try Sample.driver(changes, Script { _, _ in answer })
            return try await driver.candidates(for: term, attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
                .clients.map(\.id.text)
        }
        #expect(try await find(.json(#"{"data":{"id":7,"name":"A"}}"#)) == ["7"])
        #expect(try await find(.json(#"{"data":[{"id":7,"name":"A"}]}"#)) == ["7"])
        #expect(await failure { _ = try await find(.json("{}", status: 404)) }?.name == "failed")
        #expect(await failure { _ = try await find(.json("{}")) }?.name == "malformed answer")
    }

    @Test func unknownKindsAndAttemptsAreUnsupported() async throws {
        let driver = try Sample.driver(Script(Self.empty))
        #expect(driver.capabilities.searches[.email] == nil)
        for (term, attempt) in [(SearchTerm.email("ana@example.test"), 0), (.name("Ana"), 1), (.name("Ana"), -1)] {
            let error = await failure {
                _ = try await driver.candidates(
                    for: term, attempt: attempt, PageRequest(.offset(0), size: 1), Sample.context)
            }
            #expect(error?.name == "unsupported")
        }
    }
}
