import Certification
import Conformance
import Foundation
import Testing
import Transport

enum Repository {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let drivers = folder.appending(path: "Config/drivers").path()

    /// Runs a body with an engine of its own.
    static func withEngine<Value>(_ body: (CurlEngine) async throws -> Value) async throws -> Value {
        let engine = try CurlEngine()
        do {
            let value = try await body(engine)
            await engine.shutdown()
            return value
        } catch {
            await engine.shutdown()
            throw error
        }
    }
}

/// Every shipped profile and driver passes the kit, against the mock's dialect of its system, over real sockets.
@Suite struct CertificationTests {
    @Test(arguments: CertifiedSystem.all.map(\.name)) func isCertified(_ name: String) async throws {
        let system = try #require(CertifiedSystem.all.first { $0.name == name })
        let certificate = try await Repository.withEngine { engine in
            await Conformance.run(try system.subject(drivers: Repository.drivers, engine: engine))
        }
        let failures = certificate.failures.map(\.line)
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
        let (isGood, verdict, ids) = (certificate.isGood, certificate.verdict, certificate.results.map(\.id))
        #expect(isGood && verdict.hasPrefix("\(name): certified"))
        #expect(ids == Conformance.checks)
        // Nothing is excused that the system could be held to: a check that quietly stops applying is seen here.
        let excused = certificate.results.filter { $0.outcome != .passed && !$0.failed }.map(\.id)
        let file = Repository.folder.appending(path: "Tests/Fixtures/conformance/\(name.replacing("/", with: "-")).txt")
        if ProcessInfo.processInfo.environment["PONTE_RECORD_DOCS"] == "1" {
            try Data(Self.text(of: excused).utf8).write(to: file)
        } else {
            let recorded = try String(contentsOf: file, encoding: .utf8)
            #expect(Self.text(of: excused) == recorded, "PONTE_RECORD_DOCS=1 swift test --filter isCertified")
        }
    }

    /// The checks that do not apply, a line for each group.
    private static func text(of checks: [String]) -> String {
        CheckGroup.allCases.map { group in
            let names = checks.filter { $0.hasPrefix("\(group.rawValue)/") }.map {
                $0.dropFirst(group.rawValue.count + 1)
            }
            return names.isEmpty ? "" : "\(group.rawValue): \(names.joined(separator: " "))\n"
        }.joined()
    }

    @Test func everyProfileIsCertified() throws {
        let files = try FileManager.default.subpathsOfDirectory(atPath: Repository.drivers)
        let profiles = files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(".json".count)) }
        let inCode = ["gnu-health"]
        #expect((profiles + inCode).sorted() == CertifiedSystem.all.map(\.name).sorted())
    }

    @Test func checksHaveNamesOfTheirOwn() {
        let checks = Conformance.checks
        #expect(Set(checks).count == checks.count)
        for group in CheckGroup.allCases {
            #expect(checks.contains { $0.hasPrefix("\(group.rawValue)/") }, "\(group)")
        }
    }

    // One after the other: systems share a page, which is written anew.
    @Test(.serialized, arguments: CertifiedSystem.all.map(\.name)) func tableIsInItsPage(_ name: String) async throws {
        let system = try #require(CertifiedSystem.all.first { $0.name == name })
        let table = try await Repository.withEngine { engine in
            Conformance.table(try system.subject(drivers: Repository.drivers, engine: engine))
        }
        let file = Repository.folder.appending(path: system.page)
        let page = try String(contentsOf: file, encoding: .utf8)
        if ProcessInfo.processInfo.environment["PONTE_RECORD_DOCS"] == "1" {
            let written = try #require(
                RecordedTable.page(page, with: table, of: name), "\(system.page) has no place for the table")
            try Data(written.utf8).write(to: file)
        } else {
            #expect(
                RecordedTable.table(of: name, in: page) == table,
                "PONTE_RECORD_DOCS=1 swift test --filter tableIsInItsPage")
        }
    }
}
