import Bridge
import ClientContract
import Tenancy
import UpstreamDriver

/// The contract's five calls, as functions of a request and a tenant.
struct ClientCalls: Sendable {
    let tenant: Tenant
    let requestID: String
    let connection: ObjectIdentifier
    let inFlight: InFlight

    /// Lists no longer than this are answered in one piece, others page by page.
    static let mostCollected = 1000

    private func context(_ time: Duration) -> CallContext {
        CallContext(deadline: .now + time, requestID: requestID)
    }

    private func bounded<Value: Sendable>(
        _ context: CallContext, _ work: InFlight.Work = .read,
        _ operation: @escaping @Sendable (Bridge, CallContext) async throws -> Value
    ) async throws -> Value {
        let bridge = tenant.bridge
        return try await inFlight.run(on: connection, until: context.deadline, work) {
            try await operation(bridge, context)
        }
    }

    func get(_ id: ClientID) async throws -> Client {
        try await bounded(context(tenant.callTimeout)) { try await $0.client(id, $1) }
    }

    func search(_ term: String, _ window: Window) async throws -> [Client] {
        try await bounded(context(tenant.callTimeout)) { try await $0.search(term, window, $1) }
    }

    /// Reads the body of a create. What this clinic's system has no place for counts as ignored, as the contract allows.
    func draft(_ body: [UInt8]) throws(ContractError) -> ClientDraft {
        var draft = try ClientDraft(body: body, rules: tenant.bridge.options.rules)
        let passedOn = tenant.bridge.driver.capabilities.draftMembers
        if draft.healthInsurance != nil, !passedOn.contains(.healthInsurance) { draft.ignored.count("healthInsurance") }
        if draft.location != nil, !passedOn.contains(.location) { draft.ignored.count("location") }
        return draft
    }

    func patch(_ body: [UInt8]) throws(ContractError) -> ClientPatch {
        try ClientPatch(body: body, rules: tenant.bridge.options.rules)
    }

    func create(_ draft: ClientDraft, key: String?) async throws -> Client {
        try await bounded(context(tenant.callTimeout), .write) { try await $0.create(draft, key: key, $1) }
    }

    func update(_ id: ClientID, _ patch: ClientPatch) async throws -> Client {
        try await bounded(context(tenant.callTimeout), .write) {
            try await $0.update(id, patch, $1)
        }
    }

    /// A list of at most `mostCollected`.
    func collected(_ window: Window) async throws -> [Client] {
        try await bounded(context(tenant.callTimeout)) { bridge, context in
            var clients: [Client] = []
            var pages = bridge.list(window, context)
            while let page = try await pages.next() { clients += page }
            return clients
        }
    }

    /// A list to be pulled page by page: the whole of it within the tenant's time for lists, each page within its time
    /// for calls.
    func pages(_ window: Window) -> PulledPages {
        PulledPages(pages: tenant.bridge.list(window, context(tenant.listTimeout)), calls: self)
    }

    struct PulledPages: Sendable {
        fileprivate var pages: ClientPages
        fileprivate let calls: ClientCalls

        /// The next clients; nil when there are no more.
        mutating func next() async throws -> [Client]? {
            let before = pages
            let (after, page) = try await calls.bounded(calls.context(calls.tenant.callTimeout)) { _, _ in
                var pages = before
                let page = try await pages.next()
                return (pages, page)
            }
            pages = after
            return page
        }
    }
}
