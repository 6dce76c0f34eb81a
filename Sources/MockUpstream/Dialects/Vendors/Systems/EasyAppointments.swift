/// Easy!Appointments: one keyword that also looks at what is not shown, no total, plain text for 401, nothing at all
/// for 404, and 500 for every other failure, with what was sent in its message.
enum EasyAppointmentsSystem {
    static func system(_ options: MockOptions) -> VendorSystem {
        let path = "/index.php/api/v1/customers"
        let writable = ["firstName", "lastName", "email", "phone", "notes", "address", "city", "zip"]
        let addressIsSound = VendorRule("email", .email, "invalid")
        let page = VendorPage(
            paging: .numbers("page", "length", usual: 20, most: 1_000),
            conditions: VendorFilter.among([
                "q": .keyword(["firstName", "lastName", "email", "phone", "mobile", "address", "notes"])
            ]), envelope: { .array($0.rows) })
        let create = VendorWrite(
            writable: writable,
            rules: [
                VendorRule("firstName", .required, "required"), VendorRule("lastName", .required, "required"),
                VendorRule("email", .required, "required"), addressIsSound,
            ], collides: collides, status: 201, answer: { _, record in record })
        let update = VendorWrite(
            writable: writable, rules: [addressIsSound], collides: collides, answer: { _, record in record })
        return VendorSystem(
            wants: [.header("Authorization", "Bearer \(options.accessToken)")],
            routes: [
                VendorRoute("GET", path, .page(page)), VendorRoute("GET", path + "/{id}", .one(VendorLookup())),
                VendorRoute("POST", path, .create(create)), VendorRoute("PUT", path + "/{id}", .update(update)),
            ],
            people: VendorPeople(
                record: record, keys: SearchKeys.from(name: ["firstName", "lastName"], phones: ["phone", "mobile"]),
                keepsakes: ["mobile", "address", "timezone", "language", "customField1", "customField2"],
                row: { $0.without(["mobile"]) }, detail: { $0.without(["mobile"]) }),
            says: says)
    }

    private static func record(_ person: Person, _ place: Int, _ id: String) -> MockJSON {
        let number = person.phones.first
        return [
            "id": .number(id), "firstName": .text(person.firstName), "lastName": .text(person.lastName),
            "email": .maybe(person.email, or: nil),
            "phone": .maybe(number?.written(place, PhoneWriting.allCases), or: nil),
            // Searched, and never shown.
            "mobile": .maybe(person.phones.dropFirst().first?.e164, or: nil), "address": nil, "city": nil,
            "zip": nil, "notes": .maybe(person.notes, or: nil), "timezone": "UTC", "language": nil,
            "customField1": .maybe(person.cpf, or: nil), "customField2": nil,
        ]
    }

    private static func says(_ trouble: VendorTrouble) -> MockAnswer {
        func broken(_ text: String) -> MockAnswer {
            MockAnswer(500, json: ["success": false, "message": .text(text), "trace": .null])
        }
        switch trouble {
        case .credentialsMissing, .credentialsWrong:
            return MockAnswer(401, "You are not authorized.", contentType: "text/plain; charset=utf-8")
        case .noRoute, .wrongMethod, .absent, .tooManyCalls: return MockAnswer(trouble.status, [UInt8]())
        case .invalid(let faults) where faults.contains { $0.message == "required" }:
            // The message repeats what was sent.
            return broken("Not all required fields are provided: Array ( [phone_number] => 31988880001 )")
        case .invalid(let faults) where faults.contains { $0.message == "invalid" }:
            return broken("Invalid email address provided: ana@")
        default: return broken(trouble.english)
        }
    }

    private static func collides(
        _ new: VendorRecord, _ other: VendorRecord, _ request: VendorRequest
    ) -> VendorFault? {
        // What is not sent is not looked at again.
        guard request["email"] != nil, let email = new.keys.emails.first, other.keys.emails.contains(email) else {
            return nil
        }
        return VendorFault(
            field: "email", message: "The provided email address is already in use, please use a different one.")
    }
}
