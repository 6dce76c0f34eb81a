import ClientContract
import UpstreamDriver

/// When "not found" is believed. A gateway that has lost a route says it of everybody, and a mistaken profile of some:
/// nobody whom the system shows elsewhere is ever called absent.
extension Bridge {
    /// Most rows that are asked for to find somebody who is there.
    static let mostListed = 20

    /// One client for whoever asks for that one.
    /// - Throws: `.notFound` when the system has nobody under the id: its own word says so, or it shows somebody else by
    ///   the same call. Otherwise `.malformed`: it says the same of a client whom it lists.
    func readSurely(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        do throws(UpstreamError) {
            return try await read(id, context)
        } catch {
            guard case .notFound = error else { throw error }
        }
        try await weighAbsence(of: id, context)
        throw .notFound
    }

    /// Holds if a "not found" for an id can be believed.
    func weighAbsence(of id: ClientID, _ context: CallContext) async throws(UpstreamError) {
        // An id that the system cannot have given was never asked for.
        if capabilities.provesAbsence || !driver.canExist(id) { return }
        guard try await showsSomebody(context) else {
            throw .malformed("it answers \"not found\", and nothing shows that it means this client only")
        }
    }

    /// Whether somebody who is listed is shown, or nobody is on record at all.
    private func showsSomebody(_ context: CallContext) async throws(UpstreamError) -> Bool {
        guard capabilities.operations.contains(.list) else { return false }
        let paging = capabilities.listPaging
        let size = paging.fixed ?? min(max(1, paging.maximum), Bridge.mostListed)
        try context.check()
        let page = try await driver.page(PageRequest(.offset(0), size: size), context)
        guard let listed = page.clients.first else {
            return page.rows == 0 && page.more != true && page.next == nil && page.total ?? 0 == 0
        }
        do throws(UpstreamError) {
            _ = try await read(listed.id, context)
            return true
        } catch {
            if case .notFound = error { return false }
            throw error
        }
    }
}
