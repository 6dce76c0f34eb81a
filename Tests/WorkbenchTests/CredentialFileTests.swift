import Foundation
import StrictConfig
import Tenancy
import TestSupport
import Testing
import Transport

@testable import Workbench

/// A probe that logs in may use a credential up: what the vendor gives for it is kept, or its loss is said.
@Suite struct CredentialFileTests {
    private typealias Seen = (findings: [Doctor.Finding], requests: Int, token: String?)

    /// - Parameters:
    ///   - fileName: the file of the credential, beside the tenant's.
    ///   - isTakenAway: whether the file goes while the vendor answers the login.
    private func examine(
        fileName: String = "clinic.token", isTakenAway: Bool = false,
        _ probe: (Doctor) async -> [Doctor.Finding]
    ) async throws -> Seen {
        let folder = FileManager.default.temporaryDirectory.appending(path: "credential-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        let tenants = folder.appending(path: "tenants")
        try FileManager.default.createDirectory(at: tenants, withIntermediateDirectories: true)
        let file = tenants.appending(path: fileName)
        try Data("refresh.first\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        let away = tenants.appending(path: "away")
        let vendor = try RawServer { connection in
            while let request = connection.readRequest() {
                let isLogin = request.line.contains("/oauth2/token")
                if isLogin, isTakenAway { try? FileManager.default.moveItem(at: file, to: away) }
                connection.answer(
                    isLogin
                        ? #"{"access_token":"a","expires_in":900,"refresh_token":"refresh.second"}"#
                        : #"{"result":[]}"#,
                    headers: "Content-Type: application/json\r\n")
            }
        }
        let drivers = Shipped.repository.appending(path: "Config/drivers").path
        try Data(#"{ "drivers": "\#(drivers)" }"#.utf8).write(to: folder.appending(path: "server.json"))
        let key = String(repeating: "ab", count: 32)
        try Data(
            """
            { "id": "clinic", "inbound": { "keys": [{ "name": "clinia", "sha256": "\(key)" }] },
              "upstream": { "driver": "rest", "profile": "ninsaude", "baseURL": "\(vendor.url)",
                "credentials": { "refreshToken": { "file": "\(fileName)" } } }, "clients": { "searchBy": ["cpf"] } }
            """.utf8
        ).write(to: tenants.appending(path: "clinic.json"))
        let unsaved = UnsavedCredentials()
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(secrets: unsaved.watching(SecretSource(environment: { _ in nil }))))
        guard let plan = configuration.tenants.first else { throw Shipped.Faulty(faults: configuration.faults) }
        let engine = try CurlEngine()
        let findings = await probe(Doctor(plan, engine: engine, unsaved: unsaved))
        await engine.shutdown()
        let requests = vendor.requests.count
        vendor.stop()
        return (findings, requests, try? String(contentsOf: file, encoding: .utf8))
    }

    @Test func whatIsSavedIsNoFinding() async throws {
        let seen = try await examine { await $0.verify() }
        #expect(seen.token == "refresh.second\n")
        #expect(!seen.findings.contains { $0.name == "credential file" }, "\(seen.findings)")
    }

    @Test(arguments: [true, false]) func whatIsLostIsSaid(_ isCheck: Bool) async throws {
        let seen = try await examine(isTakenAway: true) { isCheck ? await $0.verify() : await $0.examine() }
        let lost = seen.findings.filter { $0.name == "credential file" }
        #expect(lost.count == 1, "\(seen.findings)")
        #expect(lost.first?.verdict == .bad)
        #expect(lost.first?.seen.contains("refreshToken") == true)
        #expect(lost.first?.advice.contains("ask the vendor") == true)
        #expect(!seen.findings.contains { ($0.seen + $0.advice).contains("refresh.") })
    }

    /// No draft has place in the folder beside a name of this length: the system says so before the login is made.
    @Test(arguments: [true, false]) func nothingIsSentWhereNothingCouldBeKept(_ isCheck: Bool) async throws {
        let name = String(repeating: "t", count: 250)
        let seen = try await examine(fileName: name) { isCheck ? await $0.verify() : await $0.examine() }
        let untried = try #require(seen.findings.first { $0.name == "credential file" })
        #expect(untried.verdict == .bad)
        #expect(untried.advice.contains("nothing was sent"))
        #expect(seen.requests == 0)
        #expect(seen.token == "refresh.first\n")
        #expect(seen.findings.count { $0.verdict == .bad } == 1)
    }
}
