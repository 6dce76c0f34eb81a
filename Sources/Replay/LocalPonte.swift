import Gateway
public import Logging
import ServiceLifecycle
public import Tenancy
import Transport

/// A whole Ponte on a free port of 127.0.0.1, with its own engine, for calling it as Clinia does.
public struct LocalPonte: Sendable {
    /// Calls it.
    public let caller: LocalCaller
    private let engine: CurlEngine
    private let group: ServiceGroup
    private let serving: Task<Void, any Error>

    /// - Parameters:
    ///   - configuration: its listening address is not used.
    ///   - logger: where Ponte's own log goes; nowhere unless named.
    ///   - key: what the caller shows of itself unless it says otherwise.
    /// - Throws: what kept it from listening.
    public static func start(
        _ configuration: Configuration, key: String, logger: Logger = LocalPonte.quiet
    ) async throws -> LocalPonte {
        let engine = try CurlEngine(EngineOptions(maxInFlight: configuration.server.maxInFlight))
        var options = GatewayOptions(configuration.server)
        options.host = "127.0.0.1"
        options.port = 0
        let gateway = Gateway(
            tenants: TenantDirectory(configuration, engine: engine, observer: CircuitLog.observer(logger)),
            options: options, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: LocalPonte.quiet))
        let serving = Task { try await group.run() }
        do {
            let port = try await gateway.port()
            let caller = LocalCaller(
                channel: engine.channel(.direct), base: "http://127.0.0.1:\(port)", key: key)
            return LocalPonte(caller: caller, engine: engine, group: group, serving: serving)
        } catch {
            await engine.shutdown()
            try await serving.value
            throw error
        }
    }

    /// Lets calls under way end, then stops.
    /// - Throws: what made the server fail.
    public func stop() async throws {
        await group.triggerGracefulShutdown()
        do {
            try await serving.value
        } catch {
            await engine.shutdown()
            throw error
        }
        await engine.shutdown()
    }

    /// A logger that writes nothing.
    public static var quiet: Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }
}
