/// OpenEMR's REST API: a password grant, three columns for phones, texts only, and `data: []` beside its errors.
enum OpenEMRSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let path = "/apis/default/api/patient"
        let writable = [
            "fname", "mname", "lname", "DOB", "sex", "ss", "email", "phone_home", "phone_biz", "phone_cell", "street",
            "city",
        ]
        let required = ["fname", "lname", "DOB", "sex"].map { VendorRule($0, .required, "is required") }
        let rules = [
            VendorRule("DOB", .isoDate, "must be a date"), VendorRule("email", .email, "must be an address"),
            VendorRule("lname", .only { ($0.scalar?.count ?? 0) >= 2 }, "must have two letters"),
        ]
        let login = VendorLogin(
            path: "/oauth2/default/token",
            expects: [
                "grant_type": "password", "client_id": options.accessToken, "username": options.user,
                "password": options.password,
            ], lifetime: options.tokenLifetime, gives: session)
        var filters: [String: VendorFilter] = ["email": .email]
        for column in ["fname", "lname", "DOB", "ss", "phone_home", "phone_biz", "phone_cell"] {
            filters[column] = .asStored(column)
        }
        let page = VendorPage(
            paging: .none, conditions: VendorFilter.among(filters), envelope: { envelope(.array($0.rows)) })
        let create = VendorWrite(
            writable: writable, rules: required + rules, status: 201,
            answer: { id, record in envelope(["pid": record["pid"] ?? .null, "uuid": .text(id)]) })
        // What is not sent is not asked for, and stays. There is no PATCH.
        let put = VendorWrite(writable: writable, rules: rules, answer: { _, record in envelope(record) })
        return VendorSystem(
            wants: [.session(header: "Authorization", scheme: "bearer ")], login: login,
            routes: [
                VendorRoute("GET", path, .page(page)),
                VendorRoute("GET", path + "/{id}", .one(VendorLookup(envelope: envelope))),
                VendorRoute("POST", path, .create(create)), VendorRoute("PUT", path + "/{id}", .update(put)),
            ],
            people: VendorPeople(
                id: VendorID.uuid, record: record,
                keys: SearchKeys.from(
                    name: ["fname", "lname"], phones: ["phone_cell", "phone_home", "phone_biz"], cpf: "ss"),
                keepsakes: ["pid", "mname", "sex", "phone_biz", "street", "city"]),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        // Each column as some clerk wrote it.
        func number(_ phone: Phone?) -> MockJSON {
            .maybe(phone?.written(place, [.e164, .masked, .national, .spaced]), or: "")
        }
        return [
            "uuid": .text(id), "pid": .text(String(place + 1)), "fname": .text(person.firstName),
            "mname": "", "lname": .text(person.lastName), "DOB": .maybe(person.birthday?.iso, or: ""),
            "sex": "Unknown", "ss": .maybe(person.cpf, or: ""), "email": .maybe(person.email, or: ""),
            "phone_home": number(person.landline), "phone_biz": number(person.secondMobile),
            "phone_cell": number(person.mobile), "street": "", "city": "",
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        func no(_ validation: MockJSON, _ other: MockJSON = []) -> MockAnswer {
            MockAnswer(
                trouble.status, json: ["validationErrors": validation, "internalErrors": other, "data": []])
        }
        switch trouble {
        case .invalid(let faults): return no(faults.byField)
        case .absent:
            return MockAnswer(
                400,
                json: ["validationErrors": ["uuid": ["invalid": "does not exist"]], "internalErrors": [], "data": []])
        case .noRoute, .wrongMethod: return MockAnswer(404, [UInt8]())
        case .credentialsMissing, .credentialsWrong:
            return MockAnswer(trouble.status, json: ["error": "access_denied", "message": .text(trouble.english)])
        default: return no([], [.text(trouble.english)])
        }
    }

    private static func envelope(_ data: MockJSON) -> MockJSON {
        ["validationErrors": [], "internalErrors": [], "data": data]
    }

    private static func session(_ token: String, _ refreshToken: String, _ lifetime: Int) -> MockJSON {
        [
            "token_type": "Bearer", "access_token": .text(token), "expires_in": .number(String(lifetime)),
            "id_token": "…",
        ]
    }
}
