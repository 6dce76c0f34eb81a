import ClientContract
import Synchronization
import UpstreamDriver

/// Remembers what a driver was asked and what came of it: Bridge tells its callers less than an integrator wants to know.
final class WatchedDriver: UpstreamDriver {
    private struct Seen {
        var failure: UpstreamError?
        var candidates: Set<ClientID> = []
        var firstPages: [[ClientID]] = []
    }

    private let driver: any UpstreamDriver
    private let seen = Mutex(Seen())

    init(_ driver: any UpstreamDriver) { self.driver = driver }

    /// The first failure, but for records that are gone and calls that were given up because of another one.
    var failure: UpstreamError? { seen.withLock { $0.failure } }
    /// How many clients searches answered.
    var candidates: Int { seen.withLock { $0.candidates.count } }
    /// What stood on the first page of each search.
    var firstPages: [[ClientID]] { seen.withLock { $0.firstPages } }

    var capabilities: Capabilities { driver.capabilities }

    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        driver.question(for: term, attempt: attempt)
    }

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        try await watched { () async throws(UpstreamError) in try await driver.page(request, context) }
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        let page = try await watched { () async throws(UpstreamError) in
            try await driver.candidates(for: term, attempt: attempt, request, context)
        }
        seen.withLock {
            let ids = page.clients.map(\.id)
            $0.candidates.formUnion(ids)
            if case .offset(0) = request.place { $0.firstPages.append(ids) }
        }
        return page
    }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        try await watched { () async throws(UpstreamError) in try await driver.client(id, context) }
    }

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        throw .unsupported("nothing is written by a probe")
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        throw .unsupported("nothing is written by a probe")
    }

    private func watched<Value>(
        _ call: () async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        do {
            return try await call()
        } catch {
            switch error {
            case .notFound, .cancelled: break
            default: seen.withLock { $0.failure = $0.failure ?? error }
            }
            throw error
        }
    }
}
