import Foundation
import Tenancy
import Testing
import Transport

/// Where a tenant's creates are remembered, as the files say.
@Suite struct IdempotencyFileTests {
    private func configuration(_ store: String, database: String?) throws -> TestConfiguration {
        let configuration = try TestConfiguration()
        try configuration.write(
            "tenants/clinica-aurora.json",
            Document.setting(TestConfiguration.fullTenant(), ["idempotency", "store"], store))
        if let database { try configuration.write("server.json", ["idempotency": ["database": database]]) }
        return configuration
    }

    private func mode(_ file: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
    }

    @Test func theDatabaseAndItsSecretAreMadeBesideTheServersFile() async throws {
        let configuration = try configuration("sqlite", database: "creates.db")
        let loaded = configuration.load()
        #expect(loaded.faults == [])
        let engine = try CurlEngine()
        let directory = TenantDirectory(loaded, engine: engine)
        #expect(directory.databaseFailure == nil)
        for name in ["creates.db", "creates.db.secret"] {
            #expect(try mode(configuration.folder.appending(path: name)) == 0o600, "\(name)")
        }
        await engine.shutdown()
    }

    @Test(arguments: ["creates.db", "creates.db.secret"])
    func aFileThatIsOpenToOthersIsClosedAndToldOf(_ name: String) async throws {
        let configuration = try configuration("sqlite", database: "creates.db")
        let file = configuration.folder.appending(path: name)
        let engine = try CurlEngine()
        #expect(TenantDirectory(configuration.load(), engine: engine).databaseWarning == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        let directory = TenantDirectory(configuration.load(), engine: engine)
        #expect(directory.databaseFailure == nil)
        let warning = try #require(directory.databaseWarning)
        #expect(warning.contains(name.hasSuffix("secret") ? "its secret" : "the database"))
        #expect(try mode(file) == 0o600)
        #expect(TenantDirectory(configuration.load(), engine: engine).databaseWarning == nil)
        await engine.shutdown()
    }

    @Test func aDatabaseThatCannotBeOpenedIsSaidSo() async throws {
        let configuration = try configuration("sqlite", database: "none/creates.db")
        let engine = try CurlEngine()
        let directory = TenantDirectory(configuration.load(), engine: engine)
        #expect(directory.databaseFailure?.contains("No such file or directory") == true)
        #expect(directory.count == 1)
        await engine.shutdown()
    }

    /// The database is the server's: a reload does not bring one.
    @Test func aTenantCannotMoveToADatabaseThatIsNotOpen() async throws {
        let configuration = try configuration("memory", database: nil)
        let loaded = configuration.load()
        let engine = try CurlEngine()
        let directory = TenantDirectory(loaded, engine: engine)
        let before = directory.caller(key: "chave-aurora")?.tenant
        try configuration.write("server.json", ["idempotency": ["database": "creates.db"]])
        try configuration.write(
            "tenants/clinica-aurora.json",
            Document.setting(TestConfiguration.fullTenant(), ["idempotency", "store"], "sqlite"))
        let changes = directory.replace(with: loaded.readAgain(), engine: engine)
        #expect(changes.kept == ["clinica-aurora"])
        #expect(changes.faults.map(\.pointer) == ["/idempotency/store"])
        #expect(directory.caller(key: "chave-aurora")?.tenant === before)
        await engine.shutdown()
    }

    /// Feegow shows new patients after minutes.
    @Test(arguments: ["memory", "sqlite"]) func memoryIsWarnedOfWhereReadsLag(_ store: String) throws {
        let configuration = try configuration(store, database: "creates.db")
        #expect(configuration.load().warnings == [])
        try FileManager.default.copyItem(
            at: TestConfiguration.repository.appending(path: "Config/drivers/feegow.json"),
            to: configuration.folder.appending(path: "drivers/feegow.json"))
        var document = Document.setting(
            TestConfiguration.fullTenant(), ["upstream", "credentials"], ["token": ["env": "AURORA_PASSWORD"]])
        document = Document.setting(document, ["upstream", "profile"], "feegow")
        document = Document.setting(document, ["idempotency", "store"], store)
        try configuration.write("tenants/clinica-aurora.json", document)
        let loaded = configuration.load()
        #expect(loaded.faults == [])
        #expect(loaded.warnings.map(\.pointer) == (store == "memory" ? ["/idempotency/store"] : []))
    }
}
