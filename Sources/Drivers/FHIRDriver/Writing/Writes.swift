public import ClientContract
import DriverSupport
import JSONBytes
public import UpstreamDriver

extension FHIRDriver {
    public func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        let plan = await settledPlan(context)
        guard plan.operations.contains(.create) else { throw .unsupported("it cannot create clients") }
        var draft = draft
        // By such a CPF an upsert would take the next patient for this one.
        if plan.createStyle == .upsert, draft.cpf?.isPlaceholder == true { draft.cpf = nil }
        for field in plan.requires where !draft.has(field) {
            throw .refused(reasons: ["\(field.wireName): this system creates no client without one"])
        }
        if plan.createStyle == .upsert { try await refuseKnown(draft, plan, context) }
        var random = SystemRandomNumberGenerator()
        let uuid = plan.uuidIdentifier ? UUIDText.random(using: &random) : nil
        let writer = PatientWriter(plan: plan, settings: settings, phones: phones)
        var call = FHIRCall(role: .create, method: "POST", url: caller.url(plan.paths.create), sent: draft.sent)
        call.headers = [("Content-Type", plan.mediaType), ("Prefer", "return=representation")]
        call.body = writer.resource(for: draft, uuid: uuid)
        if plan.createStyle == .create, plan.ifNoneExist, let cpf = draft.cpf, !cpf.isPlaceholder {
            // FHIR R4, section 3.1.0.8.1. One system: some servers take no more, and it is the one that this record gets.
            let value = SelfLink.escaped("\(plan.cpf.write)|\(plan.cpf.spelling.write(cpf))", token: true)
            call.headers.append(("If-None-Exist", "identifier=" + PercentEncoding.encode(value)))
        }
        let answer = try await caller.send(call, context)
        guard answer.isSuccess else { throw caller.error(answer, call) }
        if answer.outcome == nil, answer.document != nil {
            do throws(UpstreamError) {
                return .record(try record(in: answer, id: nil, plan).client)
            } catch {
                // The record that was there already does not count. Whoever would take it for made would look for it in vain.
                if case .notFound = error, answer.status != 201 {
                    throw .conflict(reasons: ["the CPF belongs to a record that is inactive or was replaced"])
                }
            }
        }
        if let id = newID(answer) { return .id(id) }
        // It was accepted, so there is a record; which one, the answer does not say.
        throw .outcomeUnknown("the create was accepted, but its answer names no client")
    }

    /// An upsert would write over the record that has the identifier, whether that record counts as a client or not.
    private func refuseKnown(_ draft: ClientDraft, _ plan: FHIRPlan, _ context: CallContext) async throws(UpstreamError)
    {
        guard let cpf = draft.cpf else { return }
        guard plan.operations.contains(.search), let question = Question(.cpf(cpf), attempt: 0, plan) else {
            throw .unsupported("it cannot look for the CPF, and would write over the record that has it")
        }
        let request = PageRequest(.offset(0), size: plan.pageSize)
        let (answer, call) = try await ask(question, request, plan, method: plan.searchMethod, context)
        let page = try read(answer, call, question, request, plan)
        // More pages than one: the filter was ignored, or the record may stand on the next.
        guard page.next != nil || Self.holds(cpf, answer.document, plan) else { return }
        throw .conflict(reasons: ["the CPF is on record"])
    }

    /// Whether any resource of a Bundle has the CPF: inactive, replaced, and under an identifier that no longer holds too.
    private static func holds(_ cpf: CPF, _ bundle: JSONDocument?, _ plan: FHIRPlan) -> Bool {
        (bundle?.root["entry"]?.elements ?? []).contains { entry in
            identifiers(of: entry["resource"]).contains { plan.cpf.mayBeCPF($0) && FHIRText.cpf($0["value"]) == cpf }
        }
    }

    /// A resource's identifiers; a single one counts as an array of one, since some servers forget the brackets.
    private static func identifiers(of resource: JSONValue?) -> [JSONValue] {
        guard let value = resource?["identifier"] else { return [] }
        return value.kind == .array ? Array(value.elements) : [value]
    }

    /// The id in `Location: …/Patient/{id}/_history/{version}` (FHIR R4, section 3.1.0.8), or in the body.
    private func newID(_ answer: FHIRAnswer) -> ClientID? {
        for header in ["Location", "Content-Location"] {
            guard let location = answer.http.headers.first(header) else { continue }
            let segments = location.prefix { $0 != "?" && $0 != "#" }.split(separator: "/").map(String.init)
            let tail = segments.lastIndex(of: "Patient").map { segments[($0 + 1)...] }
            if let text = tail?.first.flatMap(PercentEncoding.decode), Self.allows(ClientID(text)) {
                return ClientID(text)
            }
        }
        if let text = answer.document?.root["id"]?.scalarText, answer.outcome == nil, Self.allows(ClientID(text)) {
            return ClientID(text)
        }
        return nil
    }

    // MARK: Update

    public func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        let plan = await settledPlan(context)
        guard plan.operations.contains(.update) else { throw .unsupported("it cannot change clients") }
        let writer = PatientWriter(plan: plan, settings: settings, phones: phones)
        var tries = 0
        var versions: Set<String?> = []
        while true {
            tries += 1
            let current = try await fetch(id, plan, context)
            versions.insert(current.entityTag)
            let changes: PatientChanges
            do throws(PatientReader.Fault) {
                changes = try PatientChanges(patch, to: current.resource, reader(plan), writer)
            } catch {
                throw .malformed(error.message)
            }
            guard plan.updateStyle != .upsert || Self.isKeyed(current.resource, plan) else {
                throw .unsupported("it changes records by their identifier, and this record has none that it goes by")
            }
            let call = self.call(
                id, changes, current, plan, sent: patch.sent + VendorReason.words(of: current.client.name))
            let answer = try await caller.send(call, context)
            if answer.isSuccess { return try accepted(answer, id, plan) }
            // Somebody else changed the record after it was read (412; 409 on servers of before R4).
            let collides = answer.outcome?.issues.contains { $0.code == "duplicate" } ?? false
            guard !collides, answer.status == 412 || (answer.status == 409 && plan.ifMatch) else {
                throw caller.error(answer, call)
            }
            guard tries < plan.attempts else {
                // A server that refuses one and the same version each time, and does not say why, means something else.
                let isOvertaken =
                    versions.count > 1 || tries == 1
                    || answer.outcome?.issues.contains { $0.code == "conflict" } == true
                throw isOvertaken ? .overtaken(status: answer.status) : caller.error(answer, call)
            }
        }
    }

    /// Whether an upsert finds the record again: by the CPF where new ones stand, or by a UUID. Otherwise it would make
    /// another record.
    private static func isKeyed(_ resource: JSONValue, _ plan: FHIRPlan) -> Bool {
        identifiers(of: resource).contains { identifier in
            guard let value = identifier["value"]?.string, !value.isEmpty else { return false }
            if identifier["system"]?.string == plan.cpf.write { return FHIRText.cpf(identifier["value"]) != nil }
            return plan.uuidIdentifier && identifier["system"]?.string == UUIDText.system
                && value.lowercased().hasPrefix(UUIDText.prefix)
        }
    }

    private func call(
        _ id: ClientID, _ changes: PatientChanges, _ current: Fetched, _ plan: FHIRPlan, sent: [String]
    ) -> FHIRCall {
        var call = FHIRCall(
            role: .update, url: caller.url(plan.paths.update, id: id.text), sent: sent + [id.text])
        switch plan.updateStyle {
        case .patch:
            call.method = "PATCH"
            call.headers = [("Content-Type", "application/json-patch+json")]
            call.body = changes.patch
            // What it appends would be there twice, unless the version forbids.
            call.isUnsafe = !plan.ifMatch || current.entityTag == nil
        case .put, .upsert:
            call.method = plan.updateStyle == .put ? "PUT" : "POST"
            call.headers = [("Content-Type", plan.mediaType)]
            call.body = changes.merged
        }
        call.headers.append(("Prefer", "return=representation"))
        if plan.ifMatch, let tag = current.entityTag { call.headers.append(("If-Match", tag)) }
        return call
    }

    private func accepted(_ answer: FHIRAnswer, _ id: ClientID, _ plan: FHIRPlan) throws(UpstreamError) -> WriteAnswer {
        if let document = answer.document {
            if document.root["resourceType"]?.string == "Patient" {
                return .record(try record(in: answer, id: id, plan).client)
            }
            if let outcome = answer.outcome {
                guard !outcome.isFailure else {
                    throw .outcomeUnknown("its answer to the change holds an OperationOutcome")
                }
                return .id(id)
            }
            guard let told = document.root["id"]?.scalarText else {
                throw .outcomeUnknown("its answer does not say that the change was made")
            }
            if told != id.text { throw .malformed("it changed another client than the one asked for") }
        } else if !answer.http.body.isEmpty {
            throw .outcomeUnknown("its answer does not say that the change was made")
        }
        return .id(id)
    }
}

/// RFC 9562, version 4.
enum UUIDText {
    /// The system of identifiers that are URIs, and what those begin with that are UUIDs.
    static let system = "urn:ietf:rfc:3986"
    static let prefix = "urn:uuid:"

    static func random(using generator: inout some RandomNumberGenerator) -> String {
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        func hex(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let digits = Array(hex(high) + hex(low))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}

extension ClientDraft {
    func has(_ field: ClientField) -> Bool {
        switch field {
        case .cpf: cpf != nil
        case .email: email != nil
        case .birthday: birthday != nil
        default: true
        }
    }
}
