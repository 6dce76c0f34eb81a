import Foundation
import StrictConfig
import Tenancy
import TestSupport

/// A folder with a configuration, handed to `Leaks` when the test is over.
final class TestConfiguration {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let folder: URL
    var serverFile: String { folder.appending(path: "server.json").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ponte-tenancy-\(UUID().uuidString)")
        for name in ["tenants", "drivers", "drivers/fhir"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            at: Self.repository.appending(path: "Config/drivers/agenda-demo.json"),
            to: folder.appending(path: "drivers/agenda-demo.json"))
        try copyFHIRProfile("hapi")
        try write("server.json", "{}")
    }

    deinit { Leaks.discard(folder) }

    func copyFHIRProfile(_ name: String) throws {
        try FileManager.default.copyItem(
            at: Self.repository.appending(path: "Config/drivers/fhir/\(name).json"),
            to: folder.appending(path: "drivers/fhir/\(name).json"))
    }

    func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: path))
    }

    /// A file that holds a secret.
    func writeSecret(_ path: String, _ text: String, mode: Int = 0o600) throws {
        try write(path, text)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: folder.appending(path: path).path)
    }

    func write(_ path: String, _ document: Any) throws {
        let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        try JSONSerialization.data(withJSONObject: document, options: options).write(to: folder.appending(path: path))
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: folder.appending(path: path)) }

    /// Reads the configuration with the test's own environment.
    func load(
        _ environment: [String: String] = [
            "AURORA_USER": "ana", "AURORA_PASSWORD": "senha-de-teste", "PONTE_SECRET": "segredo-de-teste-comprido",
        ],
        resolves: Bool = true
    ) -> Configuration {
        let secrets = SecretSource(environment: { environment[$0] }, resolves: resolves)
        return Configuration(serverFile: serverFile, options: .init(secrets: secrets))
    }

    /// Faults of one tenant file in place of the sound one.
    func faults(ofTenant document: Any) throws -> [ConfigFault] {
        try write("tenants/clinica-aurora.json", document)
        return load().faults
    }

    func faults(ofServer document: Any) throws -> [ConfigFault] {
        try write("server.json", document)
        return load().faults
    }

    /// A tenant file that uses every member that does not need a file beside it.
    static func fullTenant() -> [String: Any] {
        [
            "id": "clinica-aurora", "name": "Clínica Aurora", "disabled": false,
            "inbound": [
                "keys": [["name": "clinia", "sha256": KeyDigest(of: "chave-aurora").hex, "expires": "2099-12-31"]],
                "allow": ["203.0.113.0/24", "2001:db8::/32"], "perMinute": 600,
            ],
            "upstream": [
                "driver": "rest", "profile": "agenda-demo", "baseURL": "https://api.example.test/v1/",
                "addresses": ["private", "10.1.0.0/16", "fd00::1"],
                "credentials": ["user": ["env": "AURORA_USER"], "password": ["env": "AURORA_PASSWORD"]],
                "settings": [String: String](),
                "timeouts": ["connect": "3s", "call": "10s", "list": "2m", "connectionLifetime": "90s"],
                "limits": ["concurrent": 16, "queued": 100, "perSecond": 10],
                "retries": 1, "breaker": ["failures": 5, "openFor": "2s"], "tls": [String: String](), "http2": false,
                "maxBodyBytes": 1_048_576,
            ],
            "clients": [
                "searchBy": ["phone", "cpf", "email", "name"], "country": "BR", "defaultAreaCode": 11,
                "cpfCheckDigits": false, "onDuplicate": "returnExisting", "listDetail": false,
                "scan": ["allowed": false, "maxRecords": 20_000],
            ], "idempotency": ["store": "memory", "keepFor": "24h"],
        ]
    }

    /// The same for another driver of the table, with the members that this one has.
    static func fullTenant(driver: String) -> [String: Any] {
        var tenant = fullTenant()
        guard driver == "tryton", var upstream = tenant["upstream"] as? [String: Any] else { return tenant }
        upstream["driver"] = driver
        upstream["profile"] = nil
        upstream["database"] = "gh"
        tenant["upstream"] = upstream
        return tenant
    }

    static func fullServer() -> [String: Any] {
        [
            "listen": [
                "host": "127.0.0.1", "port": 8080, "plainHTTP": false, "trustedProxies": ["127.0.0.1"],
                "tls": ["certificateFile": "ponte.pem", "keyFile": "ponte.key"],
            ], "pathPrefix": "/api/v1",
            "limits": [
                "bodyBytes": 1_048_576, "termLength": 512, "headerBytes": 32_768, "connections": 4096,
                "connectionsPerAddress": 256,
            ],
            "timeouts": ["head": "10s", "body": "30s", "write": "30s", "idle": "75s"],
            "shutdown": ["grace": "20s", "delay": "0s"],
            "log": ["level": "info", "format": "json"], "engine": ["maxInFlight": 256],
            "reload": ["watch": true, "every": "5s"], "tenants": "tenants", "drivers": "drivers",
            "idempotency": ["database": "creates.db", "secret": ["env": "PONTE_SECRET"]],
            "secrets": ["openFiles": false],
            "operator": ["listen": ["host": "127.0.0.1", "port": 9180, "plainHTTP": false]],
        ]
    }
}

/// A JSON document, changed in one place.
enum Document {
    /// `value` nil removes the member.
    static func setting(_ document: Any, _ path: [String], _ value: Any?) -> Any {
        guard let step = path.first else { return value ?? NSNull() }
        let rest = Array(path.dropFirst())
        if var object = document as? [String: Any] {
            if rest.isEmpty {
                object[step] = value
            } else {
                object[step] = setting(object[step] ?? [String: Any](), rest, value)
            }
            return object
        }
        if var array = document as? [Any], let index = Int(step) {
            if index == array.count {
                array.append(value ?? NSNull())
            } else {
                array[index] = setting(array[index], rest, value)
            }
            return array
        }
        return document
    }

    static func value(_ document: Any, _ path: [String]) -> Any? {
        path.reduce(document as Any?) { value, step in
            if let object = value as? [String: Any] { return object[step] }
            if let array = value as? [Any], let index = Int(step), array.indices.contains(index) { return array[index] }
            return nil
        }
    }
}
