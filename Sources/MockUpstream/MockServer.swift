import NIOCore
import NIOHTTP1
import NIOPosix

/// A pretend clinic system that listens on a socket of its own.
///
/// It serves HTTP/1.1 without TLS on one thread, keeps its patients in memory, and misbehaves when asked to.
public final class MockServer: Sendable {
    /// The port it listens on.
    public let port: Int
    /// What a tenant's `baseURL` is set to: scheme, host, port and the dialect's base path, without a last slash.
    public let baseURL: String

    private let state: MockState
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let connections: ConnectionSet
    /// Waits for the listening socket's end. Begun while the event loop runs: afterwards nobody could be told.
    private let listening: Task<Void, Never>

    private init(
        state: MockState, channel: any Channel, group: MultiThreadedEventLoopGroup, connections: ConnectionSet,
        host: String, port: Int, basePath: String
    ) {
        self.state = state
        self.channel = channel
        self.group = group
        self.connections = connections
        listening = Task { try? await channel.closeFuture.get() }
        self.port = port
        baseURL = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(basePath)"
    }

    /// Starts listening.
    /// - Throws: the system's error if the address cannot be bound.
    public static func start(_ options: MockOptions = MockOptions()) async throws -> MockServer {
        LeakLedger.shared?.note(options)
        let dialect: any Dialect =
            switch options.dialect {
            case .agendaDemo: AgendaDemoDialect(options)
            case .feegow: FeegowDialect(options)
            case .prodoctor: ProDoctorDialect(options)
            case .fhirHAPI: FHIRDialect(options, .hapi)
            case .fhirAzure: FHIRDialect(options, .azure)
            case .fhirGoogle: FHIRDialect(options, .google)
            case .fhirOpenMRS: FHIRDialect(options, .openmrs)
            case .fhirNilo: FHIRDialect(options, .nilo)
            case .belle: VendorDialect(BelleSystem.system(options), options)
            case .clinicaExperts: VendorDialect(ClinicaExpertsSystem.system(options), options)
            case .clinicaNasNuvens: VendorDialect(ClinicaNasNuvensSystem.system(options), options)
            case .clinicorp: VendorDialect(ClinicorpSystem.system(options), options)
            case .cliniko: VendorDialect(ClinikoSystem.system(options), options)
            case .conexa: VendorDialect(ConexaSystem.system(options), options)
            case .easyappointments: VendorDialect(EasyAppointmentsSystem.system(options), options)
            case .gestaods: VendorDialect(GestaoDSSystem.system(options), options)
            case .ninsaude: VendorDialect(NinsaudeSystem.system(options), options)
            case .odoo: VendorDialect(OdooSystem.system(options), options)
            case .openemr: VendorDialect(OpenEMRSystem.system(options), options)
            case .realclinic: VendorDialect(RealClinicSystem.system(options), options)
            case .shosp: VendorDialect(ShospSystem.system(options), options)
            case .simplybook: VendorDialect(SimplyBookSystem.system(options), options)
            case .versatilis: VendorDialect(VersatilisSystem.system(options), options)
            case .gnuHealth: GNUHealthDialect(options)
            }
        return try await start(dialect, host: options.host, port: options.port, faults: options.faults)
    }

    /// Starts a system that follows a script, on a free port of 127.0.0.1.
    /// - Throws: the system's error if there is no port to be had.
    public static func start(_ script: MockScript) async throws -> MockServer {
        try await start(ScriptedDialect(script: script), host: "127.0.0.1", port: 0, faults: [])
    }

    private static func start(
        _ dialect: any Dialect, host: String, port: Int, faults: [MockFaultRule]
    ) async throws -> MockServer {
        let state = MockState(dialect, faults: faults)
        let connections = ConnectionSet()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                connections.add(channel)
                let isReset = state.accept()
                return channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    if isReset { return try handlers.addHandler(ResetAtOnce()) }
                    try handlers.configureHTTPServerPipeline(withErrorHandling: true)
                    try handlers.addHandler(MockHandler(state))
                }
            }
        do {
            let channel = try await bootstrap.bind(host: host, port: port).get()
            return MockServer(
                state: state, channel: channel, group: group, connections: connections, host: host,
                port: channel.localAddress?.port ?? port, basePath: dialect.basePath)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Stops listening and closes all connections. Stopping again does nothing.
    public func stop() async {
        guard connections.close() else { return }
        channel.close(promise: nil)
        await listening.value
        try? await group.shutdownGracefully()
    }

    /// Waits until the mock has stopped listening. If the waiting task is cancelled, it stops listening.
    public func run() async {
        await withTaskCancellationHandler {
            await listening.value
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// What has reached it.
    public var requests: MockRequests { state.requests }

    /// The faults in force, in the order in which they were added.
    public var faults: [MockFaultRule] { state.faults }

    /// Adds a fault. All delays that fit a request add up; of the other faults the first that fits strikes. Faults that
    /// a request asks for itself come first.
    /// - Parameter after: how many requests that it would strike pass first.
    public func inject(_ fault: MockFault, operation: MockOperation? = nil, times: Int? = nil, after: Int = 0) {
        state.add(MockFaultRule(fault, operation: operation, times: times, after: after))
    }

    public func clearFaults() { state.clearFaults() }

    /// The id of a patient by their place among those who were there at the start, from 0 on.
    public func id(ofPerson place: Int) -> String { state.id(ofRow: place) }

    /// What the system keeps of such a patient beside what a caller of the contract can name (a file number, tags),
    /// always in one form; nil where it keeps nothing else, or has no such patient.
    public func keepsakes(ofPerson place: Int) -> [UInt8]? { state.keepsakes(ofRow: place) }

    /// How many records it holds at the start that are no patients: companies, people who are inactive. Their places are
    /// those behind the patients'.
    public var strangers: Int { state.strangers }

    /// Serves no page of more rows from now on, whatever is asked for and documented.
    /// - Returns: false where the dialect's pages are not asked for by size.
    @discardableResult public func limitPages(to rows: Int) -> Bool { state.limitPages(to: rows) }

    /// Has somebody else change a patient by the system's own screens, right before each of the next calls of a kind is
    /// carried out: one change for each call, in this order, until there are no more. They replace those that an earlier
    /// call left for that kind. The dialect's versions and time stamps move as they do for any other write.
    public func change(person place: Int, _ changes: [MockChange], before operation: MockOperation) {
        for change in changes { LeakLedger.shared?.note(change) }
        state.set(changes, ofRow: place, before: operation)
    }

    /// Makes all tokens that were given out so far worthless.
    public func expireTokens() { state.expireTokens() }

    /// Lets reads see all writes, whatever `MockOptions.staleReads` says.
    public func releaseReads() { state.releaseReads() }

    /// Moves the mock's clock forward. Tokens and stale reads live by that clock, which otherwise runs with real time.
    public func advanceClock(seconds: Int) { state.advanceClock(seconds: Double(max(0, seconds))) }
}
