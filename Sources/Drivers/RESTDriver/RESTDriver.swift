public import ClientContract
import DriverSupport
import JSONBytes
public import Transport
public import UpstreamDriver

/// What one clinic adds to a profile.
public struct RESTTenant: Sendable {
    /// Scheme, host and path prefix, without a trailing slash; nil for the profile's own.
    public var baseURL: String?
    public var credentials: [String: Secret]
    public var settings: [String: String]
    public var phones: PhoneContext
    /// Where the credential is kept that the vendor replaces at each login (`login.replaces` of the profile); nil for
    /// memory.
    public var replaced: (any ReplacedCredential)?

    public init(
        baseURL: String? = nil, credentials: [String: Secret] = [:], settings: [String: String] = [:],
        phones: PhoneContext = PhoneContext(), replaced: (any ReplacedCredential)? = nil
    ) {
        self.baseURL = baseURL
        self.replaced = replaced
        self.credentials = credentials
        self.settings = settings
        self.phones = phones
    }
}

/// The declarative driver: speaks any API that a profile can describe.
public final class RESTDriver: UpstreamDriver {
    public let capabilities: Capabilities
    let plan: ProfilePlan
    let exchanger: Exchanger
    let session: Session?
    let readers: [Shape: RecordReader]
    let writer: RecordWriter

    /// - Parameters:
    ///   - profile: the vendor's API.
    ///   - tenant: the clinic's address, credentials and settings; names that the profile does not know are ignored.
    ///   - http: where requests go.
    public convenience init(profile: Profile, tenant: RESTTenant, http: any HTTPSending) {
        self.init(profile: profile, tenant: tenant, http: http, loginPause: Session.pause)
    }

    init(profile: Profile, tenant: RESTTenant, http: any HTTPSending, loginPause: Duration) {
        plan = profile.plan
        capabilities = profile.capabilities
        var constants = Variables()
        for (name, secret) in tenant.credentials { constants["credential.\(name)"] = .text(secret.reveal()) }
        for setting in profile.settings {
            let value =
                if let derivation = setting.derived {
                    tenant.credentials[derivation.credential].map(derivation.derive)
                } else {
                    tenant.settings[setting.name] ?? setting.fallback
                }
            // A blank is no value: what would carry it is left out.
            if let value, !value.isEmpty { constants["setting.\(setting.name)"] = .text(value) }
        }
        var base = tenant.baseURL ?? plan.baseURL?.expand(constants) ?? ""
        while base.hasSuffix("/") { base.removeLast() }
        exchanger = Exchanger(plan: plan, baseURL: base, constants: constants, http: http)
        session = plan.login.map { [exchanger] recipe in
            let credential = recipe.replaces.map { name in
                tenant.replaced ?? CredentialInMemory(tenant.credentials[name] ?? Secret(""))
            }
            return Session(pause: loginPause) { await recipe.begin(exchanger, credential, $0, $1) }
        }
        let fields = plan.fields
        readers = [Shape.row, .detail].reduce(into: [:]) { readers, shape in
            readers[shape] = RecordReader(
                fields.compactMapValues { $0.shapes[shape] }, phones: tenant.phones, foldCase: profile.plan.foldCase,
                idForm: profile.plan.idForm)
        }
        writer = RecordWriter(
            fields: fields, constants: plan.constants, style: plan.style, foldCase: plan.foldCase,
            phones: tenant.phones)
    }

    // MARK: Reading

    public func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        guard let operation = plan.operations["list"] else { throw .unsupported("it cannot list clients") }
        return try await page(operation, request, Variables(), [], [], context)
    }

    public func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        guard let search = self.search(for: term, attempt: attempt) else { return nil }
        // What the system cannot be asked is refused by the call itself.
        guard let texts = try? search.texts(term) else {
            return SearchQuestion(term, attempt: attempt)
        }
        guard let values = search.values(texts) else { return nil }
        var all = exchanger.constants.merging(values)
        // The same for all attempts of one search.
        for name in ["requestId", "login.token"] { all[name] = .text(name) }
        var parts: [String?] = [search.operation, String(search.query.count), String(search.with.count)]
        for parameter in search.query { parts += [parameter.name, parameter.value.expand(all)] }
        for (name, value) in search.with { parts += [name, value] }
        return SearchQuestion(parts + texts)
    }

    public func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        guard let search = self.search(for: term, attempt: attempt), let operation = plan.operations[search.operation]
        else { throw .unsupported("it cannot search by \(term.kind.rawValue)") }
        let texts: [String]
        do {
            texts = try search.texts(term)
        } catch {
            throw .unsupported("its search cannot carry this term")
        }
        // No such spelling of this term: nobody to find by it.
        guard let values = search.values(texts) else { return ClientPage(clients: [], more: false) }
        return try await page(operation, request, values, search.query, texts, context)
    }

    private func search(for term: SearchTerm, attempt: Int) -> SearchAttempt? {
        guard let attempts = plan.searches[term.kind], attempts.indices.contains(attempt) else { return nil }
        return attempts[attempt]
    }

    public func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        try await fetch(id, context).client
    }

    // MARK: Helpers

    struct Fetched {
        let client: Client
        /// The vendor's record, where it stands in the answer.
        let value: JSONValue
        let entityTag: String?
    }

    public func canExist(_ id: ClientID) -> Bool { plan.idForm.allows(id.text) }

    /// An id that the system cannot have given does not exist.
    func checkID(_ id: ClientID) throws(UpstreamError) {
        if !canExist(id) { throw .notFound }
    }

    func fetch(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Fetched {
        guard let operation = plan.operations["get"] else { throw .unsupported("it cannot show one client") }
        try checkID(id)
        let exchange = try await send(operation, .get, Variables(["id": .text(id.text)]), context)
        switch exchange.kind {
        case .ok: return try record(in: exchange, operation, id: id)
        case .empty: throw .notFound
        default: throw exchanger.error(exchange, .get, hiding: [id.text])
        }
    }

    /// The record that an answer holds.
    func record(in exchange: Exchange, _ operation: Operation, id: ClientID?) throws(UpstreamError) -> Fetched {
        guard let document = exchange.document, let reader = readers[operation.shape] else { throw exchange.unreadable }
        let foldCase = plan.foldCase
        let places = operation.item.compactMap { document.root.at($0, foldCase: foldCase) }
        guard var index = places.first(where: { $0.kind == .object || $0.kind == .array })?.index else {
            if operation.tolerance.null, places.contains(where: \.isNull) { throw .notFound }
            throw .malformed("the record is not where the profile expects it")
        }
        let value = JSONValue(document: document, index: index)
        if value.kind == .array {
            // A lookup that answers a list of one.
            let elements = value.elements
            if elements.isEmpty { throw .notFound }
            guard elements.count == 1, let only = elements.first else {
                throw .malformed("several records came where one was asked for")
            }
            index = only.index
        }
        if document.withView({ $0.kind(index) == .object && $0.childCount(index) == 0 }) {
            if operation.tolerance.emptyObject { throw .notFound }
            throw .malformed("the record is an empty object")
        }
        let read = reader.record(document, index, id: id?.text)
        switch read {
        case .failure(let fault): throw .malformed(fault.message)
        case .success(nil): throw .notFound
        case .success(let client?):
            // The wrong record must never be taken for the one that was asked for.
            if let id, client.id != id { throw .malformed("another record came than the one asked for") }
            return Fetched(
                client: client, value: JSONValue(document: document, index: index),
                entityTag: EntityTag.usable(exchange.answer.headers.first("ETag")))
        }
    }

    /// Sends, with a session where the vendor has them. A token that is refused is renewed once, and the call, which was
    /// not carried out, sent once more.
    func send(
        _ operation: Operation, _ role: CallRole, _ values: Variables, extraQuery: [NamedTemplate] = [],
        record: [UInt8]? = nil, entityTag: String? = nil, link: String? = nil, _ context: CallContext
    ) async throws(UpstreamError) -> Exchange {
        guard let session else {
            return try await exchanger.send(
                operation, role, values, extraQuery: extraQuery, record: record, entityTag: entityTag, link: link,
                context)
        }
        let ticket = try await session.ticket(context)
        let exchange = try await exchanger.send(
            operation, role, values, extraQuery: extraQuery, record: record, entityTag: entityTag, link: link,
            session: ticket.token, context)
        guard wantsLogin(exchange) else {
            ticket.accept()
            return exchange
        }
        guard await session.refused(ticket) else { return exchange }
        let renewed = try await session.ticket(context)
        let second = try await exchanger.send(
            operation, role, values, extraQuery: extraQuery, record: record, entityTag: entityTag, link: link,
            session: renewed.token, context)
        if !wantsLogin(second) {
            renewed.accept()
        } else if second.kind == .unauthorised {
            await session.refusedAgain(renewed)
        }
        return second
    }

    private func wantsLogin(_ exchange: Exchange) -> Bool {
        plan.loginAgain.contains(exchange.status) || (exchange.ruled && exchange.kind == .unauthorised)
    }
}
