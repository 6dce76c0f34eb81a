import ClientContract

extension ClientPatch {
    /// One change of each member that the contract can change.
    static let changes: [(field: ClientField, patch: ClientPatch)] = [
        (.name, ClientPatch(name: "Ana Exemplo de Souza Ávila")),
        (.email, ClientPatch(email: "outra@example.test")),
        (.cpf, ClientPatch(cpf: .of(52_998_224_725))),
        (.birthday, ClientPatch(birthday: .on(1992, 2, 29))),
    ]

    /// The change for one of several people: no two get one CPF.
    fileprivate func fitting(_ role: Role) -> ClientPatch {
        guard cpf != nil, role != .complete else { return self }
        var patch = self
        patch.cpf = .of(11_144_477_735)
        return patch
    }
}

extension Check {
    static func updates(
        _ name: String, _ claim: String, needs: [Need] = [], _ body: @escaping @Sendable (Stage) async throws -> Void
    ) -> Check {
        Check(.update, name, claim, needs: [.operation(.update), .operation(.get)] + needs, body)
    }

    /// Who is changed: somebody with every member, and somebody with nearly none.
    private static let changed: [Role] = [.complete, .onlyPhone]

    private static func single(_ field: ClientField, _ patch: ClientPatch) -> [Check] {
        [
            updates(
                field.wireName, "a changed \(field.wireName) is answered and on record",
                needs: [.changing(field), .no(.member(field))]
            ) {
                stage in
                for role in try stage.onRecord(stage.has(.sharedEmails) && field == .email ? [.complete] : changed) {
                    let patch = patch.fitting(role)
                    let answer = try await stage.update(role, patch)
                    let record = try await stage.read(stage.id(role))
                    for client in [answer, record] {
                        try expect(client.id == (try stage.id(role)), "the record of \(role.rawValue)", "another one")
                        try stage.confirm(client, shows: patch)
                    }
                }
            },
            updates(
                "\(field.wireName)KeepsTheRest", "a changed \(field.wireName) leaves every other member as it was",
                needs: [.changing(field), .no(.member(field))]
            ) { stage in
                for role in try stage.onRecord(stage.has(.sharedEmails) && field == .email ? [.complete] : changed) {
                    let before = try await stage.get(role)
                    _ = try await stage.update(role, patch.fitting(role))
                    let after = try await stage.read(stage.id(role))
                    for other in ClientField.allCases where other != field && other != .allPhones {
                        try expect(
                            after.text(other) == before.text(other), "the same \(other.wireName) of \(role.rawValue)",
                            after.has(other) ? "another one" : "none")
                    }
                    try expect(
                        after.allPhones.map(\.digits) == before.allPhones.map(\.digits),
                        "the same numbers of \(role.rawValue)", "others")
                }
            },
        ]
    }

    static let update = ClientPatch.changes.flatMap { single($0.field, $0.patch) } + whole + colleague

    private static let whole: [Check] = [
        updates(
            "all", "several members change in one call",
            needs: ClientPatch.changes.flatMap { [.changing($0.field), .no(.member($0.field))] }
        ) {
            stage in
            let patch = ClientPatch(
                name: "Nome Exemplo Novo", email: "tudo@example.test", cpf: .of(52_998_224_725),
                birthday: .on(1950, 12, 31))
            _ = try await stage.update(.complete, patch)
            try stage.confirm(try await stage.read(stage.id(.complete)), shows: patch)
        },
        updates("keepsakes", "what the contract has no name for survives a change") { stage in
            for role in Role.cast(without: stage.subject.gaps) {
                let id = try stage.id(role)
                guard let before = await stage.world.keepsakes(of: id) else {
                    throw Inapplicable(reason: "this world cannot tell what else the system keeps")
                }
                do {
                    _ = try await stage.update(role, stage.change())
                } catch let error as ContractError where stage.has(.changingEveryRecord) {
                    try expect(error.code == .unsupported, "a change, or unsupported_by_system", error.code.rawValue)
                }
                try expect(
                    await stage.world.keepsakes(of: id) == before, "the same keepsakes of \(role.rawValue)",
                    "others, or fewer")
            }
        },
        updates("others", "nobody else is changed", needs: [.operation(.list)]) { stage in
            let before = try await stage.list()
            _ = try await stage.update(.twinA, stage.change())
            await stage.world.catchUp()
            let after = try await stage.list()
            let id = try stage.id(.twinA)
            try expect(
                after.filter { $0.id != id }.map(\.wire) == before.filter { $0.id != id }.map(\.wire),
                "the others as they were", "others who changed")
        },
        updates("nothing", "an empty patch sends nothing and answers the record") { stage in
            let before = try await stage.get(.complete)
            let after = try await stage.update(.complete, ClientPatch())
            try expect(after.wire == before.wire, "the same record", "another one")
            let calls = await stage.world.count(.update)
            try expect(calls == 0, "no update at the system", "\(calls)")
        },
        updates("same", "a member that is set to what it was changes nothing") { stage in
            let before = try await stage.get(.complete)
            let fixed = stage.subject.capabilities.unchangeable.contains(.name)
            _ = try await stage.update(
                .complete, fixed ? ClientPatch(email: before.email) : ClientPatch(name: before.name))
            let after = try await stage.read(stage.id(.complete))
            try expect(after.wire == before.wire, "the same record", "another one")
        },
        updates("nobody", "a change of an id that nobody has is not found") { stage in
            try await expectFailure(Codes.notFound) {
                try await stage.bridge.update(stage.world.absentID, stage.change(), stage.context())
            }
        },
        updates("stranger", "a record that is no client is not changed") { stage in
            for id in stage.world.strangers {
                let before = await stage.world.keepsakes(of: id)
                try await expectFailure(Codes.notFound) {
                    try await stage.bridge.update(id, stage.change(), stage.context())
                }
                let calls = await stage.world.count(.update)
                try expect(calls == 0, "no update at the system", "\(calls)")
                try expect(await stage.world.keepsakes(of: id) == before, "the same record", "another one")
            }
            if stage.world.strangers.isEmpty { throw Inapplicable(reason: noStrangers) }
        },
        updates("strangeID", "so is one of an id that the system never gives; nobody is changed") { stage in
            let own = try stage.id(.complete).text
            let before = try await stage.get(.complete).wire
            for id in ["\(own)/", "../\(own)", "\(own)?x=1", "\(own)&x=1", " \(own)", "x"] {
                try await expectFailure(Codes.notFound) {
                    try await stage.bridge.update(ClientID(id), stage.change(), stage.context())
                }
            }
            try expect(try await stage.read(stage.id(.complete)).wire == before, "the same record", "another one")
        },
        updates(
            "twice", "two changes one after the other both hold",
            needs: [.changing(.email), .changing(.name), .no(.member(.email))]
        ) { stage in
            _ = try await stage.update(.twinA, ClientPatch(email: "um@example.test"))
            _ = try await stage.update(.twinA, ClientPatch(name: "Cosme Exemplo Dois"))
            let client = try await stage.read(stage.id(.twinA))
            try stage.confirm(client, shows: ClientPatch(name: "Cosme Exemplo Dois", email: "um@example.test"))
        },
        updates(
            "together", "two changes of one client at once both hold",
            needs: [.freshReads, .changing(.email), .changing(.name), .no(.member(.email))]
        ) { stage in
            let id = try stage.id(.twinA)
            async let one = stage.bridge.update(id, ClientPatch(email: "um@example.test"), stage.context())
            async let two = stage.bridge.update(id, ClientPatch(name: "Cosme Exemplo Dois"), stage.context())
            _ = try await (one, two)
            let client = try await stage.read(id)
            try stage.confirm(client, shows: ClientPatch(name: "Cosme Exemplo Dois", email: "um@example.test"))
        },
        Check(
            .update, "unchangeable", "a member that the system cannot change is said to be one",
            needs: [.operation(.update)]
        ) {
            stage in
            let fixed = ClientPatch.changes.filter { stage.subject.capabilities.unchangeable.contains($0.field) }
            guard !fixed.isEmpty else { throw Inapplicable(reason: "the system can change every member") }
            for (_, patch) in fixed {
                try await expectFailure(["unsupported_by_system"]) { try await stage.update(.complete, patch) }
            }
        },
    ]
}

extension Stage {
    /// Those of these people whom the system can have.
    fileprivate func onRecord(_ roles: [Role]) throws -> [Role] { roles.filter { (try? id($0)) != nil } }

    /// Holds if a client shows what a patch names.
    func confirm(_ client: Client, shows patch: ClientPatch) throws {
        if let name = patch.name { try expect(client.name == name, "the new name", "another name") }
        if let email = patch.email {
            try expect(client.email == email, "the new e-mail", client.has(.email) ? "another" : "none")
        }
        if let cpf = patch.cpf {
            try expect(client.cpf == cpf, "the new CPF", client.has(.cpf) ? "another" : "none")
        }
        if let birthday = patch.birthday {
            try expect(
                client.birthday == birthday, "the new birthday", client.has(.birthday) ? "another" : "none")
        }
    }
}
