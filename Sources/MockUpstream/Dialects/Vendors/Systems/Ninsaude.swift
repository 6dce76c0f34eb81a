/// Ninsaúde: a token of fifteen minutes for a refresh token that changes with every use, punctuated phones, rows
/// under `result`.
enum NinsaudeSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let writable = [
            "nome", "cpf", "dataNascimento", "sexo", "email", "foneCelular", "foneResidencial", "enderecoCep", "ativo",
        ]
        let rules = [
            VendorRule("cpf", .phone(11...11), "inválido"), VendorRule("dataNascimento", .isoDate, "inválida"),
            VendorRule("email", .email, "inválido"), VendorRule("foneCelular", .number([.masked]), "inválido"),
            VendorRule("foneResidencial", .number([.masked]), "inválido"),
        ]
        let login = VendorLogin(
            path: "/oauth2/token", expects: ["grant_type": "refresh_token"],
            refresh: (parameter: "refresh_token", first: options.accessToken), lifetime: options.tokenLifetime,
            gives: session)
        let page = VendorPage(
            paging: .offset("offset", "limit", usual: 20, most: 100),
            conditions: VendorFilter.among(["nomeExato": .wholeName, "cpf": .cpf]),
            scope: active, envelope: { ["result": .array($0.rows)] })
        let create = VendorWrite(
            writable: writable, rules: [VendorRule("nome", .required, "obrigatório")] + rules, status: 201,
            answer: MockJSON.idAlone("id"))
        let update = VendorWrite(writable: writable, rules: rules, answer: MockJSON.idAlone("id"))
        return VendorSystem(
            basePath: "/v1", wants: [.session(header: "Authorization", scheme: "bearer ")], login: login,
            routes: [
                VendorRoute("GET", "/cadastro_paciente/listar", .page(page)),
                VendorRoute("GET", "/cadastro_paciente/{id}", .one(VendorLookup())),
                VendorRoute("POST", "/cadastro_paciente", .create(create)),
                VendorRoute("PUT", "/cadastro_paciente/{id}", .update(update)),
            ],
            people: VendorPeople(
                record: record,
                keys: SearchKeys.from(name: ["nome"], phones: ["foneCelular", "foneResidencial"], cpf: "cpf"),
                keepsakes: ["sexo", "enderecoCep", "ativo"], strangers: [inactive]),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "id": .number(id), "nome": .text(person.name),
            "cpf": .maybe(person.cpf.map { CPF.punctuated($0) }, or: nil),
            "dataNascimento": .maybe(person.birthday?.iso, or: nil), "sexo": nil,
            "email": .maybe(person.email, or: nil),
            "foneCelular": .maybe(person.mobile?.punctuated(), or: nil),
            "foneResidencial": .maybe(person.landline?.punctuated(), or: nil), "enderecoCep": nil,
            "ativo": place % 5 == 4 ? nil : 1,
        ]
    }

    /// Somebody who left, under the same CPF.
    @Sendable private static func inactive(_ first: MockJSON, _ id: String) -> MockJSON {
        var record = first
        record["id"] = .number(id)
        record["ativo"] = 0
        return record
    }

    /// Whether the inactive are wanted, too.
    @Sendable private static func active(_ request: VendorRequest) -> [VendorCondition] {
        guard request["ativo"] == "1" else { return [] }
        return [{ $0.members["ativo"]?.scalar != "0" }]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .invalid(let faults): MockAnswer(400, json: ["error": "invalid", "fields": faults.byField])
        case .credentialsMissing, .credentialsWrong: MockAnswer(401, json: ["error": "invalid_token"])
        default: MockAnswer(trouble.status, json: ["error": .text(trouble.portuguese)])
        }
    }

    private static func session(_ token: String, _ refreshToken: String, _ lifetime: Int) -> MockJSON {
        [
            "access_token": .text(token), "refresh_token": .text(refreshToken), "token_type": "bearer",
            "expires_in": .number(String(lifetime)),
        ]
    }
}
