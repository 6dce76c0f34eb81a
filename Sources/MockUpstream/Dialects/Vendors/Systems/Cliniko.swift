import Glibc

/// Cliniko: the key is the user and its tail names the shard, `User-Agent` must say whom to write to, filters are a
/// small language that knows no phones, nothing is `""`, and the limit's end is told as a moment.
enum ClinikoSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let writable = ["first_name", "last_name", "email", "date_of_birth", "patient_phone_numbers", "notes"]
        let names = [VendorRule("first_name", .required, "can't be blank")]
        let rules = [
            VendorRule("email", .email, "is invalid"), VendorRule("date_of_birth", .isoDate, "is invalid"),
            VendorRule("patient_phone_numbers", .only(areNumbers), "is invalid"),
        ]
        let page = VendorPage(
            paging: .numbers("page", "per_page", usual: 50, most: 100), conditions: filters, envelope: envelope)
        let create = VendorWrite(
            writable: writable, rules: names + rules, status: 201, headers: { [("Location", "/v1/patients/\($0)")] },
            answer: { _, record in record })
        let update = VendorWrite(writable: writable, rules: rules, answer: { _, record in record })
        return VendorSystem(
            basePath: "/v1",
            wants: [.basic(user: options.accessToken + "-au1", password: ""), .holds(header: "User-Agent", text: "@")],
            routes: [
                VendorRoute("GET", "/patients", .page(page)),
                VendorRoute("GET", "/patients/{id}", .one(VendorLookup())),
                VendorRoute("POST", "/patients", .create(create)),
                VendorRoute("PUT", "/patients/{id}", .update(update)),
            ],
            people: VendorPeople(
                record: record, keys: keys,
                keepsakes: ["patient_phone_numbers", "old_reference_id", "archived_at", "created_at"]),
            limit: VendorLimit(calls: 200, seconds: 60), says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        let numbers: [MockJSON] = person.phones.enumerated().map { index, phone in
            let type = phone.kind == .landline ? "Home" : index == 0 ? "Mobile" : "Work"
            return ["phone_type": .text(type), "number": .text(phone.international)]
        }
        return [
            "id": .text(id), "first_name": .text(person.firstName), "last_name": .text(person.lastName),
            "email": .maybe(person.email, or: ""), "date_of_birth": .maybe(person.birthday?.iso, or: ""),
            "patient_phone_numbers": .array(numbers), "notes": .maybe(person.notes, or: ""),
            "old_reference_id": .text("P-\(place + 1)"), "archived_at": "",
            "created_at": "2020-06-01T09:00:00Z", "links": ["self": .text("/v1/patients/\(id)")],
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .invalid(let faults) where faults.first?.field == "User-Agent":
            MockAnswer(403, json: ["message": "User-Agent must name the application and an e-mail address"])
        case .invalid(let faults):
            MockAnswer(422, json: ["message": "Validation failed", "errors": faults.byField])
        case .tooManyCalls(let seconds):
            MockAnswer(
                429, json: ["message": .text(trouble.english)],
                headers: [("X-RateLimit-Reset", String(time(nil) + (seconds ?? 60)))])
        default: MockAnswer(trouble.status, json: ["message": .text(trouble.english)])
        }
    }

    private static func areNumbers(_ numbers: MockJSON) -> Bool {
        numbers.elements.allSatisfy { number in
            guard number["phone_type"]?.scalar != nil, let digits = number["number"]?.scalar else { return false }
            return digits.utf8.allSatisfy { 0x30...0x39 ~= $0 }
        }
    }

    private static func envelope(_ rows: VendorPage.Rows) -> MockJSON {
        var links: MockJSON = ["self": .text("/v1/patients?page=\(rows.page)")]
        if rows.page < rows.pages {
            links["next"] = .text("/v1/patients?page=\(rows.page + 1)&per_page=\(rows.size)")
        }
        return ["patients": .array(rows.rows), "total_entries": .number(String(rows.total)), "links": links]
    }

    private static func keys(_ record: MockJSON) -> SearchKeys {
        var keys = SearchKeys.from(name: ["first_name", "last_name"])(record)
        keys.phones = (record["patient_phone_numbers"]?.elements ?? []).compactMap { $0["number"]?.scalar }
        return keys
    }

    /// `q[]=email:=ana@example.test`: a field, an operator, a value. What it does not know makes the request faulty.
    private static let filters: @Sendable (VendorRequest) -> [VendorCondition]? = { request in
        var conditions: [VendorCondition] = []
        for filter in request.query where filter.name == "q[]" || filter.name == "q" {
            let parts = filter.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2,
                ["first_name", "last_name", "email", "date_of_birth", "old_reference_id"].contains(parts[0])
            else { return nil }
            let field = String(parts[0])
            // The longer operators first: one is the beginning of another.
            guard let name = ["!=", "~~", "~", "="].first(where: { parts[1].hasPrefix($0) }) else { return nil }
            let value = String(parts[1].dropFirst(name.count))
            conditions.append { record in
                let stored = record.members[field]?.scalar ?? ""
                switch name {
                case "=": return stored == value
                case "!=": return stored != value
                case "~": return stored.lowercased().contains(value.lowercased())
                default: return Text.matches(stored, pattern: value)
                }
            }
        }
        return conditions
    }
}
