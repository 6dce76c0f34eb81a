import ClientContract
import Foundation
import MockUpstream
import Tenancy
import Testing
import Transport
import UpstreamDriver

/// A credential that the vendor replaces at each login is written back to its file.
@Suite(.timeLimit(.minutes(2))) struct ReplacedCredentialTests {
    /// A tenant of a pretend Ninsaúde, whose tokens work once.
    private struct Clinic {
        let configuration: TestConfiguration
        let mock: MockServer

        var token: String { get throws { try read().trimmingCharacters(in: .newlines) } }

        init(link: Bool = false) async throws {
            let options = MockOptions(dialect: .ninsaude, patients: 3)
            mock = try await MockServer.start(options)
            configuration = try TestConfiguration()
            try FileManager.default.copyItem(
                at: TestConfiguration.repository.appending(path: "Config/drivers/ninsaude.json"),
                to: configuration.folder.appending(path: "drivers/ninsaude.json"))
            let first = options.credentials["refreshToken"] ?? ""
            if link {
                try configuration.writeSecret("real.token", first + "\n")
                try FileManager.default.createSymbolicLink(
                    at: configuration.folder.appending(path: ReplacedCredentialTests.fileName),
                    withDestinationURL: configuration.folder.appending(path: "real.token"))
            } else {
                try configuration.writeSecret(ReplacedCredentialTests.fileName, first + "\n")
            }
            try name("Clínica Aurora")
        }

        /// Writes the tenant's file.
        func name(
            _ name: String, credential: [String: String] = ["file": "ninsaude.token"], key: String = "chave",
            remembering store: String = "memory"
        ) throws {
            let upstream: [String: Any] = [
                "driver": "rest", "profile": "ninsaude", "baseURL": mock.baseURL, "addresses": ["loopback"],
                "credentials": ["refreshToken": credential],
            ]
            let key = ["name": "clinia", "sha256": KeyDigest(of: key).hex]
            let document: [String: Any] = [
                "id": "clinica-aurora", "name": name, "inbound": ["keys": [key]], "upstream": upstream,
                "clients": ["searchBy": ["cpf"], "onDuplicate": "create"], "idempotency": ["store": store],
            ]
            try configuration.write("tenants/clinica-aurora.json", document)
        }

        func read() throws -> String {
            try String(
                contentsOf: configuration.folder.appending(path: ReplacedCredentialTests.fileName), encoding: .utf8)
        }

        static func call(_ directory: TenantDirectory) async throws {
            let tenant = try #require(directory.caller(key: "chave")?.tenant)
            let context = CallContext(deadline: .now + .seconds(20), requestID: "test")
            _ = try await tenant.bridge.client(ClientID("1001"), context)
        }
    }

    private static let fileName = "tenants/ninsaude.token"

    @Test(arguments: [false, true]) func neitherAReloadNorARestartLosesIt(_ link: Bool) async throws {
        let clinic = try await Clinic(link: link)
        let engine = try CurlEngine()
        let first = try clinic.token
        let loaded = clinic.configuration.load()
        #expect(loaded.faults == [])
        let directory = TenantDirectory(loaded, engine: engine)
        try await Clinic.call(directory)
        let second = try clinic.token
        #expect(second != first)
        #expect(second.hasPrefix("refresh."))
        // The next session uses the newest.
        clinic.mock.expireTokens()
        try await Clinic.call(directory)
        let third = try clinic.token
        #expect(third != second)
        // The tenant is made anew for its name, not for the token.
        let again = loaded.readAgain()
        #expect(directory.replace(with: again, engine: engine).replaced == [])
        try clinic.name("Outro nome")
        #expect(directory.replace(with: again.readAgain(), engine: engine).replaced == ["clinica-aurora"])
        try await Clinic.call(directory)
        let fourth = try clinic.token
        #expect(fourth != third)
        // Another process.
        try await Clinic.call(TenantDirectory(clinic.configuration.load(), engine: engine))
        #expect(try clinic.token != fourth)
        // The first one still goes on, with what the other left.
        clinic.mock.expireTokens()
        try await Clinic.call(directory)
        let path = clinic.configuration.folder.appending(path: link ? "real.token" : Self.fileName).path
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let kind =
            try FileManager.default.attributesOfItem(
                atPath: clinic.configuration.folder.appending(path: Self.fileName).path)[.type] as? FileAttributeType
        #expect(kind == (link ? .typeSymbolicLink : .typeRegular))
        // Nothing is left beside it.
        let names = try FileManager.default.contentsOfDirectory(
            atPath: clinic.configuration.folder.appending(path: "tenants").path)
        #expect(names.sorted() == ["clinica-aurora.json", "ninsaude.token"])
        await engine.shutdown()
        await clinic.mock.stop()
    }

    /// The key and the credential are others after a restart, and it is the same clinic: what it created stays created.
    @Test func theClinicIsKnownByEachSuccessor() async throws {
        let clinic = try await Clinic()
        try clinic.configuration.write("server.json", #"{"idempotency":{"database":"creates.db"}}"#)
        let engine = try CurlEngine()
        func create(_ key: String) async throws -> ClientID {
            try clinic.name("Clínica Aurora", key: key, remembering: "sqlite")
            let directory = TenantDirectory(clinic.configuration.load(), engine: engine)
            let tenant = try #require(directory.caller(key: key)?.tenant)
            let draft = try ClientDraft(body: Array(#"{"name":"Ana Teste Modelo","phone":"5531988880777"}"#.utf8))
            let context = CallContext(deadline: .now + .seconds(20), requestID: "test")
            return try await tenant.bridge.create(draft, key: "uma", context).id
        }
        let first = try await create("chave")
        #expect(try await create("outra-chave") == first)
        #expect(clinic.mock.requests.count(.create) == 1)
        await engine.shutdown()
        await clinic.mock.stop()
    }

    /// Each credential works once: who comes second waits, and takes what the first one left.
    @Test func manyProgramsUseItOneAfterTheOther() async throws {
        let clinic = try await Clinic()
        let engine = try CurlEngine()
        let directories = (0..<8).map { _ in TenantDirectory(clinic.configuration.load(), engine: engine) }
        try await withThrowingTaskGroup { group in
            for directory in directories { group.addTask { try await Clinic.call(directory) } }
            try await group.waitForAll()
        }
        #expect(clinic.mock.requests.count(.login) == 8)
        await engine.shutdown()
        await clinic.mock.stop()
    }

    /// What was put into the file while a login was under way is newer than what that login brought.
    @Test func anOperatorsTokenStays() async throws {
        let clinic = try await Clinic()
        let engine = try CurlEngine()
        clinic.mock.inject(.latency(milliseconds: 500), operation: .login, times: 1)
        let directory = TenantDirectory(clinic.configuration.load(), engine: engine)
        async let call: Void = Clinic.call(directory)
        while clinic.mock.requests.count(.login) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        try clinic.configuration.writeSecret(Self.fileName, "de-hoje")
        try await call
        #expect(try clinic.token == "de-hoje")
        await engine.shutdown()
        await clinic.mock.stop()
    }

    /// A draft that a crash left does not stand in the way, and does not stay.
    @Test func aLeftDraftGoes() async throws {
        let clinic = try await Clinic()
        let engine = try CurlEngine()
        try clinic.configuration.writeSecret("tenants/.ninsaude.token.AbC123.new", "meio")
        try await Clinic.call(TenantDirectory(clinic.configuration.load(), engine: engine))
        let names = try FileManager.default.contentsOfDirectory(
            atPath: clinic.configuration.folder.appending(path: "tenants").path)
        #expect(names.sorted() == ["clinica-aurora.json", "ninsaude.token"])
        await engine.shutdown()
        await clinic.mock.stop()
    }

    @Test func anEnvironmentCannotKeepIt() async throws {
        let clinic = try await Clinic()
        try clinic.name("Clínica Aurora", credential: ["env": "AURORA_USER"])
        let faults = clinic.configuration.load().faults
        #expect(faults.map(\.pointer) == ["/upstream/credentials/refreshToken"])
        #expect(faults.first?.message.contains("must be in a file that Ponte can write") == true)
        #expect(clinic.configuration.load(resolves: false).faults.count == 1)
        await clinic.mock.stop()
    }

    /// Whoever puts a new token in the file is followed, without a reload.
    @Test func anOperatorsTokenIsTaken() async throws {
        let clinic = try await Clinic()
        let engine = try CurlEngine()
        let first = try clinic.token
        try clinic.configuration.writeSecret(Self.fileName, "gasto")
        let directory = TenantDirectory(clinic.configuration.load(), engine: engine)
        try clinic.configuration.writeSecret(Self.fileName, first)
        try await Clinic.call(directory)
        #expect(try clinic.token.hasPrefix("refresh."))
        await engine.shutdown()
        await clinic.mock.stop()
    }
}
