/// Clinicorp: one call that answers an object, an array or `{}`, ids of sixteen digits, the clinic's number in every
/// query and body, and a create that refuses namesakes unless it is told not to.
enum ClinicorpSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let get = VendorLookup(asks: { $0["PatientId"] }, nobody: MockAnswer(200, json: [:]))
        let find = VendorPage(
            paging: .none,
            conditions: VendorFilter.among([
                "OtherDocumentId": .cpf, "Email": .email, "Name": .name, "Phone": .asStored("MobilePhone"),
            ]),
            demands: VendorFault(field: "PatientId", message: "or OtherDocumentId, Email, Name, Phone is required"),
            envelope: objectOrArray)
        let create = VendorWrite(
            writable: ["Name", "MobilePhone", "Email", "BirthDate", "OtherDocumentId", "DocumentId", "Sex", "Notes"],
            rules: [
                VendorRule("Name", .required, "is required"),
                VendorRule("MobilePhone", .number([.international, .e164, .spaced, .plusMasked]), "is invalid"),
                VendorRule("OtherDocumentId", .digits(11...14), "is invalid"),
                VendorRule("BirthDate", .isoDate, "is invalid"), VendorRule("Email", .email, "is invalid"),
            ], collides: collides, answer: created)
        return VendorSystem(
            basePath: "/rest/v1",
            wants: [
                .basic(user: options.user, password: options.accessToken), .parameter("subscriber_id", "clinica-teste"),
            ],
            routes: [
                VendorRoute("GET", "/patient/get", given: "PatientId", .one(get)),
                VendorRoute("GET", "/patient/get", .page(find)),
                VendorRoute("POST", "/patient/create", .create(create)),
            ],
            people: VendorPeople(
                // Beyond 2^53: as doubles, neighbours would be one.
                id: { String(9_007_199_254_740_993 + $0) }, record: record,
                keys: SearchKeys.from(name: ["Name"], phones: ["MobilePhone"], cpf: "OtherDocumentId", email: "Email")),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        // Some clients write the country code, some do not.
        let number = person.mobile ?? person.landline
        return [
            "PatientId": .number(id), "Name": .text(person.name),
            "MobilePhone": .maybe(number?.written(place, [.international, .national, .e164, .spaced]), or: ""),
            "Email": .maybe(person.email, or: ""), "BirthDate": .maybe(person.birthday?.iso, or: nil),
            "OtherDocumentId": .maybe(person.cpf, or: ""), "DocumentId": "", "Sex": "",
            "Notes": .maybe(person.notes, or: ""),
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        switch trouble {
        case .absent: MockAnswer(200, json: [:])
        case .duplicate: MockAnswer(400, json: ["Error": 0, "Message": .text(trouble.english)])
        default: MockAnswer(trouble.status, json: ["Error": 0, "Message": .text(trouble.english)])
        }
    }

    private static func objectOrArray(_ found: VendorPage.Rows) -> MockJSON {
        switch found.rows.count {
        case 0: [:]
        case 1: found.rows[0]
        default: .array(found.rows)
        }
    }

    /// It refuses namesakes and documents that it knows, unless it is told to look away.
    private static func collides(
        _ new: VendorRecord, _ other: VendorRecord, _ request: VendorRequest
    ) -> VendorFault? {
        if request["IgnoreSameName"] != "X", new.keys.name == other.keys.name {
            return VendorFault(
                field: "Name",
                message: "Patient already exists: same name as \(other.members["Email"]?.scalar ?? other.id)")
        }
        if request["IgnoreSameDoc"] != "X", let cpf = new.keys.cpf, cpf == other.keys.cpf {
            return VendorFault(field: "OtherDocumentId", message: "Patient already exists: same as \(other.id)")
        }
        return nil
    }

    /// Found as `PatientId`, created as `id`.
    private static func created(_ id: String, _ record: MockJSON) -> MockJSON {
        var answer = record.without(["PatientId"])
        answer["id"] = .number(id)
        return answer
    }
}
