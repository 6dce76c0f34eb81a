public import ClientContract
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

    public init(
        baseURL: String? = nil, credentials: [String: Secret] = [:], settings: [String: String] = [:],
        phones: PhoneContext = PhoneContext()
    ) {
        self.baseURL = baseURL
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
    public init(profile: Profile, tenant: RESTTenant, http: any HTTPSending) {
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
            if let value { constants["setting.\(setting.name)"] = .text(value) }
        }
        var base = tenant.baseURL ?? plan.baseURL?.expand(constants) ?? ""
        while base.hasSuffix("/") { base.removeLast() }
        exchanger = Exchanger(plan: plan, baseURL: base, constants: constants, http: http)
        session = plan.login.map { [exchanger] in Session($0, exchanger) }
        let fields = plan.fields
        readers = [Shape.row, .detail].reduce(into: [:]) { readers, shape in
            readers[shape] = RecordReader(
                fields.compactMapValues { $0.shapes[shape] }, phones: tenant.phones, foldCase: profile.plan.foldCase)
        }
        writer = RecordWriter(fields: fields, constants: plan.constants, style: plan.style, foldCase: plan.foldCase)
    }

    // MARK: Reading

    public func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        guard let operation = plan.operations["list"] else { throw .unsupported("it cannot list clients") }
        return try await page(operation, request, Variables(), [], [], context)
    }

    public func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        guard let attempts = plan.searches[term.kind], attempts.indices.contains(attempt),
            let operation = plan.operations[attempts[attempt].operation]
        else { throw .unsupported("it cannot search by \(term.kind.rawValue)") }
        let search = attempts[attempt]
        let texts: [String]?
        do {
            texts = try search.texts(term)
        } catch {
            throw .unsupported("its search cannot carry this term")
        }
        // No such spelling of this term: nobody to find by it.
        guard let texts, let first = texts.first else { return ClientPage(clients: [], more: false) }
        var values = Variables(["term": .text(first), "terms": .list(texts)])
        for (name, value) in search.with { values["with.\(name)"] = .text(value) }
        return try await page(operation, request, values, search.query, texts, context)
    }

    public func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        try await fetch(id, context).client
    }

    // MARK: Writing

    public func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        guard let operation = plan.operations["create"] else { throw .unsupported("it cannot create clients") }
        let record: [UInt8]
        do {
            record = try writer.record(for: draft)
        } catch {
            throw .unsupported("it has no place for this \(error.field.rawValue)")
        }
        let exchange = try await send(operation, .create, Variables(), record: record, context)
        // An empty answer to a create is no refusal: the record may be there.
        guard exchange.kind == .ok || exchange.kind == .empty else {
            throw exchanger.error(exchange, .create, hiding: draft.sent)
        }
        if operation.answersRecord, let answer = try? self.record(in: exchange, operation, id: nil) {
            return .record(answer.client)
        }
        if let id = newID(exchange, operation) { return .id(ClientID(id)) }
        // It was accepted, so there is a record; which one, the answer does not say.
        throw .outcomeUnknown("the create was accepted, but its answer names no client")
    }

    public func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        guard capabilities.operations.contains(.update) else { throw .unsupported("it cannot change clients") }
        if case .perField(let calls) = plan.style { return try await updateFieldByField(id, patch, calls, context) }
        guard let operation = plan.operations["update"] else { throw .unsupported("it cannot change clients") }
        try checkID(id)
        let current = writer.needsBase(patch) || operation.conditional ? try await fetch(id, context) : nil
        let record: [UInt8]
        do {
            record = try writer.record(for: patch, id: id, base: current?.value, current: current?.client)
        } catch {
            throw .unsupported("it has no place for this \(error.field.rawValue)")
        }
        let exchange = try await send(
            operation, .update, Variables(["id": .text(id.text)]), record: record,
            entityTag: operation.conditional ? current?.entityTag : nil, context)
        guard exchange.kind == .ok || exchange.kind == .empty else {
            throw exchanger.error(exchange, .update, hiding: patch.sent)
        }
        try checkAccepted(exchange)
        if operation.answersRecord, let answer = try? self.record(in: exchange, operation, id: id) {
            return .record(answer.client)
        }
        return .id(id)
    }

    private func updateFieldByField(
        _ id: ClientID, _ patch: ClientPatch, _ calls: [ProfileField: String], _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        try checkID(id)
        let changes = RecordWriter.values(patch)
        for (field, _) in changes where calls[field] == nil { throw .unsupported("it cannot change \(field.rawValue)") }
        for (field, value) in changes {
            guard let name = calls[field], let operation = plan.operations[name] else { continue }
            let lens = plan.fields[field]?.shapes[.update]?.first
            guard let text = RecordWriter.text(value, lens) else {
                throw .unsupported("it has no place for this \(field.rawValue)")
            }
            let values = Variables(["id": .text(id.text), "value": .text(text)])
            let exchange = try await send(operation, .update, values, context)
            guard exchange.kind == .ok || exchange.kind == .empty else {
                throw exchanger.error(exchange, .update, hiding: patch.sent)
            }
            try checkAccepted(exchange)
        }
        return .id(id)
    }

    // MARK: Helpers

    struct Fetched {
        let client: Client
        /// The vendor's record, where it stands in the answer.
        let value: JSONValue
        let entityTag: String?
    }

    /// An id that the system cannot have given does not exist.
    private func checkID(_ id: ClientID) throws(UpstreamError) {
        if !plan.idForm.allows(id.text) { throw .notFound }
    }

    /// A page of HTML with status 200 is no success.
    private func checkAccepted(_ exchange: Exchange) throws(UpstreamError) {
        if !exchange.ruled, exchange.document == nil, !exchange.answer.body.isEmpty {
            throw .outcomeUnknown("the answer to the change is not JSON")
        }
    }

    private func fetch(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Fetched {
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
    private func record(in exchange: Exchange, _ operation: Operation, id: ClientID?) throws(UpstreamError) -> Fetched {
        guard let document = exchange.document, let reader = readers[operation.shape] else {
            throw .malformed("the answer is not JSON")
        }
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
        let read: Result<Client?, RecordReader.Fault> = document.withView { view in
            var builder = ClientBuilder()
            var fault: RecordReader.Fault?
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, reader.slotCount)) { room in
                room.initialize(repeating: -1)
                let slots = UnsafeMutableBufferPointer(rebasing: room[0..<reader.slotCount])
                do throws(RecordReader.Fault) {
                    _ = try reader.read(view, index, id: id?.text, slots: slots, into: &builder)
                } catch {
                    fault = error
                }
            }
            if let fault { return .failure(fault) }
            return .success(builder.finish().first)
        }
        switch read {
        case .failure(let fault): throw .malformed(fault.message)
        case .success(nil): throw .notFound
        case .success(let client?):
            // The wrong record must never be taken for the one that was asked for.
            if let id, client.id != id { throw .malformed("another record came than the one asked for") }
            return Fetched(
                client: client, value: JSONValue(document: document, index: index),
                entityTag: exchange.answer.headers.first("ETag"))
        }
    }

    private func newID(_ exchange: Exchange, _ operation: Operation) -> String? {
        if let root = exchange.document?.root {
            for pointer in operation.answerID {
                if let id = root.at(pointer, foldCase: plan.foldCase)?.scalarText, id != "0", plan.idForm.allows(id) {
                    return id
                }
            }
        }
        guard operation.idFromLocation, let location = exchange.answer.headers.first("Location") else { return nil }
        let path = location.prefix { $0 != "?" && $0 != "#" }
        let id = path.split(separator: "/").last.flatMap { PercentEncoding.decode(String($0)) }
        return id.flatMap { plan.idForm.allows($0) ? $0 : nil }
    }

    /// Sends, with a session where the vendor has them. A token that is refused is renewed once.
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
        guard plan.loginAgain.contains(exchange.status) || (exchange.ruled && exchange.kind == .unauthorised) else {
            return exchange
        }
        await session.refused(ticket)
        let renewed = try await session.ticket(context)
        return try await exchanger.send(
            operation, role, values, extraQuery: extraQuery, record: record, entityTag: entityTag, link: link,
            session: renewed.token, context)
    }
}

extension ClientDraft {
    /// The texts that went out, to be hidden in what comes back.
    var sent: [String] {
        VendorReason.words(of: name)
            + [phone.digits, phone.national, phone.masked, cpf?.digits, cpf?.punctuated, email, birthday?.iso]
            .compactMap { $0 }
    }
}

extension ClientPatch {
    var sent: [String] {
        (name.map(VendorReason.words) ?? [])
            + [cpf?.digits, cpf?.punctuated, email, birthday?.iso].compactMap { $0 }
    }
}
