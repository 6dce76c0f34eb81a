import Foundation
import RESTDriver
import Testing
import Workbench

/// Answers in each vendor's shape, read through the shipped profile: the golden pairs of `ponte test`, kept under
/// `Tests/Fixtures` for the profiles that Ponte ships.
@Suite struct FixtureTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        let vendor: String
        let pair: GoldenPair
        let login: [UInt8]?
        var testDescription: String { "\(vendor)/\(pair.name)" }
    }

    /// Every profile that is shipped.
    static let vendors = ((try? files(in: "Config/drivers")) ?? [])
        .filter { $0.pathExtension == "json" }.map { $0.deletingPathExtension().lastPathComponent }.sorted()

    static let pairs: [Pair] = vendors.flatMap { vendor -> [Pair] in
        guard let folder = try? PairFolder(folder(vendor)) else { return [] }
        return folder.pairs.map { Pair(vendor: vendor, pair: $0, login: folder.login) }
    }

    private static func folder(_ vendor: String) -> String {
        Sample.repository.appending(path: "Tests/Fixtures/\(vendor)").path
    }

    private static func files(in folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: Sample.repository.appending(path: folder), includingPropertiesForKeys: nil)
    }

    @Test(arguments: vendors) func thereAreEnough(_ vendor: String) {
        let least = ["feegow": 20, "prodoctor": 10][vendor] ?? 6
        #expect(Self.pairs.count { $0.vendor == vendor } >= least)
    }

    @Test(arguments: pairs) func answersMeanWhatStandsBeside(_ pair: Pair) async throws {
        let differences = await pair.pair.differences(try Sample.shipped(pair.vendor), login: pair.login)
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }
}
