import Foundation
import StrictConfig
import Tenancy
import Testing

@Suite struct ServerFileTests {
    @Test func everyMemberMayBeLeftOut() throws {
        let loaded = try TestConfiguration().load()
        #expect(loaded.faults == [])
        #expect(loaded.server.port == 8080)
        #expect(loaded.server.host == "127.0.0.1")
        #expect(loaded.server.bodyBytes == 1 << 20)
        #expect(loaded.server.termLength == 512)
        #expect(loaded.server.shutdownGrace == .seconds(20))
        #expect(loaded.server.headerBytes == 32 << 10 && loaded.server.maxConnections == 4096)
        #expect(loaded.server.headTimeout == .seconds(10) && loaded.server.idleTimeout == .seconds(75))
        #expect(loaded.server.operatorListener == nil)
        #expect(loaded.profiles == ["agenda-demo", "fhir/hapi"])
    }

    @Test func moreCallsThanTheEngineHasPlacesAreWarnedOf() throws {
        let configuration = try TestConfiguration()
        for (id, disabled) in [("um", false), ("dois", false), ("tres", true)] {
            var tenant = Document.setting(TestConfiguration.fullTenant(), ["id"], id)
            tenant = Document.setting(tenant, ["disabled"], disabled)
            tenant = Document.setting(
                tenant, ["inbound", "keys"], [["name": "clinia", "sha256": KeyDigest(of: "key-\(id)").hex]])
            try configuration.write("tenants/\(id).json", tenant)
        }
        // Sixteen each, of the two that are served.
        for (places, isWarned) in [(31, true), (32, false)] {
            try configuration.write("server.json", ["engine": ["maxInFlight": places]])
            let loaded = configuration.load()
            #expect(loaded.faults == [])
            #expect(loaded.warnings.map(\.pointer) == (isWarned ? ["/engine/maxInFlight"] : []))
            #expect(loaded.warnings.allSatisfy { $0.message.contains("32 calls") })
        }
    }

    @Test func readsEveryMember() throws {
        let configuration = try TestConfiguration()
        var document: Any = TestConfiguration.fullServer()
        document = Document.setting(document, ["listen", "port"], 0)
        document = Document.setting(document, ["shutdown", "delay"], "1500ms")
        document = Document.setting(document, ["reload", "watch"], false)
        document = Document.setting(document, ["limits", "connections"], 77)
        document = Document.setting(document, ["limits", "headerBytes"], 8192)
        for (index, name) in ["head", "body", "write", "idle"].enumerated() {
            document = Document.setting(document, ["timeouts", name], "\(index + 3)s")
        }
        document = Document.setting(document, ["log", "format"], "text")
        #expect(try configuration.faults(ofServer: document) == [])
        let server = configuration.load().server
        #expect(server.port == 0)
        #expect(server.pathPrefix == "/api/v1")
        #expect(server.shutdownDelay == .milliseconds(1500))
        #expect(server.reloadEvery == nil)
        #expect(server.maxConnections == 77 && server.headerBytes == 8192)
        #expect(
            [server.headTimeout, server.bodyTimeout, server.writeTimeout, server.idleTimeout]
                == [.seconds(3), .seconds(4), .seconds(5), .seconds(6)])
        #expect(server.logFormat == .text)
    }

    static let refusals: [(path: String, value: String, says: String)] = [
        ("/lisen", "{}", "did you mean \"listen\""), ("/listen/port", "70000", "from 0 to 65535"),
        ("/listen/port", "\"80\"", "expected a whole number"), ("/listen/host", "\"\"", "must not be empty"),
        ("/pathPrefix", "\"api\"", "is not a path prefix"), ("/pathPrefix", "\"/api/\"", "is not a path prefix"),
        ("/pathPrefix", "\"/a/../b\"", "is not a path prefix"), ("/pathPrefix", "\"/a b\"", "is not a path prefix"),
        ("/limits/bodyBytes", "1", "from 1024"), ("/limits/termLength", "9000", "from 16"),
        ("/limits/headerBytes", "1", "from 4096"), ("/limits/connections", "0", "from 1 to"),
        ("/timeouts/head", "\"100ms\"", "must be from"), ("/timeouts/idle", "\"1h\"", "must be from"),
        ("/timeouts/read", "\"1s\"", "Known:"), ("/timeouts/body", "5", "duration"),
        ("/shutdown/grace", "\"1d\"", "must be from"), ("/log/level", "\"warn\"", "Known:"),
        ("/log/format", "\"xml\"", "Known:"), ("/engine/maxInFlight", "0", "from 1 to"),
        ("/reload/every", "\"10ms\"", "must be from"), ("/reload/watch", "\"yes\"", "expected true or false"),
        ("/tenants", "5", "expected a folder"), ("/idempotency", "{}", "lacks the member \"database\""),
        ("/idempotency/database", "\"\"", "must not be empty"), ("/idempotency/secret", "\"x\"", "is written out here"),
        ("/operator/listen/port", "65536", "from 0 to 65535"), ("/operator/listen/host", "\"\"", "must not be empty"),
        ("/operator/port", "9180", "Known: listen"),
        ("/idempotency/secret", "{\"env\":\"AURORA_USER\"}", "fewer than 16 bytes"),
        ("/secrets/openFiles", "\"yes\"", "expected true or false"), ("/secrets/openfiles", "true", "did you mean"),
    ]

    @Test(arguments: refusals) func refuses(_ refusal: (path: String, value: String, says: String)) throws {
        let configuration = try TestConfiguration()
        let value = try JSONSerialization.jsonObject(with: Data(refusal.value.utf8), options: .fragmentsAllowed)
        let path = refusal.path.split(separator: "/").map(String.init)
        let faults = try configuration.faults(ofServer: Document.setting(TestConfiguration.fullServer(), path, value))
        #expect(faults.map(\.pointer) == [refusal.path])
        #expect(faults.first?.message.contains(refusal.says) == true, "\(faults)")
        #expect(!configuration.load().serverIsSound)
    }

    @Test(arguments: [
        ("127.0.0.1", "", true), ("::1", "", true), ("localhost", "", true), ("0.0.0.0", "", false),
        ("127.8.9.10", "", true), ("127.0.0.1.example.test", "", false), ("127.example.test", "", false),
        ("192.168.7.20", "", false), ("ponte.example.test", "", false), ("0.0.0.0", #""plainHTTP":true"#, true),
        ("0.0.0.0", #""tls":{"certificateFile":"a.pem","keyFile":"a.key"}"#, true),
    ])
    func plainHTTPIsForLoopback(_ host: String, _ more: String, _ isSound: Bool) throws {
        let configuration = try TestConfiguration()
        try configuration.write("server.json", "{\"listen\":{\"host\":\"\(host)\"\(more.isEmpty ? "" : "," + more)}}")
        let loaded = configuration.load()
        #expect(loaded.serverIsSound)
        #expect((loaded.server.complaint(aboutListeningAt: host) == nil) == isSound)
    }

    @Test(arguments: [
        ("{}", "127.0.0.1", 9180, true), (#"{"listen":{"port":0}}"#, "127.0.0.1", 0, true),
        (#"{"listen":{"host":"0.0.0.0"}}"#, "0.0.0.0", 9180, false),
        (#"{"listen":{"host":"0.0.0.0","plainHTTP":true}}"#, "0.0.0.0", 9180, true),
    ])
    func theOperatorListensOnLoopback(_ text: String, _ host: String, _ port: Int, _ isSound: Bool) throws {
        let configuration = try TestConfiguration()
        try configuration.write("server.json", "{\"operator\":\(text)}")
        let loaded = configuration.load()
        #expect(loaded.faults == [])
        #expect(loaded.server.operatorListener?.host == host && loaded.server.operatorListener?.port == port)
        #expect((loaded.server.operatorComplaint == nil) == isSound)
    }

    @Test func namesAMissingFolder() throws {
        let configuration = try TestConfiguration()
        let faults = try configuration.faults(ofServer: ["tenants": "nowhere"])
        #expect(faults.count == 1)
        #expect(faults.first?.file.hasSuffix("/nowhere") == true)
    }

    @Test func theShippedConfigurationIsSound() throws {
        let file = TestConfiguration.repository.appending(path: "Config/server.json").path
        let loaded = Configuration(serverFile: file, options: .init(secrets: SecretSource(resolves: false)))
        #expect(loaded.faults == [])
        #expect(loaded.tenants.map(\.id) == ["demo-fhir", "demo"])
        // A sample that is served by nobody until it is wanted.
        #expect(loaded.tenants.filter { !$0.isDisabled }.map(\.id) == ["demo"])
        #expect(loaded.tenants.last?.keys.first?.digest == KeyDigest(of: "demo-key-not-for-production"))
    }
}
