/// Clínica nas Nuvens: Basic and a header for the clinic, rows under `lista`, no update, 120 calls a minute.
enum ClinicaNasNuvensSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let page = VendorPage(
            paging: .numbers("pagina", "registrosPorPagina", usual: 20, most: 100),
            conditions: VendorFilter.among(["cpfCnpj": .cpf, "numeroIdentificacao": .asStored("numeroIdentificacao")]),
            envelope: { ["lista": .array($0.rows)] })
        let create = VendorWrite(
            writable: [
                "nome", "cpfcnpj", "dataNascimento", "sexo", "contato", "endereco", "observacao", "numeroIdentificacao",
            ],
            rules: [
                VendorRule("nome", .required, "campo obrigatório"),
                VendorRule("dataNascimento", .required, "campo obrigatório"),
                VendorRule("dataNascimento", .isoDate, "data inválida"),
                VendorRule("cpfcnpj", .digits(11...14), "documento inválido"),
                VendorRule("contato/email", .email, "e-mail inválido"),
                VendorRule("contato/telefoneCelular", .number([.national, .international]), "telefone inválido"),
                VendorRule("contato/telefoneResidencial", .number([.national, .international]), "telefone inválido"),
            ], answer: { _, record in record })
        let phones = ["contato/telefoneCelular", "contato/telefoneResidencial", "contato/telefoneComercial"]
        return VendorSystem(
            wants: [
                .basic(user: options.user, password: options.password),
                .header("clinicaNasNuvens-cid", options.accessToken),
            ],
            routes: [
                VendorRoute("GET", "/paciente/lista", .page(page)),
                VendorRoute("GET", "/paciente/{id}", .one(VendorLookup())),
                VendorRoute("POST", "/paciente/novo", .create(create)),
            ],
            people: VendorPeople(
                record: record,
                keys: SearchKeys.from(name: ["nome"], phones: phones, cpf: "cpfcnpj", email: "contato/email"),
                strangers: [inactive]),
            limit: VendorLimit(calls: 120, seconds: 60), says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        // Some numbers came with their country code.
        func number(_ phone: Phone?) -> MockJSON {
            .maybe(place % 2 == 0 ? phone?.national : phone?.international, or: nil)
        }
        return [
            "id": .number(id), "nome": .text(person.name), "cpfcnpj": .maybe(person.cpf, or: nil),
            "dataNascimento": .maybe(person.birthday?.iso, or: nil), "sexo": nil,
            "contato": [
                "telefoneCelular": number(person.mobile), "telefoneResidencial": number(person.landline),
                "telefoneComercial": number(person.secondMobile), "email": .maybe(person.email, or: nil),
            ],
            "endereco": nil, "observacao": .maybe(person.notes, or: nil),
            // Records from before there was such a thing do not say it.
            "ativo": place % 5 == 4 ? nil : true,
            "estrangeiro": false, "numeroIdentificacao": .text("P\(place + 1)"),
        ]
    }

    /// Somebody who left, under the same CPF.
    @Sendable private static func inactive(_ first: MockJSON, _ id: String) -> MockJSON {
        var record = first
        record["id"] = .number(id)
        record["ativo"] = false
        return record
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .invalid(let faults):
            MockAnswer(400, json: ["errors": .array(faults.map { .text("\($0.field): \($0.message)") })])
        case .tooManyCalls(let seconds):
            MockAnswer(
                429, json: ["mensagem": .text(trouble.portuguese)],
                headers: [("Retry-After", String(seconds ?? 60))])
        default: MockAnswer(trouble.status, json: ["mensagem": .text(trouble.portuguese)])
        }
    }
}
