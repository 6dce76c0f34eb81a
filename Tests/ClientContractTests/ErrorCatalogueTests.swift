import ClientContract
import Foundation
import Testing

/// The pages about errors say what the program says.
@Suite struct ErrorCatalogueTests {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    static let codes = ContractError.Code.allCases

    /// A page in one language.
    struct Page: Sendable, CustomTestStringConvertible {
        let file: String
        /// How the page calls those who act.
        let actors: [ContractError.Actor: String]
        /// What stands before the advice.
        let advice: String
        var testDescription: String { file }

        func text() throws -> String {
            try String(contentsOf: ErrorCatalogueTests.repository.appending(path: file), encoding: .utf8)
        }

        /// The cells of every row of a table whose first cell is a name in backticks and whose second is a status.
        func rows(statusIn column: Int = 1) throws -> [[String]] {
            try text().split(separator: "\n").filter { $0.hasPrefix("| ") }.compactMap { line in
                let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                    .map { $0.trimmingCharacters(in: .whitespaces) }
                return cells.count > column && Int(cells[column]) != nil ? cells : nil
            }
        }

        /// The sections of codes: heading and text.
        func sections() throws -> [(code: String, text: String)] {
            try text().components(separatedBy: "\n### ").dropFirst().map { section in
                let lines = section.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
                let text = lines.last?.components(separatedBy: "\n## ").first ?? ""
                return (lines[0].trimmingCharacters(in: ["`"]), text)
            }
        }
    }

    static let english = Page(
        file: "docs/errors.md",
        actors: Dictionary(uniqueKeysWithValues: ContractError.Actor.allCases.map { ($0, $0.rawValue) }),
        advice: "**Do:** ")
    static let portuguese = Page(
        file: "docs/errors.pt-BR.md",
        actors: [
            .caller: "quem chama", .operator: "operador", .integrator: "integrador", .clinic: "clínica",
            .nobody: "ninguém",
        ], advice: "**Faça:** ")
    static let pages = [english, portuguese]

    @Test(arguments: pages) func theTableIsTheCatalogue(_ page: Page) throws {
        let rows = try page.rows()
        #expect(rows.map { $0[0] } == Self.codes.map { "`\($0.rawValue)`" })
        for (row, code) in zip(rows, Self.codes) {
            #expect(row.count == 5, "\(code)")
            #expect(row[1] == String(code.status), "\(code)")
            #expect(row[2] == code.title || page.file != Self.english.file, "\(code)")
            #expect(!row[2].isEmpty)
            #expect(row[3] == code.actors.map { page.actors[$0] ?? "?" }.joined(separator: ", "), "\(code)")
            #expect(row[4] == code.headers.map { "`\($0)`" }.joined(separator: ", "), "\(code)")
        }
    }

    @Test(arguments: pages) func everyCodeHasItsSection(_ page: Page) throws {
        let sections = try page.sections()
        #expect(sections.map(\.code) == Self.codes.map(\.rawValue) + ["caller_gone"])
        for (section, code) in zip(sections, Self.codes) {
            let advice = try #require(section.text.components(separatedBy: page.advice).last, "\(code)")
            #expect(section.text.contains("\n" + page.advice), "\(code)")
            #expect(
                page.file != Self.english.file || advice.trimmingCharacters(in: .newlines) == code.advice, "\(code)")
            #expect(advice.trimmingCharacters(in: .newlines).count > 20, "\(code)")
        }
    }

    @Test(arguments: pages) func whoActsIsExplained(_ page: Page) throws {
        let text = try page.text()
        for actor in ContractError.Actor.allCases {
            #expect(text.contains("\n| \(page.actors[actor] ?? "?") | "), "\(actor)")
        }
    }

    /// The short tables of the README have the same codes.
    @Test(arguments: ["README.md", "README.pt-BR.md"]) func theReadmeKnowsEveryCode(_ file: String) throws {
        let text = try String(contentsOf: Self.repository.appending(path: file), encoding: .utf8)
        let rows = text.matches(of: /\n\| ([45][0-9]{2}) \| `([a-z_]+)` \|/).map { "\($0.2) \($0.1)" }
        #expect(rows.sorted() == Self.codes.map { "\($0.rawValue) \($0.status)" }.sorted())
    }

    @Test func adviceIsASentence() {
        for code in Self.codes {
            #expect(code.advice.hasSuffix(".") && code.advice.first?.isUppercase == true, "\(code)")
            #expect(!code.actors.isEmpty && Set(code.actors).count == code.actors.count, "\(code)")
            #expect(!code.actors.contains(.nobody) || code.actors == [.nobody], "\(code)")
        }
    }
}
