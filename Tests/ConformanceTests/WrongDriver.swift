import ClientContract
import UpstreamDriver

/// A driver that does one thing wrong.
struct WrongDriver: UpstreamDriver {
    typealias Page = @Sendable (ClientPage) -> ClientPage

    let inner: any UpstreamDriver
    var capabilities: Capabilities
    var changesPage: Page = { $0 }
    var changesCandidates: Page = { $0 }
    var changesPlace: @Sendable (PageRequest) -> PageRequest = { $0 }
    var changesClient: @Sendable (Client) -> Client = { $0 }
    var changesID: @Sendable (ClientID) -> ClientID = { $0 }
    var changesFailure: @Sendable (UpstreamError) -> UpstreamError = { $0 }
    /// A page in place of a failure.
    var instead: ClientPage?
    var sendsCreatesAgain = false
    var pretendsUpdates = false
    var ignoresFilters = false
    /// Writes back what it has read.
    var overwrites = false
    var neverGivesUp = false

    init(_ inner: any UpstreamDriver) {
        self.inner = inner
        capabilities = inner.capabilities
    }

    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? { inner.question(for: term, attempt: attempt) }

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        do throws(UpstreamError) {
            return changesPage(try await inner.page(changesPlace(request), context))
        } catch {
            if let instead { return instead }
            throw changesFailure(error)
        }
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        do throws(UpstreamError) {
            if ignoresFilters { return try await inner.page(request, context) }
            return changesCandidates(try await inner.candidates(for: term, attempt: attempt, request, context))
        } catch {
            if let instead { return instead }
            throw changesFailure(error)
        }
    }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        do throws(UpstreamError) {
            return changesClient(try await inner.client(changesID(id), context))
        } catch {
            throw changesFailure(error)
        }
    }

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        do throws(UpstreamError) {
            return try await inner.create(draft, context)
        } catch .outcomeUnknown where sendsCreatesAgain {
            return try await inner.create(draft, context)
        } catch {
            throw changesFailure(error)
        }
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        do throws(UpstreamError) {
            if pretendsUpdates { return .record(try await inner.client(id, context).applying(patch)) }
            if overwrites {
                let known = try await inner.client(id, context)
                let whole = ClientPatch(
                    name: patch.name ?? known.name, email: patch.email ?? known.email, cpf: patch.cpf ?? known.cpf,
                    birthday: patch.birthday ?? known.birthday)
                return try await inner.update(id, whole, context)
            }
            return try await inner.update(changesID(id), patch, context)
        } catch .failed(status: 412, _) where neverGivesUp {
            return try await update(id, patch, context)
        } catch {
            throw changesFailure(error)
        }
    }
}
