public import ClientContract
import JSONBytes
import Transport
public import UpstreamDriver

/// Both directions of a profile's mapping, without any network: for whoever is writing the profile.
public struct ProfileMapping: Sendable {
    /// The two shapes in which systems show a client.
    public enum Form: String, Sendable, CaseIterable {
        /// A row of a list or search.
        case row
        /// A full record.
        case detail
    }

    private let driver: RESTDriver

    /// - Parameter phones: how numbers without area code are read.
    public init(_ profile: Profile, phones: PhoneContext = PhoneContext()) {
        driver = RESTDriver(
            profile: profile,
            tenant: profile.trialTenant(baseURL: "https://system.example.test", phones: phones) { "{\($0)}" },
            http: NoNetwork())
    }

    /// The shapes that the profile reads.
    public var forms: [Form] { Form.allCases.filter { driver.plan.operations.values.map(\.shape).contains($0.shape) } }

    /// The client that a record shows.
    /// - Parameters:
    ///   - answer: a whole answer, or the record alone; of a list, the first row counts.
    ///   - id: the id that was asked for, where the record does not show it.
    /// - Throws: `.malformed` with what was expected, `.notFound` for a record that does not count.
    public func client(in answer: [UInt8], as form: Form, id: ClientID? = nil) throws(UpstreamError) -> Client {
        let value = try record(in: answer, form)
        guard let reader = driver.readers[form.shape] else { throw .unsupported("it has no such shape") }
        switch reader.record(value.document, value.index, id: id?.text) {
        case .failure(let fault): throw .malformed(fault.message)
        case .success(nil): throw .notFound
        case .success(let client?): return client
        }
    }

    /// A member of the client that a record holds something for and that came out of it all the same.
    public struct Unread: Sendable {
        public let field: ClientField
        /// The places that hold something, and what, as JSON.
        public let places: [(pointer: String, json: String)]
    }

    /// Members that the record holds something for, in a place that the profile names, and that reading left out: their
    /// format does not fit.
    /// - Throws: as `client(in:as:id:)`.
    public func unread(in answer: [UInt8], as form: Form) throws(UpstreamError) -> [Unread] {
        let value = try record(in: answer, form)
        let client = try client(in: answer, as: form, id: ClientID("1"))
        return ProfileField.allCases.compactMap { field in
            guard let member = field.client, !client.has(member) else { return nil }
            let places = (driver.plan.fields[field]?.shapes[form.shape] ?? []).filter { $0.each == nil }.flatMap {
                lens in
                lens.spot.pointers.compactMap { pointer -> (pointer: String, json: String)? in
                    guard let found = value.at(pointer, foldCase: driver.plan.foldCase), found.kind != .null,
                        found.kind != .false, found.string?.allSatisfy(\.isWhitespace) != true,
                        !lens.absent.contains(Array(found.source))
                    else { return nil }
                    return (pointer.description, String(decoding: found.source, as: UTF8.self))
                }
            }
            return places.isEmpty ? nil : Unread(field: member, places: places)
        }
    }

    /// The members that have a call of their own for a change; nil where a change is one call.
    public var changedByCall: [ClientField]? {
        guard case .perField(let calls) = driver.plan.style else { return nil }
        return calls.keys.compactMap(\.client).sorted { $0.rawValue < $1.rawValue }
    }

    /// The record that a create of a draft would send, before it is put into the request's body.
    /// - Throws: `.unsupported` where the system has no place for a value.
    public func create(_ draft: ClientDraft) throws(UpstreamError) -> [UInt8] {
        guard driver.plan.operations["create"] != nil else { throw .unsupported("it cannot create clients") }
        do {
            return try driver.writer.record(for: draft)
        } catch {
            throw .unsupported("it has no place for this \(error.field.rawValue)")
        }
    }

    /// The record that an update would send, made from the record as it was shown.
    /// - Throws: `.unsupported` where the system has no place for a value, or has a call for each field.
    public func update(_ patch: ClientPatch, of answer: [UInt8]) throws(UpstreamError) -> [UInt8] {
        guard driver.plan.operations["update"] != nil else { throw .unsupported("it has no update of whole records") }
        let value = try record(in: answer, .detail)
        let current = try client(in: answer, as: .detail, id: ClientID("1"))
        let needsBase = driver.writer.needsBase(patch)
        do {
            return try driver.writer.record(
                for: patch, id: current.id, base: needsBase ? value : nil, current: needsBase ? current : nil)
        } catch {
            throw .unsupported("it has no place for this \(error.field.rawValue)")
        }
    }

    /// What a write sends, whole.
    public struct Body: Sendable {
        public let bytes: [UInt8]
        /// A form, `application/x-www-form-urlencoded`; JSON otherwise.
        public let isForm: Bool
    }

    /// The whole body of a create, with what the operation puts around the record. What a tenant gives shows as its name,
    /// `{setting.unit}`, or as 101 where the system wants a number.
    /// - Throws: as `create(_:)`.
    public func createBody(_ draft: ClientDraft) throws(UpstreamError) -> Body {
        try body("create", .create, Variables(), record: try create(draft))
    }

    /// The whole body of an update, as `createBody(_:)`.
    /// - Throws: as `update(_:of:)`.
    public func updateBody(_ patch: ClientPatch, of answer: [UInt8]) throws(UpstreamError) -> Body {
        let record = try update(patch, of: answer)
        let id = try client(in: answer, as: .detail, id: ClientID("1")).id
        return try body("update", .update, Variables(["id": .text(id.text)]), record: record)
    }

    private func body(
        _ name: String, _ role: CallRole, _ values: Variables, record: [UInt8]
    ) throws(UpstreamError) -> Body {
        guard let operation = driver.plan.operations[name] else { throw .unsupported("it has no such call") }
        let request = try driver.exchanger.request(
            operation, role, values, extraQuery: [], record: record, entityTag: nil, link: nil,
            session: "{login.token}", CallContext(deadline: .now, requestID: "{requestId}"))
        let isForm = if case .form = operation.body { true } else { false }
        return Body(bytes: request.body ?? [], isForm: isForm)
    }

    /// The record where the profile's operations of that shape expect it, or else the whole document.
    private func record(in answer: [UInt8], _ form: Form) throws(UpstreamError) -> JSONValue {
        guard let document = try? JSONDocument(answer, limits: JSONLimits(depth: 64)) else {
            throw .malformed("it is not JSON")
        }
        let foldCase = driver.plan.foldCase
        for operation in driver.plan.operations.values.sorted(by: { $0.name < $1.name })
        where operation.shape == form.shape {
            for pointer in operation.item + operation.items where !pointer.steps.isEmpty {
                guard let found = document.root.at(pointer, foldCase: foldCase) else { continue }
                if found.kind == .object { return found }
                if let first = found.elements.first, first.kind == .object { return first }
            }
        }
        if let first = document.root.elements.first, first.kind == .object { return first }
        guard document.root.kind == .object else { throw .malformed("no record was found in it") }
        return document.root
    }
}

extension ProfileMapping.Form {
    var shape: Shape {
        switch self {
        case .row: .row
        case .detail: .detail
        }
    }
}

private struct NoNetwork: HTTPSending {
    func send(_ request: OutboundRequest, deadline: ContinuousClock.Instant) async throws(TransportError)
        -> UpstreamAnswer
    {
        throw TransportError(
            kind: .invalidRequest, phase: .queued, mayHaveReachedServer: false, detail: "there is no network here")
    }
}
