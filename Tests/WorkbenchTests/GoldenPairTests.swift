import Foundation
import RESTDriver
import TestSupport
import Testing

@testable import Workbench

@Suite struct GoldenPairTests {
    private func differences(_ input: String, _ expected: String, type: String = "json") async throws -> [String] {
        let skeleton = try #require(Skeleton(vendor: "vendor"))
        let file = try #require(skeleton.files.first)
        let profile = try Profile(Array(file.content.utf8), file: file.path)
        let pair = GoldenPair(
            name: "pair", input: Array(input.utf8), inputType: type, expected: Array(expected.utf8))
        return await pair.differences(profile)
    }

    /// The skeleton's own pairs hold: what `ponte new` writes is where `ponte test` begins.
    @Test func theSkeletonHolds() async throws {
        let skeleton = try #require(Skeleton(vendor: "other-vendor"))
        let content = Dictionary(uniqueKeysWithValues: skeleton.files.map { ($0.path, $0.content) })
        let profile = try Profile(
            Array(try #require(content["other-vendor.json"]).utf8), file: "other-vendor.json")
        #expect(profile.name == "other-vendor")
        for name in ["list", "not-found"] {
            let pair = GoldenPair(
                name: name, input: Array(try #require(content["other-vendor.pairs/\(name).in.json"]).utf8),
                inputType: "json",
                expected: Array(try #require(content["other-vendor.pairs/\(name).out.json"]).utf8))
            #expect(await pair.differences(profile) == [])
        }
    }

    @Test(arguments: ["", "-x", "Vendor", "a/b", "a.b", String(repeating: "x", count: 64)])
    func aNameThatIsNoFileIsRefused(_ name: String) { #expect(Skeleton(vendor: name) == nil) }

    @Test func aDifferenceHasItsPlace() async throws {
        let lines = try await differences(
            #"{"id":7,"name":"Ana Teste","phone":"31988880001"}"#,
            #"{"call":"get","id":"7","gives":{"id":"7","name":"Bia Teste","phone":"5531988880001","email":"x@example.test"}}"#
        )
        #expect(lines.contains(#"/name: want "Bia Teste", got "Ana Teste""#))
        #expect(lines.contains(#"/email: want "x@example.test", got nothing"#))
        #expect(lines.contains { $0.hasPrefix("/allPhones: want nothing") })
    }

    @Test func aFailureIsCompared() async throws {
        #expect(try await differences("{}", #"{"call":"get","status":404,"fails":"not found"}"#) == [])
        let failed = try await differences("{}", #"{"call":"get","status":500,"fails":"not found"}"#)
        #expect(failed.first?.hasPrefix("want not found, got: failed (500)") == true)
        #expect(try await differences("<html>", #"{"call":"get","fails":"malformed answer"}"#, type: "html").count <= 1)
        #expect(try await differences(#"{"id":1,"name":"A"}"#, #"{"call":"get","fails":"not found"}"#).count == 1)
    }

    @Test func whatIsSentIsCompared() async throws {
        let sends = #""name":"Ana Teste","phone":"31988880001","cpf":"20000000108","email":"ana@example.test""#
        let sound = #"{"call":"create","status":201,"gives":{"id":"9"},"sends":{\#(sends),"birthdate":"1990-03-07"}}"#
        #expect(try await differences(#"{"id":9}"#, sound) == [])
        let other = #"{"call":"create","status":201,"gives":{"id":"9"},"sends":{\#(sends),"birthdate":"07/03/1990"}}"#
        #expect(try await differences(#"{"id":9}"#, other).first?.hasPrefix("sent /birthdate: want") == true)
    }

    @Test func whoeverMeansNobodyIsToldTheRule() async throws {
        let lines = try await differences(
            "{}", #"{"call":"search","by":"cpf","status":404,"gives":[]}"#)
        #expect(lines.count == 2)
        #expect(lines.last?.contains(#"{ "when": { "status": 404 }, "then": "empty" }"#) == true)
    }

    @Test(arguments: [
        (#"{"call":"remove"}"#, "must be one of"), (#"{"call":"get","givs":{}}"#, #"did you mean "gives"?"#),
        (#"{"call":"get"}"#, #"either "gives" or "fails""#), ("[]", "not a JSON object"), ("x", "no JSON"),
        (#"{"call":"search","gives":[]}"#, #""by" must say"#),
        (#"{"call":"search","by":"cpf","term":"abc","gives":[]}"#, "cannot be a cpf"),
        (#"{"call":"create","draft":{"nome":"Ana"},"gives":{"id":"1"}}"#, #""draft""#),
        (#"{"call":"update","reads":"absent","gives":{"id":"1"}}"#, #"unknown pair "absent""#),
    ])
    func aPairThatMakesNoSenseIsSaid(_ expected: String, _ said: String) async throws {
        let lines = try await differences("{}", expected)
        #expect(lines.count == 1)
        #expect(lines.first?.contains(said) == true, "\(lines)")
    }

    @Test func aFolderOfPairsIsReadWhole() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pairs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { Leaks.discard(folder) }
        for (name, text) in [
            ("one.in.json", "{}"), ("one.out.json", "{}"), ("page.in.html", "<html>"), ("page.out.json", "{}"),
            ("alone.in.json", "{}"), ("two.in.jsn", "{}"), ("notes.md", "x"), ("login.json", #"{"token":"t"}"#),
        ] { try Data(text.utf8).write(to: folder.appending(path: name)) }
        let read = try PairFolder(folder.path)
        #expect(read.pairs.map(\.name) == ["one", "page"])
        #expect(read.strays == ["alone.in.json", "notes.md", "two.in.jsn"])
        #expect(read.login == Array(#"{"token":"t"}"#.utf8))
        #expect(try PairFolder(folder.appending(path: "nowhere").path).pairs.isEmpty)
    }
}
