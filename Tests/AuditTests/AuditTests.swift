import Foundation
import JSONBytes
import Tenancy
import TestSupport
import Testing

@testable import Audit

@Suite struct AuditTests {
    /// A folder with a configuration, handed to `Leaks` when the test is over.
    private final class Folder {
        static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let url = FileManager.default.temporaryDirectory.appending(path: "ponte-audit-\(UUID().uuidString)")

        init() throws {
            for name in ["", "tenants", "drivers", "drivers/fhir", "segredos"] {
                try FileManager.default.createDirectory(
                    at: url.appending(path: name), withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o755])
            }
            for name in ["drivers/agenda-demo.json", "drivers/fhir/hapi.json"] {
                let profile = Self.repository.appending(path: "Config/\(name)")
                try write(name, String(contentsOf: profile, encoding: .utf8))
            }
            for name in ["server.pem", "ca.pem", "client.pem"] { try write(name, "certificado") }
            for name in ["user.secret", "password.secret", "server.key", "client.key", "segredos/marks.secret"] {
                try write(name, "segredo", mode: 0o600)
            }
        }

        deinit { Leaks.discard(url) }

        func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
            let file = url.appending(path: name)
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        }

        func audit(now: Int = AuditTests.today) -> Audit {
            Audit(
                Configuration(
                    serverFile: url.appending(path: "server.json").path,
                    options: .init(secrets: SecretSource(resolves: false))), now: now)
        }
    }

    /// 2026-11-27, at noon.
    static let today = 1_795_780_800

    private static var server: [String: Any] { ["listen": ["host": "127.0.0.1", "port": 8080]] }

    /// A tenant with nothing to find.
    private static var sound: [String: Any] {
        [
            "id": "aurora",
            "inbound": [
                "keys": [
                    ["name": "clinia", "sha256": KeyDigest(of: "uma").hex, "expires": "2027-06-30"],
                    ["name": "teste", "sha256": KeyDigest(of: "outra").hex, "expires": "2027-06-30"],
                ], "allow": ["203.0.113.0/24"], "perMinute": 600,
            ],
            "upstream": [
                "driver": "rest", "profile": "agenda-demo", "baseURL": "https://api.example.test",
                "credentials": ["user": ["file": "../user.secret"], "password": ["file": "../password.secret"]],
                "timeouts": ["call": "10s"],
            ],
        ]
    }

    private static func changed(_ document: Any, _ path: [String], _ value: Any?) -> Any {
        guard let step = path.first else { return value ?? NSNull() }
        let rest = Array(path.dropFirst())
        if var object = document as? [String: Any] {
            object[step] = rest.isEmpty ? value : changed(object[step] ?? [String: Any](), rest, value)
            return object
        }
        if var array = document as? [Any], let index = Int(step) {
            array[index] = changed(array[index], rest, value)
            return array
        }
        return document
    }

    private func audit(
        server: Any = Self.server, tenant: Any = Self.sound, now: Int = Self.today,
        _ prepare: (URL) throws -> Void = { _ in }
    ) throws -> Audit {
        let folder = try Folder()
        func text(_ document: Any) throws -> String {
            String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
        }
        try folder.write("server.json", text(server))
        try folder.write("tenants/aurora.json", text(tenant))
        try prepare(folder.url)
        return folder.audit(now: now)
    }

    @Test func aSoundConfigurationHasNoFindings() throws {
        let audit = try audit()
        #expect(audit.findings.map(\.rule.id) == [])
        #expect(audit.exitStatus == 0)
        #expect(try JSONDocument(Array(audit.json.utf8)).root["worst"]?.isNull == true)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let rule: AuditRule
        let path: [String]
        let json: String
        var isServer = false
        var testDescription: String { rule.id }
    }

    static let cases: [Case] = [
        Case(rule: .faults, path: ["nmae"], json: #""x""#),
        Case(
            rule: .demoKey, path: ["inbound", "keys", "0", "sha256"],
            json: "\"\(KeyDigest(of: "demo-key-not-for-production").hex)\""),
        Case(
            rule: .demoKey, path: ["inbound", "keys", "1", "sha256"],
            json: "\"\(KeyDigest(of: "demo-fhir-key-not-for-production").hex)\""),
        Case(rule: .plainInbound, path: ["listen", "host"], json: #""0.0.0.0""#, isServer: true),
        Case(rule: .plainUpstream, path: ["upstream", "baseURL"], json: #""http://192.168.7.20:8080""#),
        Case(rule: .plainUpstream, path: ["upstream", "baseURL"], json: #""HTTP://192.168.7.20:8080""#),
        Case(rule: .plainUpstream, path: ["upstream", "baseURL"], json: #""http://127.0.0.1.nip.example""#),
        Case(rule: .plainInbound, path: ["listen", "host"], json: #""127.0.0.1.nip.example""#, isServer: true),
        Case(rule: .keyExpired, path: ["inbound", "keys", "0", "expires"], json: #""2026-11-26""#),
        Case(rule: .keyExpiresSoon, path: ["inbound", "keys", "0", "expires"], json: #""2026-12-26""#),
        Case(rule: .keyWithoutExpiry, path: ["inbound", "keys", "0", "expires"], json: "null"),
        Case(rule: .noAllowList, path: ["inbound", "allow"], json: "null"),
        Case(rule: .wideAllowList, path: ["inbound", "allow"], json: #"["0.0.0.0/0"]"#),
        Case(rule: .wideAllowList, path: ["inbound", "allow"], json: #"["0.0.0.0/1","128.0.0.0/1"]"#),
        Case(rule: .wideAllowList, path: ["inbound", "allow"], json: #"["203.0.113.0/24","10.0.0.0/7"]"#),
        Case(rule: .wideAllowList, path: ["inbound", "allow"], json: #"["2000::/3"]"#),
        Case(rule: .wideAllowList, path: ["inbound", "allow"], json: #"["::/1","8000::/1"]"#),
        Case(rule: .wideAddresses, path: ["upstream", "addresses"], json: #"["private"]"#),
        Case(rule: .wideAddresses, path: ["upstream", "addresses"], json: #"["10.0.0.0/8"]"#),
        Case(rule: .noDeadline, path: ["upstream", "timeouts"], json: "null"),
        Case(rule: .longDeadline, path: ["upstream", "timeouts", "call"], json: #""61s""#),
        Case(rule: .unboundedScan, path: ["clients", "scan"], json: #"{"allowed":true}"#),
        Case(rule: .unboundedScan, path: ["clients", "scan"], json: #"{"allowed":true,"maxRecords":100001}"#),
        Case(rule: .duplicatesAllowed, path: ["clients", "onDuplicate"], json: #""create""#),
        Case(rule: .noKeyPace, path: ["inbound", "perMinute"], json: "null"),
        Case(rule: .trustsEveryProxy, path: ["listen", "trustedProxies"], json: #"["0.0.0.0/0"]"#, isServer: true),
        Case(
            rule: .trustsEveryProxy, path: ["listen", "trustedProxies"], json: #"["0.0.0.0/1","128.0.0.0/1"]"#,
            isServer: true),
        Case(rule: .trustsEveryProxy, path: ["listen", "trustedProxies"], json: #"["2000::/3"]"#, isServer: true),
        Case(rule: .trustsManyProxies, path: ["listen", "trustedProxies"], json: #"["10.0.0.0/8"]"#, isServer: true),
        Case(
            rule: .trustsManyProxies, path: ["listen", "trustedProxies"], json: #"["127.0.0.1","fd00::/48"]"#,
            isServer: true),
        Case(rule: .openFilesAllowed, path: ["secrets"], json: #"{"openFiles":true}"#, isServer: true),
        Case(
            rule: .doubtfulVariable, path: ["idempotency"],
            json: #"{"database":"x.db","secret":{"env":"Senha9fJ2aDaClinica77"}}"#, isServer: true),
        Case(
            rule: .doubtfulVariable, path: ["upstream", "credentials", "user"],
            json: #"{"env":"Senha9fJ2aDaClinica77"}"#),
        Case(rule: .quietLog, path: ["log"], json: #"{"level":"notice"}"#, isServer: true),
        Case(rule: .quietLog, path: ["log"], json: #"{"level":"warning"}"#, isServer: true),
        Case(
            rule: .openOperatorPage, path: ["operator"], json: #"{"listen":{"host":"0.0.0.0","plainHTTP":true}}"#,
            isServer: true),
    ]

    /// Each change is found by its rule, and by no other.
    @Test(arguments: cases) func eachRuleFindsItsOwn(_ sample: Case) throws {
        let parsed = try JSONSerialization.jsonObject(with: Data(sample.json.utf8), options: .fragmentsAllowed)
        let value: Any? = parsed is NSNull ? nil : parsed
        let audit =
            sample.isServer
            ? try audit(server: Self.changed(Self.server, sample.path, value))
            : try audit(tenant: Self.changed(Self.sound, sample.path, value))
        #expect(audit.findings.map(\.rule) == [sample.rule])
        #expect(audit.exitStatus == Int32(sample.rule.severity.rawValue))
        #expect(audit.text.contains(sample.rule.id))
        #expect(!audit.text.contains("Senha9") && !audit.json.contains("Senha9"))
    }

    @Test(arguments: [
        (false, ["inbound", "allow"], #"["10.0.0.0/8","fd00::/16"]"#),
        (true, ["listen", "trustedProxies"], #"["127.0.0.1","10.0.0.0/24","fd00::/64"]"#),
        (false, ["upstream", "credentials", "user"], #"{"env":"_AURORA_2"}"#),
        (true, ["idempotency"], #"{"database":"x.db","secret":{"env":"PONTE_SECRET"}}"#),
        (true, ["idempotency"], #"{"database":"x.db","secret":{"file":"segredos/marks.secret"}}"#),
        (true, ["secrets"], #"{"openFiles":false}"#),
    ])
    func whatIsAsItShouldBeIsNotFound(_ isServer: Bool, _ path: [String], _ json: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(json.utf8))
        let audit =
            isServer
            ? try audit(server: Self.changed(Self.server, path, value))
            : try audit(tenant: Self.changed(Self.sound, path, value))
        #expect(audit.findings.map(\.rule.id) == [])
    }

    /// A key that anybody can read in this repository opens a tenant as soon as somebody tries the sample out.
    @Test func everyKeyOfTheShippedTenantsIsKnown() throws {
        let folder = Folder.repository.appending(path: "Config/tenants")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 2)
        for file in files {
            let document = try JSONDocument(Array(Data(contentsOf: file))).root
            let digest = try #require(document["inbound"]?["keys"]?.elements.first?["sha256"]?.string)
            let tenant = Self.changed(Self.sound, ["inbound", "keys", "0", "sha256"], digest)
            #expect(try audit(tenant: tenant).findings.map(\.rule) == [.demoKey], "\(file.lastPathComponent)")
        }
    }

    /// Where a token is asked for, the client's secret goes, and a token for everything comes back.
    @Test(arguments: [
        ("https://login.example.test/token", false), ("http://127.0.0.1:8090/token", false),
        ("http://login.example.test/token", true), ("HTTP://login.example.test/token", true),
        ("http://127.0.0.1.nip.example/token", true),
    ])
    func anAddressForTokensInClearIsFound(_ address: String, _ isFound: Bool) throws {
        let tenant = Self.changed(
            Self.sound, ["upstream"],
            [
                "driver": "fhir", "profile": "hapi", "baseURL": "https://fhir.example.test/r4",
                "credentials": [
                    "clientID": ["file": "../user.secret"], "clientSecret": ["file": "../password.secret"],
                ],
                "settings": ["tokenURL": address], "timeouts": ["call": "10s"],
            ])
        let findings = try audit(tenant: tenant).findings
        #expect(findings.map(\.rule) == (isFound ? [.plainUpstream] : []))
        #expect(findings.first.map(\.place) == (isFound ? "upstream.settings.tokenURL" : nil))
    }

    /// A profile's own address is made of the tenant's settings.
    @Test(arguments: [("127.0.0.1:8081", false), ("10.0.0.7", true), ("agenda.example.test", true)])
    func aProfilesOwnAddressInClearIsFound(_ host: String, _ isFound: Bool) throws {
        var tenant = Self.changed(Self.sound, ["upstream", "baseURL"], nil)
        tenant = Self.changed(tenant, ["upstream", "settings"], ["host": host])
        let findings = try audit(tenant: tenant) { folder in
            let file = folder.appending(path: "drivers/agenda-demo.json")
            let more = #""baseURL":"http://{setting.host}/v1","settings":{"host":{"description":"Its host"}},"fields":"#
            let profile = try String(contentsOf: file, encoding: .utf8).replacing(
                #""fields":"#, with: more, maxReplacements: 1)
            try Data(profile.utf8).write(to: file)
        }.findings
        #expect(findings.map(\.rule) == (isFound ? [.plainUpstream] : []))
    }

    @Test(arguments: [
        "http://127.0.0.1:8081/v1", "http://[::1]:8081", "http://localhost/v1", "HTTP://LOCALHOST", "HTTPS://A.Example",
    ])
    func whatStaysOnThisMachineMayBeInClear(_ address: String) throws {
        #expect(try audit(tenant: Self.changed(Self.sound, ["upstream", "baseURL"], address)).findings.isEmpty)
    }

    @Test(arguments: [
        ("user.secret", 0o644, AuditRule.readableSecret), ("server.json", 0o664, .writableConfiguration),
        ("server.key", 0o604, .readableKeyFile), ("user.secret", 0o440, .groupReadableSecret),
        ("user.secret", 0o660, .readableSecret), ("server.key", 0o640, .groupReadableSecret),
        ("segredos/marks.secret", 0o644, .readableSecret), ("segredos/marks.secret", 0o640, .groupReadableSecret),
    ])
    func filesOpenToOthersAreFound(_ name: String, _ mode: Int, _ rule: AuditRule) throws {
        var server = Self.server
        server["listen"] = ["tls": ["certificateFile": "server.pem", "keyFile": "server.key"]]
        server["idempotency"] = ["database": "creates.db", "secret": ["file": "segredos/marks.secret"]]
        let audit = try audit(server: server) { folder in
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: folder.appending(path: name).path)
        }
        #expect(audit.findings.map(\.rule) == [rule])
    }

    /// The secret that Ponte draws by lot is one, too.
    @Test func theSecretBesideTheDatabaseIsLookedAt() throws {
        var server = Self.server
        server["idempotency"] = ["database": "segredos/creates.db"]
        let audit = try audit(server: server) { folder in
            let file = folder.appending(path: "segredos/creates.db.secret")
            try Data("segredo".utf8).write(to: file)
            try Self.set(0o644, file)
        }
        #expect(audit.findings.map(\.rule) == [.readableSecret])
    }

    /// Who can put another file in a secret's place need not write the secret itself. In a sticky folder nobody can.
    @Test(arguments: [
        ("credential", 0o777, true), ("credential", 0o775, true), ("credential", 0o1777, false),
        ("link", 0o777, true), ("marks", 0o777, true), ("key", 0o777, true), ("caFile", 0o777, true),
        ("credential", 0o755, false), ("server", 0o777, true), ("server", 0o1777, false),
    ])
    func theFoldersOfSecretsAreLookedAt(_ what: String, _ mode: Int, _ isFound: Bool) throws {
        var (server, tenant): (Any, Any) = (Self.server, Self.sound)
        let user = ["upstream", "credentials", "user"]
        switch what {
        case "credential": tenant = Self.changed(tenant, user, ["file": "../segredos/marks.secret"])
        case "link": tenant = Self.changed(tenant, user, ["file": "../link.secret"])
        case "marks":
            let secret = ["file": "segredos/marks.secret"]
            server = Self.changed(server, ["idempotency"], ["database": "creates.db", "secret": secret])
        case "key":
            let tls = ["certificateFile": "server.pem", "keyFile": "segredos/marks.secret"]
            server = Self.changed(server, ["listen", "tls"], tls)
        case "caFile": tenant = Self.changed(tenant, ["upstream", "tls"], ["caFile": "../segredos/marks.secret"])
        default: break
        }
        let audit = try audit(server: server, tenant: tenant) { folder in
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "link.secret"),
                withDestinationURL: folder.appending(path: "segredos/marks.secret"))
            try Self.set(mode, what == "server" ? folder : folder.appending(path: "segredos"))
        }
        #expect(audit.findings.map(\.rule) == (isFound ? [.writableConfiguration] : []))
        #expect(audit.findings.allSatisfy { what == "server" || $0.place.hasSuffix("/segredos") })
    }

    /// Whoever writes any of them chooses where patients' data goes.
    @Test(arguments: [
        "server.json", "tenants", "tenants/aurora.json", "tenants/fechada.json", "drivers", "drivers/agenda-demo.json",
        "drivers/fhir", "drivers/fhir/hapi.json", "server.pem", "ca.pem", "client.pem",
    ])
    func everyFileThatOthersCanChangeIsFound(_ name: String) throws {
        var server = Self.server
        server["listen"] = ["tls": ["certificateFile": "server.pem", "keyFile": "server.key"]]
        let tls = [
            "caFile": "../ca.pem", "clientCertificateFile": "../client.pem", "clientKeyFile": "../client.key",
        ]
        let tenant = Self.changed(Self.sound, ["upstream", "tls"], tls)
        func audit(opening opened: String?) throws -> Audit {
            try self.audit(server: server, tenant: tenant) { folder in
                var closed = Self.changed(Self.sound, ["id"], "fechada")
                closed = Self.changed(closed, ["disabled"], true)
                for (index, word) in ["tres", "quatro"].enumerated() {
                    closed = Self.changed(closed, ["inbound", "keys", "\(index)", "sha256"], KeyDigest(of: word).hex)
                }
                let file = folder.appending(path: "tenants/fechada.json")
                try JSONSerialization.data(withJSONObject: closed).write(to: file)
                try Self.set(0o644, file)
                guard let opened else { return }
                let place = folder.appending(path: opened)
                try Self.set(opened.contains(".") ? 0o666 : 0o777, place)
            }
        }
        #expect(try audit(opening: nil).findings.isEmpty)
        let found = try audit(opening: name).findings
        #expect(found.map(\.rule) == [.writableConfiguration])
        #expect(found.first?.place.hasSuffix("/" + (name.split(separator: "/").last.map(String.init) ?? "")) == true)
    }

    private static func set(_ mode: Int, _ file: URL) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    @Test func oneKeyIsFound() throws {
        let keys = [["name": "clinia", "sha256": KeyDigest(of: "uma").hex, "expires": "2027-06-30"]]
        let audit = try audit(tenant: Self.changed(Self.sound, ["inbound", "keys"], keys))
        #expect(audit.findings.map(\.rule) == [.oneKeyForAll])
        #expect(audit.exitStatus == 0)
    }

    @Test func theGravestComesFirstAndDisabledTenantsDoNotCount() throws {
        let demo = Self.changed(
            Self.sound, ["inbound", "keys", "1"],
            ["name": "d", "sha256": KeyDigest(of: "demo-key-not-for-production").hex])
        let audit = try audit(tenant: demo)
        #expect(audit.findings.map(\.rule) == [.demoKey, .keyWithoutExpiry])
        #expect(try self.audit(tenant: Self.changed(demo, ["disabled"], true)).findings.isEmpty)
    }

    /// docs/audit.md has a row for each rule, with its severity, its title and its advice.
    @Test func thePageListsEveryRule() throws {
        let page = try String(contentsOf: Folder.repository.appending(path: "docs/audit.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| PA-") }
        #expect(rows.count == AuditRule.allCases.count)
        for rule in AuditRule.allCases {
            let row = rows.first { $0.hasPrefix("| \(rule.id) | \(rule.severity.name) | \(rule.title). ") }
            #expect(row?.hasSuffix("| \(rule.advice) |") == true, "\(rule.id)")
        }
    }

    @Test(arguments: [
        ("2026-11-27", true), ("2026-02-29", false), ("2028-02-29", true), ("2026-13-01", false), ("2026-04-31", false),
        ("26-11-27", false), ("2026-1-01", false), ("2026-11-27T00:00:00Z", false), ("", false),
    ])
    func daysAreRead(_ text: String, _ exists: Bool) { #expect((CalendarDay(text) != nil) == exists) }

    @Test func aDayIsOverWhenTheNextOneBegins() throws {
        let day = try #require(CalendarDay("2026-11-27"))
        let midnight = 1_795_737_600 + 86_400
        #expect(!day.isOver(at: midnight - 1))
        #expect(day.isOver(at: midnight))
        #expect(try #require(CalendarDay("1970-01-01") as CalendarDay?).daysLeft(at: 0) == 0)
    }
}
