import Foundation
import Tenancy
import Testing

/// Who else may read the files of secrets.
@Suite struct SecretFileTests {
    /// A tenant with a credential in a file and a client certificate.
    private func configuration(secret: Int = 0o600, key: Int = 0o600) throws -> TestConfiguration {
        let configuration = try TestConfiguration()
        try configuration.writeSecret("tenants/user.secret", "ana\n", mode: secret)
        try configuration.writeSecret("tenants/client.key", "x", mode: key)
        try configuration.write("tenants/client.pem", "x")
        var document = Document.setting(
            TestConfiguration.fullTenant(), ["upstream", "credentials", "user"], ["file": "user.secret"])
        document = Document.setting(
            document, ["upstream", "tls"], ["clientCertificateFile": "client.pem", "clientKeyFile": "client.key"])
        try configuration.write("tenants/clinica-aurora.json", document)
        return configuration
    }

    @Test(arguments: [0o600, 0o400, 0o640, 0o440, 0o700]) func theOwnersAreTaken(_ mode: Int) throws {
        #expect(try configuration(secret: mode, key: mode).load().faults == [])
    }

    @Test(arguments: [0o604, 0o644, 0o602, 0o620, 0o444, 0o666, 0o777]) func openOnesAreRefused(_ mode: Int) throws {
        let configuration = try configuration(secret: mode)
        let loaded = configuration.load()
        #expect(loaded.tenants.isEmpty)
        #expect(loaded.faults.map(\.pointer) == ["/upstream/credentials/user/file"])
        #expect(loaded.faults.first?.message.contains("chmod 600") == true)
        #expect(!loaded.faults.description.contains("ana"))
        // Where secrets are not looked at, nor are their files.
        #expect(configuration.load(resolves: false).faults == [])
        let key = try self.configuration(key: mode).load()
        #expect(key.faults.map(\.pointer) == ["/upstream/tls/clientKeyFile"])
        #expect(key.faults.first?.message.contains("chmod 600") == true)
    }

    /// As an orchestrator mounts them, and the operator says so.
    @Test func theServersFileMayAllowThem() throws {
        let configuration = try configuration(secret: 0o444, key: 0o644)
        try configuration.write("server.json", #"{"secrets":{"openFiles":true}}"#)
        #expect(configuration.load().faults == [])
        try configuration.write("server.json", #"{"secrets":{"openFiles":false}}"#)
        #expect(configuration.load().faults.count == 2)
    }

    @Test func theServersOwnSecretsToo() throws {
        let configuration = try TestConfiguration()
        try configuration.writeSecret("marks.secret", "segredo-de-teste-comprido", mode: 0o644)
        try configuration.writeSecret("ponte.key", "x", mode: 0o640)
        func server(_ more: String = "") throws {
            try configuration.write(
                "server.json",
                """
                {\(more)"listen":{"tls":{"certificateFile":"ponte.pem","keyFile":"ponte.key"}},
                "idempotency":{"database":"creates.db","secret":{"file":"marks.secret"}}}
                """)
        }
        try server()
        #expect(configuration.load().faults.map(\.pointer) == ["/idempotency/secret/file"])
        try configuration.writeSecret("marks.secret", "segredo-de-teste-comprido", mode: 0o600)
        #expect(configuration.load().faults == [])
        try configuration.writeSecret("ponte.key", "x", mode: 0o644)
        #expect(configuration.load().faults.map(\.pointer) == ["/listen/tls/keyFile"])
        #expect(!configuration.load().serverIsSound)
        try server(#""secrets":{"openFiles":true},"#)
        #expect(configuration.load().faults == [])
    }

    /// A file that becomes open while Ponte runs: the tenant goes on with what was read before.
    @Test func anOpenFileAtReloadKeepsTheOldSecret() throws {
        let configuration = try configuration()
        let loaded = configuration.load()
        try configuration.writeSecret("tenants/user.secret", "bia\n", mode: 0o644)
        #expect(loaded.readAgain().faults.map(\.pointer) == ["/upstream/credentials/user/file"])
        try configuration.writeSecret("tenants/user.secret", "bia\n", mode: 0o600)
        #expect(loaded.readAgain().faults == [])
    }
}
