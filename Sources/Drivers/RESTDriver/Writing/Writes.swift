public import ClientContract
import DriverSupport
import JSONBytes
public import UpstreamDriver

extension RESTDriver {
    public func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        guard let operation = plan.operations["create"] else { throw .unsupported("it cannot create clients") }
        let missing = plan.createNeeds.filter { RecordWriter.lacks($0, draft) }
        guard missing.isEmpty else { throw .refused(reasons: missing.map { "\($0.rawValue) is required" }) }
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
        if let id = sentID(record, exchange, operation) { return .id(ClientID(id)) }
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
        // A record that does not count is not there, whatever the system would make of a change.
        let canRead = plan.operations["get"] != nil
        let reads = writer.needsBase(patch, canRead: canRead) || operation.conditional || plan.fields[.active] != nil
        let current = reads ? try await fetch(id, context) : nil
        if let current, isGuarded(current.value) {
            throw .unsupported("it takes whole records, and a change would lose what this one holds")
        }
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
            throw await failure(exchange, id, patch, current?.client, context)
        }
        return try accepted(exchange, operation, id)
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
                throw await failure(exchange, id, patch, nil, context)
            }
            _ = try accepted(exchange, operation, id)
        }
        return .id(id)
    }

    // MARK: What a write answered

    /// What an update's success says. A success that proves nothing is one only where Bridge can see the change by
    /// reading the record again.
    private func accepted(
        _ exchange: Exchange, _ operation: Operation, _ id: ClientID
    ) throws(UpstreamError) -> WriteAnswer {
        if operation.answersRecord, let answer = try? record(in: exchange, operation, id: id) {
            return .record(answer.client)
        }
        if exchange.kind == .ok, exchange.ruled { return .id(id) }
        if exchange.kind == .ok, operation.answersID, let changed = newID(exchange, operation) {
            guard changed == id.text else { throw .malformed("it changed another client than the one asked for") }
            return .id(id)
        }
        // A page of HTML with status 200 is no success, nor is one that the profile's rule for successes does not fit.
        let isReadable = exchange.document != nil || exchange.answer.body.isEmpty
        guard isReadable, capabilities.staleReads == .zero, !operation.rulesSuccess else {
            throw .outcomeUnknown("its answer does not say that the change was made")
        }
        return .id(id)
    }

    /// What a failed update means. A system that refuses a change may mean that it does not know the client: unless
    /// the client was just read, that is asked, once. One that says "not found" may mean a route, or something else that
    /// it did not find: that is always asked, and a client who is shown is not absent.
    private func failure(
        _ exchange: Exchange, _ id: ClientID, _ patch: ClientPatch, _ current: Client?, _ context: CallContext
    ) async -> UpstreamError {
        // The record is not what was read any more (RFC 9110, section 15.5.13): it collides with no other one. Without the
        // condition 412 is the vendor's own word.
        let isConditional = plan.operations["update"]?.conditional == true
        if exchange.kind == .conflict, !exchange.ruled, exchange.status == 412, isConditional {
            return .overtaken(status: 412)
        }
        let known = current.map { VendorReason.words(of: $0.name) } ?? []
        let error = exchanger.error(exchange, .update, hiding: patch.sent + known + [id.text])
        switch error {
        case .refused, .conflict:
            guard current == nil, plan.operations["get"] != nil else { return error }
            do throws(UpstreamError) {
                _ = try await fetch(id, context)
            } catch .notFound {
                return .notFound
            } catch {
                // Nobody knows; the system's own word stands.
            }
            return error
        case .notFound:
            guard plan.operations["get"] != nil else { return error }
            do throws(UpstreamError) {
                _ = try await fetch(id, context)
            } catch {
                return error
            }
            return .failed(status: exchange.status, "it answered a change with \"not found\", and shows the client")
        default: return error
        }
    }

    /// Whether a change would lose what the record holds, and the tenant has not said that it does not.
    private func isGuarded(_ record: JSONValue) -> Bool {
        guard let guarded = plan.guarded else { return false }
        if let setting = guarded.unless, exchanger.constants["setting.\(setting)"]?.text == "yes" { return false }
        return guarded.held.contains { !OutcomeRule.isEmpty(record.at($0, foldCase: plan.foldCase)) }
    }

    /// The id that the caller gave, where the answer is data and names none. Bridge reads the record back under it.
    private func sentID(_ record: [UInt8], _ exchange: Exchange, _ operation: Operation) -> String? {
        guard let place = operation.sentID, exchange.document?.root.kind == .object else { return nil }
        let id = (try? JSONDocument(record))?.root.at(place, foldCase: false)?.scalarText
        return id.flatMap { plan.idForm.allows($0) ? $0 : nil }
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
}

extension Operation {
    /// A write's answer names the record.
    var answersID: Bool { !answerID.isEmpty || idFromLocation }

    /// Whether a rule says what a success looks like.
    var rulesSuccess: Bool {
        outcomes.contains { rule in
            rule.kind == .ok && (rule.statuses.isEmpty || rule.statuses.contains { $0.overlaps(200...299) })
        }
    }
}
