import JSONBytes

extension FHIRDialect {
    func body(_ request: MockRequest) -> JSONValue? {
        (try? JSONDocument(request.body)).map(\.root).flatMap { $0["resourceType"]?.string == "Patient" ? $0 : nil }
    }

    /// What the server refuses of a resource.
    func complaint(about resource: JSONValue) -> String? {
        if let date = resource["birthDate"]?.string, ![4, 7, 10].contains(date.utf8.count) {
            return "Patient.birthDate"
        }
        if (resource["name"]?.elements ?? []).isEmpty { return "Patient.name" }
        switch flavour {
        case .openmrs:
            if (resource["identifier"]?.elements ?? []).isEmpty { return "Patient.identifier" }
            if resource["identifier"]?.elements.allSatisfy({ ($0["extension"]?.elements ?? []).isEmpty }) ?? true {
                return "Patient.identifier.location"
            }
        case .nilo:
            if (resource["identifier"]?.elements ?? []).isEmpty { return "Patient.identifier" }
        default: break
        }
        return nil
    }

    /// What the server refuses of a new resource beside.
    func complaint(aboutNew resource: JSONValue) -> String? {
        if let place = complaint(about: resource) { return place }
        guard flavour == .openmrs || flavour == .nilo else { return nil }
        // Both keep names in parts.
        if resource["name"]?.elements.first?["given"]?.elements.isEmpty ?? true { return "Patient.name.given" }
        if flavour == .openmrs, resource["gender"] == nil { return "Patient.gender" }
        for point in resource["telecom"]?.elements ?? [] where point["system"]?.string == "phone" {
            let value = point["value"]?.string ?? ""
            // With the country's code and nothing but digits; or as numbers are dialled in the country.
            let isSound =
                flavour == .nilo
                ? value.utf8.count > 11 && value.utf8.allSatisfy { 0x30...0x39 ~= $0 } : !value.hasPrefix("+55")
            if !isSound { return "Patient.telecom.value" }
        }
        return nil
    }

    mutating func store(_ resource: JSONValue, row: Int) {
        var json = JSONWriter(capacity: 1024)
        json.raw(#"{"resourceType":"Patient","id":"#)
        json.string(flavour.id(ofRow: row))
        for member in resource.members where !["resourceType", "id", "meta"].contains(member.key) {
            json.raw(",")
            json.key(member.key)
            json.raw(member.value.source)
        }
        json.raw("}")
        let isNew = row == count
        delayIndex(of: row, isNew: isNew)
        written[row] = (json.finish(), isNew ? 1 : version(row) + 1)
        if isNew { count += 1 }
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        clock = now
        guard (0..<count).contains(row), let old = try? JSONDocument(bytes(row)).root,
            let made = try? JSONDocument(FHIRPatient.resource(change.person, row: row, flavour)).root
        else { return }
        let name: String
        var value: JSONTree?
        switch change {
        case .name: (name, value) = ("name", made["name"].map { JSONTree($0) })
        case .birthday: (name, value) = ("birthDate", made["birthDate"].map { JSONTree($0) })
        case .email, .phone:
            name = "telecom"
            value = made["telecom"]?.elements.last.map { contacts(of: old, with: $0) }
        }
        guard let value, let new = try? JSONDocument(JSONTree(old).setting([name], to: value).bytes).root else {
            return
        }
        store(new, row: row)
    }

    /// A resource's contact points, in which one takes the place of the first of its kind that still holds.
    private func contacts(of resource: JSONValue, with point: JSONValue) -> JSONTree {
        func isEmail(_ point: JSONValue) -> Bool { point["system"]?.string == "email" }
        let points = resource["telecom"]?.elements ?? []
        var trees = points.map { JSONTree($0) }
        let known = points.enumerated().first { _, other in
            isEmail(other) == isEmail(point) && other["use"]?.string != "old"
        }
        if let known { trees[known.offset] = JSONTree(point) } else { trees.append(JSONTree(point)) }
        return .array(trees)
    }

    func wantsWhole(_ request: MockRequest) -> Bool {
        !flavour.answersOnlyWhenAsked
            || request.values(ofHeader: "Prefer").contains { $0.contains("return=representation") }
    }

    mutating func create(_ request: MockRequest) -> MockAnswer {
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        if let place = complaint(aboutNew: body) { return outcome(422, "required", "Is missing or wrong", at: place) }
        if flavour.hasConditionalCreate, let condition = request.values(ofHeader: "If-None-Exist").last {
            let filters = MockRequest.parameters(of: condition)
            guard !filters.isEmpty else { return outcome(400, "invalid", "The condition is empty") }
            let found = (0..<count).filter { row in
                keys(row).map { keys in filters.allSatisfy { holds($0, keys) } } ?? false
            }
            if found.count > 1 { return outcome(412, "multiple-matches", "Several resources match") }
            if let row = found.first { return shown(row, 200, whole: wantsWhole(request)) }
        }
        let row = count
        store(body, row: row)
        var answer = shown(row, 201, whole: wantsWhole(request))
        let base = "http://\(request.values(ofHeader: "Host").last ?? "localhost")\(basePath)"
        answer.headers.append(("Location", "\(base)/Patient/\(flavour.id(ofRow: row))/_history/1"))
        return answer
    }

    mutating func replace(_ id: String, _ request: MockRequest) -> MockAnswer {
        guard let row = flavour.row(ofID: id, count: count) else { return notFound }
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        guard body["id"]?.string == id else { return outcome(400, "invalid", "The id is not that of the address") }
        if let place = complaint(about: body) { return outcome(422, "required", "Is missing or wrong", at: place) }
        if let refusal = versionRefusal(row, request) { return refusal }
        store(body, row: row)
        return shown(row, 200, whole: wantsWhole(request))
    }

    mutating func patch(_ id: String, _ request: MockRequest) -> MockAnswer {
        guard let row = flavour.row(ofID: id, count: count) else { return notFound }
        guard request.values(ofHeader: "Content-Type").last?.hasPrefix("application/json-patch+json") ?? false else {
            return outcome(415, "not-supported", "Only JSON Patch is supported")
        }
        if let refusal = versionRefusal(row, request) { return refusal }
        guard let operations = try? JSONDocument(request.body).root, let old = try? JSONDocument(bytes(row)).root else {
            return outcome(400, "structure", "Failed to parse request body")
        }
        do throws(JSONTree.Refused) {
            let bytes = try JSONTree(old).patched(by: operations).bytes
            guard let new = try? JSONDocument(bytes).root else { return outcome(422, "invalid", "Not a Patient") }
            if let place = complaint(about: new) { return outcome(422, "required", "Is missing or wrong", at: place) }
            store(new, row: row)
        } catch {
            return outcome(422, "invalid", error.reason)
        }
        return shown(row, 200, whole: wantsWhole(request))
    }

    func versionRefusal(_ row: Int, _ request: MockRequest) -> MockAnswer? {
        guard flavour.hasVersions, let tag = request.values(ofHeader: "If-Match").last else { return nil }
        return tag == "W/\"\(version(row))\"" ? nil : outcome(412, "conflict", "The version is not the current one")
    }

    func upsertRow(_ request: MockRequest) -> Int? {
        guard let body = body(request) else { return nil }
        let wanted = FHIRPatient.Keys(body).identifiers.filter { !$0.system.isEmpty }
        return (0..<count).first { row in
            keys(row)?.identifiers.contains { known in wanted.contains { $0 == known } } ?? false
        }
    }

    mutating func upsert(_ request: MockRequest) -> MockAnswer {
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        let known = upsertRow(request)
        if let place = known == nil ? complaint(aboutNew: body) : complaint(about: body) {
            return outcome(422, "required", "Is missing or wrong", at: place)
        }
        let row = known ?? count
        store(body, row: row)
        return shown(row, 200, whole: true)
    }
}
