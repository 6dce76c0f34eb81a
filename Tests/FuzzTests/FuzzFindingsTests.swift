import Foundation
import Testing

/// What the fuzzers found, and the samples that they begin with, played again: `Fuzz/findings/<target>/` holds inputs that
/// once broke something.
@Suite struct FuzzFindingsTests {
    static let folder = URL(filePath: ShippedFiles.repository).appending(path: "Fuzz")

    private func inputs(_ folder: URL) throws -> [URL] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { !$0.lastPathComponent.hasPrefix(".") }.sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.allCases) func whatWasFoundStaysMended(_ target: FuzzTarget) async throws {
        for file in try inputs(Self.folder.appending(path: "findings/\(target.rawValue)")) {
            await target.run([UInt8](try Data(contentsOf: file)))
        }
        // The words of a dictionary are small inputs, too.
        let words = try String(
            contentsOf: Self.folder.appending(path: "dictionaries/\(target.rawValue).dict"), encoding: .utf8)
        for word in words.split(separator: "\n") where word.hasPrefix("\"") {
            await target.run(Array(word.dropFirst().dropLast().utf8))
        }
        await target.run([])
    }

    /// A folder that no target reads would prove nothing.
    @Test func everyFindingHasItsTarget() throws {
        let folders = try inputs(Self.folder.appending(path: "findings")).map(\.lastPathComponent)
        #expect(folders.allSatisfy { FuzzTarget(rawValue: $0) != nil }, "\(folders)")
        #expect(try inputs(Self.folder.appending(path: "findings")).contains { try !inputs($0).isEmpty })
    }

    /// Every shipped file, and every recorded answer through its system's profile, keeps the laws, too.
    @Test func whatPonteComesWithKeepsTheLaws() async throws {
        let repository = URL(filePath: ShippedFiles.repository)
        for folder in ["Config/drivers", "Config/drivers/fhir"] {
            for file in try inputs(repository.appending(path: folder)) where file.pathExtension == "json" {
                await FuzzTarget.profile.run([UInt8](try Data(contentsOf: file)))
            }
        }
        for file in try inputs(repository.appending(path: "Config/tenants")) {
            await FuzzTarget.tenant.run([UInt8](try Data(contentsOf: file)))
        }
        var answers = 0
        for (system, name) in FuzzTarget.systems.enumerated() {
            for file in try inputs(repository.appending(path: "Tests/Fixtures/\(name)"))
            where !file.lastPathComponent.contains(".out.") {
                let body = [UInt8](try Data(contentsOf: file))
                for call in 0..<5 as Range<UInt8> {
                    answers += 1
                    await FuzzTarget.response.run([UInt8(system), call, 0, 0] + body)
                }
            }
        }
        #expect(answers > 1000)
    }
}
