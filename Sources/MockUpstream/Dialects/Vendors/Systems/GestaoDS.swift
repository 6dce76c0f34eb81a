/// GestãoDS: the token in the path or the body, the CPF for an id, and "not found" inside a 200.
enum GestaoDSSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let byCPF = VendorLookup(asks: { $0["cpf"] }, filter: .cpf)
        // The test mode says it by a status.
        let byCPFTest = VendorLookup(
            asks: { $0["cpf"] }, filter: .cpf, nobody: MockAnswer(404, json: ["message": "Paciente não encontrado"]))
        let create = VendorWrite(
            writable: ["nome_completo", "cpf", "email", "celular"],
            rules: [
                VendorRule("nome_completo", .required, "obrigatorio"), VendorRule("cpf", .required, "obrigatorio"),
                VendorRule("cpf", .digits(11...11), "invalido"),
                VendorRule("celular", .number([.national]), "invalido"),
                VendorRule("email", .email, "invalido"),
            ],
            collides: { new, other, _ in
                new.keys.cpf == other.keys.cpf ? VendorFault(field: "cpf", message: "paciente ja cadastrado") : nil
            }, status: 201, answer: { _, record in record })
        return VendorSystem(
            basePath: "/api", wants: [.parameter("token", options.accessToken)],
            routes: [
                VendorRoute("GET", "/paciente/{token}/{cpf}/", .one(byCPF)),
                VendorRoute("GET", "/dev-paciente/{token}/{cpf}/", .one(byCPFTest)),
                VendorRoute("POST", "/paciente/cadastrar/", .create(create)),
                VendorRoute("POST", "/dev-paciente/cadastrar/", .create(create)),
            ],
            people: VendorPeople(
                id: { CPF.withCheckDigits(900_000_000 + $0) }, ownID: { $0["cpf"]?.scalar }, record: record,
                keys: SearchKeys.from(name: ["nome_completo"], phones: ["celular"], cpf: "cpf")),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "id": .number(String(1_001 + place)), "nome_completo": .text(person.name),
            "cpf": .maybe(person.cpf, or: nil),
            "email": .maybe(person.email, or: nil),
            "celular": .maybe((person.mobile ?? person.landline)?.national, or: nil),
            "nascimento": .maybe(person.birthday?.dayFirst("/"), or: nil),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .absent: MockAnswer(200, json: ["status": 400, "message": "paciente nao encontrado"])
        case .credentialsMissing, .credentialsWrong:
            MockAnswer(403, json: ["status": 403, "message": "token invalido"])
        default:
            MockAnswer(
                trouble.status,
                json: ["status": .number(String(trouble.status)), "message": .text(trouble.portuguese)])
        }
    }
}
