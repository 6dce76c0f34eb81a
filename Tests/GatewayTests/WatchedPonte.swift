import Foundation
import Gateway
import Logging
import Metering
import MockUpstream
import ServiceLifecycle
import Tenancy
import TestSupport
import Testing
import Transport

/// A gateway and the operator's listener beside it.
struct WatchedPonte: Sendable {
    let port: Int
    let pagePort: Int
    let log: LogLines
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    static func start(_ tenants: TenantDirectory, linesLost: Int = 0) async throws -> WatchedPonte {
        let log = LogLines()
        let logger = LogOutput.logger(level: .info, format: .json, sink: log.sink)
        let meter = ServerMeter()
        let gateway = Gateway(tenants: tenants, meter: meter, logger: logger)
        var listener = ServerSettings.OperatorListener()
        listener.port = 0
        let page = OperatorServer(
            tenants: tenants, gateway: gateway, meter: meter, listener: listener, linesLost: { linesLost },
            logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: page, successTerminationBehavior: .ignore),
                    .init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await group.run() }
        return WatchedPonte(
            port: try await gateway.port(), pagePort: try await page.port(), log: log, group: group, running: running)
    }

    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
    }

    func page(_ path: String) async throws -> RawHTTP.Answer {
        try await page("GET", path)
    }

    /// - Parameter host: as the browser of somebody on the same machine says it.
    func page(_ method: String, _ path: String, host: String = "localhost:9180") async throws -> RawHTTP.Answer {
        let answer = try await RawHTTP.exchange(
            pagePort, "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
        let places = ["/metrics": "metrics-page", "/status": "status-page", "/": "operators-page"]
        Leaks.wrote(answer.text + "\n", places[path] ?? "other-page")
        return answer
    }

    func metrics() async throws -> PrometheusText { try PrometheusText(try await page("/metrics").text) }

    func status(_ path: String, key: String? = "key-ana", _ method: String = "GET", body: String? = nil) async throws
        -> Int
    {
        try await RawHTTP.call(port, method, path, key: key, body: body).status
    }
}

/// Two clinics, "ana" and "bruno", each with a pretend system, read from files and watched.
struct WatchedClinics: Sendable {
    let ponte: WatchedPonte
    let tenants: TenantDirectory
    /// Of "ana" and "bruno".
    let mocks: [MockServer]
    let folder: URL
    private let configuration: Configuration
    private let engine: CurlEngine

    /// Runs a test against them.
    /// - Parameter upstream: more members of `upstream`.
    static func with(_ upstream: String = "", _ test: (WatchedClinics) async throws -> Void) async throws {
        let options = MockOptions(patients: 20)
        let mocks = [try await MockServer.start(options), try await MockServer.start(options)]
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-watched-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        for (id, mock) in zip(["ana", "bruno"], mocks) {
            let text = """
                {"id":"\(id)","inbound":{"keys":[{"name":"main","sha256":"\(KeyDigest(of: "key-\(id)").hex)",
                "expires":"2099-12-31"}]},
                "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"\(mock.baseURL)",
                "credentials":{"user":{"env":"PONTE_USER"},"password":{"env":"PONTE_PASSWORD"}}\(upstream)},
                "clients":{"searchBy":["phone","name"]}}
                """
            try Data(text.utf8).write(to: folder.appending(path: "tenants/\(id).json"))
        }
        let configuration = try Configuration.ofTest(in: folder, options)
        let engine = try CurlEngine()
        let tenants = TenantDirectory(configuration, engine: engine)
        let ponte = try await WatchedPonte.start(tenants, linesLost: 7)
        let clinics = WatchedClinics(
            ponte: ponte, tenants: tenants, mocks: mocks, folder: folder, configuration: configuration, engine: engine)
        do { try await test(clinics) } catch { Issue.record(error) }
        try await ponte.stop()
        await engine.shutdown()
        for mock in mocks { await mock.stop() }
    }

    /// Reads the files again.
    func reload() { _ = tenants.replace(with: configuration.readAgain(), engine: engine) }
}
