import Foundation
import JSONBytes
import TestSupport
import Testing
import UpstreamDriver

@testable import Bridge
@testable import ClientContract
@testable import RESTDriver

/// `docs/search-semantics.md`, in both languages: what its tables say is what the code does.
@Suite struct SearchSemanticsTests {
    /// One language's page.
    struct Page: Sendable, CustomTestStringConvertible {
        let file: String
        let yes: String
        let no: String
        let none: String
        let missing: String
        let leftOut: String
        var testDescription: String { file }

        static let all = [
            Page(
                file: "search-semantics.md", yes: "yes", no: "no", none: "none", missing: "missing", leftOut: "left out"
            ),
            Page(
                file: "search-semantics.pt-BR.md", yes: "sim", no: "não", none: "nenhum", missing: "ausente",
                leftOut: "fica de fora"),
        ]

        func text() throws -> String {
            try String(contentsOf: Sample.repository.appending(path: "docs/\(file)"), encoding: .utf8)
        }

        /// The rows of a marked table, cell by cell.
        func table(_ name: String) throws -> [[String]] {
            let lines = try text().split(separator: "\n", omittingEmptySubsequences: false)
            let start = try #require(lines.firstIndex(of: "<!-- table: \(name) -->"))
            let rows = lines[(start + 1)...].prefix { $0.hasPrefix("|") }.dropFirst(2).map { line in
                line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            }
            try #require(!rows.isEmpty)
            return rows
        }

        /// Texts in code spans.
        static func code(_ cell: String) -> [String] {
            cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
        }

        func bool(_ cell: String) throws -> Bool {
            try #require([yes, no].contains(cell))
            return cell == yes
        }
    }

    private func code(_ cell: String) throws -> String { try #require(Page.code(cell).first) }

    @Test(arguments: Page.all) func kindsOfTerms(_ page: Page) throws {
        for row in try page.table("kinds") {
            let term = try code(row[0])
            let kinds = TermKind.allCases.filter { SearchTerm(term, as: $0) != nil }.map(\.rawValue)
            #expect(kinds == Page.code(row[1]), "\(term)")
            if kinds.isEmpty { #expect(row[1] == page.none) }
        }
    }

    @Test(arguments: Page.all) func whatEqualsWhat(_ page: Page) throws {
        let rows = try page.table("equal")
        #expect(Set(rows.map { $0[0] }).count == TermKind.allCases.count)
        for row in rows {
            let kind = try #require(TermKind(rawValue: try code(row[0])))
            let term = try #require(SearchTerm(try code(row[1]), as: kind))
            let text = try code(row[2])
            var client = Client(id: ClientID("1"), name: "Outra Pessoa")
            switch kind {
            case .phone: client = Client(id: ClientID("1"), name: "A", phones: [try #require(PhoneNumber(text))])
            case .cpf: client = Client(id: ClientID("1"), name: "A", cpf: try #require(CPF(text) as CPF?))
            case .email: client = Client(id: ClientID("1"), name: "A", email: text)
            case .name: client = Client(id: ClientID("1"), name: text)
            }
            let expected = try page.bool(row[3])
            #expect(term.matches(client) == expected, "\(row)")
        }
    }

    @Test(arguments: Page.all) func spellingsAreTheCodesOwn(_ page: Page) throws {
        let rows = try page.table("spellings")
        #expect(try rows.map { try code($0[0]) } == TermKind.allCases.map(\.rawValue))
        for (row, kind) in zip(rows, TermKind.allCases) {
            #expect(Page.code(row[1]) == TermSpelling.known(for: kind).map(\.rawValue))
        }
    }

    @Test(arguments: Page.all) func numbersAreTheCodesOwn(_ page: Page) throws {
        let options = BridgeOptions()
        let paged = try Sample.compile([("/operations/list/paging", #"{"style":"offset"}"#)])
        #expect(
            try page.table("bounds").map { Int($0[1].filter(\.isNumber)) } == [
                Bridge.mostCandidates, Bridge.mostComparisons, Bridge.fewestStrangers - 1, options.concurrentDetails,
                options.scan.maxRecords, paged.capabilities.listPaging.maximum, SearchTerm.longest, Window.most,
                PageWalk.mostEmptyPages, PageWalk.mostPassedPages, PageWalk.mostRepeatedPages,
            ])
    }

    @Test(arguments: Page.all) func callsAreCounted(_ page: Page) throws {
        for row in try page.table("calls") {
            let style: FewestCalls.Style =
                switch try code(row[0]) {
                case "offset": .offset
                case "page": .numbered
                default: .chained
                }
            let fewest = FewestCalls(style, maximum: try #require(Int(row[1])), tellsEnd: try page.bool(row[5]))
            let calls = fewest.calls(
                rows: try #require(Int(row[2])), limit: row[3] == page.none ? nil : try #require(Int(row[3]) as Int?),
                offset: try #require(Int(row[4])))
            #expect(calls == Int(row[6]), "\(row)")
        }
    }

    @Test(arguments: Page.all) func driftingMembers(_ page: Page) async throws {
        for row in try page.table("drift") {
            let spans = Page.code(row[0])
            let member = try #require(ClientField.allCases.first { $0.wireName == spans[0] })
            let sent: String? = row[1] == page.missing ? nil : try code(row[1])
            let shown = try await shown(member, format: spans.count > 1 ? spans[1] : nil, sent)
            let expected: String? = row[2] == page.leftOut ? nil : row[2] == "502" ? "502" : try code(row[2])
            #expect(shown == expected, "\(row)")
        }
    }

    /// A client's member as JSON, when the vendor sends this; nil when it is left out, `502` when the answer is malformed.
    /// The same of a row and of a record.
    private func shown(_ member: ClientField, format: String?, _ sent: String?) async throws -> String? {
        let places: [ClientField: String] = [
            .id: "id", .name: "name", .description: "notes", .phone: "phone", .allPhones: "phone", .cpf: "cpf",
            .image: "photo", .email: "email", .birthday: "born",
        ]
        let place = try #require(places[member])
        var members = ["id": "1", "name": #""Ana Teste""#, "unknown": #"{"a":[1,null]}"#]
        members[place] = sent
        if sent == nil { members[place] = nil }
        let record = "{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        let id = sent ?? "1"
        let driver = try Sample.driver(
            [
                ("/fields/description", #"{"at":"/notes"}"#), ("/fields/image", #"{"at":"/photo"}"#),
                ("/fields/birthday", #"{"at":"/born""# + (format.map { #","format":"\#($0)""# } ?? "") + "}"),
            ],
            Script { request, _ in .json(request.target.hasPrefix("/patients?") ? #"{"items":[\#(record)]}"# : record) }
        )
        func json(_ read: () async throws -> Client?) async throws -> String? {
            do {
                guard let client = try await read() else { return "nobody" }
                let wire = try JSONDocument(client.wire).root
                #expect(wire["unknown"] == nil)
                guard let value = wire[member.wireName] else { return nil }
                if let text = value.string { return "\"\(text)\"" }
                return "[" + value.elements.map { "\"\($0.string ?? "")\"" }.joined(separator: ",") + "]"
            } catch let error as UpstreamError {
                #expect(error.name == "malformed answer")
                return "502"
            }
        }
        let row = try await json {
            try await driver.page(PageRequest(.offset(0), size: 10), Sample.context).clients.first
        }
        if member != .id {
            let detail = try await json { try await driver.client(ClientID("1"), Sample.context) }
            #expect(detail == row, "\(member) \(id)")
        }
        return row
    }

    @Test(arguments: Page.all) func errorsAreTheCodesOwn(_ page: Page) throws {
        let rows = try page.table("errors")
        let codes = try rows.map { try #require(ContractError.Code(rawValue: try code($0[1]))) }
        for (row, code) in zip(rows, codes) { #expect(Int(row[0]) == code.status, "\(row)") }
        // The rest belongs to other routes, to bodies and to writes.
        let others: Set<ContractError.Code> = [
            .noSuchClient, .noSuchRoute, .methodNotAllowed, .duplicate, .bodyTooLarge, .unsupportedMediaType,
            .outcomeUnknown, .wrongPerson, .keyInUse, .keyReused, .storageFailed,
        ]
        #expect(Set(codes) == Set(ContractError.Code.allCases).subtracting(others))
        // Whatever a driver throws in a list or a search is one of them.
        let failures: [UpstreamError] = [
            .timeout, .credentialsRejected("x"), .refused(reasons: []), .notFound, .rateLimited(retryAfter: nil),
            .failed(status: 500, "x"), .malformed("x"), .unsupported("x"), .saturated(retryAfter: nil),
            .circuitOpen(retryAfter: nil, "x"), .shuttingDown, .cancelled,
        ]
        let obstacles = UpstreamError.Obstacle.allCases.map { UpstreamError.unreachable("x", $0) }
        for failure in failures + obstacles {
            #expect(codes.contains(ContractError(failure, system: "x").code), "\(failure)")
        }
    }

    @Test func bothLanguagesSayTheSame() throws {
        let pages = try Page.all.map { try $0.text() }
        func headings(_ text: String) -> [Int] {
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { $0.prefix { $0 == "#" }.count }
        }
        #expect(headings(pages[0]) == headings(pages[1]))
        func marks(_ text: String) -> [Substring] { text.split(separator: "\n").filter { $0.hasPrefix("<!-- table:") } }
        #expect(marks(pages[0]) == marks(pages[1]))
        for table in ["kinds", "equal", "spellings", "calls", "drift", "errors"] {
            let columns = table == "errors" ? 2 : .max
            let both = try Page.all.map { page in
                try page.table(table).map { row in row.prefix(columns).map { Page.code($0) } }
            }
            #expect(both[0] == both[1], "\(table)")
        }
    }
}
