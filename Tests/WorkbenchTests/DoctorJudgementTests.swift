import ClientContract
import Foundation
import Tenancy
import TestSupport
import Testing
import Transport

@testable import Workbench

/// What the doctor makes of systems that search in their own ways, answer for anybody, or fail inside a success.
@Suite struct DoctorJudgementTests {
    /// A person of a pretend system.
    private struct Person: Sendable {
        let id: Int
        var name = "Pessoa Teste"
        var phone = ""
        var cpf = ""

        var row: String { #"{"id":\#(id),"name":"\#(name)"}"# }
        var record: String { #"{"id":\#(id),"name":"\#(name)","phone":"\#(phone)","cpf":"\#(cpf)"}"# }
        var nameless: String { #"{"name":"\#(name)","phone":"\#(phone)","cpf":"\#(cpf)"}"# }
    }

    /// One request of the doctor.
    private struct Question {
        let path: String
        let query: [String: String]

        init(_ line: String) {
            let target = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            let components = URLComponents(string: target)
            path = components?.path ?? ""
            query = Dictionary((components?.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { first, _ in first }
        }

        /// The part of some rows that its page holds.
        func page(_ rows: [String]) -> String {
            guard let page = query["page"].flatMap(Int.init), let size = query["size"].flatMap(Int.init) else {
                return "[" + rows.joined(separator: ",") + "]"
            }
            return "[" + rows.dropFirst((page - 1) * size).prefix(size).joined(separator: ",") + "]"
        }
    }

    private typealias Seen = (findings: [Doctor.Finding], plan: TenantPlan, asked: Int)

    private func examine(
        _ profile: String, searchBy: String, known: [SearchTerm] = [],
        _ answer: @escaping @Sendable (Question) -> (status: String, body: String)
    ) async throws -> Seen {
        let system = try RawServer { connection in
            while let request = connection.readRequest() {
                let (status, body) = answer(Question(request.line))
                connection.answer(body, status: status, headers: "Content-Type: application/json\r\n")
            }
        }
        let plan = try Shipped.tenant(
            """
            { "driver": "rest", "profile": "own", "baseURL": "\(system.url)",
              "credentials": { "token": { "env": "TOKEN" } } }
            """, searchBy: searchBy, profile: ("own", profile), secrets: ["TOKEN": "chave"])
        let engine = try CurlEngine()
        let findings = await Doctor(plan, engine: engine, known: known).examine()
        await engine.shutdown()
        let asked = system.requests.count
        system.stop()
        return (findings, plan, asked)
    }

    private func profile(fields: String, operations: String, search: String, outcomes: String = "") -> String {
        """
        { "name": "own", "title": "Own", "credentials": { "token": { "description": "Token" } },
          "request": { "headers": { "Authorization": "Bearer {credential.token}" } },
          "fields": { \(fields) }, "operations": { \(operations) }, "outcomes": [\(outcomes)], "search": { \(search) } }
        """
    }

    private static let fields =
        #""id": { "at": "/id", "format": "number" }, "name": { "at": "/name" }, "phones": { "at": "/phone" }"#
    private static let list = """
        "list": { "path": "/p", "query": { "page": "{page}", "size": "{size}" }, "items": "",
          "paging": { "style": "page", "base": 1, "maximum": 50 } }
        """
    private static let get = #""get": { "path": "/p/{id}", "item": "" }"#

    private func finding(_ name: String, _ seen: Seen) throws -> Doctor.Finding {
        try #require(seen.findings.first { $0.name == name })
    }

    // MARK: Searches

    /// What only the full record shows is compared there, as a caller's search does it; and the one record that there is
    /// no list to take from is one that a search found.
    @Test func aRowThatShowsTooLittleIsComparedByItsRecord() async throws {
        let people = [
            Person(id: 7, name: "Ana Teste", phone: "31988880001", cpf: "20000000108"),
            Person(id: 8, name: "Bia Teste", phone: "31988880002", cpf: "20000000280"),
        ]
        let text = profile(
            fields: """
                "id": { "at": "/id", "format": "number" }, "name": { "at": "/name" },
                "phones": { "detail": { "at": "/phone" } }, "cpf": { "detail": { "at": "/cpf" } }
                """,
            operations: #""find": { "path": "/p", "items": "", "paging": { "style": "none" } }, \#(Self.get)"#,
            search: """
                "phone": { "operation": "find", "query": { "phone": "{term}" }, "spellings": "national" },
                "cpf": { "operation": "find", "query": { "cpf": "{term}" }, "spellings": "digits" }
                """)
        let known = [
            try #require(SearchTerm("31988880001", as: .phone)), try #require(SearchTerm("20000000108", as: .cpf)),
        ]
        @Sendable func answer(_ question: Question) -> (status: String, body: String) {
            if question.path == "/p" {
                let found = people.filter { $0.phone == question.query["phone"] || $0.cpf == question.query["cpf"] }
                return ("200 OK", question.page(found.map(\.row)))
            }
            let person = people.first { question.path == "/p/\($0.id)" }
            return person.map { ("200 OK", $0.record) } ?? ("404 Not Found", "{}")
        }
        let seen = try await examine(text, searchBy: #"["phone", "cpf"]"#, known: known, answer)
        #expect(try finding("search by phone", seen).verdict == .good, "\(seen.findings)")
        #expect(try finding("search by cpf", seen).verdict == .good, "\(seen.findings)")
        let get = try finding("get", seen)
        #expect(get.verdict == .good, "\(get)")
        #expect(get.seen.contains("a client that a search found"))
        let report = Homologation(seen.plan, findings: seen.findings).markdown
        #expect(report.contains("| consulta por id | certo |"))
        #expect(report.contains("| uma página da lista | não se aplica |"))
        #expect(report.contains("| telefone | sim |"))

        // Somebody else's record is no proof.
        let other = [try #require(SearchTerm("31988880009", as: .phone))]
        let missed = try await examine(text, searchBy: #"["phone", "cpf"]"#, known: other) { question in
            question.query["phone"] == "31988880009" ? ("200 OK", "[\(people[0].row)]") : answer(question)
        }
        let phone = try finding("search by phone", missed)
        #expect(phone.verdict == .bad, "\(phone)")
        #expect(phone.seen.contains("but 1 others"))
    }

    /// Parts of numbers are found, and so in a large clinic somebody by any number.
    @Test(arguments: [("superset", Doctor.Finding.Verdict.good), ("unproven", .doubtful)])
    func aSearchByPartsIsProved(_ trust: String, _ verdict: Doctor.Finding.Verdict) async throws {
        let people =
            (1...5).map { Person(id: $0, name: "Pessoa \($0)", phone: "3198888000\($0)") }
            + (6...8).map { Person(id: $0, name: "Pessoa \($0)", phone: "3197206111\($0)") }
        let text = profile(
            fields: Self.fields, operations: "\(Self.list), \(Self.get)",
            search: """
                "phone": { "operation": "list", "query": { "q": "{term}" }, "spellings": "lastFour", "trust": "\(trust)" }
                """)
        let seen = try await examine(text, searchBy: #"["phone"]"#) { question in
            if question.path == "/p" {
                let found = people.filter { person in question.query["q"].map { person.phone.contains($0) } ?? true }
                return ("200 OK", question.page(found.map(\.record)))
            }
            let person = people.first { question.path == "/p/\($0.id)" }
            return person.map { ("200 OK", $0.record) } ?? ("404 Not Found", "{}")
        }
        let search = try finding("search by phone", seen)
        #expect(search.verdict == verdict, "\(search)")
        #expect(search.seen.contains("finds 5 clients of the list"))
        #expect(search.seen.contains("3 others"))
        #expect(search.isProved)
        #expect(Homologation(seen.plan, findings: seen.findings).markdown.contains("| telefone | sim |"))
    }

    /// Common names: the client stands behind many others, or behind more than Ponte looks through.
    @Test(arguments: [(130, Doctor.Finding.Verdict.good), (2_200, .doubtful)])
    func whoeverStandsBehindManyIsLookedFor(_ others: Int, _ verdict: Doctor.Finding.Verdict) async throws {
        let people =
            (1...others).map { Person(id: $0, name: "Maria Amostra \($0)") } + [Person(id: 9_999, name: "Maria Teste")]
        let rows = people.map(\.row)
        let text = profile(
            fields: Self.fields, operations: "\(Self.list), \(Self.get)",
            search: """
                "name": { "operation": "list", "query": { "q": "{term}" }, "spellings": "firstWord", "trust": "superset" }
                """)
        let known = [try #require(SearchTerm("Maria Teste", as: .name))]
        let seen = try await examine(text, searchBy: #"["name"]"#, known: known) { question in
            guard question.path == "/p" else {
                let person = people.first { question.path == "/p/\($0.id)" }
                return person.map { ("200 OK", $0.record) } ?? ("404 Not Found", "{}")
            }
            return ("200 OK", question.query["q"].map { $0 == "Maria" } ?? true ? question.page(rows) : "[]")
        }
        let search = try finding("search by name", seen)
        #expect(search.verdict == verdict, "\(search)")
        #expect(search.isProved == (verdict == .good))
        if verdict == .doubtful { #expect(search.seen.contains("more candidates than Ponte looks through")) }
    }

    /// Without a list to compare with, the answer to somebody who cannot be there shows it.
    @Test func anIgnoredFilterShowsWithoutAList() async throws {
        let rows = (1...60).map { Person(id: $0, name: "Pessoa \($0)", phone: "319888800\($0 + 10)").record }
        let text = profile(
            fields: Self.fields,
            operations: #""find": { "path": "/p", "items": "", "paging": { "style": "none" } }"#,
            search: #""phone": { "operation": "find", "query": { "q": "{term}" }, "spellings": "national" }"#)
        let known = [try #require(SearchTerm("31988880011", as: .phone))]
        let seen = try await examine(text, searchBy: #"["phone"]"#, known: known) { ("200 OK", $0.page(rows)) }
        let search = try finding("search by phone", seen)
        #expect(search.verdict == .bad, "\(search)")
        #expect(search.seen.contains("filter is ignored"))
        #expect(!search.isProved)
    }

    // MARK: One record

    /// A call that ignores the id would show, and change, another patient; where records carry no id, only the person
    /// tells.
    @Test(arguments: [(1, "for an id that nobody has"), (2, "the name is not the row's")])
    func aGetThatAnswersForAnyIdIsNamed(_ first: Int, _ words: String) async throws {
        let people = [Person(id: 1, name: "Ana Teste"), Person(id: 2, name: "Rui Amostra")]
        let text = profile(
            fields: #""id": { "row": { "at": "/id", "format": "number" } }, "name": { "at": "/name" }"#,
            operations: "\(Self.list), \(Self.get)",
            search: #""name": { "operation": "list", "query": { "q": "{term}" } }"#)
        let seen = try await examine(text, searchBy: #"["name"]"#) { question in
            guard question.path == "/p" else { return ("200 OK", people[0].nameless) }
            let found = people.filter { person in question.query["q"].map { person.name == $0 } ?? true }
            let rows = found.sorted { one, _ in one.id == first }.map(\.row)
            return ("200 OK", question.page(rows))
        }
        let get = try finding("get", seen)
        #expect(get.verdict == .bad, "\(get)")
        #expect(get.seen.contains(words))
        #expect(get.advice.contains("\"id\""))
    }

    // MARK: Failures inside a success

    /// Some systems lock an account that keeps trying, and say that the key is wrong in a 200.
    @Test func anErrorInsideASuccessIsNotTriedOn() async throws {
        let text = profile(
            fields: Self.fields, operations: "\(Self.list), \(Self.get)",
            search: #""phone": { "operation": "list", "query": { "q": "{term}" }, "spellings": "national" }"#,
            outcomes: #"{ "when": { "status": "2xx", "body": { "/erro": { "present": true } } }, "then": "failure" }"#)
        let seen = try await examine(text, searchBy: #"["phone"]"#) { _ in
            ("200 OK", #"{"ok":false,"erro":"chave de acesso desconhecida"}"#)
        }
        let list = try finding("list", seen)
        #expect(list.verdict == .bad)
        #expect(list.advice.contains("unauthorised"))
        #expect(!list.advice.contains("try again"))
        #expect(try finding("get", seen).verdict == .skipped)
        #expect(try finding("search by phone", seen).verdict == .skipped)
        #expect(seen.asked == 1)
    }

    /// The same where the first call is a search.
    @Test func aRefusedFirstSearchIsTheOnlyOne() async throws {
        let find = #""find": { "path": "/p", "items": "", "paging": { "style": "none" } }"#
        let text = profile(
            fields: Self.fields, operations: find,
            search: """
                "phone": { "operation": "find", "query": { "p": "{term}" }, "spellings": "national" },
                "name": { "operation": "find", "query": { "n": "{term}" } }
                """)
        let seen = try await examine(text, searchBy: #"["phone", "name"]"#) { _ in
            ("400 Bad Request", #"{"erro":"token"}"#)
        }
        let phone = try finding("search by phone", seen)
        #expect(phone.verdict == .bad, "\(seen.findings)")
        #expect(try finding("search by name", seen).verdict == .skipped)
        #expect(seen.findings.count { $0.name == "search by phone" } == 1)
        #expect(seen.asked == 1)
    }
}
