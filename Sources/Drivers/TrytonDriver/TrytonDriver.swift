public import ClientContract
import DriverSupport
import JSONBytes
import Synchronization
public import Transport
public import UpstreamDriver

/// One clinic's GNU Health, as a tenant's file describes it.
public struct TrytonClinic: Sendable {
    /// Scheme, host and path prefix of the Tryton server, without a trailing slash.
    public var baseURL: String
    /// The database's name: letters, digits and `-`, `_`, `.`, see `isDatabase(_:)`.
    public var database: String
    public var user: Secret
    public var password: Secret
    public var phones: PhoneContext

    public init(
        baseURL: String, database: String, user: Secret, password: Secret, phones: PhoneContext = PhoneContext()
    ) {
        self.baseURL = baseURL
        self.database = database
        self.user = user
        self.password = password
        self.phones = phones
    }

    /// Whether a text can be a database's name. It stands in the address, so nothing else may.
    public static func isDatabase(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            } && text != "." && text != ".."
    }
}

/// The driver for GNU Health 5 on Tryton 7.0, by JSON-RPC.
///
/// A client is a person (`party.party`) whom the clinic marked as a patient; its id is the party's. Phones and e-mail
/// addresses are the party's contact mechanisms, the CPF is its identifier of type `br_cpf`. Everything that a call
/// needs is read or written in one request, and the server makes that one transaction.
public final class TrytonDriver: UpstreamDriver {
    public var capabilities: Capabilities { TrytonDriver.abilities }
    let server: RPCServer
    let session: Session
    private let reader: PartyReader
    /// What GNU Health gives a new person for `fed_country`, once it was asked.
    private let federationCountry = Mutex<String??>(nil)

    /// What every GNU Health can do.
    public static let abilities = Capabilities(
        system: "GNU Health", operations: Set(Capabilities.Operation.allCases),
        listPaging: Capabilities.Paging(.offset, maximum: 200),
        searches: TermKind.allCases.reduce(into: [:]) { searches, kind in
            searches[kind] = [Capabilities.Attempt(trust: .superset, paging: Capabilities.Paging(.offset))]
        },
        // Photos would make a page of a list some megabytes long.
        needsDetail: [.image],
        // The same CPF twice is no error to it.
        duplicates: .creates)

    public convenience init(clinic: TrytonClinic, http: any HTTPSending) {
        self.init(clinic: clinic, http: http, loginPause: Session.pause)
    }

    init(clinic: TrytonClinic, http: any HTTPSending, loginPause: Duration) {
        server = RPCServer(address: "\(clinic.baseURL)/\(clinic.database)/", http: http)
        let signIn = SignIn(server: server, user: clinic.user, password: clinic.password)
        session = Session(pause: loginPause) { (_, context) in await signIn.begin(context) }
        reader = PartyReader(phones: clinic.phones)
    }

    // MARK: Reading

    public func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        try await page([Domains.patients], request, most: capabilities.listPaging.maximum, context)
    }

    public func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        // Two numbers that end alike are one question.
        var writer = JSONWriter()
        Domains.candidates(term).write(to: &writer)
        return SearchQuestion([String(decoding: writer.finish(), as: UTF8.self)])
    }

    public func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        guard let attempts = capabilities.searches[term.kind], attempts.indices.contains(attempt) else {
            throw .unsupported("it cannot search by \(term.kind.rawValue)")
        }
        return try await page(Domains.candidates(term), request, most: attempts[attempt].paging.maximum, context)
    }

    private func page(
        _ domain: RPCValue, _ request: PageRequest, most: Int, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        guard case .offset(let offset) = request.place else { throw .unsupported("it has no page tokens") }
        let size = min(max(request.size, 1), most)
        let rows = try await search(domain, PartyReader.row, offset: offset, limit: size, context)
        return ClientPage(clients: try reader.clients(rows))
    }

    public func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        let rows = try await search(
            Domains.id(try TrytonDriver.number(id)), PartyReader.full, offset: 0, limit: 2, context)
        let found = try reader.clients(rows)
        guard let client = found.first else { throw .notFound }
        // The wrong record must never be taken for the one that was asked for.
        guard found.count == 1, client.id == id else {
            throw .malformed("another record came than the one asked for")
        }
        return client
    }

    /// Ids are numbers that a PostgreSQL `integer` holds; an id of another form does not exist.
    private static func number(_ id: ClientID) throws(UpstreamError) -> Int {
        guard let number = Int32(id.text), number > 0, String(number) == id.text else { throw .notFound }
        return Int(number)
    }

    // MARK: Writing

    public func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        let party = PartyWriter.party(draft, federationCountry: try await defaultCountry(context))
        // One person a call: GNU Health gives two of one call the same code, and refuses them.
        let answer = try await call("model.party.party.create", [[party]], .write, context)
        switch answer {
        case .error(let error):
            throw failure(error, .write, hiding: draft.sent)
        case .result(let result):
            guard let id = result.elements.first?.int, result.elements.count == 1 else {
                throw .outcomeUnknown("the answer to a create holds no id")
            }
            return .id(ClientID(String(id)))
        }
    }

    public func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        do throws(UpstreamError) {
            try await write(id, patch, context)
        } catch .conflict {
            // Somebody changed the record between reading and writing: once more, with what it holds now.
            do throws(UpstreamError) {
                try await write(id, patch, context)
            } catch .conflict {
                throw .overtaken()
            }
        }
        return .id(id)
    }

    private func write(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) {
        let number = try TrytonDriver.number(id)
        let rows = try await search(Domains.id(number), PartyReader.changeable, offset: 0, limit: 2, context)
        guard let row = rows.elements.first else { throw .notFound }
        guard row["id"]?.int == number else { throw .malformed("another record came than the one asked for") }
        let party = PartyOnRecord(row)
        let answer = try await call(
            "model.party.party.write", [[.number(number)], PartyWriter.changes(patch, of: party)], .write,
            stamp: party.stamp.map { ("party.party,\(number)", $0) }, context)
        switch answer {
        case .result: return
        case .error(let error):
            let onRecord = PersonNames.joined(given: party.given, family: party.family)
            throw failure(error, .write, hiding: VendorReason.words(of: onRecord) + patch.sent)
        }
    }

    /// The clinic's own country in the federation, which a create must repeat: GNU Health fills it in too late. Asked
    /// for once.
    private func defaultCountry(_ context: CallContext) async throws(UpstreamError) -> String? {
        if let known = federationCountry.withLock({ $0 }) { return known }
        let answer = try await call("model.party.party.default_get", [["fed_country"]], .read, context)
        guard case .result(let result) = answer, result.kind == .object else {
            throw .failed(status: 200, "it does not say what new persons get")
        }
        let country = result["fed_country"]?.string
        federationCountry.withLock { $0 = .some(country) }
        return country
    }

    // MARK: Calling

    /// One page of parties, in the order of their ids.
    private func search(
        _ domain: RPCValue, _ fields: [RPCValue], offset: Int, limit: Int, _ context: CallContext
    ) async throws(UpstreamError) -> JSONValue {
        let answer = try await call(
            "model.party.party.search_read",
            [domain, .number(offset), .number(limit), [["id", "ASC"]], .list(fields)], .read, context)
        switch answer {
        case .result(let rows):
            // Not a list: never "nobody".
            guard rows.kind == .array else { throw .malformed("the rows are not a list") }
            return rows
        case .error(let error): throw failure(error, .read)
        }
    }

    /// Calls with a session; one that is not known is renewed once, and nothing was done before.
    /// - Parameter stamp: a record and the state in which it must still be.
    private func call(
        _ method: String, _ parameters: [RPCValue], _ role: CallRole, stamp: (record: String, time: String)? = nil,
        _ context: CallContext
    ) async throws(UpstreamError) -> RPCOutcome {
        var surroundings: [(String, RPCValue)] = [("language", .text(RPCServer.language))]
        if let stamp { surroundings.append(("_timestamp", .object([(stamp.record, .text(stamp.time))]))) }
        let all = parameters + [.object(surroundings)]
        let ticket = try await session.ticket(context)
        if let outcome = try await attempt(method, all, ticket, role, context) { return outcome }
        if await session.refused(ticket) {
            let renewed = try await session.ticket(context)
            if let outcome = try await attempt(method, all, renewed, role, context) { return outcome }
            await session.refusedAgain(renewed)
        }
        throw .credentialsRejected("it answered 401 to a new session")
    }

    /// - Returns: nil where the session is not known, and nothing was done.
    private func attempt(
        _ method: String, _ parameters: [RPCValue], _ ticket: Session.Ticket, _ role: CallRole, _ context: CallContext
    ) async throws(UpstreamError) -> RPCOutcome? {
        let answer = try await server.call(method, parameters, authorization: ticket.token, role, context)
        guard case .carriedOut(let outcome) = answer else { return nil }
        ticket.accept()
        return outcome
    }

    private func failure(_ error: RPCError, _ role: CallRole, hiding: [String] = []) -> UpstreamError {
        switch (error.kind, role) {
        case (.concurrency, .write): .conflict(reasons: [])
        case (.concurrency, _): .overtaken()
        case (.refusal, .write), (.warning, .write):
            .refused(reasons: VendorReason.clean(error.texts, hiding: hiding))
        case (.refusal, _), (.warning, _): .failed(status: 200, "it refused the call, with a text for people")
        case (.login, _): .credentialsRejected("it asks for a login")
        case (.other, _): .failed(status: 200, "it failed with an error of its own")
        }
    }
}
