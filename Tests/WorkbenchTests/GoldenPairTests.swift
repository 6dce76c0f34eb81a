import Foundation
import RESTDriver
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
            Array(try #require(content["drivers/other-vendor.json"]).utf8), file: "other-vendor.json")
        #expect(profile.name == "other-vendor")
        for name in ["list", "not-found"] {
            let pair = GoldenPair(
                name: name, input: Array(try #require(content["drivers/other-vendor.pairs/\(name).in.json"]).utf8),
                inputType: "json",
                expected: Array(try #require(content["drivers/other-vendor.pairs/\(name).out.json"]).utf8))
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
        #expect(try await differences("{}", #"{"call":"get","status":500,"fails":"not found"}"#).count == 1)
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

    @Test(arguments: [#"{"call":"remove"}"#, #"{"call":"get","givs":{}}"#, "[]", "x"])
    func aPairThatMakesNoSenseIsSaid(_ expected: String) async throws {
        #expect(try await differences("{}", expected).count == 1)
    }

    /// The shipped fixtures hold by this way too.
    @Test(arguments: ["feegow", "prodoctor"]) func shippedFixturesHold(_ vendor: String) async throws {
        let folder = Shipped.repository.appending(path: "Tests/Fixtures/\(vendor)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.contains(".in.") && !$0.hasPrefix("update-") && !$0.hasPrefix("alter-")
        }
        #expect(names.count >= 8)
        let profile = try Shipped.profile(vendor)
        for name in names.sorted() {
            let parts = name.split(separator: ".")
            let pair = GoldenPair(
                name: String(parts[0]), input: try Shipped.bytes("Tests/Fixtures/\(vendor)/\(name)"),
                inputType: String(parts[2]),
                expected: try Shipped.bytes("Tests/Fixtures/\(vendor)/\(parts[0]).out.json"))
            #expect(await pair.differences(profile) == [], "\(name)")
        }
    }
}
