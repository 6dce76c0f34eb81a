import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Names that a vendor keeps in several places: the clinic's border between them is no matter of Ponte's.
@Suite struct NamePartsTests {
    private static let two = #"{"parts":{"first":"/f","rest":"/r","blank":"-"}}"#
    private static let three = #"{"parts":{"first":"/f","middle":"/m","rest":"/r","blank":"-"}}"#

    /// What an update sends, and how often the record is read before.
    private func sent(
        _ name: String, lens: String, record: String, style: String = "\"partial\"",
        more changes: [(String, String?)] = [], _ patch: ClientPatch? = nil
    ) async throws -> (text: String, reads: Int) {
        let http = Script { request, _ in .json(request.method == "GET" ? record : "{}") }
        let driver = try Sample.driver([("/fields/name", lens), ("/update/style", style)] + changes, http)
        _ = try await driver.update(ClientID("7"), patch ?? ClientPatch(name: name), Sample.context)
        return (http.last?.text ?? "", http.requests.count { $0.method == "GET" })
    }

    @Test(arguments: [
        // The same name, and what keeps one side of it.
        ("Ana Maria", "Souza", "Ana Maria Souza", "Ana Maria", "Souza"),
        ("Ana Maria", "Souza", "ANA MARIA SOUZA", "ANA MARIA", "SOUZA"),
        ("Ana Maria", "Souza", "Ana Maria Lima Souza", "Ana Maria", "Lima Souza"),
        ("Ana Maria", "Souza", "Anna Maria Souza", "Anna Maria", "Souza"),
        ("Ana Maria", "-", "Ana Maria", "Ana Maria", "-"),
        // Nothing of it is left, or nothing was drawn otherwise.
        ("Ana Maria", "Souza", "Bia Maria Lima", "Bia", "Maria Lima"), ("Ana Maria", "Souza", "Bia", "Bia", "-"),
        ("Ana", "Souza", "Ana Maria Souza", "Ana", "Maria Souza"), ("", "", "Ana Maria Souza", "Ana", "Maria Souza"),
    ]) func theBorderStays(
        _ first: String, _ rest: String, _ name: String, _ newFirst: String, _ newRest: String
    ) async throws {
        let record = #"{"id":"7","f":"\#(first)","r":"\#(rest)"}"#
        let (text, reads) = try await sent(name, lens: Self.two, record: record)
        #expect(text == #"{"f":"\#(newFirst)","r":"\#(newRest)"}"#)
        #expect(reads == 1)
    }

    /// Also where the name only goes along with another change.
    @Test(arguments: [[], [("/update/required", #"["name"]"#)]] as [[(String, String)]])
    func whatGoesAlongKeepsItsBorder(_ required: [(String, String)]) async throws {
        let record = #"{"id":"7","f":"Ana Maria","r":"Souza"}"#
        let style = required.isEmpty ? #""full""# : #""partialWithRequired""#
        let (text, _) = try await sent(
            "", lens: Self.two, record: record, style: style, more: required.map { ($0.0, $0.1) },
            ClientPatch(email: "a@example.test"))
        #expect(text.contains(#""f":"Ana Maria","r":"Souza""#))
        #expect(text.contains(#""email":"a@example.test""#))
    }

    @Test(arguments: [
        ("Ana Maria Souza", "Ana", "Maria", "Souza"), ("Ana Maria Lima", "Ana", "Maria", "Lima"),
        ("Ana Paula Souza", "Ana", "Paula", "Souza"), ("Bia Souza", "Bia", "", "Souza"),
        ("Bia Clara Lima", "Bia", "", "Clara Lima"), ("Ana Maria", "Ana", "Maria", "-"), ("Bia", "Bia", "", "-"),
    ]) func aMiddleNameIsNeverThereTwice(
        _ name: String, _ first: String, _ middle: String, _ rest: String
    ) async throws {
        let record = #"{"id":"7","f":"Ana","m":"Maria","r":"Souza"}"#
        let shown = try await Sample.driver([("/fields/name", Self.three)], Script(record)).client(
            ClientID("7"), Sample.context)
        #expect(shown.name == "Ana Maria Souza")
        let (text, _) = try await sent(name, lens: Self.three, record: record)
        #expect(text == #"{"f":"\#(first)","m":"\#(middle)","r":"\#(rest)"}"#)
        let read = try JSONDocument(Array(text.utf8)).root
        let parts = ["f", "m", "r"].compactMap { read[$0]?.string }.filter { !$0.isEmpty && $0 != "-" }
        #expect(parts.joined(separator: " ") == name)
    }

    @Test(arguments: [#"{"id":"7","f":"Ana","m":"","r":"Souza"}"#, #"{"id":"7","f":"Ana","m":null,"r":"Souza"}"#])
    func aMiddleNameThatNobodyHasIsNotWritten(_ record: String) async throws {
        let (text, _) = try await sent("Ana Maria Souza", lens: Self.three, record: record)
        #expect(text == #"{"f":"Ana","r":"Maria Souza"}"#)
        let made = Script(#"{"id":"7"}"#)
        let draft = ClientDraft(name: "Ana Maria Souza", phone: try #require(PhoneNumber("5531988880001")))
        _ = try await Sample.driver([("/fields/name", Self.three)], made).create(draft, Sample.context)
        #expect(made.last?.text.contains(#""f":"Ana","r":"Maria Souza""#) == true)
        #expect(made.last?.text.contains(#""m""#) == false)
    }

    /// Where nothing can be read, a name is written all the same.
    @Test func aNameIsPartedBlindlyWhereNothingCanBeRead() async throws {
        let http = Script("{}")
        let driver = try Sample.driver([("/fields/name", Self.two), ("/operations/get", nil)], http)
        _ = try await driver.update(ClientID("7"), ClientPatch(name: "Ana Maria Souza"), Sample.context)
        #expect(http.requests.map(\.text) == [#"{"f":"Ana","r":"Maria Souza"}"#])
    }

    @Test func givenNamesAndFamilyKeepTheirBorder() async throws {
        let lens = #"{"parts":{"given":"/g","family":"/f"}}"#
        let record = #"{"id":"7","g":["Ana"],"f":"Maria Souza"}"#
        #expect(
            try await sent("Bia Maria Souza", lens: lens, record: record).text
                == #"{"g":["Bia"],"f":"Maria Souza"}"#)
        #expect(
            try await sent("Bia Maria Lima", lens: lens, record: record).text
                == #"{"g":["Bia","Maria"],"f":"Lima"}"#)
    }

    /// A version that is no more collides with nobody: the same call may be sent again.
    @Test(arguments: [(412, "failed"), (409, "conflict with 0 reasons")]) func aVersionConflictIsNoCollision(
        _ status: Int, _ expected: String
    ) async throws {
        let http = Script { request, _ in
            request.method == "GET"
                ? .json(#"{"id":"7","name":"Ana"}"#, headers: [("ETag", "\"1\"")]) : .json("{}", status: status)
        }
        let driver = try Sample.driver([("/operations/update/ifMatch", "true")], http)
        let error = await failure {
            _ = try await driver.update(ClientID("7"), ClientPatch(name: "Bia"), Sample.context)
        }
        #expect(error?.name == expected)
        #expect((error?.description.contains("may be sent again") ?? false) == (status == 412))
    }
}
