import ClientContract

extension Check {
    /// A member of a person on record, read.
    private static func reads(
        _ name: String, _ role: Role, _ claim: String, needs: [Need] = [],
        _ came: @escaping @Sendable (Client, Person) -> String?
    ) -> Check {
        Check(.fields, "read.\(name)", claim, needs: [.operation(.get)] + needs) { stage in
            if let came = came(try await stage.get(role), stage.person(role)) {
                throw Mismatch(expected: "the \(name) on record of \(role.rawValue)", came: came)
            }
        }
    }

    private static func differs<Value: Equatable>(_ shown: Value?, _ wanted: Value?) -> String? {
        shown == wanted ? nil : shown == nil ? "none" : wanted == nil ? "one, though there is none" : "another one"
    }

    private static let reading: [Check] = [
        reads("name", .signs, "a name is shown letter by letter, signs included") { differs($0.name, $1.name) },
        reads("accents", .onlyPhone, "so is a name with accents and an apostrophe") { differs($0.name, $1.name) },
        reads("mobile", .complete, "a mobile is shown with country code") {
            differs($0.phone?.digits, $1.phones.first?.digits)
        },
        reads("oldMobile", .oldMobile, "a mobile without its ninth digit is the same line") {
            differs($0.phone, $1.phones.first)
        },
        reads("landline", .landlineOnly, "a landline is shown") { differs($0.phone?.digits, $1.phones.first?.digits) },
        reads(
            "phones", .threePhones, "every number is shown, each once, the main one first", needs: [.no(.severalPhones)]
        ) {
            differs($0.phone, $1.phones.first) ?? differs(Set($0.allPhones), Set($1.phones))
        },
        reads("foreign", .foreign, "a foreign number is shown with its own country code", needs: [.no(.foreignPhones)])
        {
            differs($0.phone?.digits, $1.phones.first?.digits)
        },
        reads("cpf", .complete, "a CPF is shown punctuated", needs: [.no(.member(.cpf))]) {
            differs($0.text(.cpf), $1.cpf?.punctuated)
        },
        reads("cpfZeros", .zeros, "a CPF keeps its first zeros", needs: [.no(.member(.cpf))]) {
            differs($0.text(.cpf), $1.cpf?.punctuated)
        },
        reads("email", .threePhones, "an e-mail address is shown as it is on record", needs: [.no(.member(.email))]) {
            differs($0.email, $1.email)
        },
        reads("birthday", .complete, "a birthday is shown as a day", needs: [.no(.member(.birthday))]) {
            differs($0.text(.birthday), $1.birthday?.iso)
        },
        reads("leapDay", .leapDay, "29 February stays 29 February", needs: [.no(.member(.birthday))]) {
            differs($0.text(.birthday), $1.birthday?.iso)
        },
        reads("oldBirthday", .noPhone, "a day before 1970 stays that day", needs: [.no(.member(.birthday))]) {
            differs($0.text(.birthday), $1.birthday?.iso)
        },
        reads(
            "description", .complete, "what is noted about a client is the description",
            needs: [.no(.member(.description))]
        ) {
            differs($0.text(.description), $1.notes)
        },
        reads("image", .complete, "a client's picture is shown", needs: [.no(.member(.image))]) { client, _ in
            client.text(.image)?.isEmpty == false ? nil : "none"
        },
        reads("absent", .onlyPhone, "what is not on record is left out") { client, _ in
            let shown = ClientField.allCases.filter(client.has)
            let known: Set<ClientField> = [.id, .name, .phone, .allPhones]
            let extra = shown.filter { !known.contains($0) }.map(\.wireName)
            return extra.isEmpty ? nil : "also \(extra.joined(separator: ", "))"
        },
        reads("noPhone", .noPhone, "who has no phone is shown without one") { client, _ in
            client.has(.phone) || client.has(.allPhones) ? "one" : nil
        },
        Check(.fields, "gaps", "what is said to have no room is really not shown", needs: [.operation(.get)]) { stage in
            let client = try await stage.get(.complete)
            for field in ClientField.allCases where stage.has(.member(field)) {
                try expect(!client.has(field), "no \(field.wireName)", "one")
            }
        },
    ]

    /// A draft, created and read again.
    private static func writes(
        _ name: String, _ claim: String, needs: [Need] = [], _ change: @escaping @Sendable (inout ClientDraft) -> Void
    ) -> Check {
        Check(.fields, "write.\(name)", claim, needs: [.operation(.create), .operation(.get)] + needs) { stage in
            var draft = ClientDraft.newcomer
            change(&draft)
            try stage.confirm(try await stage.created(draft), shows: draft)
        }
    }

    private static let writing: [Check] = [
        writes("signs", "a written name comes back letter by letter") { $0.name = #"Noé "Zé" d'Ávila & Cia %_* <i>"# },
        writes("script", "so does one in other letters") { $0.name = "Søren Ωmega 山田 Exemplo" },
        writes("long", "so does a name of a hundred letters") {
            $0.name = "Ana " + String(repeating: "Exemplo ", count: 11) + "Nova"
        },
        writes("mobile", "a written mobile comes back") { $0.phone = .br("92", "981234567") },
        writes("landline", "a written landline comes back") { $0.phone = .br("92", "33334567") },
        writes("foreign", "a written foreign number comes back", needs: [.no(.foreignPhones)]) {
            $0.phone = .of(351_961_234_567)
        },
        writes("cpfZeros", "a written CPF keeps its first zeros", needs: [.no(.member(.cpf)), .no(.creating(.cpf))]) {
            $0.cpf = .of(1_234_567_890)
        },
        writes(
            "email", "a written address comes back, with plus and dots",
            needs: [.no(.member(.email)), .no(.creating(.email))]
        ) {
            $0.email = "n.i.n.a+clinica@example.test"
        },
        writes(
            "leapDay", "29 February comes back as 29 February",
            needs: [.no(.member(.birthday)), .no(.creating(.birthday))]
        ) {
            $0.birthday = .on(2004, 2, 29)
        },
        writes(
            "newYear", "1 January comes back as 1 January", needs: [.no(.member(.birthday)), .no(.creating(.birthday))]
        ) {
            $0.birthday = .on(2000, 1, 1)
        },
        writes(
            "oldBirthday", "a day of 1930 comes back as that day",
            needs: [.no(.member(.birthday)), .no(.creating(.birthday))]
        ) {
            $0.birthday = .on(1930, 12, 31)
        },
        writes("withoutCPF", "a draft without CPF gets none", needs: [.no(.member(.cpf)), .no(.creating(.cpf))]) {
            $0.cpf = nil
        },
        writes(
            "withoutBirthday", "a draft without a birthday gets none",
            needs: [.no(.member(.birthday)), .no(.creating(.birthday))]
        ) {
            $0.birthday = nil
        },
        writes(
            "withoutEmail", "a draft without an e-mail gets none",
            needs: [.no(.member(.email)), .no(.creating(.email))]
        ) { $0.email = nil },
        Check(
            .fields, "write.foreignRefused", "a foreign number that has no room is refused before anything is sent",
            needs: [.operation(.create)]
        ) { stage in
            guard stage.subject.gaps[.foreignPhones] != nil else {
                throw Inapplicable(reason: "the system keeps foreign numbers")
            }
            var draft = ClientDraft.newcomer
            draft.phone = .of(351_961_234_567)
            try await expectFailure(["unsupported_by_system"]) {
                try await stage.bridge.create(draft, stage.context())
            }
            try await stage.expectCreates(0)
        },
    ]

    static let fields = reading + writing
}
