import ClientContract
import Foundation
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Answers in each vendor's shape, read through the shipped profile. Beside `x.in.json` stands `x.out.json`: the call,
/// and what the contract shows, or how it fails.
@Suite struct FixtureTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        let vendor: String
        let input: URL
        let output: URL
        var testDescription: String { "\(vendor)/\(output.lastPathComponent)" }
    }

    static let pairs: [Pair] = ["agenda-demo", "feegow", "prodoctor"].flatMap { vendor -> [Pair] in
        let folder = Sample.repository.appending(path: "Tests/Fixtures/\(vendor)")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.lastPathComponent.contains(".in.") }.sorted { $0.path < $1.path }.map { input in
            let name = input.lastPathComponent.split(separator: ".").first ?? ""
            return Pair(vendor: vendor, input: input, output: folder.appending(path: "\(name).out.json"))
        }
    }

    @Test func thereAreEnough() {
        #expect(Self.pairs.count { $0.vendor == "feegow" } >= 20)
        #expect(Self.pairs.count { $0.vendor == "prodoctor" } >= 10)
        #expect(Self.pairs.count { $0.vendor == "agenda-demo" } >= 6)
    }

    @Test(arguments: pairs) func answersMeanWhatStandsBeside(_ pair: Pair) async throws {
        let body = Array(try Data(contentsOf: pair.input))
        let expected = try JSONDocument(Array(Data(contentsOf: pair.output))).root
        let status = expected["status"]?.int ?? 200
        let isHTML = pair.input.pathExtension == "html"
        let login = try Data(contentsOf: Sample.repository.appending(path: "Tests/Fixtures/agenda-demo/login.json"))
        let call = try #require(expected["call"]?.string)
        let record = Self.pairs.first {
            $0.vendor == pair.vendor
                && ["detail-full", "detail-photo", "one-record"].contains(
                    $0.input.lastPathComponent.split(separator: ".").first.map(String.init) ?? "")
        }
        let current = try record.map { Array(try Data(contentsOf: $0.input)) } ?? []
        let http = Script { request, index in
            if request.url.hasSuffix("/auth/login") { return .json(String(decoding: login, as: UTF8.self)) }
            // An update may read the record first.
            if call == "update", request.method == "GET" { return UpstreamAnswer(status: 200, body: current) }
            return UpstreamAnswer(
                status: status, headers: [("Content-Type", isHTML ? "text/html" : "application/json")], body: body)
        }
        let profile = try Sample.shipped(pair.vendor)
        let credentials = Dictionary(uniqueKeysWithValues: profile.credentials.map { ($0, Secret("s-\($0)")) })
        let driver = RESTDriver(
            profile: profile,
            tenant: RESTTenant(
                baseURL: "https://vendor.example.test/v1", credentials: credentials, phones: PhoneContext(areaCode: 31)),
            http: http)
        let id = ClientID(expected["id"]?.string ?? "1")
        let result: Result<String, UpstreamError>
        do {
            result = .success(try await text(driver, call, id))
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

    private func text(_ driver: RESTDriver, _ call: String, _ id: ClientID) async throws -> String {
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
        case "create":
            let draft = try #require(Sample.ana)
            return answer(try await driver.create(draft, Sample.context))
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
