/// Clínica Experts: documents in an array, a total that is called `of`, a PUT that wants the name every time, and
/// phones kept as each integrator wrote them.
enum ClinicaExpertsSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let rules = [
            VendorRule("name", .required, "O campo name é obrigatório."),
            VendorRule("email", .email, "O campo email deve ser um e-mail válido."),
            VendorRule("phone", .number([.e164, .masked, .national]), "O campo phone não é um telefone."),
            VendorRule("date_birth", .isoDate, "O campo date_birth não é uma data."),
            VendorRule("documents", .only(areDocuments), "Cada documento tem type e value."),
        ]
        let writable = ["name", "email", "phone", "date_birth", "sex", "documents", "annotation", "tags"]
        let page = VendorPage(
            paging: .numbers("page", "per_page", usual: 15, most: 1_000), refusesLargePages: true,
            conditions: VendorFilter.among(["phone": .asStored("phone"), "cpf": .cpf, "email": .email, "name": .name]),
            envelope: envelope)
        let create = VendorWrite(
            writable: writable, rules: rules, collides: collides, status: 201, answer: { _, record in ["data": record] }
        )
        let update = VendorWrite(
            writable: writable, rules: rules, collides: collides, answer: { _, record in ["data": record] })
        return VendorSystem(
            basePath: "/api/v1", wants: [.header("Authorization", "Bearer \(options.accessToken)")],
            routes: [
                VendorRoute("GET", "/patients", .page(page)),
                VendorRoute("GET", "/patients/{id}", .one(VendorLookup(envelope: { ["data": $0] }))),
                VendorRoute("POST", "/patients", .create(create)),
                VendorRoute("PUT", "/patients/{id}", .update(update)),
            ],
            people: VendorPeople(
                id: VendorID.uuid, record: record, keys: keys, keepsakes: ["documents", "sex", "tags", "active"]),
            limit: VendorLimit(calls: 120, seconds: 60), says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        let number = person.phones.first
        var documents: [MockJSON] = [["type": "RG", "value": .text("MG-\(place + 1)")]]
        if let cpf = person.cpf { documents.append(["type": "CPF", "value": .text(cpf)]) }
        return [
            "uuid": .text(id), "name": .text(person.name), "email": .maybe(person.email, or: nil),
            // As the integrator before wrote it.
            "phone": .maybe(number?.written(place, [.e164, .masked, .national]), or: nil),
            "date_birth": .maybe(person.birthday?.iso, or: nil), "sex": nil,
            "documents": .array(documents), "annotation": .maybe(person.notes, or: nil),
            "tags": [], "active": true,
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .invalid(let faults):
            MockAnswer(422, json: ["message": "Dados inválidos.", "fields": faults.byField])
        case .duplicate(let fault):
            MockAnswer(422, json: ["message": "Dados inválidos.", "fields": [fault].byField])
        default: MockAnswer(trouble.status, json: ["success": false, "message": .text(trouble.portuguese)])
        }
    }

    /// A CPF occurs once, and whose it is is told.
    private static func collides(
        _ new: VendorRecord, _ other: VendorRecord, _ request: VendorRequest
    ) -> VendorFault? {
        guard request.body?["documents"] != nil, let cpf = new.keys.cpf, cpf == other.keys.cpf else { return nil }
        return VendorFault(
            field: "documents", message: "Este documento já é de \(other.members["name"]?.scalar ?? "outra pessoa").")
    }

    private static func areDocuments(_ documents: MockJSON) -> Bool {
        documents.elements.allSatisfy { document in
            ["CPF", "CNPJ", "RG", "CNH", "OUTRO"].contains(document["type"]?.scalar ?? "")
                && document["value"]?.scalar != nil
        }
    }

    /// The total is called `of`.
    private static func envelope(_ rows: VendorPage.Rows) -> MockJSON {
        let from = rows.rows.isEmpty ? MockJSON.null : .number(String(rows.first + 1))
        let to = rows.rows.isEmpty ? MockJSON.null : .number(String(rows.first + rows.rows.count))
        let meta: MockJSON = [
            "from": from, "to": to, "of": .number(String(rows.total)), "page": .number(String(rows.page)),
            "per_page": .number(String(rows.size)), "last_page": .number(String(max(1, rows.pages))),
            "sort_column": "created_at", "sort_direction": "asc",
        ]
        return ["data": .array(rows.rows), "meta": meta]
    }

    private static func keys(_ record: MockJSON) -> SearchKeys {
        var keys = SearchKeys.from(name: ["name"], phones: ["phone"])(record)
        let cpf = record["documents"]?.elements.first { $0["type"]?.scalar == "CPF" }
        keys.cpf = cpf?["value"]?.scalar.map { Text.digits($0) }
        return keys
    }
}
