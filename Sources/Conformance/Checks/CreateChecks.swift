import Bridge
import ClientContract

extension ClientDraft {
    /// Somebody who is not on record.
    static let newcomer = ClientDraft(
        name: "Nina Exemplo Nova", phone: .br("31", "977770001"), email: "nina@example.test", birthday: .on(1991, 2, 3),
        cpf: .of(52_998_224_725))
    /// Somebody new in the family.
    static let relative = ClientDraft(
        name: "Uma Exemplo da Família", phone: .family, email: "uma@example.test", birthday: .on(2011, 6, 7),
        cpf: .of(11_144_477_735))
    /// The least that the contract asks for.
    static let least = ClientDraft(name: "Otto Exemplo Novo", phone: .br("31", "977770002"))
}

extension Stage {
    /// The record of somebody who was just created, read again.
    func created(_ draft: ClientDraft) async throws -> Client { try await read(try await create(draft).id) }

    /// Creates that reached the system.
    func expectCreates(_ count: Int) async throws {
        let calls = await world.count(.create)
        try expect(calls == count, "\(count) creates at the system", "\(calls)")
    }

    /// Holds if a client shows what was sent.
    func confirm(_ client: Client, shows draft: ClientDraft) throws {
        let draft = try fitting(draft)
        try expect(!client.id.text.isEmpty, "an id", "none")
        try expect(client.name == draft.name, "the name that was sent", "another name")
        try expect(client.reaches(draft.phone), "the phone that was sent", client.has(.phone) ? "another" : "none")
        try expect(
            !keeps(.cpf) || client.cpf == draft.cpf, "the CPF that was sent",
            client.has(.cpf) ? "another" : "none")
        try expect(
            !keeps(.email) || client.email.map(PersonText.emailKey) == draft.email.map(PersonText.emailKey),
            "the e-mail that was sent",
            client.has(.email) ? "another" : "none")
        try expect(
            !keeps(.birthday) || client.birthday == draft.birthday, "the birthday that was sent",
            client.has(.birthday) ? "another" : "none")
    }
}

extension Check {
    private static func creates(
        _ name: String, _ claim: String, needs: [Need] = [], _ body: @escaping @Sendable (Stage) async throws -> Void
    ) -> Check {
        Check(.create, name, claim, needs: [.operation(.create)] + needs, body)
    }

    static let create: [Check] = [
        creates("answer", "a create answers the client with an id and what was sent") { stage in
            try stage.confirm(try await stage.create(.newcomer), shows: .newcomer)
            try await stage.expectCreates(1)
        },
        creates("record", "what was created is on record", needs: [.operation(.get)]) { stage in
            try stage.confirm(try await stage.created(.newcomer), shows: .newcomer)
        },
        creates("least", "a name and a phone are enough", needs: [.operation(.get)]) { stage in
            try stage.confirm(try await stage.created(.least), shows: .least)
        },
        creates("landline", "a landline will do, too", needs: [.operation(.get)]) { stage in
            var draft = ClientDraft.newcomer
            (draft.name, draft.phone) = ("Pia Exemplo Fixo", .br("31", "33330077"))
            try stage.confirm(try await stage.created(draft), shows: draft)
        },
        creates("nameless", "a phone can stand in the name's place", needs: [.operation(.get)]) { stage in
            let phone = PhoneNumber.br("31", "977770003")
            var draft = ClientDraft.newcomer
            (draft.name, draft.phone) = (phone.digits, phone)
            try stage.confirm(try await stage.created(draft), shows: draft)
        },
        creates("leastLandline", "a name and a landline are enough", needs: [.operation(.get)]) { stage in
            let draft = ClientDraft(name: "Pia Exemplo Fixo", phone: .br("31", "33330077"))
            try stage.confirm(try await stage.created(draft), shows: draft)
        },
        creates("leastNameless", "so is a phone in the name's place", needs: [.operation(.get)]) { stage in
            let phone = PhoneNumber.br("31", "977770003")
            let draft = ClientDraft(name: phone.digits, phone: phone)
            try stage.confirm(try await stage.created(draft), shows: draft)
        },
        creates("insurance", "ids of insurance and location that a system has no place for are no reason to refuse") {
            stage in
            var draft = ClientDraft.newcomer
            (draft.healthInsurance, draft.location) = ("conv123", "loc456")
            try stage.confirm(try await stage.create(draft), shows: .newcomer)
        },
        creates("found", "who was created is found by phone", needs: [.search(.phone)]) { stage in
            let client = try await stage.create(.newcomer)
            await stage.world.catchUp()
            let found = try await stage.search(ClientDraft.newcomer.phone.digits, .phone).map(\.id)
            try expect(found == [client.id], "the new client", stage.names(found))
        },
        creates("foundByCPF", "who was created is found by CPF", needs: [.search(.cpf)]) { stage in
            let client = try await stage.create(.newcomer)
            await stage.world.catchUp()
            let found = try await stage.search(ClientDraft.newcomer.cpf?.digits ?? "", .cpf).map(\.id)
            try expect(found == [client.id], "the new client", stage.names(found))
        },
        creates("listed", "who was created is in the list, and nobody else is gone", needs: [.operation(.list)]) {
            stage in
            let client = try await stage.create(.newcomer)
            await stage.world.catchUp()
            let ids = try await stage.list().map(\.id)
            try expect(
                Set(ids) == Set(stage.world.ids + [client.id]) && ids.count == stage.people + 1,
                "everybody and the new client", "\(ids.count) clients")
        },
        creates("known", "a create of somebody on record answers that client and sends nothing", needs: [.search(.cpf)])
        {
            stage in
            let known = Role.complete.person
            var draft = ClientDraft(name: known.name, phone: .br("31", "988880001"), cpf: known.cpf)
            let byCPF = try await stage.create(draft).id
            try expect(byCPF == (try stage.id(.complete)), "complete", stage.names([byCPF]))
            guard stage.subject.capabilities.searches[.phone]?.isEmpty == false, !stage.has(.peopleWithoutCPF)
            else {
                return try await stage.expectCreates(0)
            }
            // By phone and name.
            draft.cpf = nil
            let byPhone = try await stage.create(draft).id
            try expect(byPhone == (try stage.id(.complete)), "complete", stage.names([byPhone]))
            try await stage.expectCreates(0)
        },
        creates(
            "rejected", "where a clinic wants it, such a create is refused and names the client", needs: [.search(.cpf)]
        ) {
            stage in
            let known = Role.complete.person
            let draft = ClientDraft(name: known.name, phone: .br("31", "988880001"), cpf: known.cpf)
            let bridge = stage.bridge { $0.onDuplicate = .reject }
            let error = try await expectFailure(["duplicate"]) { try await stage.create(draft, by: bridge) }
            try expect(error.conflicting == [try stage.id(.complete)], "complete", stage.names(error.conflicting))
            try await stage.expectCreates(0)
        },
        creates("relative", "another name on a phone that is on record is another person", needs: [.search(.phone)]) {
            stage in
            let client = try await stage.create(.relative)
            try expect(!stage.world.ids.contains(client.id), "a new client", stage.names([client.id]))
            try await stage.expectCreates(1)
            await stage.world.catchUp()
            let found = try await stage.search(PhoneNumber.family.digits, .phone)
            let family = try [Role.mother, .father, .daughter, .son].filter { (try? stage.id($0)) != nil }.map(stage.id)
            try expect(
                Set(found.map(\.id)) == Set(family + [client.id]), "the family and the new client",
                stage.names(found.map(\.id)))
        },
        creates("twins", "equal creates at once make one client") { stage in
            let ids = try await withThrowingTaskGroup(of: ClientID.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await stage.create(.newcomer).id }
                }
                return try await group.reduce(into: Set<ClientID>()) { $0.insert($1) }
            }
            try expect(ids.count == 1, "1 client for all", "\(ids.count)")
            try await stage.expectCreates(1)
        },
        creates("others", "a create leaves the others as they are", needs: [.operation(.get)]) { stage in
            let before = try await stage.get(.mother).wire
            _ = try await stage.create(.relative)
            try expect(
                try await stage.read(stage.id(.mother)).wire == before, "the same record of mother", "another one")
        },
        creates("lostAnswer", "a create whose answer is lost is looked for, not sent again", needs: [.trouble(.reset)])
        {
            stage in
            await stage.world.make(.reset, on: .create, times: nil)
            try await stage.expectFound(.newcomer)
        },
        creates(
            "notCarriedOut", "a create that may have been carried out and is not there is said to be unknown",
            needs: [.trouble(.resetBefore)]
        ) { stage in
            await stage.world.make(.resetBefore, on: .create, times: nil)
            try await expectFailure(Codes.unknown) { try await stage.create(.newcomer) }
            try await stage.expectCreates(1)
        },
    ]
}

extension Stage {
    /// Holds if a create that is carried out, and whose answer says nothing, ends with the client who was made, or with
    /// "unknown" where the system cannot show them yet. It is sent once.
    func expectFound(_ draft: ClientDraft, _ patience: Duration = .seconds(60)) async throws {
        let canFind =
            subject.capabilities.staleReads == .zero
            && subject.capabilities.searches[.phone]?.isEmpty == false
        do {
            let client = try await create(draft, patience)
            try confirm(client, shows: draft)
        } catch let error as ContractError {
            try expect(
                !canFind && Codes.unknown.contains(error.code.rawValue),
                canFind ? "the client who was made" : "outcome_unknown", "the error \(error.code.rawValue)")
        }
        try await expectCreates(1)
        await world.calm()
        await world.catchUp()
        guard subject.capabilities.searches[.phone]?.isEmpty == false else { return }
        let found = try await search(draft.phone.digits, .phone)
        try expect(found.count == 1, "1 such client on record", "\(found.count)")
    }
}
