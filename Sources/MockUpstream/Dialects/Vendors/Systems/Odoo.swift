/// Odoo's JSON-2: everything by POST, a domain for a filter, `false` for what is absent, errors with a traceback.
enum OdooSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let writable = ["name", "phone", "email", "vat", "comment", "is_company"]
        let rules = [
            VendorRule("email", .email, "invalid"), VendorRule("name", .only { $0.scalar != nil }, "missing"),
        ]
        let page = VendorPage(
            paging: .offset("offset", "limit", usual: 80, most: 10_000), honoursSize: true, conditions: domain,
            scope: companies,
            envelope: { .array($0.rows) }, shown: fields)
        let read = VendorLookup(asks: firstID, envelope: { [$0] }, shown: fields)
        let create = VendorWrite(
            record: { $0.body?.at("vals_list/0") }, writable: writable,
            rules: [VendorRule("name", .required, "missing")] + rules, answer: { id, _ in [.number(id)] })
        let write = VendorWrite(
            record: { $0.body?["vals"] }, id: firstID, writable: writable, rules: rules, answer: { _, _ in true })
        let model = "/json/2/res.partner/"
        return VendorSystem(
            wants: [.header("Authorization", "Bearer \(options.accessToken)")],
            routes: [
                VendorRoute("POST", model + "search_read", .page(page)),
                VendorRoute("POST", model + "read", .one(read)),
                VendorRoute("POST", model + "create", .create(create)),
                VendorRoute("POST", model + "write", .update(write)),
            ],
            people: VendorPeople(
                record: record, keys: SearchKeys.from(name: ["name"], phones: ["phone"], cpf: "vat"),
                keepsakes: ["image_128", "is_company"], strangers: [company]),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        let number = person.phones.first
        return [
            "id": .number(id), "name": .text(person.name),
            "phone": .maybe(number?.written(place, PhoneWriting.allCases), or: false),
            "email": .maybe(person.email, or: false), "vat": .maybe(person.cpf, or: false),
            "comment": .maybe(person.notes.map { "<p>\(Text.htmlEscaped($0))</p>" }, or: false),
            "image_128": .maybe(person.photo.map { Text.base64(Array($0.utf8)) }, or: false), "is_company": false,
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        let (status, name): (Int, String) =
            switch trouble {
            case .credentialsMissing, .credentialsWrong: (401, "werkzeug.exceptions.Unauthorized")
            case .noRoute: (404, "werkzeug.exceptions.NotFound")
            case .wrongMethod: (405, "werkzeug.exceptions.MethodNotAllowed")
            case .badBody: (400, "werkzeug.exceptions.BadRequest")
            case .invalid, .duplicate: (422, "odoo.exceptions.ValidationError")
            case .absent: (404, "odoo.exceptions.MissingError")
            case .tooManyCalls: (429, "werkzeug.exceptions.TooManyRequests")
            }
        return MockAnswer(
            status,
            json: [
                "name": .text(name), "message": .text(trouble.english), "arguments": [.text(trouble.english)],
                "context": [:], "debug": "Traceback (most recent call last): …",
            ])
    }

    private static func firstID(_ request: VendorRequest) -> String? { request.body?.at("ids/0")?.scalar }

    private static func fields(_ request: VendorRequest) -> [String]? {
        request.body?["fields"].map { ["id"] + $0.elements.compactMap(\.scalar) }
    }

    /// The clinic's supplier, with the first patient's name and phone.
    @Sendable private static func company(_ first: MockJSON, _ id: String) -> MockJSON {
        var record = first
        record["id"] = .number(id)
        record["is_company"] = true
        return record
    }

    /// Whether a domain wants companies, people, or both.
    @Sendable private static func companies(_ request: VendorRequest) -> [VendorCondition] {
        (request.body?["domain"]?.elements ?? []).compactMap { term in
            let parts = term.elements
            guard parts.count == 3, parts[0].scalar == "is_company", case .bool(let wanted) = parts[2] else {
                return nil
            }
            return { record in
                if case .bool(let value) = record.members["is_company"] { return value == wanted }
                return !wanted
            }
        }
    }

    /// `[["email", "=ilike", "ana@example.test"]]`: conditions that all must hold. `is_company` is read elsewhere; operators and fields that it does not know make the request faulty.
    private static let domain: @Sendable (VendorRequest) -> [VendorCondition]? = { request in
        var conditions: [VendorCondition] = []
        for term in request.body?["domain"]?.elements ?? [] {
            let parts = term.elements
            guard parts.count == 3, let field = parts[0].scalar, let name = parts[1].scalar else { return nil }
            if field == "is_company" || name == "!=" { continue }
            guard ["name", "phone", "email", "vat"].contains(field), ["=", "ilike", "=ilike"].contains(name),
                let value = parts[2].scalar
            else { return nil }
            conditions.append { record in
                let stored = record.members[field]?.scalar ?? ""
                switch name {
                case "=": return stored == value
                case "ilike": return Text.matches(stored, pattern: "%\(value)%")
                default: return Text.matches(stored, pattern: value)
                }
            }
        }
        return conditions
    }
}
