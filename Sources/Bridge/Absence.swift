import ClientContract
import UpstreamDriver

/// When "not found" is believed. A gateway that has lost a route says it of everybody, and a mistaken profile of some:
/// nobody whom the system shows elsewhere is ever called absent.
extension Bridge {
    /// Clients of the list who are looked at to find somebody who is shown, and most who are asked for by id.
    static let mostListed = 20
    static let mostWitnesses = 3

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
        guard try await showsSomebody(but: id, context) else {
            throw .malformed("it answers \"not found\", and nothing shows that it means this client only")
        }
    }

    /// Whether somebody else who is listed is shown, or nobody is on record at all. Rows that do not count, people who were
    /// deleted since and records that cannot be read prove nothing: the next ones are asked for.
    private func showsSomebody(but id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Bool {
        guard capabilities.operations.contains(.list) else { return false }
        var walk = walk(Window(limit: Bridge.mostListed), context)
        var (listed, asked) = (0, 0)
        while let page = try await nextListed(&walk) {
            listed += page.count
            for client in page where client.id != id {
                guard asked < Bridge.mostWitnesses else { return false }
                asked += 1
                do throws(UpstreamError) {
                    _ = try await read(client.id, context)
                    return true
                } catch {
                    switch error {
                    case .notFound, .malformed: continue
                    default: throw error
                    }
                }
            }
        }
        return listed == 0 && walk.rows == 0
    }

    /// The next listed clients. A key that may not list is no wrong key: it read a client's address a moment ago.
    private func nextListed(_ walk: inout PageWalk) async throws(UpstreamError) -> [Client]? {
        do throws(UpstreamError) {
            return try await walk.next()
        } catch {
            guard case .credentialsRejected = error else { throw error }
            throw .malformed("it answers \"not found\", and does not let this key list clients, to see what it means")
        }
    }
}
