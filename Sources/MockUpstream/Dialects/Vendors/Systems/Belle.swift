/// Belle Software: one lookup by CPF, a token without a scheme, complaints with status 200.
enum BelleSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let find = VendorPage(
            paging: .none, conditions: VendorFilter.among(["cpf": .asStored("cpf")]),
            demands: VendorFault(field: "cpf", message: "Informe o CPF"), envelope: { .array($0.rows) })
        return VendorSystem(
            basePath: "/api/release/controller/IntegracaoExterna/v1.0",
            wants: [.header("Authorization", options.accessToken)],
            routes: [VendorRoute("GET", "/cliente/listar", given: "codEstab", .page(find))],
            people: VendorPeople(
                record: record, keys: SearchKeys.from(name: ["nome"], phones: ["celular"], cpf: "cpf")),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        // Some CPFs were typed with their punctuation, and are found so only.
        [
            "codigo": .number(id), "nome": .text(person.name),
            "cpf": .maybe(place % 2 == 0 ? person.cpf : person.cpf.map { CPF.punctuated($0) }, or: ""),
            "dtNascimento": .maybe(person.birthday?.dayFirst("/"), or: ""),
            "celular": .maybe((person.mobile ?? person.landline)?.punctuated(), or: ""),
            "email": .maybe(person.email, or: ""),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .absent: MockAnswer(200, json: [])
        case .credentialsMissing, .credentialsWrong, .noRoute, .tooManyCalls:
            MockAnswer(trouble.status, json: ["dis": false, "msg": .text(trouble.portuguese)])
        // What is wrong with a request it says with 200.
        default: MockAnswer(200, json: ["dis": false, "msg": .text(trouble.portuguese)])
        }
    }
}
