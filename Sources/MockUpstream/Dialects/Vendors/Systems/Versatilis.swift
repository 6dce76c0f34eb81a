/// Versatilis: a password grant, one lookup by a CPF that must be punctuated, and 404 for nobody.
enum VersatilisSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let find = VendorLookup(
            asks: { request in
                // Digits alone find nobody.
                request["UserCPF"].flatMap { $0.contains(".") && $0.contains("-") ? $0 : nil }
            }, filter: .cpf, isSearch: true, envelope: { [$0] })
        let login = VendorLogin(
            path: "/Token",
            expects: ["grant_type": "password", "username": options.user, "password": options.password],
            lifetime: options.tokenLifetime, gives: session)
        return VendorSystem(
            basePath: "/Clinica", wants: [.session(header: "Authorization", scheme: "bearer ")], login: login,
            routes: [VendorRoute("GET", "/api/Login/DadosUsuarioPorCPF", .one(find))],
            people: VendorPeople(
                record: record,
                keys: SearchKeys.from(name: ["Nome"], phones: ["Celular", "Telefone"], cpf: "CPF", email: "Email")),
            says: says)
    }

    private static func session(_ token: String, _ refreshToken: String, _ lifetime: Int) -> MockJSON {
        ["access_token": .text(token), "token_type": "bearer", "expires_in": .number(String(lifetime))]
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "CodUsuario": .number(id), "Nome": .text(person.name),
            "CPF": .maybe(person.cpf.map { CPF.punctuated($0) }, or: ""), "Email": .maybe(person.email, or: ""),
            "DtNasc": .maybe(person.birthday.map { $0.iso + "T00:00:00" }, or: nil), "Sexo": "",
            "Telefone": .maybe(person.landline?.national, or: ""), "Celular": .maybe(person.mobile?.national, or: ""),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        MockAnswer(trouble.status, json: ["Message": .text(trouble.portuguese)])
    }
}
