import Hummingbird
import HummingbirdCore
public import Logging
public import Metering
import NIOCore
public import ServiceLifecycle
import Synchronization
public import Tenancy
public import Transport

/// How the server listens and what it accepts.
public struct GatewayOptions: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes a free port; see `Gateway.port()`.
    public var port = 0
    public var pathPrefix = ""
    /// Longest body of a request, in bytes.
    public var bodyBytes = 1 << 20
    /// Longest search term, in characters (Unicode scalars) after decoding.
    public var termLength = 512
    /// How long requests that are under way may take once the server stops.
    public var shutdownGrace = Duration.seconds(20)
    /// Time between saying "not ready" and accepting no more connections.
    public var shutdownDelay = Duration.zero
    /// Longest head of a request: its target and its fields, in bytes.
    public var headerBytes = 32 << 10
    /// Most connections at once; one more is answered 503 and closed. Fewer where the process may not open as many
    /// files.
    public var maxConnections = 4096
    /// Files that the process needs for anything but inbound connections.
    public var otherFiles = OpenFiles.rest
    /// How long a head may take from its first byte to its last; so long is also waited for what is left of a request
    /// that was answered early.
    public var headTimeout = Duration.seconds(10)
    /// A caller who takes neither 64 KiB of an answer nor the rest of it in this time is cut off.
    public var writeTimeout = Duration.seconds(30)
    /// How long the body of a request may take to come; the tenant's time for calls if that is longer.
    public var bodyTimeout = Duration.seconds(30)
    /// A connection on which nothing comes for so long is closed.
    public var idleTimeout = Duration.seconds(75)
    /// Most connections from one address, trusted proxies excepted; nil for any number.
    public var maxConnectionsPerAddress: Int?
    /// Proxies whose `X-Forwarded-For` is believed.
    public var trustedProxies: [AddressRange] = []
    /// What TLS shows, for connections made from now on; nil for plain HTTP.
    public var certificates: InboundCertificates?

    public init() {}

    public init(_ settings: ServerSettings) {
        host = settings.host
        port = settings.port
        pathPrefix = settings.pathPrefix
        bodyBytes = settings.bodyBytes
        termLength = settings.termLength
        shutdownGrace = settings.shutdownGrace
        shutdownDelay = settings.shutdownDelay
        headerBytes = settings.headerBytes
        maxConnections = settings.maxConnections
        let files = OpenFiles.ofThisProcess()
        otherFiles = OpenFiles.files(forCalls: files.calls(settings.maxInFlight)) + OpenFiles.rest
        if settings.operatorListener != nil { otherFiles += files.operators.most + files.operators.told }
        headTimeout = settings.headTimeout
        bodyTimeout = settings.bodyTimeout
        writeTimeout = settings.writeTimeout
        idleTimeout = settings.idleTimeout
        maxConnectionsPerAddress = settings.maxConnectionsPerAddress
        trustedProxies = settings.trustedProxies
    }
}

/// The inbound HTTP server: the contract's paths, for every tenant of a directory.
///
/// On graceful shutdown it says "not ready", waits `shutdownDelay`, accepts no more connections, cuts requests whose
/// bodies are still coming, and lets those that are under way end within `shutdownGrace`.
public final class Gateway: Service {
    private let tenants: TenantDirectory
    private let options: GatewayOptions
    private let meter: ServerMeter
    private let logger: Logger
    private let state = GatewayState()

    /// - Parameter meter: what is counted that belongs to no tenant.
    public init(
        tenants: TenantDirectory, options: GatewayOptions = GatewayOptions(), meter: ServerMeter = ServerMeter(),
        logger: Logger
    ) {
        self.tenants = tenants
        self.options = options
        self.meter = meter
        self.logger = logger
    }

    /// The port that the server listens on, as soon as it does.
    /// - Throws: `CancellationError` when the server ended without ever listening.
    public func port() async throws -> Int { try await state.port() }

    /// Whether it has been told to stop.
    public var isDraining: Bool { state.isDraining }

    /// - Throws: what kept the server from listening.
    public func run() async throws {
        let inFlight = InFlight()
        let responder = GatewayResponder(
            tenants: tenants, options: options, inFlight: inFlight, state: state, meter: meter,
            logger: logger)
        // The server's own messages may quote requests: none of them is logged.
        let quiet = Logger(label: "server") { _ in SwiftLogNoOpLogHandler() }
        let (most, told) = OpenFiles.ofThisProcess().connections(options.maxConnections, others: options.otherFiles)
        if most < options.maxConnections {
            logger.warning(
                "fewer connections than configured: the process may not open more files",
                metadata: ["connections": .stringConvertible(most)])
        }
        let connections = ConnectionCount(
            most: most, told: told, perAddress: options.maxConnectionsPerAddress, proxies: options.trustedProxies)
        let (state, host, options, meter, logger) = (state, options.host, options, meter, logger)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionSetup(options, inFlight, connections, meter, logger)],
                    idleTimeout: .init(options.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: options.headerBytes, maxHeaderListSize: options.headerBytes,
                        maxHeaderFieldCount: 256))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: options.port), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(most + told, logger: quiet)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice("listening", metadata: ["host": .string(host), "port": .stringConvertible(port)])
                state.isListening(on: port)
            }, logger: quiet)
        var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
        configuration.maximumGracefulShutdownDuration = options.shutdownGrace
        let group = ServiceGroup(configuration: configuration)
        // In a task of its own, so that it hears of a graceful shutdown from us, after the delay.
        let serving = Task.detached { try await group.run() }
        let sweeping = Task { await inFlight.keepSweeping() }
        defer {
            sweeping.cancel()
            state.isOver()
        }
        let delay = options.shutdownDelay
        do {
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await serving.value
                } onGracefulShutdown: {
                    state.drain()
                    logger.notice("draining")
                    Task {
                        try? await Task.sleep(for: delay)
                        inFlight.cutBodies()
                        await group.triggerGracefulShutdown()
                    }
                }
            } onCancel: {
                serving.cancel()
            }
        } catch  where state.isDraining {
            // The grace was over before the last request was.
            logger.warning("stopped before every request had ended")
        }
        logger.notice("stopped")
    }
}

/// Where in its life the server is.
final class GatewayState: Sendable {
    private struct State {
        var port: Int?
        var isDraining = false
        var isOver = false
        var waiters: [CheckedContinuation<Int, any Error>] = []
    }

    private let state = Mutex(State())

    var isDraining: Bool { state.withLock { $0.isDraining } }

    func drain() { state.withLock { $0.isDraining = true } }

    func isListening(on port: Int) {
        let waiters = state.withLock { state in
            state.port = port
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: port) }
    }

    func isOver() {
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(throwing: CancellationError()) }
    }

    func port() async throws -> Int {
        try await withCheckedThrowingContinuation { waiter in
            let known: Result<Int, any Error>? = state.withLock { state in
                if let port = state.port { return .success(port) }
                if state.isOver { return .failure(CancellationError()) }
                state.waiters.append(waiter)
                return nil
            }
            if let known { waiter.resume(with: known) }
        }
    }
}
