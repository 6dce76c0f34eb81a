import Foundation
import MockUpstream
import TestSupport
import Testing

/// The integrator's commands, by the program itself.
@Suite struct IntegratorTests {
    /// A folder of its own.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "integrator-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { Leaks.discard(folder) }
        try await body(folder)
    }

    private func write(_ text: String, _ file: URL) throws {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// A configuration with one tenant of the pretend system, and the shipped profiles.
    private func configuration(
        in folder: URL, mock: MockServer, port: Int, profile: String = "agenda-demo"
    ) throws -> String {
        let drivers = BuiltPonte.repository.appending(path: "Config/drivers").path
        try write(
            #"{ "listen": { "host": "127.0.0.1", "port": \#(port) }, "drivers": "\#(drivers)" }"#,
            folder.appending(path: "server.json"))
        let key = String(repeating: "ab", count: 32)
        try write(
            """
            { "id": "clinic", "inbound": { "keys": [{ "name": "clinia", "sha256": "\(key)" }] },
              "upstream": { "driver": "rest", "profile": "\(profile)", "baseURL": "\(mock.baseURL)",
                "credentials": { "user": { "env": "CLINIC_USER" }, "password": { "env": "CLINIC_PASSWORD" } } },
              "clients": { "searchBy": ["phone"] } }
            """, folder.appending(path: "tenants/clinic.json"))
        return folder.appending(path: "server.json").path
    }

    private func secrets(_ password: String = MockOptions().password) -> [String: String] {
        ["CLINIC_USER": MockOptions().user, "CLINIC_PASSWORD": password]
    }

    private func withMock(_ body: (MockServer) async throws -> Void) async throws {
        let mock = try await MockServer.start(MockOptions(patients: 20))
        do {
            try await body(mock)
        } catch {
            await mock.stop()
            throw error
        }
        await mock.stop()
    }

    // MARK: check

    /// The port that it would serve at is taken, and the system that it would call counts connections.
    @Test func checkMakesNoCallAndOpensNoPort() async throws {
        try await withMock { mock in
            try await withFolder { folder in
                let file = try configuration(in: folder, mock: mock, port: mock.port)
                let run = try await BuiltPonte.run(["check", "--config", file], environment: secrets())
                #expect(run.status == 0, "\(run.output)")
                #expect(run.says("no faults"))
                #expect(mock.requests.connections == 0)
                // The same port is an error to whoever opens it.
                let serve = try await BuiltPonte.run(["serve", "--config", file], environment: secrets())
                #expect(serve.status != 0)
            }
        }
    }

    @Test func aLiveCheckCallsEachSystemOnce() async throws {
        try await withMock { mock in
            try await withFolder { folder in
                let file = try configuration(in: folder, mock: mock, port: 0)
                let run = try await BuiltPonte.run(["check", "--live", "--config", file], environment: secrets())
                #expect(run.status == 0, "\(run.output)")
                #expect(run.says("ok   clinic"))
                #expect(mock.requests.counts == [.login: 1, .list: 1])

                mock.requests.reset()
                let wrong = try await BuiltPonte.run(
                    ["check", "--live", "--json", "--config", file], environment: secrets("errada"))
                #expect(wrong.status == 1)
                #expect(wrong.says(#""ok":false"#))
                #expect(wrong.says(#"{"name":"credentials","verdict":"FAIL""#))
                #expect(!wrong.says("errada"))
                #expect(mock.requests.counts == [.login: 1])
            }
        }
        let both = try await BuiltPonte.run(["check", "--live", "--without-secrets"])
        #expect(both.status != 0)
    }

    /// Each login of this vendor replaces the credential's file, and a command that ends takes along what it could not write.
    @Test(arguments: [["check", "--live"], ["doctor", "clinic"], ["report", "clinic", "--live"]])
    func aCredentialThatIsLostIsSaid(_ command: [String]) async throws {
        try await withFolder { folder in
            let token = folder.appending(path: "tenants/clinic.token")
            let away = folder.appending(path: "away")
            let vendor = try RawServer { connection in
                while let request = connection.readRequest() {
                    let isLogin = request.line.contains("/oauth2/token")
                    if isLogin { try? FileManager.default.moveItem(at: token, to: away) }
                    connection.answer(
                        isLogin
                            ? #"{"access_token":"a","expires_in":900,"refresh_token":"refresh.second"}"#
                            : #"{"result":[]}"#, headers: "Content-Type: application/json\r\n")
                }
            }
            defer { vendor.stop() }
            let drivers = BuiltPonte.repository.appending(path: "Config/drivers").path
            try write(#"{ "drivers": "\#(drivers)" }"#, folder.appending(path: "server.json"))
            let key = String(repeating: "ab", count: 32)
            try write(
                """
                { "id": "clinic", "inbound": { "keys": [{ "name": "clinia", "sha256": "\(key)" }] },
                  "upstream": { "driver": "rest", "profile": "ninsaude", "baseURL": "\(vendor.url)",
                    "credentials": { "refreshToken": { "file": "clinic.token" } } }, "clients": { "searchBy": ["cpf"] } }
                """, folder.appending(path: "tenants/clinic.json"))
            try write("refresh.first\n", token)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: token.path)
            let run = try await BuiltPonte.run(
                command + ["--config", folder.appending(path: "server.json").path])
            #expect(run.status == 1, "\(run.output)")
            #expect(run.says("the vendor replaced refreshToken"), "\(run.output)")
            #expect(!run.says("refresh.second"))
        }
    }

    // MARK: Tenants that cannot be read

    @Test func aMissingSecretIsNotCalledAnUnknownTenant() async throws {
        try await withMock { mock in
            try await withFolder { folder in
                let file = try configuration(in: folder, mock: mock, port: 0)
                let run = try await BuiltPonte.run(["doctor", "clinic", "--config", file])
                #expect(run.status == 1)
                #expect(run.says("the environment variable CLINIC_USER is not set"))
                #expect(!run.says("unknown tenant"))
                let other = try await BuiltPonte.run(["explain", "clinik", "--config", file])
                #expect(other.says(#"unknown tenant "clinik": did you mean "clinic"?"#))
            }
        }
    }

    @Test func aTenantOfABrokenProfileShowsTheProfilesFaults() async throws {
        try await withMock { mock in
            try await withFolder { folder in
                let file = try configuration(in: folder, mock: mock, port: 0, profile: "broken")
                try write(#"{ "drivers": "drivers" }"#, folder.appending(path: "server.json"))
                try write(#"{ "name": "broken", "titel": "x" }"#, folder.appending(path: "drivers/broken.json"))
                let run = try await BuiltPonte.run(["explain", "clinic", "--config", file])
                #expect(run.status == 1)
                #expect(
                    run.says(#"broken.json:1:21: /titel: unknown member "titel": did you mean "title"?"#),
                    "\(run.output)")
            }
        }
    }

    // MARK: new, test, map

    @Test func aNewVendorGoesWhereTheServersFileSays() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "server.json").path
            try write(#"{ "drivers": "profiles/ours" }"#, folder.appending(path: "server.json"))
            let begun = try await BuiltPonte.run(["new", "acme", "--config", file])
            #expect(begun.status == 0, "\(begun.output)")
            #expect(begun.says("Next: ponte test acme --config \(file)"))
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "profiles/ours/acme.json").path))
            let held = try await BuiltPonte.run(["test", "acme", "--config", file])
            #expect(held.status == 0)
            #expect(held.says("3 pairs hold."))

            #expect(!held.says("note:"))
            let silent = try await BuiltPonte.run([
                "test", "shosp", "--config", BuiltPonte.repository.appending(path: "Config/server.json").path,
                "--pairs", BuiltPonte.repository.appending(path: "Tests/Fixtures/shosp").path,
            ])
            #expect(silent.status == 0, "\(silent.output)")
            #expect(silent.says("note: a rule finds failures inside a 2xx"))

            let again = try await BuiltPonte.run(["new", "acme", "--config", file])
            #expect(again.status == 1)
            #expect(again.says("exists already"))
            let misspelt = try await BuiltPonte.run(["test", "akme", "--config", file])
            #expect(misspelt.says(#"unknown profile "akme": did you mean "acme"?"#))
            let nowhere = try await BuiltPonte.run(["new", "acme", "--config", file + ".other"])
            #expect(nowhere.status == 1)
            #expect(nowhere.says("--config"))
        }
    }

    @Test func aProfileThatLogsInWantsTheLoginsAnswer() async throws {
        try await withFolder { folder in
            try write("[]", folder.appending(path: "list.in.json"))
            try write(#"{ "call": "list", "gives": [] }"#, folder.appending(path: "list.out.json"))
            let run = try await BuiltPonte.run(["test", "ninsaude", "--pairs", folder.path])
            #expect(run.status == 1)
            #expect(run.says("login.json is missing"))
        }
    }

    @Test func aFHIRProfileIsNotReadAsAnotherLanguage() async throws {
        let run = try await BuiltPonte.run(["map", "fhir/hapi", "--in", "README.md"])
        #expect(run.status == 1)
        #expect(run.says(#"of the driver "fhir""#))
        #expect(!run.says("unknown member"))
    }

    /// The fixtures of the shipped profiles are pairs as well.
    @Test func shippedFixturesHoldByTheCommand() async throws {
        let run = try await BuiltPonte.run(["test", "versatilis", "--pairs", "Tests/Fixtures/versatilis"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.says("pairs hold."))
    }

    @Test func aLookupOnlyProfileIsMappedAsItsRows() async throws {
        let record = "Tests/Fixtures/versatilis/find-row.in.json"
        let run = try await BuiltPonte.run(["map", "versatilis", "--in", record])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.says("Versatilis, row"))
        #expect(run.says(#""birthday": "1990-03-07""#))
    }
}
