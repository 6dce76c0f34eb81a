import Foundation
import Gateway
import JSONBytes
import MockUpstream
import Tenancy
import TestSupport
import Testing
import Transport

/// Caller, tenant file, Gateway, Bridge, tryton driver and libcurl, against the mock's GNU Health, or against a real one in
/// `scripts/test-gnuhealth`.
@Suite struct GNUHealthTests {
    private static let key = "chave-de-teste"

    private func withPonte(_ body: (Int) async throws -> Void) async throws {
        let real = ProcessInfo.processInfo.environment["PONTE_GNUHEALTH_URL"]
        let options = MockOptions(dialect: .gnuHealth, patients: 0)
        let mock = real == nil ? try await MockServer.start(options) : nil
        let (user, password) = real == nil ? (options.user, options.password) : ("admin", "admin-ponte")
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-gnuhealth-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        for name in ["tenants", "drivers"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        try Data("{}".utf8).write(to: folder.appending(path: "server.json"))
        let tenant = """
            {
              "id": "clinica-aurora",
              "inbound": { "keys": [{ "name": "clinia", "sha256": "\(KeyDigest(of: Self.key).hex)" }] },
              "upstream": {
                "driver": "tryton", "database": "gh", "baseURL": "\(real ?? mock?.baseURL ?? "")",
                "credentials": { "user": { "env": "GH_USER" }, "password": { "env": "GH_PASSWORD" } }
              }
            }
            """
        try Data(tenant.utf8).write(to: folder.appending(path: "tenants/clinica-aurora.json"))
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(secrets: SecretSource(environment: { ["GH_USER": user, "GH_PASSWORD": password][$0] })))
        #expect(configuration.faults == [])
        let engine = try CurlEngine()
        let gateway = try await RunningGateway.start(TenantDirectory(configuration, engine: engine))
        do { try await body(gateway.port) } catch { Issue.record(error) }
        try await gateway.stop()
        await engine.shutdown()
        await mock?.stop()
    }

    private func call(
        _ port: Int, _ method: String, _ path: String, body: String? = nil
    ) async throws -> (status: Int, body: JSONValue) {
        let answer = try await RawHTTP.call(port, method, path, key: Self.key, body: body)
        return (answer.status, try JSONDocument(answer.body).root)
    }

    @Test func theFiveCallsWork() async throws {
        try await withPonte { port in
            let draft = """
                {"name":"Célia Exemplo Cinco","phone":"5521960000001","email":"celia.cinco@example.test",
                "birthday":"1985-03-15","cpf":"11144477735","healthInsurance":"conv123","location":"loc456"}
                """
            let created = try await call(port, "POST", "/clients", body: draft)
            #expect(created.status == 200)
            let id = try #require(created.body["id"]?.string)
            #expect(created.body["cpf"]?.string == "111.444.777-35")
            #expect(created.body["allPhones"]?.elements.map(\.string) == ["5521960000001"])
            let found = try await call(port, "GET", "/clients/search?term=5521960000001")
            #expect(found.body.elements.map { $0["id"]?.string } == [id])
            let listed = try await call(port, "GET", "/clients")
            #expect(listed.body.elements.contains { $0["id"]?.string == id })
            let patch = #"{"name":"Célia Exemplo Outra","email":"celia.outra@example.test"}"#
            let patched = try await call(port, "PATCH", "/clients/\(id)", body: patch)
            #expect(patched.status == 200)
            let shown = try await call(port, "GET", "/clients/\(id)")
            for body in [patched.body, shown.body] {
                #expect(body["name"]?.string == "Célia Exemplo Outra")
                #expect(body["email"]?.string == "celia.outra@example.test")
                #expect(body["birthday"]?.string == "1985-03-15")
            }
            #expect(try await call(port, "GET", "/clients/999999999").status == 404)
        }
    }

    /// The CPF of the contract's own example.
    @Test func aCPFWithWrongCheckDigitsIs422WithItsReason() async throws {
        try await withPonte { port in
            let draft = #"{"name":"Davi Exemplo Dígito","phone":"5521960000002","cpf":"123.456.789-00"}"#
            let refused = try await call(port, "POST", "/clients", body: draft)
            #expect(refused.status == 422)
            #expect(refused.body["code"]?.string == "refused_by_system")
            let reasons = refused.body["reasons"]?.elements.compactMap(\.string) ?? []
            #expect(reasons.count == 1)
            #expect(reasons.first?.contains("National Identifier") == true)
            #expect(reasons.first?.contains("Davi") == false)
            #expect(try await call(port, "GET", "/clients/search?term=5521960000002").body.elements.isEmpty)
        }
    }
}
