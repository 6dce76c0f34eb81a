import Foundation
import MockUpstream
import TestSupport
import Testing

/// `ponte serve`, killed between a create and its answer.
@Suite(.timeLimit(.minutes(3))) struct CrashTests {
    private static let key = "key-of-the-crash-tests"
    /// Its SHA-256, as `ponte hash-key` prints it.
    private static let digest = "0d5f150b0c167a293592057f8c6bb937669c6675663455b215f43ed72e16ad56"

    private func withConfiguration(
        _ mock: MockServer, _ profile: String, _ credentials: String, store: String = "sqlite",
        _ test: (URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-crash-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        let drivers = BuiltPonte.repository.appending(path: "Config/drivers").path
        let files = [
            "server.json": #"{"drivers":"\#(drivers)","idempotency":{"database":"creates.db"}}"#,
            "tenants/aurora.json": """
            {"id":"aurora","inbound":{"keys":[{"name":"main","sha256":"\(Self.digest)"}]},
            "upstream":{"driver":"rest","profile":"\(profile)","baseURL":"\(mock.baseURL)",
            "credentials":\(credentials)},"idempotency":{"store":"\(store)"}}
            """,
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        try await test(folder.appending(path: "server.json"))
    }

    private func serve(_ configuration: URL) async throws -> ServingPonte {
        let options = MockOptions()
        return try await ServingPonte(
            configuration: configuration,
            environment: [
                "MOCK_USER": options.user, "MOCK_PASSWORD": options.password, "MOCK_TOKEN": options.accessToken,
            ])
    }

    /// Kills it as soon as the system has got the create, and before it answers.
    private func crash(_ ponte: ServingPonte, _ mock: MockServer, _ body: String, _ headers: [String] = []) async throws
    {
        mock.inject(.latency(milliseconds: 60_000), operation: .create, times: 1)
        async let answer = ponte.create(body, key: Self.key, headers)
        while mock.requests.count(.create) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        await ponte.kill()
        #expect(try await answer.status == 0)
        mock.clearFaults()
    }

    private let login = #"{"user":{"env":"MOCK_USER"},"password":{"env":"MOCK_PASSWORD"}}"#

    @Test("a create that a crash interrupted is looked for, and makes one patient", arguments: [false, true])
    func aCreateThatACrashInterruptedIsNotRepeated(_ hasKey: Bool) async throws {
        let mock = try await MockServer.start(MockOptions(patients: 10))
        let headers = hasKey ? [#"Idempotency-Key: "8e03978e-40d5""#] : []
        try await withConfiguration(mock, "agenda-demo", login) { configuration in
            let body = #"{"name":"Ana Interrompida","phone":"5511955551234"}"#
            let first = try await serve(configuration)
            try await crash(first, mock, body, headers)
            let second = try await serve(configuration)
            var ids: Set<String> = []
            for _ in 0..<2 {
                let answer = try await second.create(body, key: Self.key, headers)
                #expect(answer.status == 200, "\(answer.text)")
                ids.insert(try #require(answer.member("id")))
            }
            #expect(ids.count == 1)
            #expect(mock.requests.count(.create) == 1)
            if hasKey {
                let other = try await second.create(
                    #"{"name":"Ana Outra","phone":"5511955551234"}"#, key: Self.key, headers)
                #expect(other.status == 422)
                #expect(other.member("code") == "idempotency_key_reused")
            }
            await second.kill()
        }
        await mock.stop()
    }

    @Test("where the system shows new patients late, nothing is sent until it would have shown this one")
    func aSystemThatShowsItLate() async throws {
        let mock = try await MockServer.start(MockOptions(dialect: .feegow, patients: 10, staleReads: 300))
        try await withConfiguration(mock, "feegow", #"{"token":{"env":"MOCK_TOKEN"}}"#) { configuration in
            let body = #"{"name":"Ana Atrasada","phone":"5511955554321","cpf":"52998224725"}"#
            let first = try await serve(configuration)
            try await crash(first, mock, body)
            let second = try await serve(configuration)
            let early = try await second.create(body, key: Self.key)
            #expect(early.status == 504, "\(early.text)")
            #expect(early.member("code") == "outcome_unknown")
            let wait = early.text.firstMatch(of: /(?i)retry-after: ([0-9]+)/).flatMap { Int($0.1) }
            // 30 s and the profile's five minutes.
            #expect((1...330).contains(wait ?? 0))
            #expect(mock.requests.count(.create) == 1)
            mock.releaseReads()
            let late = try await second.create(body, key: Self.key)
            #expect(late.status == 200, "\(late.text)")
            #expect(mock.requests.count(.create) == 1)
            await second.kill()
        }
        await mock.stop()
    }
}
