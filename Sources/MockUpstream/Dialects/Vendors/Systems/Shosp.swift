/// Shosp: no list, no phones in its search, forms for writes that answer `ret` and no id, and a quota that, once
/// spent, is spent for good.
enum ShospSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let find = VendorPage(
            paging: .none, conditions: VendorFilter.among(["nome": .name, "cpf": .cpf, "email": .email]),
            demands: VendorFault(field: "nome", message: "informe nome, cpf ou email"),
            envelope: { ["dados": .array($0.rows)] })
        let create = VendorWrite(
            record: { $0.form == nil ? nil : $0.sent }, writable: ["nome", "cpf", "celular", "telefone", "email"],
            rules: [
                VendorRule("nome", .required, "obrigatório"), VendorRule("cpf", .digits(11...11), "inválido"),
                VendorRule("email", .email, "inválido"), VendorRule("celular", .number([.national]), "inválido"),
                VendorRule("telefone", .number([.national]), "inválido"),
            ], answer: { _, _ in ["ret": "1", "msg": "Cadastro efetuado"] })
        return VendorSystem(
            basePath: "/v1", wants: [.header("x-api-key", options.accessToken), .header("id", options.user)],
            routes: [
                VendorRoute("GET", "/cadastro/paciente", .page(find)),
                VendorRoute("POST", "/cadastro/paciente", .create(create)),
            ],
            people: VendorPeople(
                record: record, keys: SearchKeys.from(name: ["nome"], phones: ["celular", "telefone"], cpf: "cpf")),
            limit: VendorLimit(
                calls: 10_000, seconds: 2_592_000, spent: (header: "x-api-key", value: "cota-esgotada")),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        // Some rows say prontuario, some codigo.
        [
            (place % 2 == 0 ? "prontuario" : "codigo"): .text(id), "nome": .text(person.name),
            "cpf": .maybe(person.cpf, or: ""), "celular": .maybe(person.mobile?.national, or: ""),
            "telefone": .maybe(person.landline?.national, or: ""),
            "email": .maybe(person.email, or: ""),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .tooManyCalls: MockAnswer(429, json: ["message": "Limit Exceeded"])
        // What is wrong with a request it says with 200.
        case .badBody, .invalid, .duplicate, .absent:
            MockAnswer(200, json: ["ret": "0", "msg": .text(trouble.portuguese)])
        default: MockAnswer(trouble.status, json: ["ret": "0", "msg": .text(trouble.portuguese)])
        }
    }
}
