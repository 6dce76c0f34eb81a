import Dispatch
public import Logging
public import Metering
public import ServiceLifecycle
public import Tenancy
public import Transport
import UnixSignals

/// Reads the tenant and driver files again on SIGHUP and when one of them changes.
///
/// A file with faults gives nothing: its tenant goes on as it was, but for what the file takes away, and the log says what
/// is wrong with it.
public struct TenantReloader: Service {
    private let configuration: Configuration
    private let tenants: TenantDirectory
    private let engine: CurlEngine
    private let certificates: InboundCertificates?
    private let meter: ServerMeter
    private let logger: Logger
    /// Where files are read: one that hangs holds up nobody who answers callers.
    private let thread = DispatchQueue(label: "ponte.configuration")
    /// After which a reading that is not done is logged.
    var patience = Duration.seconds(30)

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
        // They are not waited for: a file system that hangs cannot keep the process from ending.
        var tasks = [
            Task {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { ask.yield("signal") }
            },
            Task { await read(reasons) },
        ]
        if let every = configuration.server.reloadEvery { tasks.append(Task { await watch(every, ask) }) }
        try? await gracefulShutdown()
        for task in tasks { task.cancel() }
    }

    private func watch(_ interval: Duration, _ ask: AsyncStream<String>.Continuation) async {
        var stamp = configuration.stampWhenRead
        while (try? await Task.sleep(for: interval)) != nil {
            let now = await onThread { configuration.stamp() }
            if now != stamp { ask.yield("change") }
            stamp = now
        }
    }

    private func read(_ reasons: AsyncStream<String>) async {
        var told: KeyDigest?
        for await reason in reasons {
            let reading = await onThread { read() }
            report(reading, reason)
            // Once for each content that it has.
            if let changed = reading.changedServerFile, changed != told {
                logger.warning("the server's file is another than at the start: what it says takes a restart")
            }
            told = reading.changedServerFile
        }
    }

    private struct Reading: Sendable {
        let certificateFailure: InboundCertificates.Failure?
        let changedServerFile: KeyDigest?
        let changes: TenantDirectory.Changes
    }

    private func read() -> Reading {
        var failure: InboundCertificates.Failure?
        do throws(InboundCertificates.Failure) {
            try certificates?.reload()
        } catch {
            failure = error
        }
        let again = configuration.readAgain()
        return Reading(
            certificateFailure: failure, changedServerFile: again.changedServerFile,
            changes: tenants.replace(with: again, engine: engine))
    }

    private func report(_ reading: Reading, _ reason: String) {
        let changes = reading.changes
        if let failure = reading.certificateFailure {
            logger.error("the certificate that callers are shown stays the old one: \(failure)")
        }
        meter.configurationRead(reading.certificateFailure == nil && changes.faults.isEmpty ? .ok : .faults)
        func list(_ ids: [String]) -> Logger.MetadataValue { .string(ids.joined(separator: ",")) }
        logger.notice(
            "configuration read again",
            metadata: [
                "reason": .string(reason), "added": list(changes.added), "replaced": list(changes.replaced),
                "removed": list(changes.removed), "kept": list(changes.kept), "withdrawn": list(changes.withdrawn),
                "faults": .stringConvertible(changes.faults.count),
            ])
        for fault in changes.faults { logger.error("fault in the configuration: \(fault)") }
    }

    private func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        let late = Task {
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            logger.error(
                "the configuration is still being read: a file system does not answer, and what was read before holds")
        }
        defer { late.cancel() }
        return await withCheckedContinuation { continuation in
            thread.async { continuation.resume(returning: work()) }
        }
    }
}
