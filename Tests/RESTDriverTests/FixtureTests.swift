import ClientContract
import Foundation
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Answers in each vendor's shape, read through the shipped profile. Beside `x.in.json` stands `x.out.json`: the call,
/// and what the contract shows, or how it fails. A vendor's `login.json` answers its login; `detail-full` (or what `reads`
/// names) is the record that an update reads.
@Suite struct FixtureTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        let vendor: String
        let input: URL
        let output: URL
        var name: String { input.lastPathComponent.split(separator: ".").first.map(String.init) ?? "" }
        var testDescription: String { "\(vendor)/\(output.lastPathComponent)" }
    }

    /// Every profile that is shipped.
    static let vendors = ((try? files(in: "Config/drivers")) ?? [])
        .filter { $0.pathExtension == "json" }.map { $0.deletingPathExtension().lastPathComponent }.sorted()

    static let pairs: [Pair] = vendors.flatMap { vendor -> [Pair] in
        ((try? files(in: "Tests/Fixtures/\(vendor)")) ?? [])
            .filter { $0.lastPathComponent.contains(".in.") }.sorted { $0.path < $1.path }.map { input in
                let name = input.lastPathComponent.split(separator: ".").first ?? ""
                let output = input.deletingLastPathComponent().appending(path: "\(name).out.json")
                return Pair(vendor: vendor, input: input, output: output)
            }
    }

    private static func files(in folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: Sample.repository.appending(path: folder), includingPropertiesForKeys: nil)
    }

    @Test(arguments: vendors) func thereAreEnough(_ vendor: String) {
        let least = ["feegow": 20, "prodoctor": 10][vendor] ?? 6
        #expect(Self.pairs.count { $0.vendor == vendor } >= least)
    }

    /// What a vendor answers in one test: to a login, to the call, and to the read before or after a change.
    private struct Answers {
        let login: [UInt8]?
        let answer: UpstreamAnswer
        let record: [UInt8]
        let readsFirst: Bool

        func answer(_ call: String, _ index: Int) -> UpstreamAnswer {
            var index = index
            if let login {
                if index == 0 { return UpstreamAnswer(status: 200, body: login) }
                index -= 1
            }
            guard call == "update", index != (readsFirst ? 1 : 0) else { return answer }
            return UpstreamAnswer(status: 200, body: record)
        }
    }

    @Test(arguments: pairs) func answersMeanWhatStandsBeside(_ pair: Pair) async throws {
        let expected = try JSONDocument(Array(Data(contentsOf: pair.output))).root
        let call = try #require(expected["call"]?.string)
        let profile = try Sample.shipped(pair.vendor)
        let patch = ClientPatch(
            name: expected["patch"]?["email"] == nil ? "Carla Modelo" : nil, email: expected["patch"]?["email"]?.string)
        let answers = try self.answers(pair, expected, profile, patch)
        let http = Script { _, index in answers.answer(call, index) }
        let driver = RESTDriver(
            profile: profile,
            tenant: RESTTenant(
                baseURL: "https://vendor.example.test/v1",
                credentials: Dictionary(uniqueKeysWithValues: profile.credentials.map { ($0, Secret("s-\($0)")) }),
                settings: Dictionary(uniqueKeysWithValues: profile.settings.map { ($0.name, "x-\($0.name)") }),
                phones: PhoneContext(areaCode: 31)), http: http)
        let result: Result<String, UpstreamError>
        do {
            result = .success(try await text(driver, call, expected, patch))
        } catch let error as UpstreamError {
            result = .failure(error)
        }
        switch result {
        case .success(let text):
            let gives = try #require(expected["gives"], "it gave \(text)")
            #expect(compact(try JSONDocument(Array(text.utf8)).root) == compact(gives))
        case .failure(let error):
            #expect(expected["fails"]?.string == error.name, "\(error)")
            if let seconds = expected["retryAfter"]?.int {
                if case .rateLimited(let told) = error { #expect(told == seconds) }
            }
            if let reasons = expected["reasons"]?.elements.compactMap(\.string) {
                switch error {
                case .refused(let told), .conflict(let told): #expect(told == reasons)
                default: Issue.record("no reasons: \(error)")
                }
            }
        }
    }

    private func answers(
        _ pair: Pair, _ expected: JSONValue, _ profile: Profile, _ patch: ClientPatch
    ) throws -> Answers {
        let folder = pair.input.deletingLastPathComponent()
        let login = try profile.plan.login.map { _ in
            Array(try Data(contentsOf: folder.appending(path: "login.json")))
        }
        let record = Self.pairs.first {
            $0.vendor == pair.vendor && $0.name == expected["reads"]?.string ?? "detail-full"
        }
        let types = ["html": "text/html", "txt": "text/plain"]
        let headers = (expected["headers"]?.members ?? []).map { (name: $0.key, value: $0.value.string ?? "") }
        let answer = UpstreamAnswer(
            status: expected["status"]?.int ?? 200,
            headers: [("Content-Type", types[pair.input.pathExtension] ?? "application/json")] + headers,
            body: Array(try Data(contentsOf: pair.input)))
        let driver = RESTDriver(profile: profile, tenant: RESTTenant(baseURL: ""), http: Script(""))
        return Answers(
            login: login, answer: answer, record: try record.map { Array(try Data(contentsOf: $0.input)) } ?? [],
            readsFirst: driver.writer.needsBase(patch) || profile.plan.operations["update"]?.conditional == true
                || profile.plan.fields[.active] != nil)
    }

    private func text(
        _ driver: RESTDriver, _ call: String, _ expected: JSONValue, _ patch: ClientPatch
    ) async throws -> String {
        let id = ClientID(expected["id"]?.string ?? "1")
        func rows(_ page: ClientPage) -> String {
            "[" + page.clients.map { String(decoding: $0.wire, as: UTF8.self) }.joined(separator: ",") + "]"
        }
        func answer(_ answer: WriteAnswer) -> String {
            switch answer {
            case .id(let id): #"{"id":"\#(id.text)"}"#
            case .record(let client): String(decoding: client.wire, as: UTF8.self)
            }
        }
        switch call {
        case "list":
            return rows(try await driver.page(PageRequest(.offset(0), size: 10), Sample.context))
        case "search":
            let kind = try #require(expected["by"]?.string.flatMap { TermKind(rawValue: $0) })
            let term = try #require(SearchTerm(Self.terms[kind] ?? "", as: kind))
            return rows(
                try await driver.candidates(
                    for: term, attempt: 0, PageRequest(.offset(0), size: 10), Sample.context))
        case "get": return String(decoding: try await driver.client(id, Sample.context).wire, as: UTF8.self)
        case "create":
            let draft = try #require(Sample.ana)
            return answer(try await driver.create(draft, Sample.context))
        case "update": return answer(try await driver.update(id, patch, Sample.context))
        default: throw Sample.Unusable()
        }
    }

    private static let terms: [TermKind: String] = [
        .phone: "5531988880001", .cpf: "20000000108", .email: "ana@example.test", .name: "Ana Teste",
    ]

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
