import Foundation
import StrictConfig
import Tenancy
import Testing

@Suite struct TenantFileTests {
    /// What is changed in a sound file, where the fault must stand, and a part of what it must say.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let path: String
        /// JSON of the new value; nil removes the member.
        let value: String?
        let pointer: String
        let says: String
        var testDescription: String { "\(path) = \(value ?? "(removed)")" }

        init(_ path: String, _ value: String?, at pointer: String? = nil, _ says: String) {
            self.path = path
            self.value = value
            self.pointer = pointer ?? path
            self.says = says
        }
    }

    static let refusals = [
        Refusal("/nmae", #""x""#, "did you mean \"name\""),
        Refusal("/id", nil, at: "", "lacks the member \"id\""),
        Refusal("/id", "7", "expected a tenant's id"),
        Refusal("/id", #""Clinica""#, "lower-case letters"),
        Refusal("/id", #""-a""#, "lower-case letters"),
        Refusal("/id", #""clinica-boreal""#, "the file's name"),
        Refusal("/name", #""""#, "must not be empty"),
        Refusal("/disabled", #""no""#, "expected true or false"),
        Refusal("/inbound", nil, at: "", "lacks the member \"inbound\""),
        Refusal("/inbound/keys", nil, at: "/inbound", "lacks the member \"keys\""),
        Refusal("/inbound/keys", "[]", "at least one key"),
        Refusal("/inbound/keys", "{}", "expected an array"),
        Refusal("/inbound/keys/0/name", nil, at: "/inbound/keys/0", "lacks the member \"name\""),
        Refusal("/inbound/keys/0/name", #""a b""#, "letters, digits"),
        Refusal("/inbound/keys/0/sha256", #""abc""#, "64 hexadecimal digits"),
        Refusal("/inbound/keys/0/key", #""the-key""#, "unknown member \"key\""),
        Refusal("/upstream", nil, at: "", "lacks the member \"upstream\""),
        Refusal("/upstream", "[]", "expected an object"),
        Refusal("/upstream/driver", nil, at: "/upstream", "lacks the member \"driver\""),
        Refusal("/upstream/driver", #""rset""#, "did you mean \"rest\""),
        Refusal("/upstream/profile", nil, at: "/upstream", "lacks the member \"profile\""),
        Refusal("/upstream/profile", #""agenda-dmo""#, "did you mean \"agenda-demo\""),
        Refusal("/upstream/baseURL", nil, at: "/upstream", "lacks the member \"baseURL\""),
        Refusal("/upstream/baseURL", #""ftp://api.example.test""#, "must begin with http"),
        Refusal("/upstream/baseURL", #""api.example.test""#, "must begin with http"),
        Refusal("/upstream/baseURL", #""https://ana:senha@api.example.test""#, "no user and no password"),
        Refusal("/upstream/baseURL", #""https://api.example.test?a=1""#, "no query"),
        Refusal("/upstream/baseURL", #""https://api.example.test/#a""#, "no fragment"),
        Refusal("/upstream/baseURL", #""https://""#, "must name a host"),
        Refusal("/upstream/baseURL", #""https://:80""#, "must name a host"),
        Refusal("/upstream/baseURL", #""https://api.example.test:99999""#, "port"),
        Refusal("/upstream/baseURL", #""https://api.example.test/a/../b""#, "no . or .."),
        Refusal("/upstream/baseURL", #""https://api.example.test/%zz""#, "%"),
        Refusal("/upstream/baseURL", #""https://api.exa mple.test""#, "percent-encode"),
        Refusal("/upstream/credentials/password", nil, at: "/upstream", "lacks the credential \"password\""),
        Refusal("/upstream/credentials/pasword", #"{"env":"AURORA_USER"}"#, "did you mean \"password\""),
        Refusal("/upstream/credentials/user", #""ana""#, "may not stand in a configuration file"),
        Refusal(
            "/upstream/credentials/user", #"{"env":"NOT_SET"}"#, at: "/upstream/credentials/user/env", "is not set"),
        Refusal("/upstream/credentials/user", #"{"env":"A=B"}"#, at: "/upstream/credentials/user/env", "not the name"),
        Refusal(
            "/upstream/credentials/user", #"{"file":"missing"}"#, at: "/upstream/credentials/user/file",
            "cannot be read"),
        Refusal("/upstream/credentials/user", #"{"env":"AURORA_USER","file":"a"}"#, "either"),
        Refusal("/upstream/credentials/user", "{}", "either"),
        Refusal("/upstream/settings/unit", #""3""#, "unknown setting"),
        Refusal("/upstream/settings", #"[]"#, "expected an object"),
        Refusal("/upstream/timeouts/call", #""10""#, "is not a duration"),
        Refusal("/upstream/timeouts/call", #""0s""#, "must be from"),
        Refusal("/upstream/timeouts/call", "10", "expected a duration"),
        Refusal("/upstream/timeouts/connectionLifetime", #""500ms""#, "must be from"),
        Refusal("/upstream/timeouts/connectionLifetime", #""2d""#, "must be from"),
        Refusal("/upstream/timeouts/conect", #""1s""#, "did you mean \"connect\""),
        Refusal("/upstream/limits/concurrent", "0", "from 1 to 1000"),
        Refusal("/upstream/limits/perSecond", "0", "from 1 to 10000"),
        Refusal("/upstream/tls/caFile", #""missing.pem""#, "cannot be read"),
        Refusal("/upstream/http2", "1", "expected true or false"),
        Refusal("/upstream/maxBodyBytes", "1", "from 1024 to"),
        Refusal("/clients/searchBy", "[]", "at least one kind"),
        Refusal("/clients/searchBy/0", #""phnoe""#, "did you mean \"phone\""),
        Refusal("/clients/searchBy/1", #""phone""#, "named twice"),
        Refusal("/clients/country", #""US""#, "Known: BR"),
        Refusal("/clients/defaultAreaCode", "5", "from 11 to 99"),
        Refusal("/clients/cpfCheckDigits", "null", "expected true or false"),
        Refusal("/clients/onDuplicate", #""returnexisting""#, "did you mean \"returnExisting\""),
        Refusal("/clients/scan/maxRecords", "0", "from 1 to"),
        Refusal("/idempotency/store", #""sqlite""#, "needs a database"),
        Refusal("/idempotency/store", #""redis""#, "Known: memory, sqlite"),
        Refusal("/idempotency/keepFor", #""1s""#, "must be from"),
        Refusal("/idempotency/keepfor", #""1h""#, "did you mean \"keepFor\""),
        Refusal("/clients/scan/maxRecord", "5", "did you mean \"maxRecords\""),
    ]

    @Test(arguments: refusals) func refuses(_ refusal: Refusal) throws {
        let configuration = try TestConfiguration()
        let value = try refusal.value.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
        }
        let path = refusal.path.split(separator: "/").map(String.init)
        let document = Document.setting(TestConfiguration.fullTenant(), path, value)
        let faults = try configuration.faults(ofTenant: document)
        #expect(faults.count == 1)
        let fault = try #require(faults.first)
        #expect(fault.pointer == refusal.pointer)
        #expect(fault.message.contains(refusal.says), "\(fault.message)")
        #expect(fault.file.hasSuffix("tenants/clinica-aurora.json"))
    }

    /// Naming only kinds that the system cannot search by would make every search a 501.
    @Test func namesAKindThatTheSystemCanSearchBy() throws {
        let configuration = try TestConfiguration()
        try FileManager.default.copyItem(
            at: TestConfiguration.repository.appending(path: "Config/drivers/feegow.json"),
            to: configuration.folder.appending(path: "drivers/feegow.json"))
        var tenant = TestConfiguration.fullTenant()
        var upstream = try #require(tenant["upstream"] as? [String: Any])
        upstream["profile"] = "feegow"
        upstream["credentials"] = ["token": ["env": "AURORA_USER"]]
        tenant["upstream"] = upstream
        tenant["clients"] = ["searchBy": ["email"]]
        let faults = try configuration.faults(ofTenant: tenant)
        #expect(faults.map(\.pointer) == ["/clients/searchBy/0"])
        #expect(faults.first?.message.contains("cannot search by; it can by: phone, cpf") == true)
        tenant["clients"] = ["searchBy": ["email"], "scan": ["allowed": true]]
        #expect(try configuration.faults(ofTenant: tenant).isEmpty)
        tenant["clients"] = ["searchBy": ["phone", "cpf", "email"]]
        #expect(try configuration.faults(ofTenant: tenant).isEmpty)
    }

    @Test func aSecretHasNoOtherMembers() throws {
        let configuration = try TestConfiguration()
        let path = ["upstream", "credentials", "user"]
        let faults = try configuration.faults(
            ofTenant: Document.setting(TestConfiguration.fullTenant(), path, ["env": "AURORA_USER", "value": "ana"]))
        #expect(faults.map(\.pointer) == ["/upstream/credentials/user"])
    }

    @Test func acceptsTheFullFile() throws {
        let configuration = try TestConfiguration()
        #expect(try configuration.faults(ofTenant: TestConfiguration.fullTenant()) == [])
        let plan = try #require(configuration.load().tenants.first)
        #expect(plan.id == "clinica-aurora")
        #expect(plan.name == "Clínica Aurora")
        #expect(plan.callTimeout == .seconds(10))
        #expect(plan.listTimeout == .seconds(120))
        #expect(plan.channel.connectTimeout == .seconds(3))
        #expect(plan.channel.connectionLifetime == .seconds(90))
        #expect(plan.channel.maxInFlight == 16)
        #expect(plan.options.rules.phones.areaCode == 11)
        #expect(!plan.options.rules.cpfCheckDigits)
        let strict = Document.setting(TestConfiguration.fullTenant(), ["clients", "cpfCheckDigits"], true)
        #expect(try configuration.faults(ofTenant: strict) == [])
        #expect(configuration.load().tenants.first?.options.rules.cpfCheckDigits == true)
        #expect("\(plan)" == "tenant clinica-aurora")
    }

    @Test func reportsAllFaultsAtOnceWithTheirLines() throws {
        let configuration = try TestConfiguration()
        try configuration.write(
            "tenants/clinica-aurora.json",
            """
            {
              "id": "clinica-aurora",
              "inbuond": {},
              "inbound": { "keys": [{ "name": "clinia", "sha256": "zz" }] },
              "upstream": { "driver": "rest", "profile": "agenda-demo", "baseURL": "https://a.example.test",
                "credentials": { "user": "ana", "password": { "env": "NOT_SET" } } }
            }
            """)
        let faults = configuration.load().faults
        #expect(
            faults.map(\.pointer).sorted() == [
                "/inbound/keys/0/sha256", "/inbuond", "/upstream/credentials/password/env",
                "/upstream/credentials/user",
            ])
        #expect(faults.first { $0.pointer == "/inbuond" }?.line == 3)
        #expect(faults.first { $0.pointer == "/upstream/credentials/user" }?.line == 6)
    }

    @Test func neverQuotesSecretsOrAddresses() throws {
        let configuration = try TestConfiguration()
        var document = Document.setting(
            TestConfiguration.fullTenant(), ["upstream", "credentials", "user"], "segredo-literal")
        document = Document.setting(document, ["upstream", "baseURL"], "https://ana:segredo-literal@a.example.test")
        let faults = try configuration.faults(ofTenant: document)
        #expect(faults.count == 2)
        #expect(!faults.description.contains("segredo-literal"))
    }

    /// The commonest slip: the secret itself where the name of its variable belongs, or as a member's name.
    @Test(arguments: [
        #"{"env":"Senha9fJ2a"}"#, #"{"env":"SENHA9FJ2A"}"#, #"{"env":"Senha9fJ2a!"}"#, #"{"env":{"Senha9fJ2a":1}}"#,
        #"{"Senha9fJ2a":"env"}"#, #"{"Senha9fJ2a":1,"Senha9fJ2a":2}"#, #"{"env":"AURORA_USER","Senha9fJ2a":""}"#,
        #"{"file":"Senha9fJ2a"}"#, #"["Senha9fJ2a"]"#,
    ])
    func neverQuotesASecretInANamesPlace(_ reference: String) throws {
        let configuration = try TestConfiguration()
        let file = "tenants/clinica-aurora.json"
        try configuration.write(file, TestConfiguration.fullTenant())
        let text = try String(contentsOf: configuration.folder.appending(path: file), encoding: .utf8)
        let sound = #"{"env":"AURORA_PASSWORD"}"#
        #expect(text.contains(sound))
        try configuration.write(file, text.replacing(sound, with: reference))
        try configuration.write("server.json", #"{"idempotency":{"database":"x.db","secret":\#(reference)}}"#)
        let server = configuration.load().faults
        try configuration.write("server.json", "{}")
        for faults in [server, configuration.load().faults] {
            #expect(!faults.isEmpty)
            #expect(!faults.description.lowercased().contains("senha9fj2a"), "\(faults)")
        }
    }

    @Test func readsSecretsFromFilesWithoutTheirNewline() throws {
        let configuration = try TestConfiguration()
        try configuration.writeSecret("tenants/user.secret", "ana\n")
        let path = ["upstream", "credentials", "user"]
        let document = Document.setting(TestConfiguration.fullTenant(), path, ["file": "user.secret"])
        #expect(try configuration.faults(ofTenant: document) == [])
        try configuration.writeSecret("tenants/user.secret", "a\nb\n")
        #expect(configuration.load().faults.map(\.pointer) == ["/upstream/credentials/user/file"])
        try configuration.writeSecret("tenants/user.secret", "\n")
        #expect(configuration.load().faults.first?.message.contains("is empty") == true)
    }

    @Test func withoutSecretsChecksFormOnly() throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        #expect(configuration.load([:]).faults.count == 2)
        #expect(configuration.load([:], resolves: false).faults == [])
    }

    @Test func clientCertificateNeedsItsKey() throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/client.pem", "x")
        let document = Document.setting(
            TestConfiguration.fullTenant(), ["upstream", "tls", "clientCertificateFile"], "client.pem")
        let faults = try configuration.faults(ofTenant: document)
        #expect(faults.map(\.pointer) == ["/upstream/tls"])
        #expect(faults.first?.message.contains("clientKeyFile") == true)
    }

    @Test func tenantsDoNotShareKeys() throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        let other = Document.setting(TestConfiguration.fullTenant(), ["id"], "clinica-boreal")
        try configuration.write("tenants/clinica-boreal.json", other)
        let loaded = configuration.load()
        #expect(loaded.faults.map(\.pointer) == ["/inbound/keys/0/sha256"])
        #expect(loaded.faults.first?.message.contains("clinica-aurora") == true)
        #expect(loaded.tenants.map(\.id) == ["clinica-aurora"])
    }

    @Test func aFaultyProfileIsReportedAtItselfAndAtItsTenants() throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        try configuration.write("drivers/agenda-demo.json", #"{"name": 5}"#)
        let faults = configuration.load().faults
        #expect(faults.contains { $0.file.hasSuffix("drivers/agenda-demo.json") })
        #expect(faults.contains { $0.pointer == "/upstream/profile" && $0.message.contains("faults of its own") })
    }

    @Test(arguments: ["", "[]", "{", "nul", "{\"id\":1,\"id\":2}"]) func refusesWhatIsNoObject(_ text: String) throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", text)
        #expect(!configuration.load().faults.isEmpty)
        #expect(configuration.load().tenants.isEmpty)
    }
}
