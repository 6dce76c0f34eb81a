public import ClientContract
public import UpstreamDriver

extension Bridge {
    /// Changes what the patch names ("Atualizar um cliente por ID"), and answers the record after it.
    ///
    /// A system that accepts a change must show it: a member that it shows otherwise, or not at all, was ignored, and
    /// the call fails with `.refused`, naming those members. Where its reads lag its writes, what it accepted holds. A
    /// change is sent once: one that was not answered is read back, and holds when the record shows it.
    /// - Throws: `.outcomeUnknown` when it was not answered and the record does not show it.
    public func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(ContractError) -> Client {
        if patch.isEmpty { return try await client(id, context) }
        try require(.update, "change clients")
        let impossible = patch.fields.filter { capabilities.unchangeable.contains($0) }.map(\.wireName)
        guard impossible.isEmpty else {
            throw ContractError(
                .unsupported, "\(capabilities.system) cannot change: \(impossible.joined(separator: ", "))")
        }
        return try await alone([.record(id)], context) { () async throws(ContractError) in
            try await updateOnce(id, patch, context)
        }
    }

    private func updateOnce(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(ContractError) -> Client {
        let answer: WriteAnswer
        do throws(UpstreamError) {
            try context.check()
            answer = try await driver.update(id, patch, context.keepingBack())
        } catch {
            if case .outcomeUnknown = error, let client = await shown(patch, by: id, context) { return client }
            guard case .notFound = error else { throw failure(error, aboutClient: true) }
            do throws(UpstreamError) { try await weighAbsence(of: id, context) } catch { throw failure(error) }
            throw ContractError(.noSuchClient)
        }
        switch answer {
        case .record(let client):
            guard client.id == id else { throw failure(.malformed("it answered another client than the changed one")) }
            return try confirmed(patch, by: client)
        case .id(let changed):
            guard changed == id else { throw failure(.malformed("it changed another client than the one asked for")) }
            let read = try await readBack(id, context)
            return capabilities.staleReads > .zero ? read.applying(patch) : try confirmed(patch, by: read)
        }
    }

    /// The record, if it shows what an unanswered change was to bring about; nil when it does not, or cannot be read.
    private func shown(_ patch: ClientPatch, by id: ClientID, _ context: CallContext) async -> Client? {
        guard capabilities.operations.contains(.get), let client = try? await read(id, context) else { return nil }
        return ignored(patch, by: client).isEmpty ? client : nil
    }

    /// A record after a change that was accepted.
    private func readBack(_ id: ClientID, _ context: CallContext) async throws(ContractError) -> Client {
        let accepted = "it accepted the change, but the client could not be read back"
        guard capabilities.operations.contains(.get) else {
            throw failure(.unsupported("it accepted the change, but it cannot show one client"))
        }
        do throws(UpstreamError) {
            return try await read(id, context)
        } catch .notFound {
            throw failure(.malformed(accepted))
        } catch {
            var told = failure(error)
            told.detail = "\(capabilities.system): \(accepted). \(told.detail ?? told.code.title)"
            throw told
        }
    }

    /// The record, if it shows what was sent.
    private func confirmed(_ patch: ClientPatch, by client: Client) throws(ContractError) -> Client {
        let ignored = ignored(patch, by: client)
        guard ignored.isEmpty else {
            throw ContractError(
                .refused,
                "\(capabilities.system) accepted the change but did not keep: "
                    + "\(ignored.map(\.wireName).joined(separator: ", ")). What else the patch names was changed")
        }
        return client
    }

    /// The members of a patch that a record shows otherwise, or not at all.
    private func ignored(_ patch: ClientPatch, by client: Client) -> [ClientField] {
        patch.fields.filter { field in
            switch field {
            case .name: patch.name.map { !NameSpelling.isKept($0, as: client.name) } ?? false
            case .email: patch.email.map(PersonText.emailKey) != client.email.map(PersonText.emailKey)
            case .cpf: patch.cpf != client.cpf
            case .birthday: patch.birthday != client.birthday
            default: false
            }
        }
    }
}

extension CallContext {
    /// The same call with a quarter of its time kept for later.
    func keepingBack() -> CallContext {
        let now = ContinuousClock.now
        guard deadline > now else { return self }
        return CallContext(deadline: now + now.duration(to: deadline) * 3 / 4, requestID: requestID)
    }
}

extension ClientPatch {
    var fields: [ClientField] {
        var fields: [ClientField] = []
        if name != nil { fields.append(.name) }
        if email != nil { fields.append(.email) }
        if cpf != nil { fields.append(.cpf) }
        if birthday != nil { fields.append(.birthday) }
        return fields
    }
}
