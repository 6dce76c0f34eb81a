/// RealClinic: everything by POST to a clinic's own folder, records whose members begin small or large, an update
/// that replaces.
enum RealClinicSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let rules = [
            VendorRule("nome", .required, "obrigatório"), VendorRule("cpf", .phone(11...11), "inválido"),
            VendorRule("email", .email, "inválido"), VendorRule("dataNascimento", .only(beginsWithDate), "inválida"),
            VendorRule("celular", .number([.national]), "inválido"),
            VendorRule("telefone", .number([.national]), "inválido"),
        ]
        let find = VendorPage(
            paging: .numbers("pagina", "tamanhoPagina", usual: 10, most: 100),
            conditions: VendorFilter.among(["cpf": .cpf, "nome": .name]), envelope: { .array($0.rows) })
        let get = VendorLookup(nobody: MockAnswer(200, json: []))
        let create = VendorWrite(record: small, writable: members, rules: rules, answer: MockJSON.idAlone("id"))
        let update = VendorWrite(
            record: small, id: { small($0)?["id"]?.scalar }, writable: members, rules: rules, replaces: true,
            answer: MockJSON.idAlone("id"))
        let folder = "/api/PacienteIntegracao/"
        return VendorSystem(
            basePath: "/Clinica",
            wants: [.basic(user: "", password: options.accessToken), .holds(header: "x-api-version", text: "1.0")],
            routes: [
                VendorRoute("POST", folder + "Buscar", given: "id", .one(get)),
                VendorRoute("POST", folder + "Buscar", .page(find)),
                VendorRoute("POST", folder + "Inserir", .create(create)),
                VendorRoute("POST", folder + "Alterar", .update(update)),
            ],
            people: VendorPeople(
                record: record, keys: SearchKeys.from(name: ["nome"], phones: ["celular", "telefone"], cpf: "cpf"),
                keepsakes: ["convenioId", "planoId", "numeroCarteirinha"], row: large, detail: large),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "id": .number(id), "nome": .text(person.name),
            "telefone": .maybe(person.landline?.national, or: nil),
            "celular": .maybe(person.mobile?.national, or: nil), "cpf": .maybe(person.cpf, or: nil),
            "email": .maybe(person.email, or: nil),
            "dataNascimento": .maybe(person.birthday.map { $0.iso + "T00:00:00" }, or: nil),
            "convenioId": nil, "planoId": nil,
            "numeroCarteirinha": .maybe(person.name.isEmpty ? nil : "C-\(id)", or: nil),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        MockAnswer(trouble.status, json: ["Message": .text(trouble.portuguese)])
    }

    private static let members = [
        "nome", "telefone", "celular", "cpf", "email", "dataNascimento", "convenioId", "planoId", "numeroCarteirinha",
    ]

    /// What is sent is read in any case, as .NET does.
    @Sendable private static func small(_ request: VendorRequest) -> MockJSON? {
        guard let sent = request.sent, sent.isObject else { return request.sent }
        return sent.renamed { key in (["id"] + members).first { Text.equalsIgnoringCase($0, key) } ?? key }
    }

    /// Every second record is shown with capitals.
    @Sendable private static func large(_ record: MockJSON) -> MockJSON {
        guard let number = record["id"]?.scalar.flatMap({ Int($0) }), number % 2 == 0 else { return record }
        return record.renamed { $0 == "cpf" ? "CPF" : $0.prefix(1).uppercased() + $0.dropFirst() }
    }

    /// A date, or a date with a time behind it.
    @Sendable private static func beginsWithDate(_ value: MockJSON) -> Bool {
        value.scalar.map { CivilDate(iso: String($0.prefix(10))) != nil } ?? true
    }
}
