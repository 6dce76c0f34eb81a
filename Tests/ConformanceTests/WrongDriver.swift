import ClientContract
import UpstreamDriver

/// A driver that does one thing wrong.
struct WrongDriver: UpstreamDriver {
    typealias Page = @Sendable (ClientPage) -> ClientPage

    let inner: any UpstreamDriver
    var capabilities: Capabilities
    var page: Page = { $0 }
    var candidates: Page = { $0 }
    var place: @Sendable (PageRequest) -> PageRequest = { $0 }
    var shown: @Sendable (Client) -> Client = { $0 }
    var id: @Sendable (ClientID) -> ClientID = { $0 }
    var failure: @Sendable (UpstreamError) -> UpstreamError = { $0 }
    /// A page in place of a failure.
    var instead: ClientPage?
    var sendsCreatesAgain = false
    var pretendsUpdates = false
    var ignoresFilters = false

    init(_ inner: any UpstreamDriver) {
        self.inner = inner
        capabilities = inner.capabilities
    }

    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? { inner.question(for: term, attempt: attempt) }

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        do throws(UpstreamError) {
            return page(try await inner.page(place(request), context))
        } catch {
            if let instead { return instead }
            throw failure(error)
        }
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        do throws(UpstreamError) {
            if ignoresFilters { return try await inner.page(request, context) }
            return candidates(try await inner.candidates(for: term, attempt: attempt, request, context))
        } catch {
            if let instead { return instead }
            throw failure(error)
        }
    }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        do throws(UpstreamError) {
            return shown(try await inner.client(self.id(id), context))
        } catch {
            throw failure(error)
        }
    }

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        do throws(UpstreamError) {
            return try await inner.create(draft, context)
        } catch .outcomeUnknown where sendsCreatesAgain {
            return try await inner.create(draft, context)
        } catch {
            throw failure(error)
        }
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        do throws(UpstreamError) {
            if pretendsUpdates { return .record(try await inner.client(id, context).applying(patch)) }
            return try await inner.update(self.id(id), patch, context)
        } catch {
            throw failure(error)
        }
    }
}
