import ClientContract
import Foundation
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// Answers as each server writes them, read through the shipped profile. Beside `x.in.json` stands `x.out.json`: the
/// call, and what the contract shows, or how it fails.
@Suite struct FixtureTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        let server: String
        let input: URL
        let output: URL
        var testDescription: String { "\(server)/\(output.lastPathComponent)" }
    }

    static let pairs: [Pair] = Sample.names.flatMap { server -> [Pair] in
        let folder = Sample.repository.appending(path: "Tests/Fixtures/fhir-\(server)")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.lastPathComponent.contains(".in.") }.sorted { $0.path < $1.path }.map { input in
            let name = input.lastPathComponent.split(separator: ".").first ?? ""
            return Pair(server: server, input: input, output: folder.appending(path: "\(name).out.json"))
        }
    }

    @Test func thereAreEnough() {
        for (server, count) in [("hapi", 18), ("azure", 6), ("google", 4), ("openmrs", 4), ("nilo", 4)] {
            #expect(Self.pairs.count { $0.server == server } >= count, "\(server)")
        }
    }

    @Test(arguments: pairs) func answersMeanWhatStandsBeside(_ pair: Pair) async throws {
        let body = String(decoding: try Data(contentsOf: pair.input), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let expected = try JSONDocument(Array(Data(contentsOf: pair.output))).root
        let status = expected["status"]?.int ?? 200
        let isHTML = pair.input.pathExtension == "html"
        let call = try #require(expected["call"]?.string)
        let profile = try Sample.shipped(pair.server)
        let http = Script { request, _ in
            // The fixture is the answer to the call itself; what comes before it is answered as usual.
            if request.url.hasSuffix("/metadata") { return .fhir("{}", status: 404) }
            if request.url.hasSuffix("/token") { return .fhir(#"{"access_token":"t"}"#) }
            if call == "update", request.method == "GET" {
                // With an identifier that an upsert goes by.
                let cpf = #"{"system":"\#(profile.plan.cpf.write)","value":"20000000108"}"#
                return .fhir(
                    Sample.patient(#""name":[{"text":"Ana"}],"identifier":[\#(cpf)]"#, id: "1"),
                    headers: [("ETag", "W/\"3\"")])
            }
            if call == "create", request.method == "GET" { return .fhir(Sample.bundle([])) }
            return UpstreamAnswer(
                status: status, headers: [("Content-Type", isHTML ? "text/html" : "application/fhir+json")],
                body: Array(body.utf8))
        }
        let signIn = try #require(profile.signIns.first)
        let driver = FHIRDriver(
            profile: profile,
            tenant: FHIRTenant(
                baseURL: Sample.base,
                credentials: Dictionary(uniqueKeysWithValues: signIn.credentials.map { ($0, Secret("s-\($0)")) }),
                settings: ["location": "58c57d25", "tokenURL": "https://login.example.test/token"]), http: http)
        let result: Result<String, UpstreamError>
        do {
            result = .success(try await text(driver, call, ClientID(expected["id"]?.string ?? "1")))
        } catch let error as UpstreamError {
            result = .failure(error)
        }
        switch result {
        case .success(let text):
            let gives = try #require(expected["gives"], "it gave \(text)")
            #expect(compact(try JSONDocument(Array(text.utf8)).root) == compact(gives))
        case .failure(let error):
            #expect(expected["fails"]?.string == error.name, "\(error)")
            if let reasons = expected["reasons"]?.elements.compactMap(\.string) {
                switch error {
                case .refused(let told), .conflict(let told): #expect(told == reasons)
                default: Issue.record("no reasons: \(error)")
                }
            }
        }
    }

    private func text(_ driver: FHIRDriver, _ call: String, _ id: ClientID) async throws -> String {
        func answer(_ answer: WriteAnswer) -> String {
            switch answer {
            case .id(let id): #"{"id":"\#(id.text)"}"#
            case .record(let client): String(decoding: client.wire, as: UTF8.self)
            }
        }
        switch call {
        case "list":
            let page = try await driver.page(PageRequest(.offset(0), size: 10), Sample.context)
            return "[" + page.clients.map { String(decoding: $0.wire, as: UTF8.self) }.joined(separator: ",") + "]"
        case "get": return String(decoding: try await driver.client(id, Sample.context).wire, as: UTF8.self)
        case "create": return answer(try await driver.create(try #require(Sample.ana), Sample.context))
        default: return answer(try await driver.update(id, ClientPatch(name: "Carla Modelo"), Sample.context))
        }
    }

    /// Without blanks between the values, and in an order of its own: that of an object's members says nothing.
    private func compact(_ value: JSONValue) -> String {
        switch value.kind {
        case .object:
            "{" + value.members.map { "\"\($0.key)\":" + compact($0.value) }.sorted().joined(separator: ",") + "}"
        case .array: "[" + value.elements.map(compact).joined(separator: ",") + "]"
        default: String(decoding: value.source, as: UTF8.self)
        }
    }
}
