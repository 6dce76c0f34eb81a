import Foundation
import Gateway
import JSONBytes
import MockUpstream
import Tenancy
import TestSupport
import Testing
import Transport

/// A clinic as its tenant's file says it.
struct ClinicFile: Sendable {
    var id: String
    /// What its callers send.
    var key: String
    var baseURL: String
    /// Its user at the system; the password follows from it.
    var account: String
    /// Which of its passwords: PASSWORD or ROTATED.
    var passwordFrom = "PASSWORD"
    var profile = "shared"
    /// More members of "inbound" and "upstream", each with a comma in front.
    var inbound = ""
    var upstream = ""
    var clients = #"{"searchBy":["phone"]}"#
    var store = "memory"

    init(_ id: String, at baseURL: String, account: String? = nil) {
        self.id = id
        key = "key-\(id)"
        self.baseURL = baseURL
        self.account = account ?? id
    }

    fileprivate var text: String {
        """
        {"id":"\(id)","name":"Clínica de \(account)",
        "inbound":{"keys":[{"name":"clinia","sha256":"\(KeyDigest(of: key).hex)"}]\(inbound)},
        "upstream":{"driver":"rest","profile":"\(profile)","baseURL":"\(baseURL)",
        "credentials":{"user":{"env":"USER_\(account)"},"password":{"env":"\(passwordFrom)_\(account)"}}\(upstream)},
        "clients":\(clients),"idempotency":{"store":"\(store)"}}
        """
    }
}

/// Pontes, read from one folder of files, with everything between callers and systems real.
final class TenantWorld: Sendable {
    private let folder: URL
    let ponte: Ponte

    /// One Ponte that is running.
    struct Ponte: Sendable {
        let gateway: RunningGateway
        let tenants: TenantDirectory
        let engine: CurlEngine
        let configuration: Configuration
        /// Lines of circuits.
        let circuits: LogLines

        func call(
            _ method: String, _ path: String, key: String?, _ headers: [String] = [], body: String? = nil
        ) async throws -> RawHTTP.Answer {
            try await RawHTTP.call(gateway.port, method, path, key: key, headers, body: body)
        }

        /// Reads the files again.
        func reload() throws -> TenantDirectory.Changes {
            let changes = tenants.replace(with: configuration.readAgain(), engine: engine)
            try #require(changes.faults == [])
            return changes
        }

        func stop() async throws {
            try await gateway.stop()
            await engine.shutdown()
        }
    }

    private init(_ folder: URL, _ ponte: Ponte) { (self.folder, self.ponte) = (folder, ponte) }

    /// Runs a test with tenants, and stops everything after it.
    static func with(
        _ clinics: [ClinicFile], engine: EngineOptions = .init(), _ test: (TenantWorld) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-isolation-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        for name in ["tenants", "drivers"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        try Data(#"{"idempotency":{"database":"creates.db"}}"#.utf8).write(to: folder.appending(path: "server.json"))
        try Data(SharedHost.profile.utf8).write(to: folder.appending(path: "drivers/shared.json"))
        try FileManager.default.copyItem(
            at: EndToEndTests.repository.appending(path: "Config/drivers/agenda-demo.json"),
            to: folder.appending(path: "drivers/agenda-demo.json"))
        for clinic in clinics { try write(clinic, in: folder) }
        let world = TenantWorld(folder, try await start(folder, engine))
        do { try await test(world) } catch { Issue.record(error) }
        try await world.ponte.stop()
    }

    func write(_ clinic: ClinicFile) throws { try Self.write(clinic, in: folder) }

    private static func write(_ clinic: ClinicFile, in folder: URL) throws {
        try Data(clinic.text.utf8).write(to: folder.appending(path: "tenants/\(clinic.id).json"))
    }

    func remove(_ id: String) throws {
        try FileManager.default.removeItem(at: folder.appending(path: "tenants/\(id).json"))
    }

    /// Another Ponte on the same files, and so on the same database.
    func another() async throws -> Ponte { try await Self.start(folder, .init()) }

    private static func start(_ folder: URL, _ options: EngineOptions) async throws -> Ponte {
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(
                secrets: SecretSource(environment: { name in
                    let account = name.split(separator: "_").last.map(String.init) ?? ""
                    if name.hasPrefix("USER_") { return account }
                    return (name.hasPrefix("ROTATED_") ? "nova-" : "senha-") + account
                })))
        try #require(configuration.faults == [])
        let engine = try CurlEngine(options)
        let circuits = LogLines()
        let logger = LogOutput.logger(level: .info, format: .json, sink: circuits.sink)
        let tenants = TenantDirectory(configuration, engine: engine, observer: CircuitLog.observer(logger))
        try #require(tenants.databaseFailure == nil)
        let gateway = try await RunningGateway.start(tenants)
        return Ponte(
            gateway: gateway, tenants: tenants, engine: engine, configuration: configuration, circuits: circuits)
    }
}

extension RawHTTP.Answer {
    var json: JSONValue? { (try? JSONDocument(body))?.root }
    /// Of a problem.
    var code: String? { json?["code"]?.string }
    /// Of a client.
    var name: String? { json?["name"]?.string }
    var id: String? { json?["id"]?.string }
}

/// Bodies of creates, and whom they are about.
enum IsolationDrafts {
    static func draft(_ name: String = "Carla Teste", _ phone: String = "5511977776666") -> String {
        #"{"name":"\#(name)","phone":"\#(phone)"}"#
    }
}
