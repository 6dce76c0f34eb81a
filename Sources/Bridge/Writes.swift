public import ClientContract
public import UpstreamDriver

extension Bridge {
    /// Creates a client, or answers the one that is already there ("Criar um novo cliente").
    ///
    /// The record as the system holds it now; where it can be read only later, the record as it was written. Equal
    /// creates at the same time reach the system once, and all get the same client.
    /// - Throws: `.duplicate` as `onDuplicate` demands, when several records are this person, and when the system
    ///   answered somebody else's record; `.outcomeUnknown` when the record may or may not be there.
    public func create(_ draft: ClientDraft, _ context: CallContext) async throws(ContractError) -> Client {
        try require(.create, "create clients")
        do throws(UpstreamError) { try context.check() } catch { throw failure(error) }
        return try await flights.run(draft) { [self] in
            do throws(ContractError) {
                return .success(
                    try await alone(draft.keys) { () async throws(ContractError) in try await createOnce(draft, context)
                    })
            } catch {
                return .failure(error)
            }
        }
    }

    private func createOnce(_ draft: ClientDraft, _ context: CallContext) async throws(ContractError) -> Client {
        let rule = DuplicateRule(draft, phones: options.rules.phones)
        if options.onDuplicate != .create, let known = try await known(rule, context) {
            if options.onDuplicate == .returnExisting { return known }
            throw ContractError(.duplicate, "The client is on record already", conflicting: [known.id])
        }
        let answer: WriteAnswer
        do throws(UpstreamError) {
            try context.check()
            // Some time is kept, so that a record whose create was not answered can still be looked for.
            answer = try await driver.create(draft, context.keepingBack())
        } catch {
            return try await afterFailure(error, rule, context)
        }
        switch answer {
        case .record(let client): return try checked(client, rule)
        case .id(let id): return try checked(try await created(id, draft, context), rule)
        }
    }

    /// Changes what the patch names ("Atualizar um cliente por ID"), and answers the record after it.
    ///
    /// A system that accepts a change must show it: a member that it shows otherwise, or not at all, was ignored, and
    /// the call fails with `.refused`, naming those members. Where its reads lag its writes, what it accepted holds.
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
        return try await alone([.record(id)]) { () async throws(ContractError) in
            try await updateOnce(id, patch, context)
        }
    }

    private func updateOnce(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(ContractError) -> Client {
        let answer: WriteAnswer
        do throws(UpstreamError) {
            try context.check()
            answer = try await driver.update(id, patch, context)
        } catch {
            throw failure(error, aboutClient: true)
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

    // MARK: Changes

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
        let ignored = patch.fields.filter { field in
            switch field {
            case .name: patch.name.map { !NameSpelling.isKept($0, as: client.name) } ?? false
            case .email: patch.email.map(PersonText.emailKey) != client.email.map(PersonText.emailKey)
            case .cpf: patch.cpf != client.cpf
            case .birthday: patch.birthday != client.birthday
            default: false
            }
        }
        guard ignored.isEmpty else {
            throw ContractError(
                .refused,
                "\(capabilities.system) accepted the change but did not keep: "
                    + "\(ignored.map(\.wireName).joined(separator: ", ")). What else the patch names was changed")
        }
        return client
    }

    // MARK: Duplicates

    /// The client on record that a draft repeats, complete.
    ///
    /// Looked for by CPF and by phone, as far as the system can be searched by them; by name where it cannot be by
    /// phone. A system that can be searched by none of them is trusted to know its duplicates.
    /// - Throws: 409 with their ids when several do.
    private func known(_ rule: DuplicateRule, _ context: CallContext) async throws(ContractError) -> Client? {
        let draft = rule.draft
        var terms: [SearchTerm] = []
        if let cpf = draft.cpf, !cpf.isPlaceholder, canFind(.cpf) { terms.append(.cpf(cpf)) }
        if canFind(.phone) {
            terms.append(.phone(draft.phone))
        } else if canFind(.name) {
            terms.append(.name(draft.name))
        }
        var matches = try await find(terms, context)
        if draft.cpf == nil, !rule.isNameless, !capabilities.needsDetail.contains(.name) {
            // Without a CPF the names decide: no need to fetch the records of others on the same phone.
            let name = PersonText.nameKey(draft.name)
            matches = matches.filter { PersonText.nameKey($0.client.name) == name }
        }
        let repeated = try await filled(matches, terms, context).filter(rule.repeats)
        guard repeated.count <= 1 else {
            throw ContractError(
                .duplicate, "Several clients on record are this person: a person must decide",
                conflicting: repeated.map(\.id))
        }
        return repeated.first
    }

    /// Whether clients can be found by a kind of term, by search or by reading them all.
    private func canFind(_ kind: TermKind) -> Bool {
        if capabilities.searches[kind]?.isEmpty == false { return true }
        let hidden: Set<ClientField> =
            switch kind {
            case .phone: [.phone, .allPhones]
            case .cpf: [.cpf]
            case .email: [.email]
            case .name: [.name]
            }
        return options.scan.allowed && capabilities.operations.contains(.list)
            && capabilities.needsDetail.isDisjoint(with: hidden)
    }

    /// What becomes of a create that failed. It may have happened, or somebody else was faster: the record is looked
    /// for by the same rule. Nothing is sent twice.
    private func afterFailure(
        _ error: UpstreamError, _ rule: DuplicateRule, _ context: CallContext
    ) async throws(ContractError) -> Client {
        switch error {
        case .outcomeUnknown:
            if let found = try? await known(rule, context) { return found }
        case .conflict where options.onDuplicate == .returnExisting:
            do throws(ContractError) {
                if let found = try await known(rule, context) { return found }
            } catch  where error.code == .duplicate {
                throw error
            } catch {
                // The system's own word stands.
            }
        default: break
        }
        throw failure(error)
    }

    /// What a create that answered only an id made.
    private func created(
        _ id: ClientID, _ draft: ClientDraft, _ context: CallContext
    ) async throws(ContractError) -> Client {
        let asWritten = Client(id: id, draft: draft)
        let canRead = capabilities.operations.contains(.get)
        do throws(UpstreamError) {
            if canRead { return try await read(id, context) }
        } catch .notFound where capabilities.staleReads > .zero {
            // A record of before would be shown by now: this one is new.
            return asWritten
        } catch {
            // Below.
        }
        switch capabilities.duplicates {
        case .creates, .refuses: return asWritten
        case .unknown where !canRead: return asWritten
        case .unknown, .reusesSilently:
            // The id may be somebody else's: unread, nobody knows whose.
            throw ContractError(
                .outcomeUnknown,
                "\(capabilities.system) accepted the client, but it could not be read back. "
                    + "Look for the client before trying again")
        }
    }

    /// A system that silently reuses a record may answer another person, and a mistaken profile anybody: never hand
    /// that one out.
    private func checked(_ client: Client, _ rule: DuplicateRule) throws(ContractError) -> Client {
        switch capabilities.duplicates {
        case .creates, .refuses:
            guard !rule.isStranger(client) else {
                throw ContractError(
                    .outcomeUnknown,
                    "\(capabilities.system) accepted the client, but answered the record of another person. "
                        + "Look for the client before trying again")
            }
            return client
        case .unknown, .reusesSilently:
            guard rule.canBe(client) else {
                throw ContractError(
                    .duplicate, "\(capabilities.system) answered a record of another person instead of creating one",
                    conflicting: [client.id])
            }
            return client
        }
    }
}

extension Client {
    /// What a create that was accepted made, as far as the draft tells.
    init(id: ClientID, draft: ClientDraft) {
        self.init(
            id: id, name: draft.name, phones: [draft.phone], cpf: draft.cpf, email: draft.email,
            birthday: draft.birthday)
    }
}

extension ClientDraft {
    /// What two creates of one person share.
    var keys: Set<Gates.Key> {
        var keys: Set<Gates.Key> = [.line(phone)]
        if let cpf, !cpf.isPlaceholder { keys.insert(.cpf(cpf)) }
        return keys
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
