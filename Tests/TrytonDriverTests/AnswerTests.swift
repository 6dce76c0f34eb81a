import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// What each kind of answer means, by what was asked: never nobody in place of an error, never "nothing happened" where
/// something may have.
@Suite struct AnswerTests {
    private let context = CallContext(deadline: .now + .seconds(60), requestID: "test")

    struct Case: Sendable, CustomTestStringConvertible {
        let answer: String
        var status = 200
        let read: String?
        let create: String?

        var testDescription: String { "\(status) \(answer.prefix(60))" }
    }

    static let cases = [
        Case(answer: #"{"id":1,"result":[]}"#, read: nil, create: "outcome unknown"),
        Case(answer: #"{"id":1,"result":null}"#, read: "malformed answer", create: "outcome unknown"),
        Case(answer: #"{"id":1,"result":{}}"#, read: "malformed answer", create: "outcome unknown"),
        Case(answer: #"{"id":1,"result":[{"name":"Ana"}]}"#, read: "malformed answer", create: "outcome unknown"),
        Case(answer: #"{"id":1,"result":[[]]}"#, read: "malformed answer", create: "outcome unknown"),
        Case(answer: #"{"id":2,"result":[]}"#, read: "malformed answer", create: "outcome unknown"),
        Case(answer: "[]", read: "malformed answer", create: "outcome unknown"),
        Case(answer: "", read: "malformed answer", create: "outcome unknown"),
        Case(answer: "<html><form>login</form></html>", read: "malformed answer", create: "outcome unknown"),
        Case(
            answer: #"{"id":1,"error":["UserError",["No!","Not so.",null]]}"#, read: "failed",
            create: "refused with 2 reasons"),
        Case(
            answer: #"{"id":1,"error":["UserWarning",["key","Are you sure?",""]]}"#, read: "failed",
            create: "refused with 1 reasons"),
        Case(
            answer: #"{"id":1,"error":["ConcurrencyException","Records were modified in the meanwhile"]}"#,
            read: "failed", create: "conflict with 0 reasons"),
        Case(answer: #"{"id":1,"error":["'fed_country'",""]}"#, read: "failed", create: "failed"),
        Case(answer: #"{"id":1,"error":null}"#, read: "failed", create: "failed"),
        Case(answer: "", status: 403, read: "credentials rejected", create: "credentials rejected"),
        Case(answer: "<html>Forbidden</html>", status: 403, read: "failed", create: "failed"),
        Case(answer: "", status: 404, read: "failed", create: "failed"),
        Case(answer: "", status: 429, read: "rate limited", create: "rate limited"),
        Case(answer: "", status: 400, read: "failed", create: "failed"),
        Case(answer: "", status: 409, read: "failed", create: "conflict with 0 reasons"),
        Case(answer: "", status: 423, read: "failed", create: "conflict with 0 reasons"),
        Case(answer: "", status: 302, read: "failed", create: "failed"),
        Case(answer: "", status: 500, read: "failed", create: "outcome unknown"),
        Case(answer: "", status: 503, read: "failed", create: "outcome unknown"),
        Case(answer: "", status: 502, read: "failed", create: "outcome unknown"),
        Case(answer: "", status: 504, read: "failed", create: "outcome unknown"),
    ]

    private func driver(_ answer: UpstreamAnswer) -> TrytonDriver {
        Script { request, _ in
            if request.isLogin { return .session }
            if request.text.contains("default_get") { return .json(#"{"id":1,"result":{"fed_country":"BRA"}}"#) }
            return answer
        }.driver()
    }

    @Test(arguments: cases) func means(_ each: Case) async throws {
        let driver = driver(.json(each.answer, status: each.status))
        let listed = await failure { _ = try await driver.page(PageRequest(.offset(0), size: 10), context) }
        #expect(listed?.name == each.read)
        let searched = await failure {
            _ = try await driver.candidates(for: .name("Ana"), attempt: 0, PageRequest(.offset(0), size: 10), context)
        }
        #expect(searched?.name == each.read)
        let shown = await failure { _ = try await driver.client(ClientID("1"), context) }
        #expect(shown?.name == each.read ?? "not found")
        let created = await failure { _ = try await driver.create(try Person.draft(), context) }
        #expect(created?.name == each.create)
    }

    @Test func aBrokenConnectionLeavesOnlyWritesUnknown() async throws {
        for (reached, expected) in [(true, "outcome unknown"), (false, "unreachable")] {
            let driver = Script { request, _ in
                if request.isLogin { return .session }
                if request.text.contains("default_get") { return .json(#"{"id":1,"result":{"fed_country":null}}"#) }
                throw TransportError(
                    kind: .receive, phase: .waiting, mayHaveReachedServer: reached, detail: "the connection broke")
            }.driver()
            #expect(await failure { _ = try await driver.client(ClientID("1"), context) }?.name == "unreachable")
            #expect(await failure { _ = try await driver.create(try Person.draft(), context) }?.name == expected)
        }
    }

    @Test func anotherRecordIsNeverTakenForTheOneAskedFor() async throws {
        let driver = driver(.json(#"{"id":1,"result":[{"id":2,"name":"Bia"}]}"#))
        #expect(await failure { _ = try await driver.client(ClientID("1"), context) }?.name == "malformed answer")
        let changed = await failure {
            _ = try await driver.update(ClientID("1"), ClientPatch(name: "Ana"), context)
        }
        #expect(changed?.name == "malformed answer")
    }

    @Test func aNewPersonGetsTheClinicsOwnCountry() async throws {
        let script = Script { request, _ in
            if request.isLogin { return .session }
            if request.text.contains("default_get") { return .json(#"{"id":1,"result":{"fed_country":"BRA"}}"#) }
            return .json(#"{"id":1,"result":[12]}"#)
        }
        let driver = script.driver()
        for _ in 0..<2 {
            guard case .id(ClientID("12")) = try await driver.create(try Person.draft(), context) else {
                Issue.record("expected the id")
                return
            }
        }
        // Asked for once.
        #expect(script.requests.count == 4)
        let sent = try JSONDocument(script.requests[3].body ?? []).root
        #expect(Set(sent.members.map(\.key)) == ["id", "method", "params"])
        let party = sent["params"]?.elements.first?.elements.first
        #expect(party?["fed_country"]?.string == "BRA")
        #expect(party?["create_target"]?.bool == true)
    }

    @Test func nothingThatAPersonSaysLeavesItsPlace() async throws {
        let script = Script { request, _ in request.isLogin ? .session : .json(#"{"id":1,"result":[]}"#) }
        let driver = script.driver()
        let name = #"Ana", "OR", ["id", ">", 0], "\"#
        _ = try await driver.candidates(
            for: .name(name), attempt: 0, PageRequest(.offset(0), size: 10), context)
        let domain = try JSONDocument(script.requests.last?.body ?? []).root["params"]?.elements.first
        // Its words stand in patterns only: two clauses of names, and the one that says who is a patient.
        #expect(domain?.elements.count == 3)
        #expect(domain?.elements.first?.elements.map(\.string) == ["name", "ilike", #"Ana",%"#])
        #expect(domain?.elements.last?.elements.map(\.scalarText) == ["is_patient", "=", nil])
        #expect(domain?.elements.dropFirst().first?.elements.first?.string == "OR")
    }
}
