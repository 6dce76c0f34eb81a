/// SimplyBook.me: a login with the company's name, which every call repeats, and one keyword for a filter.
enum SimplyBookSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let company = "clinica-teste"
        let login = VendorLogin(
            path: "/admin/auth",
            expects: ["company": company, "login": options.user, "password": options.password],
            lifetime: options.tokenLifetime,
            gives: { token, refreshToken, _ in
                ["token": .text(token), "company": .text(company), "refresh_token": .text(refreshToken)]
            })
        let page = VendorPage(
            paging: .numbers("page", "on_page", usual: 10, most: 100),
            conditions: VendorFilter.among(["filter[search]": .keyword(["name", "email", "phone"])]),
            envelope: { ["data": .array($0.rows)] })
        let create = VendorWrite(
            writable: ["name", "email", "phone"],
            rules: [
                VendorRule("name", .required, "is required"), VendorRule("email", .email, "is invalid"),
                VendorRule("phone", .phone(8...15), "is invalid"),
            ], answer: { _, record in record })
        return VendorSystem(
            wants: [.header("X-Company-Login", company), .session(header: "X-Token", scheme: "")], login: login,
            routes: [
                VendorRoute("GET", "/admin/clients", .page(page)),
                VendorRoute("GET", "/admin/clients/{id}", .one(VendorLookup())),
                VendorRoute("POST", "/admin/clients", .create(create)),
            ],
            people: VendorPeople(record: record, keys: SearchKeys.from(name: ["name"], phones: ["phone"])), says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        [
            "id": .number(id), "name": .text(person.name), "email": .maybe(person.email, or: nil),
            "phone": .maybe(person.phones.first?.written(place, PhoneWriting.allCases), or: nil),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        MockAnswer(
            trouble.status,
            json: ["code": .number(String(trouble.status)), "message": .text(trouble.english), "data": []])
    }
}
