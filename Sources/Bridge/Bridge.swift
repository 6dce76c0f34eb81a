public import ClientContract
public import Idempotency
public import UpstreamDriver

/// The contract's five operations over one clinic's driver: exactness, windows, duplicates and reading back are
/// decided here, once for all drivers.
///
/// Nothing is sent to the clinic's system after a call's deadline, or for a task that was cancelled.
public final class Bridge: Sendable {
    public let driver: any UpstreamDriver
    public let options: BridgeOptions
    let memory: CreateMemory
    let writes: WritesUnderWay

    /// - Parameters:
    ///   - memory: what is known of the tenant's earlier creates.
    ///   - writes: the tenant's writes under way, where an earlier Bridge may still have some.
    public init(
        driver: any UpstreamDriver, options: BridgeOptions, memory: CreateMemory = CreateMemory(),
        writes: WritesUnderWay = WritesUnderWay()
    ) {
        self.driver = driver
        self.options = options
        self.memory = memory
        self.writes = writes
    }

    var capabilities: Capabilities { driver.capabilities }

    /// All clients of a window, in the system's order ("Obter uma lista de clientes").
    public func list(_ window: Window, _ context: CallContext) -> ClientPages {
        ClientPages(bridge: self, window: window, context: context)
    }

    /// The clients that match a term exactly ("Buscar clientes por termo"), complete. A term that is none of the kinds
    /// that the tenant searches by matches nobody.
    /// - Throws: `.unsupported` when the system can search by none of the ways that a kind needs; any failure of the
    ///   system, never an incomplete answer.
    public func search(
        _ term: String, _ window: Window, _ context: CallContext
    ) async throws(ContractError) -> [Client] {
        if let limit = window.limit, limit <= 0 { return [] }
        var terms: [SearchTerm] = []
        for kind in options.searchBy {
            terms += SearchTerm.readings(of: term, as: kind, context: options.rules.phones)
        }
        let passed = max(0, window.offset)
        let limit = max(0, window.limit ?? .max)
        let (end, overflows) = passed.addingReportingOverflow(limit)
        let wanted = overflows ? nil : end
        let found = try await find(terms, wanted: wanted, context)
        return try await filled(Array(found.dropFirst(passed).prefix(limit)), terms, wanted: wanted, context)
    }

    /// One client ("Obter um cliente por ID").
    /// - Throws: `.noSuchClient` when the system says so, and only then.
    public func client(_ id: ClientID, _ context: CallContext) async throws(ContractError) -> Client {
        try require(.get, "show one client")
        do throws(UpstreamError) {
            return try await readSurely(id, context)
        } catch {
            throw failure(error, aboutClient: true)
        }
    }

    /// The first client that a search by a term finds, as its row or its record shows it; nil for nobody.
    package func first(_ term: SearchTerm, _ context: CallContext) async throws(ContractError) -> Client? {
        try await find([term], wanted: 1, context).first?.client
    }

    // MARK: Helpers

    /// One client as the system holds it. Another one than was asked for is never passed on.
    func read(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        try context.check()
        let client = try await driver.client(id, context)
        guard client.id == id else { throw .malformed("another client came than the one asked for") }
        return client
    }

    func failure(_ error: UpstreamError, aboutClient: Bool = false) -> ContractError {
        ContractError(error, system: capabilities.system, aboutClient: aboutClient)
    }

    func require(_ operation: Capabilities.Operation, _ what: String) throws(ContractError) {
        guard capabilities.operations.contains(operation) else {
            throw ContractError(.unsupported, "\(capabilities.system) cannot \(what)")
        }
    }
}

extension CallContext {
    /// Whether a call may still be sent.
    /// - Throws: `.timeout` after the deadline, `.cancelled` when nobody waits any more.
    func check() throws(UpstreamError) {
        if Task.isCancelled { throw .cancelled }
        if ContinuousClock.now >= deadline { throw .timeout }
    }
}
