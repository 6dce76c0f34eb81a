import Bridge
import ClientContract
import Gateway
import Logging
import ServiceLifecycle
import Synchronization
import Tenancy
import TestSupport
import UpstreamDriver

/// A clinic's system in memory, behind the real Bridge. What it was asked is on record.
final class FakeSystem: UpstreamDriver {
    struct State {
        var clients: [Client] = []
        var idsAsked: [String] = []
        var searches = 0
        var creates = 0
        var updates = 0
        /// Thrown by every operation.
        var failure: UpstreamError?
        /// Thrown by pages that begin at or after this offset.
        var failsFrom: Int?
        /// Offsets of the pages that were asked for.
        var pages: [Int] = []
        /// Pages from this offset on are not answered before the gate is opened.
        var pageGate: (from: Int, gate: Gate)?
        var operations = Set(Capabilities.Operation.allCases)
        var draftMembers: Set<Capabilities.DraftMember> = []
        var drafts: [ClientDraft] = []
        /// Answered to every create, in place of a new client.
        var answersCreates: Client?
        /// Single clients are not answered before this is opened.
        var gate: Gate?
        /// Calls that were cancelled while they waited.
        var cancelled = 0
    }

    let state: Mutex<State>

    init(clients: Int = 3) {
        state = Mutex(State(clients: clients == Self.many ? Self.manyClients : (0..<clients).map { Self.client($0) }))
    }

    /// More than all buffers between a system and a reader hold; made once.
    static let many = 40_000
    private static let manyClients = (0..<many).map { client($0) }

    static func client(_ number: Int) -> Client {
        Client(
            id: ClientID("id-\(number)"), name: "Ana Teste \(number)", phones: [phone(number)],
            email: "ana\(number)@example.test")
    }

    static func phone(_ number: Int) -> PhoneNumber {
        let digits = String(String(10_000 + number).suffix(4))
        guard let phone = PhoneNumber("551198765\(digits)") else { preconditionFailure("a sound number") }
        return phone
    }

    var capabilities: Capabilities {
        let (operations, draftMembers) = state.withLock { ($0.operations, $0.draftMembers) }
        return Capabilities(
            system: "Fake", operations: operations, listPaging: .init(.offset, maximum: 10),
            searches: Dictionary(
                uniqueKeysWithValues: TermKind.allCases.map {
                    ($0, [.init(trust: .superset, paging: .init(.offset, maximum: 100))])
                }), draftMembers: draftMembers)
    }

    private func check() throws(UpstreamError) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        try check()
        guard case .offset(let offset) = request.place else { throw .unsupported("only offsets") }
        let (clients, failsFrom, pageGate) = state.withLock { state in
            state.pages.append(offset)
            return (state.clients, state.failsFrom, state.pageGate)
        }
        if let pageGate, offset >= pageGate.from { try await pass(pageGate.gate) }
        if let failsFrom, offset >= failsFrom { throw .failed(status: 500, "the page") }
        return ClientPage(clients: Array(clients.dropFirst(offset).prefix(request.size)))
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        try check()
        guard case .offset(let offset) = request.place else { throw .unsupported("only offsets") }
        let clients = state.withLock { state in
            state.searches += 1
            return state.clients
        }
        return ClientPage(clients: Array(clients.dropFirst(offset).prefix(request.size)))
    }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        state.withLock { $0.idsAsked.append(id.text) }
        try check()
        try await pass(state.withLock { $0.gate })
        guard let client = state.withLock({ state in state.clients.first { $0.id == id } }) else { throw .notFound }
        return client
    }

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        state.withLock { state in
            state.creates += 1
            state.drafts.append(draft)
        }
        try check()
        try await pass(state.withLock { $0.gate })
        let client = state.withLock { state in
            if let client = state.answersCreates { return client }
            let client = Client(
                id: ClientID("new-\(state.creates)"), name: draft.name, phones: [draft.phone], cpf: draft.cpf,
                email: draft.email, birthday: draft.birthday)
            state.clients.append(client)
            return client
        }
        return .record(client)
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        state.withLock { $0.updates += 1 }
        try check()
        let client = state.withLock { state -> Client? in
            guard let index = state.clients.firstIndex(where: { $0.id == id }) else { return nil }
            state.clients[index] = state.clients[index].applying(patch)
            return state.clients[index]
        }
        guard let client else { throw .notFound }
        return .record(client)
    }

    private func pass(_ gate: Gate?) async throws(UpstreamError) {
        guard let gate else { return }
        guard await gate.pass() else {
            state.withLock { $0.cancelled += 1 }
            throw .cancelled
        }
    }
}

/// Something that happens once; whoever waits for it can be cancelled, so that a test's time limit ends it.
final class Event: Sendable {
    private let (stream, continuation) = AsyncStream.makeStream(of: Void.self)

    func happen() { continuation.finish() }
    func wait() async { for await _ in stream {} }
}

/// Holds callers back until it is opened.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var next = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())
    private let arrivals = Event()
    private let departures = Event()
    /// Waiters stay when their task is cancelled: a driver that does not listen.
    private let ignoresCancellation: Bool

    init(ignoresCancellation: Bool = false) { self.ignoresCancellation = ignoresCancellation }

    /// - Returns: false when the task was cancelled meanwhile.
    func pass() async -> Bool {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiters[ticket] = waiter }
                    return state.isOpen
                }
                arrivals.happen()
                if isOpen { waiter.resume(returning: true) }
            }
        } onCancel: {
            guard !ignoresCancellation else { return }
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: false)
            departures.happen()
        }
    }

    /// Returns as soon as somebody waits.
    func arrival() async { await arrivals.wait() }

    /// Returns as soon as somebody's wait was cancelled.
    func departure() async { await departures.wait() }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }
}

/// Log lines, kept.
final class LogLines: Sendable {
    private let lines = Mutex<(all: [String], watches: [(text: String, event: Event)])>(([], []))
    var all: [String] { lines.withLock { $0.all } }
    var sink: LogOutput.Sink {
        { line in
            let line = String(decoding: line, as: UTF8.self)
            Leaks.wrote(line, "gateway-log")
            let watches = self.lines.withLock { lines in
                lines.all.append(line)
                return lines.watches
            }
            for watch in watches where line.contains(watch.text) { watch.event.happen() }
        }
    }

    /// Returns as soon as there is a line that contains a text.
    func line(with text: String) async {
        let event = Event()
        let isThere = lines.withLock { lines in
            lines.watches.append((text, event))
            return lines.all.contains { $0.contains(text) }
        }
        if !isThere { await event.wait() }
    }
}

/// A running gateway, with the tenants "ana" (key `key-ana`) and "bruno" (key `key-bruno`).
struct RunningGateway: Sendable {
    let port: Int
    let gateway: Gateway
    let group: ServiceGroup
    let running: Task<Void, any Error>
    let log: LogLines

    static func start(
        _ system: FakeSystem, _ options: GatewayOptions = GatewayOptions(), callTimeout: Duration = .seconds(10),
        bridge: BridgeOptions = BridgeOptions(), level: ServerSettings.LogLevel = .trace
    ) async throws -> RunningGateway {
        let tenants = TenantDirectory([
            Tenant(
                id: "ana", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-ana"))],
                bridge: Bridge(driver: system, options: bridge), callTimeout: callTimeout),
            Tenant(
                id: "bruno", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-bruno"))],
                bridge: Bridge(driver: FakeSystem(clients: 1), options: bridge), callTimeout: callTimeout),
        ])
        return try await start(tenants, options, level: level)
    }

    static func start(
        _ tenants: TenantDirectory, _ options: GatewayOptions = GatewayOptions(),
        level: ServerSettings.LogLevel = .trace
    ) async throws -> RunningGateway {
        let log = LogLines()
        let gateway = Gateway(
            tenants: tenants, options: options, logger: LogOutput.logger(level: level, format: .json, sink: log.sink))
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup)], logger: quiet
            ))
        let running = Task { try await group.run() }
        return RunningGateway(
            port: try await gateway.port(), gateway: gateway, group: group, running: running, log: log)
    }

    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await end()
    }

    /// Waits for the end of the server, which a test's time limit brings about.
    func end() async throws {
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            running.cancel()
        }
    }

    /// Runs a test against a gateway that stops with it.
    static func with(
        _ system: FakeSystem = FakeSystem(), _ options: GatewayOptions = GatewayOptions(),
        callTimeout: Duration = .seconds(10), bridge: BridgeOptions = BridgeOptions(),
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let gateway = try await start(system, options, callTimeout: callTimeout, bridge: bridge)
        do {
            try await body(gateway)
        } catch {
            try await gateway.stop()
            throw error
        }
        try await gateway.stop()
    }
}
