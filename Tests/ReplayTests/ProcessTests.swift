import Foundation
import Glibc
import MockUpstream
import TestSupport
import Testing

/// What the machine and its users see of the program: its arguments, its environment, what is left when it dies. And that it
/// reads its secrets anew.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ProcessTests {
    private static let key = "key-of-the-process-tests"
    /// Its SHA-256.
    private static let digest = "ee49536d95a06fdf9fe8e37252528820fd04efd9dc039e2500d2e469bac51886"

    /// A configuration with the token of its clinic's system in a file, `token.secret`.
    private func withConfiguration(_ mock: MockServer, token: String, _ test: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-process-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        let drivers = BuiltPonte.repository.appending(path: "Config/drivers").path
        let files = [
            "server.json": #"{"drivers":"\#(drivers)","reload":{"watch":false}}"#,
            "tenants/aurora.json": """
            {"id":"aurora","inbound":{"keys":[{"name":"main","sha256":"\(Self.digest)"}]},
            "upstream":{"driver":"rest","profile":"feegow","baseURL":"\(mock.baseURL)",
            "credentials":{"token":{"file":"../token.secret"}}}}
            """,
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        try write(token, folder)
        try await test(folder)
    }

    /// A new file in the old one's place, as tools that rotate secrets do.
    private func write(_ token: String, _ folder: URL) throws {
        let draft = folder.appending(path: "token.draft")
        try Data((token + "\n").utf8).write(to: draft)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: draft.path)
        guard rename(draft.path, folder.appending(path: "token.secret").path) == 0 else { throw Failed() }
    }

    private struct Failed: Error {}

    /// Runs a test with core dumps as large as this machine allows, which a child inherits.
    private func allowingCoreDumps(_ body: () async throws -> Void) async throws {
        var before = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &before)
        var open = rlimit(rlim_cur: before.rlim_max, rlim_max: before.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &open)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &before) }
        try await body()
    }

    /// `[soft, hard]` of the line of core files in /proc/PID/limits.
    private func coreLimits(_ ponte: ServingPonte) throws -> [Substring] {
        let limits = try String(contentsOfFile: "/proc/\(ponte.process)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        return Array(line.split(separator: " ").dropFirst(4).prefix(2))
    }

    @Test func aProcessThatDiesLeavesNoMemoryBehind() async throws {
        let mock = try await MockServer.start(MockOptions(dialect: .feegow, patients: 3))
        try await withConfiguration(mock, token: "t") { folder async throws in
            try await allowingCoreDumps { () async throws in
                // What Swift prints of a crash, where it is asked to, has bytes of memory.
                let ponte = try await ServingPonte(
                    configuration: folder.appending(path: "server.json"),
                    environment: ["SWIFT_BACKTRACE": "enable=yes,color=no"], folder: folder)
                #expect(try coreLimits(ponte) == ["0", "0"])
                if getuid() != 0 {
                    // Not its own user's any more: that is what keeps others of that user out.
                    var information = stat()
                    #expect(stat("/proc/\(ponte.process)/environ", &information) == 0 && information.st_uid == 0)
                }
                await ponte.end(by: SIGABRT)
                let last = await ponte.restOfLog()
                #expect(!last.contains { $0.contains("0x") || $0.contains("acktrac") }, "\(last)")
                let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(left.sorted() == ["server.json", "tenants", "token.secret"])

                // What it says is asked for is left as it was.
                let exempt = try await ServingPonte(
                    configuration: folder.appending(path: "server.json"), environment: ["PONTE_CORE_DUMPS": "allow"],
                    folder: folder)
                var own = rlimit()
                getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &own)
                #expect(try coreLimits(exempt).first == "0" || own.rlim_cur != 0)
                if own.rlim_cur != 0 { #expect(try coreLimits(exempt).first != "0") }
                await exempt.kill()
            }
        }
        await mock.stop()
    }

    @Test func aRotatedSecretIsUsedAfterSIGHUP() async throws {
        let mock = try await MockServer.start(MockOptions(dialect: .feegow, patients: 3))
        let token = MockOptions().accessToken
        try await withConfiguration(mock, token: "an-old-token") { folder async throws in
            let ponte = try await ServingPonte(
                configuration: folder.appending(path: "server.json"), environment: [:], folder: folder)
            let before = try await ponte.get("/clients?limit=1", key: Self.key)
            #expect(before.member("code") == "system_credentials_rejected", "\(before.text)")
            try write(token, folder)
            // Nothing is read before it is asked for.
            #expect(try await ponte.get("/clients?limit=1", key: Self.key).status == 502)
            ponte.send(SIGHUP)
            let line = try #require(await ponte.line(containing: "configuration read again"))
            #expect(line.contains(#""replaced":"aurora""#), "\(line)")
            let after = try await ponte.get("/clients?limit=1", key: Self.key)
            #expect(after.status == 200, "\(after.text)")

            // What a user of the machine sees of it.
            for name in ["cmdline", "environ", "comm"] {
                guard let shown = try? Data(contentsOf: URL(filePath: "/proc/\(ponte.process)/\(name)")) else {
                    #expect(name == "environ" && getuid() != 0)
                    continue
                }
                let text = String(decoding: shown, as: UTF8.self)
                #expect(!text.contains(token) && !text.contains("an-old-token") && !text.contains(Self.key))
            }
            // A file that others can read changes nothing.
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: folder.appending(path: "token.secret").path)
            ponte.send(SIGHUP)
            let refused = try #require(await ponte.line(containing: "configuration read again"))
            #expect(refused.contains(#""kept":"aurora""#), "\(refused)")
            #expect(try await ponte.get("/clients?limit=1", key: Self.key).status == 200)
            await ponte.kill()
        }
        await mock.stop()
    }

    /// What an operator does first in an incident: it takes effect although other files are faulty, and a pipe lies where
    /// a file is expected. And what `server.json` says by then waits for a restart, which is said once.
    @Test func whatIsWithdrawnGoesWhateverElseIsFaulty() async throws {
        let mock = try await MockServer.start(MockOptions(dialect: .feegow, patients: 3))
        try await withConfiguration(mock, token: MockOptions().accessToken) { folder async throws in
            let ponte = try await ServingPonte(
                configuration: folder.appending(path: "server.json"), environment: [:], folder: folder)
            func reload() async throws -> String {
                ponte.send(SIGHUP)
                return try #require(await ponte.line(containing: "configuration read again"))
            }
            func write(_ path: String, _ text: String) throws {
                try Data(text.utf8).write(to: folder.appending(path: path))
            }
            #expect(try await ponte.get("/clients?limit=1", key: Self.key).status == 200)

            try write("server.json", #"{"tenants":"for-tomorrow","drivers":"nowhere"}"#)
            try #require(mkfifo(folder.appending(path: "tenants/beta.json").path, 0o600) == 0)
            let line = try await reload()
            #expect(await ponte.line(containing: "the server's file is another than at the start") != nil)
            #expect(line.contains(#""faults":1"#) && line.contains(#""removed":"""#), "\(line)")
            #expect(try await ponte.get("/clients?limit=1", key: Self.key).status == 200)

            let tenant = try String(contentsOf: folder.appending(path: "tenants/aurora.json"), encoding: .utf8)
            try FileManager.default.removeItem(at: folder.appending(path: "token.secret"))
            try write("tenants/aurora.json", tenant.replacing(Self.digest, with: KeyDigestOfNobody.hex))
            let kept = try await reload()
            #expect(kept.contains(#""kept":"aurora""#) && kept.contains(#""withdrawn":"aurora/main""#), "\(kept)")
            let answer = try await ponte.get("/clients?limit=1", key: Self.key)
            #expect(answer.status == 401 && answer.member("code") == "unknown_key")

            try write("tenants/aurora.json", #"{"disabled":true,"# + tenant.dropFirst())
            let removed = try await reload()
            #expect(removed.contains(#""removed":"aurora""#) && removed.contains(#""kept":"""#), "\(removed)")
            await ponte.end(by: SIGTERM)
            #expect(!(await ponte.restOfLog()).contains { $0.contains("another than at the start") })
        }
        await mock.stop()
    }

    /// No key has this digest.
    private enum KeyDigestOfNobody { static let hex = String(repeating: "0", count: 64) }

    /// Arguments are seen by every user of the machine: none of them takes a secret.
    @Test func noArgumentTakesASecret() async throws {
        let help = try await BuiltPonte.run(["--help"]).output
        let start = try #require(help.firstRange(of: "SUBCOMMANDS:"))
        let commands = help[start.upperBound...].split(separator: "\n").compactMap { line -> String? in
            // Two spaces, the name, and what it does; continued lines stand further in.
            guard line.hasPrefix("  "), !line.hasPrefix("   ") else { return nil }
            return line.split(separator: " ").first.map(String.init)
        }
        #expect(commands.contains("serve") && commands.contains("hash-key") && commands.count >= 14)
        for command in commands where command != "See" {
            let page = try await BuiltPonte.run([command, "--help"]).output
            for found in page.matches(of: /--[a-z][a-z-]*|<[a-z-]+>/) {
                let name = String(found.output)
                if name == "--without-secrets" { continue }
                let sounds = ["secret", "password", "token", "credential", "key", "user", "pass"].filter(name.contains)
                #expect(sounds.isEmpty, "\(command) \(name)")
            }
        }
    }
}
