public import Logging
public import ServiceLifecycle
public import Tenancy
public import Transport
import UnixSignals

/// Reads the tenant and driver files again on SIGHUP and when one of them changes.
///
/// A file with faults changes nothing: its tenant goes on as it was, and the log says what is wrong with the file.
public struct TenantReloader: Service {
    private let configuration: Configuration
    private let tenants: TenantDirectory
    private let engine: CurlEngine
    private let logger: Logger

    public init(_ configuration: Configuration, tenants: TenantDirectory, engine: CurlEngine, logger: Logger) {
        self.configuration = configuration
        self.tenants = tenants
        self.engine = engine
        self.logger = logger
    }

    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await onSignal() }
            if let every = configuration.server.reloadEvery { group.addTask { await watch(every) } }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }

    private func onSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { reload("signal") }
    }

    private func watch(_ interval: Duration) async {
        var stamp = configuration.stampWhenRead
        while (try? await Task.sleep(for: interval)) != nil {
            let now = configuration.stamp()
            if now != stamp { reload("change") }
            stamp = now
        }
    }

    private func reload(_ reason: String) {
        let changes = tenants.replace(with: configuration.readAgain(), engine: engine)
        func list(_ ids: [String]) -> Logger.MetadataValue { .string(ids.joined(separator: ",")) }
        logger.notice(
            "configuration read again",
            metadata: [
                "reason": .string(reason), "added": list(changes.added), "replaced": list(changes.replaced),
                "removed": list(changes.removed), "kept": list(changes.kept),
                "faults": .stringConvertible(changes.faults.count),
            ])
        for fault in changes.faults { logger.error("fault in the configuration: \(fault)") }
    }
}
