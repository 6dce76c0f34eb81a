import ClientContract

extension Check {
    static let refusals: [Check] = [
        Check(
            .refusals, "create", "data that the system refuses is refused, and nobody is made",
            needs: [.operation(.create)]
        ) {
            stage in
            guard let draft = stage.world.refused?.draft else { throw Inapplicable(reason: nothingRefused) }
            let error = try await expectFailure(Codes.refused) { try await stage.create(draft) }
            try expectCleaned(error, of: [draft.name, draft.phone.digits, draft.email, draft.cpf?.digits])
            try await stage.expectNobody(draft)
        },
        Check(
            .refusals, "update", "a change that the system refuses is refused, and the record stays",
            needs: [.operation(.update), .operation(.get)]
        ) {
            stage in
            guard let patch = stage.world.refused?.patch else { throw Inapplicable(reason: nothingRefused) }
            let before = try await stage.get(.complete).wire
            let error = try await expectFailure(Codes.refused) { try await stage.update(.complete, patch) }
            try expectCleaned(error, of: [patch.name, patch.email, patch.cpf?.digits])
            try expect(try await stage.read(stage.id(.complete)).wire == before, "the same record", "another one")
        },
        Check(
            .refusals, "namesake", "an answer to a create tells nothing about another person of that name",
            needs: [.operation(.create)]
        ) { stage in
            var draft = ClientDraft.newcomer
            draft.name = Role.complete.person.name
            do {
                _ = try await stage.create(draft)
            } catch let error as ContractError {
                try expectCleaned(error, of: known(of: Role.complete.person))
            }
        },
        Check(
            .refusals, "sharedCPF", "an answer to a change tells nothing about another person of that CPF",
            needs: [.operation(.update), .operation(.get), .changing(.cpf), .no(.member(.cpf))]
        ) { stage in
            // The first word of the name is no word of the other one's.
            let other = Role.mother.person
            do {
                _ = try await stage.update(.twinA, ClientPatch(cpf: other.cpf))
            } catch let error as ContractError {
                try expectCleaned(
                    error, of: known(of: other) + [other.name.split(separator: " ").first.map(String.init)])
            }
        },
        Check(
            .refusals, "badRequest", "400 and 422 to a create are refusals, or failures where a profile says so",
            needs: [.operation(.create), .trouble(.status(400))]
        ) { stage in
            for status in [400, 422] {
                await stage.world.calm()
                await stage.world.make(.status(status), on: .create, times: nil)
                try await expectFailure(Codes.refused + Codes.failed) { try await stage.create(.newcomer) }
            }
            try await stage.expectNobody(.newcomer)
        },
        Check(
            .refusals, "collision", "409 to a create is a duplicate, or a refusal where a profile says so",
            needs: [.operation(.create), .trouble(.status(409))]
        ) { stage in
            await stage.world.make(.status(409), on: .create, times: nil)
            try await expectFailure(["duplicate"] + Codes.refused) { try await stage.create(.newcomer) }
            try await stage.expectNobody(.newcomer)
        },
        Check(
            .refusals, "badList", "a list that is refused is a failure, not an empty list", needs: [.operation(.list)]
        ) {
            stage in
            for status in [400, 404, 409, 410, 422] {
                try await stage.confirmFailure(.status(status), on: .list, Codes.failed + Codes.refused) {
                    try await stage.list()
                }
            }
        },
        Check(.refusals, "badSearch", "a search that is refused is a failure, not nobody", needs: [.search(.phone)]) {
            stage in
            for status in [400, 404, 409, 410, 422] {
                try await stage.confirmFailure(.status(status), on: .search, Codes.failed + Codes.refused) {
                    try await stage.search(PhoneNumber.family.digits, .phone)
                }
            }
        },
        Check(.refusals, "missing", "an operation that the system lacks is said to be unsupported") { stage in
            let lacking = Set(SystemOperation.allCases).subtracting(stage.subject.capabilities.operations)
            guard !lacking.isEmpty else { throw Inapplicable(reason: "the system has every operation") }
            for operation in lacking {
                try await expectFailure(["unsupported_by_system"]) {
                    switch operation {
                    case .list: _ = try await stage.list()
                    case .search: _ = try await stage.search("5531988880001", .phone)
                    case .get: _ = try await stage.get(.complete)
                    case .create: _ = try await stage.create(.newcomer)
                    case .update: _ = try await stage.update(.complete, ClientPatch(name: "Nome"))
                    }
                }
            }
        },
    ]

    private static let nothingRefused = "nothing is known that the system refuses"

    /// What is known of a person beside the name.
    private static func known(of person: Person) -> [String?] {
        [person.email, person.birthday?.iso, person.notes]
            + person.phones.flatMap { [$0.digits, $0.national, $0.masked, $0.subscriber] }
    }

    /// Holds if none of these texts stands in an error.
    private static func expectCleaned(_ error: ContractError, of texts: [String?]) throws {
        let said = (error.reasons + [error.detail ?? ""]).joined(separator: "\n").lowercased()
        for text in texts.compactMap({ $0 }) where said.contains(text.lowercased()) {
            throw Mismatch(expected: "reasons without what was sent", came: "reasons that repeat it")
        }
    }
}

extension Stage {
    /// A failure of one call under one trouble, with a driver that has seen no other.
    func confirmFailure<Value>(
        _ trouble: Trouble, on call: SystemCall, _ codes: [String], _ body: () async throws -> Value
    ) async throws {
        guard world.canMake(trouble) else { throw Inapplicable(reason: "this world cannot make that trouble") }
        await world.calm()
        await world.make(trouble, on: call, times: nil)
        try await expectFailure(codes, body)
    }

    /// Holds if nobody of that phone is on record.
    func expectNobody(_ draft: ClientDraft) async throws {
        await world.calm()
        await world.catchUp()
        guard subject.capabilities.searches[.phone]?.isEmpty == false else { return }
        let found = try await search(draft.phone.digits, .phone)
        try expect(found.isEmpty, "nobody new on record", "\(found.count) new")
    }
}
