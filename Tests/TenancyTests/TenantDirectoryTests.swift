import Foundation
import StrictConfig
import Tenancy
import Testing
import Transport

@Suite struct KeyDigestTests {
    @Test func readsAndWritesHexadecimalDigits() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(KeyDigest(of: "abc").hex == abc)
        #expect(KeyDigest(hex: abc.uppercased()) == KeyDigest(of: "abc"))
        #expect(KeyDigest(hex: String(abc.dropLast())) == nil)
        #expect(KeyDigest(hex: String(abc.dropLast()) + "g") == nil)
        #expect(!"\(KeyDigest(of: "abc"))".contains("ba78"))
    }
}

@Suite struct TenantDirectoryTests {
    /// A configuration of tenants `tenant-0` … with the keys `key-0-0`, `key-0-1` …
    private func configuration(_ count: Int, keys: Int = 2) throws -> TestConfiguration {
        let configuration = try TestConfiguration()
        for tenant in 0..<count { try write(tenant, configuration, keys: (0..<keys).map { "key-\(tenant)-\($0)" }) }
        return configuration
    }

    private func write(
        _ tenant: Int, _ configuration: TestConfiguration, keys: [String], name: String = "Clínica"
    ) throws {
        var document: Any = TestConfiguration.fullTenant()
        document = Document.setting(document, ["id"], "tenant-\(tenant)")
        document = Document.setting(document, ["name"], name)
        let list = keys.map { ["name": $0, "sha256": KeyDigest(of: $0).hex] }
        document = Document.setting(document, ["inbound", "keys"], list)
        try configuration.write("tenants/tenant-\(tenant).json", document)
    }

    @Test func findsTheTenantOfEveryKey() async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(5, keys: 3)
        let directory = TenantDirectory(configuration.load(), engine: engine)
        #expect(directory.count == 5)
        for tenant in 0..<5 {
            for key in 0..<3 {
                let caller = directory.caller(key: "key-\(tenant)-\(key)")
                #expect(caller?.tenant.id == "tenant-\(tenant)")
                #expect(caller?.keyName == "key-\(tenant)-\(key)")
            }
        }
        for key in ["", "key-0-", "key-0-0 ", "KEY-0-0", "key-9-9"] { #expect(directory.caller(key: key) == nil) }
        await engine.shutdown()
    }

    @Test func disabledTenantsAreNotServed() async throws {
        let engine = try CurlEngine()
        let configuration = try TestConfiguration()
        let document = Document.setting(TestConfiguration.fullTenant(), ["disabled"], true)
        try configuration.write("tenants/clinica-aurora.json", document)
        #expect(configuration.load().tenants.count == 1)
        #expect(TenantDirectory(configuration.load(), engine: engine).count == 0)
        await engine.shutdown()
    }

    @Test func reloadChangesWhatChangedAndNothingElse() async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(4)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        let before = (0..<4).map { directory.caller(key: "key-\($0)-0")?.tenant }
        let stamp = loaded.stamp()

        try write(1, configuration, keys: ["key-1-0", "new-key"], name: "Outro nome")
        try configuration.write("tenants/tenant-2.json", "{ broken")
        try configuration.remove("tenants/tenant-3.json")
        try write(4, configuration, keys: ["key-4-0"])
        #expect(loaded.stamp() != stamp)

        let changes = directory.replace(with: loaded.readAgain(), engine: engine)
        #expect(changes.added == ["tenant-4"])
        #expect(changes.replaced == ["tenant-1"])
        #expect(changes.removed == ["tenant-3"])
        #expect(changes.kept == ["tenant-2"])
        #expect(changes.faults.count == 1)
        #expect(directory.caller(key: "key-0-0")?.tenant === before[0])
        #expect(directory.caller(key: "key-1-0")?.tenant !== before[1])
        #expect(directory.caller(key: "new-key")?.tenant.id == "tenant-1")
        #expect(directory.caller(key: "key-1-1") == nil)
        #expect(directory.caller(key: "key-2-0")?.tenant === before[2])
        #expect(directory.caller(key: "key-3-0") == nil)
        #expect(directory.caller(key: "key-4-0")?.tenant.id == "tenant-4")
        await engine.shutdown()
    }

    @Test func aKeptTenantsKeyCannotMove() async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(2)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        try configuration.write("tenants/tenant-0.json", "{ broken")
        try write(1, configuration, keys: ["key-0-0"])
        let changes = directory.replace(with: loaded.readAgain(), engine: engine)
        #expect(changes.faults.count == 2 && changes.kept.sorted() == ["tenant-0", "tenant-1"])
        #expect(directory.caller(key: "key-0-0")?.tenant.id == "tenant-0")
        // Its file can be read, and lists them no longer.
        #expect(changes.withdrawn == ["tenant-1/key-1-0", "tenant-1/key-1-1"])
        #expect(directory.caller(key: "key-1-0") == nil)
        await engine.shutdown()
    }

    @Test func aBrokenServerFileOrProfileChangesNothing() async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(2)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        let before = directory.caller(key: "key-1-1")?.tenant
        try configuration.write("server.json", "{")
        let changes = directory.replace(with: loaded.readAgain(), engine: engine)
        #expect(changes.faults.count == 1 && changes.replaced == [] && changes.removed == [] && changes.kept == [])
        #expect(directory.overview.faults == 1)
        try configuration.write("server.json", "{}")
        try configuration.write("drivers/agenda-demo.json", "{")
        #expect(directory.replace(with: loaded.readAgain(), engine: engine).kept.count == 2)
        #expect(directory.caller(key: "key-1-1")?.tenant === before)
        await engine.shutdown()
    }

    @Test(arguments: ["tenants", "drivers"]) func aFolderThatCannotBeListedDropsNobody(_ folder: String) async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(2)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        let before = directory.caller(key: "key-1-0")?.tenant
        let place = configuration.folder.appending(path: folder)
        try FileManager.default.moveItem(at: place, to: configuration.folder.appending(path: "away"))
        let changes = directory.replace(with: loaded.readAgain(), engine: engine)
        #expect(changes.removed == [] && changes.replaced == [])
        #expect(changes.kept.sorted() == ["tenant-0", "tenant-1"])
        #expect(changes.faults.contains { $0.message.contains("cannot be listed") })
        #expect(directory.caller(key: "key-1-0")?.tenant === before)
        // An empty folder is another matter: its files are gone.
        try FileManager.default.moveItem(at: configuration.folder.appending(path: "away"), to: place)
        try configuration.remove("tenants/tenant-0.json")
        #expect(directory.replace(with: loaded.readAgain(), engine: engine).removed == ["tenant-0"])
        await engine.shutdown()
    }

    @Test func reloadsAtTheSameTimeFollowEachOther() async throws {
        let engine = try CurlEngine()
        let configuration = try configuration(1)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        for tenant in 1...20 {
            try write(tenant, configuration, keys: ["key-\(tenant)-0"])
            let reading = loaded.readAgain()
            // Whichever is first adds the tenant; the others must see that it did.
            let added = await withTaskGroup(of: [String].self) { group in
                for _ in 0..<8 { group.addTask { directory.replace(with: reading, engine: engine).added } }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(added == ["tenant-\(tenant)"])
        }
        await engine.shutdown()
    }

    @Test func aRotatedSecretMakesTheTenantAnew() async throws {
        let engine = try CurlEngine()
        let configuration = try TestConfiguration()
        try configuration.writeSecret("tenants/user.secret", "ana\n")
        let document = Document.setting(
            TestConfiguration.fullTenant(), ["upstream", "credentials", "user"], ["file": "user.secret"])
        try configuration.write("tenants/clinica-aurora.json", document)
        let loaded = configuration.load()
        let directory = TenantDirectory(loaded, engine: engine)
        #expect(directory.replace(with: loaded.readAgain(), engine: engine).replaced == [])
        try configuration.writeSecret("tenants/user.secret", "beatriz\n")
        #expect(directory.replace(with: loaded.readAgain(), engine: engine).replaced == ["clinica-aurora"])
        await engine.shutdown()
    }
}
