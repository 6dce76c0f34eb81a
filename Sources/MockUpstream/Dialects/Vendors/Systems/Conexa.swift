/// Conexa: lookups by id and CPF, a CPF that is a number and lost its zeros, a call of its own to change the e-mail.
enum ConexaSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let create = VendorWrite(
            writable: ["name", "cellphone", "cpf", "mail", "dateBirth"],
            rules: [
                VendorRule("name", .required, "obrigatório"), VendorRule("cellphone", .number([.national]), "inválido"),
                VendorRule("cpf", .digits(1...11), "inválido"), VendorRule("mail", .email, "inválido"),
                VendorRule("dateBirth", .dayFirst, "inválida"),
            ], answer: { id, _ in envelope(["id": .number(id)]) })
        let changeMail = VendorWrite(
            writable: ["mail"],
            rules: [VendorRule("newMail", .required, "obrigatório"), VendorRule("newMail", .email, "inválido")],
            keeps: { ["mail": $0["newMail"] ?? .null] }, answer: { _, record in envelope(record) })
        return VendorSystem(
            basePath: "/integration/enterprise", wants: [.header("token", options.accessToken)],
            routes: [
                VendorRoute(
                    "GET", "/patients/cpf/{cpf}",
                    .one(VendorLookup(asks: { $0["cpf"] }, filter: .cpf, isSearch: true, envelope: envelope))),
                VendorRoute("GET", "/patients/{id}", .one(VendorLookup(envelope: envelope))),
                VendorRoute("POST", "/patients", .create(create)),
                VendorRoute("POST", "/patients/{id}/change-mail", .update(changeMail)),
            ],
            people: VendorPeople(record: record, keys: keys, detail: detail), says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "id": .number(id), "name": .text(person.name),
            "cellphone": .maybe((person.mobile ?? person.landline)?.national, or: nil),
            "cpf": .maybe(person.cpf, or: nil), "mail": .maybe(person.email, or: nil),
            "dateBirth": .maybe(person.birthday?.dayFirst("/"), or: nil),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        MockAnswer(
            trouble.status,
            json: ["status": .number(String(trouble.status)), "object": .null, "msg": .text(trouble.portuguese)])
    }

    private static func envelope(_ patient: MockJSON) -> MockJSON {
        ["status": 200, "object": ["patient": patient], "msg": ""]
    }

    private static func keys(_ record: MockJSON) -> SearchKeys {
        var keys = SearchKeys.from(name: ["name"], phones: ["cellphone"], cpf: "cpf", email: "mail")(record)
        keys.cpf = keys.cpf.map { String(repeating: "0", count: max(0, 11 - $0.utf8.count)) + $0 }
        return keys
    }

    /// The CPF as a number, which has no zeros in front.
    private static func detail(_ record: MockJSON) -> MockJSON {
        guard let cpf = record["cpf"]?.scalar else { return record }
        let digits = String(cpf.drop { $0 == "0" })
        var shown = record
        shown["cpf"] = .number(digits.isEmpty ? "0" : digits)
        return shown
    }
}
