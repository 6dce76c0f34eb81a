public import Logging
public import Metering
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
    private let certificates: InboundCertificates?
    private let meter: ServerMeter
    private let logger: Logger

    /// - Parameter certificates: read again together with the files.
    public init(
        _ configuration: Configuration, tenants: TenantDirectory, engine: CurlEngine,
        certificates: InboundCertificates? = nil, meter: ServerMeter = ServerMeter(), logger: Logger
    ) {
        self.meter = meter
        self.certificates = certificates
        self.configuration = configuration
        self.tenants = tenants
        self.engine = engine
        self.logger = logger
    }

    public func run() async throws {
        // One task reads and replaces, whoever asks: a reading that began later is never overtaken by an older one.
        let (reasons, ask) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { ask.yield("signal") }
            }
            if let every = configuration.server.reloadEvery { group.addTask { await watch(every, ask) } }
            group.addTask {
                for await reason in reasons { reload(reason) }
            }
            try? await gracefulShutdown()
            group.cancelAll()
        }
    }

    private func watch(_ interval: Duration, _ ask: AsyncStream<String>.Continuation) async {
        var stamp = configuration.stampWhenRead
        while (try? await Task.sleep(for: interval)) != nil {
            let now = configuration.stamp()
            if now != stamp { ask.yield("change") }
            stamp = now
        }
    }

    private func reload(_ reason: String) {
        var isSound = true
        do {
            try certificates?.reload()
        } catch {
            isSound = false
            logger.error("the certificate that callers are shown stays the old one: \(error)")
        }
        let changes = tenants.replace(with: configuration.readAgain(), engine: engine)
        meter.configurationRead(isSound && changes.faults.isEmpty ? .ok : .faults)
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
