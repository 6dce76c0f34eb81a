public import ClientContract
import Idempotency
public import UpstreamDriver

extension Bridge {
    /// Creates a client, or answers the one that is already there ("Criar um novo cliente").
    ///
    /// The record as the system holds it now; where it can be read only later, the record as it was written. Equal
    /// creates at the same time reach the system once, and all get the same client. A create is written down before it
    /// is sent: one whose outcome nobody knows is never sent anew before its record would have appeared.
    /// - Parameter key: the caller's `Idempotency-Key`, where it sent one.
    /// - Throws: `.duplicate` as `onDuplicate` demands, and when several records are this person; `.wrongPerson` when the
    ///   system answered somebody else's record; `.outcomeUnknown` when the record may or may not be there; `.keyReused`
    ///   and `.keyInUse` because of the key; `.storageFailed` when nothing could be written down, and so nothing was sent.
    public func create(
        _ draft: ClientDraft, key: String? = nil, _ context: CallContext
    ) async throws(ContractError) -> Client {
        try require(.create, "create clients")
        do throws(UpstreamError) { try context.check() } catch { throw failure(error) }
        guard let key else { return try await joined(draft, context) }
        switch try await begin(key, draft, context) {
        case .otherRequest: throw ContractError(.keyReused)
        case .running(let seconds): throw ContractError(.keyInUse, retryAfter: seconds)
        case .made(let id): return try await asBefore(ClientID(id), draft, context)
        case .failed(let code):
            throw ContractError(
                ContractError.Code(rawValue: code) ?? .internalError,
                "The first request with this Idempotency-Key ended like this")
        case .fresh(let ticket): return try await keyed(ticket, draft, context)
        }
    }

    // MARK: Keys

    private func begin(
        _ key: String, _ draft: ClientDraft, _ context: CallContext
    ) async throws(ContractError) -> CreateMemory.Beginning {
        let request = [
            draft.name, draft.phone.digits, draft.email, draft.birthday?.iso, draft.cpf?.digits, draft.healthInsurance,
            draft.location,
        ]
        // A little more than the request's own time, so that it frees the key itself.
        let time = ContinuousClock.now.duration(to: context.deadline) + .seconds(2)
        do throws(StoreFailure) {
            return try await memory.begin(key, request: request, within: time)
        } catch {
            throw ContractError(store: error)
        }
    }

    /// A create that holds its key, and says in the end what the key means from now on.
    private func keyed(
        _ ticket: CreateMemory.Ticket, _ draft: ClientDraft, _ context: CallContext
    ) async throws(ContractError) -> Client {
        do throws(ContractError) {
            let client = try await joined(draft, context)
            await memory.end(ticket, .made(client.id.text))
            return client
        } catch {
            switch error.code {
            case .outcomeUnknown: await memory.end(ticket, .unknown)
            case .refused, .wrongPerson: await memory.end(ticket, .failed(error.code.rawValue))
            // Nothing was made, and the same request may fare better another time.
            default: await memory.end(ticket, .forgotten)
            }
            throw error
        }
    }

    /// What the first request with a key was answered, as the client is now. One that is not shown yet, or no more, is
    /// answered as it was written.
    private func asBefore(
        _ id: ClientID, _ draft: ClientDraft, _ context: CallContext
    ) async throws(ContractError) -> Client {
        guard capabilities.operations.contains(.get) else { return Client(id: id, draft: draft) }
        do throws(UpstreamError) {
            return try await read(id, context)
        } catch .notFound {
            return Client(id: id, draft: draft)
        } catch {
            throw failure(error)
        }
    }

    // MARK: One create

    private func joined(_ draft: ClientDraft, _ context: CallContext) async throws(ContractError) -> Client {
        try await writes.flights.run(draft, context) { [self] in
            do throws(ContractError) {
                return .success(
                    try await alone(draft.keys, context) { () async throws(ContractError) in
                        try await createOnce(draft, context)
                    })
            } catch {
                return .failure(error)
            }
        }
    }

    private func createOnce(_ draft: ClientDraft, _ context: CallContext) async throws(ContractError) -> Client {
        // Once more only where another Ponte on the same database began a create of this person meanwhile. Time ends it.
        while true {
            if let client = try await lookAndSend(draft, context) { return client }
        }
    }

    /// - Returns: nil when what was known of the person is known no more, and nothing was sent.
    private func lookAndSend(_ draft: ClientDraft, _ context: CallContext) async throws(ContractError) -> Client? {
        let rule = DuplicateRule(draft, phones: options.rules.phones)
        let person = draft.person(in: memory)
        let earlier: CreateMemory.Earlier
        do throws(StoreFailure) {
            earlier = try await memory.earlier(of: person)
        } catch {
            throw ContractError(store: error)
        }
        var known = try await recent(earlier, rule, context)
        if known == nil, !earlier.open.isEmpty {
            if let found = try await self.known(rule, afterSending: true, context) {
                for entry in earlier.open { await settle(entry, found) }
                return found
            }
            if let seconds = earlier.unsettled {
                throw ContractError(
                    .outcomeUnknown,
                    "An earlier create of this client was not answered, and its record may yet appear. "
                        + "Nothing was sent now",
                    retryAfter: seconds)
            }
        }
        if known == nil, options.onDuplicate != .create {
            known = try await self.known(rule, afterSending: false, context)
        }
        if let known, options.onDuplicate == .returnExisting { return known }
        if let known, options.onDuplicate == .reject {
            throw ContractError(.duplicate, "The client is on record already", conflicting: [known.id])
        }
        return try await send(rule, person, after: earlier, context)
    }

    /// Sends a create, between what is written down before and after it.
    /// - Returns: nil when another create of the person began since `earlier`, and nothing was sent.
    private func send(
        _ rule: DuplicateRule, _ person: CreateMemory.Person, after earlier: CreateMemory.Earlier,
        _ context: CallContext
    ) async throws(ContractError) -> Client? {
        do throws(UpstreamError) { try context.check() } catch { throw failure(error) }
        let written: CreateMemory.Entry?
        do throws(StoreFailure) {
            written = try await memory.began(
                person, after: earlier, settling: options.settling + capabilities.staleReads)
        } catch {
            throw ContractError(store: error)
        }
        guard let entry = written else { return nil }
        // Looked for when it would have been there: nothing came of them.
        for entry in earlier.open { await memory.nothingCame(of: entry) }
        let client: Client
        var answeredID = false
        do throws(UpstreamError) {
            try context.check()
            // Some time is kept, so that a record whose create was not answered can still be looked for.
            switch try await driver.create(rule.draft, context.keepingBack()) {
            case .record(let record): client = record
            case .id(let id):
                answeredID = true
                client = try await created(id, rule.draft, context)
            }
        } catch .conflict where answeredID {
            if capabilities.duplicates == .reusesSilently { await memory.nothingCame(of: entry) }
            throw ContractError(.wrongPerson, "\(capabilities.system) answered the create with another person's record")
        } catch .outcomeUnknown(let detail) {
            if let found = try? await known(rule, afterSending: true, context) {
                await settle(entry, found)
                return found
            }
            throw failure(.outcomeUnknown(detail))
        } catch {
            await memory.nothingCame(of: entry)
            return try await afterRefusal(error, rule, context)
        }
        guard isAnswer(client, to: rule) else {
            // Where the system is known to do so, nothing new is there. Elsewhere the record may have been made too.
            if capabilities.duplicates == .reusesSilently { await memory.nothingCame(of: entry) }
            throw ContractError(.wrongPerson, "\(capabilities.system) answered the create with another person's record")
        }
        await settle(entry, client)
        writes.fresh.made(client.id, rule.draft, lag: capabilities.staleReads)
        return client
    }

    private func settle(_ entry: CreateMemory.Entry, _ client: Client) async {
        let lag = capabilities.staleReads
        await memory.made(client.id.text, by: entry, visibleAfter: lag > .zero ? lag + options.settling : .zero)
    }

    /// The client that a create of before made, where reads may not show it yet: the next create finds it here.
    private func recent(
        _ earlier: CreateMemory.Earlier, _ rule: DuplicateRule, _ context: CallContext
    ) async throws(ContractError) -> Client? {
        guard options.onDuplicate != .create, let id = earlier.made.map({ ClientID($0) }) else { return nil }
        // As far as it is the same for both creates.
        let asWritten = Client(
            id: id, draft: ClientDraft(name: rule.draft.name, phone: rule.draft.phone, cpf: rule.draft.cpf))
        guard capabilities.operations.contains(.get) else { return asWritten }
        do throws(UpstreamError) {
            let client = try await read(id, context)
            return rule.isStranger(client) ? nil : client
        } catch .notFound {
            return asWritten
        } catch {
            throw failure(error)
        }
    }

    // MARK: Duplicates

    /// The client on record that a draft repeats, complete.
    ///
    /// Looked for by CPF and by phone, as far as the system can be searched by them; by name where it cannot be by
    /// phone. A system that can be searched by none of them is trusted to know its duplicates.
    /// - Parameter afterSending: look for what a create of the draft may have made, so that the system's own spelling
    ///   of the name counts as the name.
    /// - Throws: 409 with their ids when several do.
    private func known(
        _ rule: DuplicateRule, afterSending: Bool, _ context: CallContext
    ) async throws(ContractError) -> Client? {
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
            matches = matches.filter { rule.hasName($0.client, inSystemsSpelling: afterSending) }
        }
        let clients = try await filled(matches, terms, context)
        let repeated = clients.filter { rule.repeats($0) || (afterSending && rule.mayHaveMade($0)) }
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

    // MARK: Answers

    /// What becomes of a create that the system did not carry out. Somebody else may have been faster.
    private func afterRefusal(
        _ error: UpstreamError, _ rule: DuplicateRule, _ context: CallContext
    ) async throws(ContractError) -> Client {
        if case .conflict = error, options.onDuplicate == .returnExisting {
            do throws(ContractError) {
                if let found = try await known(rule, afterSending: false, context) { return found }
            } catch  where error.code == .duplicate {
                throw error
            } catch {
                // The system's own word stands.
            }
        }
        throw failure(error)
    }

    /// What a create that answered only an id made.
    /// - Throws: `.outcomeUnknown` when the id may be somebody else's: unread, nobody knows whose.
    private func created(
        _ id: ClientID, _ draft: ClientDraft, _ context: CallContext
    ) async throws(UpstreamError) -> Client {
        let asWritten = Client(id: id, draft: draft)
        let canRead = capabilities.operations.contains(.get)
        do throws(UpstreamError) {
            if canRead { return try await read(id, context) }
        } catch .notFound where capabilities.staleReads > .zero {
            // A record of before would be shown by now, and this one was not made for somebody else a moment ago: it is
            // new.
            if writes.fresh.isOfAnother(id, draft) { throw .conflict(reasons: []) }
            return asWritten
        } catch {
            // Below.
        }
        switch capabilities.duplicates {
        case .creates, .refuses: return asWritten
        case .unknown where !canRead: return asWritten
        case .unknown, .reusesSilently:
            throw .outcomeUnknown("it accepted the client, but it could not be read back")
        }
    }

    /// Whether a record can be what a create made. A system that silently reuses a record may answer another person, and
    /// a mistaken profile anybody: that one is never handed out.
    private func isAnswer(_ client: Client, to rule: DuplicateRule) -> Bool {
        switch capabilities.duplicates {
        case .creates, .refuses: !rule.isStranger(client)
        case .unknown, .reusesSilently: rule.canBe(client)
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

    /// The same for every spelling of one person.
    func person(in memory: CreateMemory) -> CreateMemory.Person {
        let identifying = cpf.flatMap { $0.isPlaceholder ? nil : $0.digits }
        return memory.person(
            cpf: identifying, line: String(phone.line), name: PersonText.composed(PersonText.nameKey(name)))
    }
}

extension ContractError {
    init(store error: StoreFailure) {
        self.init(.storageFailed, "What is known of earlier creates cannot be read or written: \(error)", retryAfter: 5)
    }
}
