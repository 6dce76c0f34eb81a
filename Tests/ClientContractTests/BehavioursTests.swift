import Foundation
import Testing

/// docs/behaviours.md names tests that exist, for every behaviour.
@Suite struct BehavioursTests {
    struct Row {
        let number: Int
        let state: Substring
        let proof: Substring

        /// `Target.Suite/test`
        var tests: [String] { proof.matches(of: /`(\w+Tests\.\w+\/\w+)`/).map { String($0.1) } }
        /// Anything else in backticks that looks like a file of the repository.
        var files: [String] { proof.matches(of: /`((?:Tests|Fuzz|scripts)\/[\w.\/]+)`/).map { String($0.1) } }
    }

    static let repository = ErrorCatalogueTests.repository

    private func rows() throws -> [Row] {
        let text = try String(contentsOf: Self.repository.appending(path: "docs/behaviours.md"), encoding: .utf8)
        return try text.split(separator: "\n").filter { $0.contains(/^\| [0-9]/) }.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            try #require(cells.count == 6, "\(line)")
            func cell(_ index: Int) -> Substring { cells[index].dropFirst().dropLast() }
            return Row(number: try #require(Int(cell(1))), state: cell(3), proof: cell(4))
        }
    }

    /// Every test of the repository, as `Target.Suite/test`.
    private func tests() throws -> Set<String> {
        let folder = Self.repository.appending(path: "Tests").standardizedFileURL
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var tests: Set<String> = []
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            let target = file.pathComponents[folder.pathComponents.count]
            var suite = ""
            var isTest = false
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                if let match = line.firstMatch(of: /^(?:@Suite.* )?(?:final )?(?:struct|extension|class|enum) (\w+)/) {
                    suite = String(match.1)
                }
                if line.contains(/^ +@Test\b/) { isTest = true }
                if isTest, let match = line.firstMatch(of: /\bfunc (\w+)\(/) {
                    tests.insert("\(target).\(suite)/\(match.1)")
                    isTest = false
                }
            }
        }
        return tests
    }

    @Test func everyBehaviourIsThereOnce() throws {
        #expect(try rows().map(\.number) == Array(1...52))
    }

    @Test func everyProofExists() throws {
        let tests = try tests()
        for row in try rows() {
            for test in row.tests where !tests.contains(test) {
                Issue.record("\(row.number): there is no \(test)")
            }
            for file in row.files {
                let path = Self.repository.appending(path: file).path
                #expect(FileManager.default.fileExists(atPath: path), "\(row.number): \(file)")
            }
            // A name in backticks that is neither would pass unseen.
            let names = row.proof.matches(of: /`\w+Tests[^`]*`/).count
            #expect(names == row.tests.count, "\(row.number)")
        }
    }

    /// The threat model names tests that exist, and a defence without one is none.
    @Test func everyDefenceIsProved() throws {
        let tests = try tests()
        let text = try String(contentsOf: Self.repository.appending(path: "docs/threat-model.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.contains(/^\| [STRIDE, ]+ \|/) }
        #expect(rows.count >= 25)
        for row in rows {
            let names = row.matches(of: /`(\w+Tests\.\w+\/\w+)`/).map { String($0.1) }
            #expect(!names.isEmpty, "\(row.prefix(60))")
            for name in names where !tests.contains(name) { Issue.record("there is no \(name)") }
        }
    }

    @Test func everyStateIsBacked() throws {
        for row in try rows() {
            switch row.state {
            case "proved", "in part": #expect(!row.tests.isEmpty, "\(row.number)")
            case "not yet": #expect(!row.proof.isEmpty, "\(row.number)")
            default: Issue.record("\(row.number): \(row.state)")
            }
        }
    }
}
