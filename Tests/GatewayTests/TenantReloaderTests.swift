import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Tenancy
import TestSupport
import Testing
import Transport

@testable import Gateway

/// A reading that does not come to its end.
@Suite(.timeLimit(.minutes(1))) struct TenantReloaderTests {
    /// An environment that answers at once until it is told to hang, as a file system may.
    private final class Hanging: Sendable {
        private let gate = Mutex(false)
        private let release = DispatchSemaphore(value: 0)
        let isAsked = Event()

        func hang() { gate.withLock { $0 = true } }
        func end() {
            gate.withLock { $0 = false }
            release.signal()
        }

        func value(_ name: String) -> String? {
            if gate.withLock({ $0 }) {
                isAsked.happen()
                release.wait()
            }
            return "x"
        }
    }

    @Test func aReadingThatHangsIsSaidAndDoesNotKeepTheEndUp() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-reload-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        let drivers = EndToEndTests.repository.appending(path: "Config/drivers").path
        func write(_ path: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: path))
        }
        try write("server.json", #"{"drivers":"\#(drivers)","reload":{"every":"1s"}}"#)
        func tenant(_ name: String) throws {
            try write(
                "tenants/ana.json",
                """
                {"id":"ana","name":"\(name)","inbound":{"keys":[{"name":"main","sha256":"\(KeyDigest(of: "key-ana").hex)"}]},
                "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"http://127.0.0.1:9",
                "credentials":{"user":{"env":"PONTE_USER"},"password":{"env":"PONTE_PASSWORD"}}}}
                """)
        }
        try tenant("Ana")
        let hanging = Hanging()
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(secrets: SecretSource(environment: { hanging.value($0) })))
        try #require(configuration.faults == [])
        let engine = try CurlEngine()
        let tenants = TenantDirectory(configuration, engine: engine)
        let log = LogLines()
        var reloader = TenantReloader(
            configuration, tenants: tenants, engine: engine,
            logger: LogOutput.logger(level: .info, format: .json, sink: log.sink))
        reloader.patience = .milliseconds(20)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: reloader)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await group.run() }
        hanging.hang()
        try tenant("Ana, another day")
        await hanging.isAsked.wait()
        await log.line(with: "the configuration is still being read")
        // Callers are found meanwhile.
        #expect(tenants.caller(key: "key-ana")?.tenant.id == "ana")
        await group.triggerGracefulShutdown()
        try await running.value
        hanging.end()
        await engine.shutdown()
    }
}
