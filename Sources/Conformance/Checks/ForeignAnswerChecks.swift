import ClientContract

extension Check {
    /// Answers that are not about the client who was asked for: whoever takes one for "nobody" hides a person, or makes
    /// a second one.
    static let foreignAnswers = Foreign.allCases.flatMap { foreign in
        [
            searched(foreign), shown(foreign), changed(foreign), completed(foreign), listed(foreign), repeated(foreign),
        ]
    }

    private static func check(
        _ foreign: Foreign, _ name: String, _ claim: String, needs: [Need],
        _ body: @escaping @Sendable (Stage) async throws -> Void
    ) -> Check {
        Check(
            .faults, "\(foreign.rawValue).\(name)", claim, needs: needs + [.trouble(.foreign(foreign))], body)
    }

    private static func searched(_ foreign: Foreign) -> Check {
        check(foreign, "search", "a search that somebody else answers is an error, never nobody", needs: [.searches]) {
            stage in
            _ = try await stage.searchAny()
            await stage.make(.foreign(foreign), on: stage.searchCalls)
            try await expectFailure(Codes.failed) { try await stage.searchAny() }
        }
    }

    private static func shown(_ foreign: Foreign) -> Check {
        check(
            foreign, "get", "a client whom somebody else denies is an error, never an absent client",
            needs: [.operation(.get)]
        ) { stage in
            await stage.world.make(.foreign(foreign), on: .get, times: nil)
            try await expectFailure(Codes.failed) { try await stage.get(.complete) }
        }
    }

    private static func changed(_ foreign: Foreign) -> Check {
        check(
            foreign, "update", "a change that somebody else answers is an error, never an absent client",
            needs: [.operation(.update), .operation(.get)]
        ) { stage in
            let before = try await stage.get(.complete)
            let patch = try stage.change()
            await stage.world.make(.foreign(foreign), on: .update, times: nil)
            try await expectFailure(Codes.failed + Codes.refused + Codes.unknown + ["duplicate"]) {
                try await stage.update(.complete, patch)
            }
            await stage.world.calm()
            try expect(
                try await stage.read(stage.id(.complete)).wire == before.wire, "the record as it was", "another one")
        }
    }

    /// The search works; the call for the whole record does not.
    private static func completed(_ foreign: Foreign) -> Check {
        check(
            foreign, "detail", "whoever a search finds is not hidden because their record is denied",
            needs: [.operation(.get), .searches]
        ) { stage in
            try stage.needsDetail()
            let found = try await stage.searchAny()
            await stage.world.make(.foreign(foreign), on: .get, times: nil)
            do {
                let still = try await stage.searchAny()
                try expect(still == found, "\(found) found, or an error", "\(still) found")
            } catch let error as ContractError {
                try expectFailed(error)
            }
        }
    }

    private static func listed(_ foreign: Foreign) -> Check {
        check(
            foreign, "listDetail", "whoever a list shows is not left out because their record is denied",
            needs: [.operation(.get), .operation(.list)]
        ) { stage in
            try stage.needsDetail()
            let detailed = stage.bridge { $0.listDetail = true }
            await stage.world.make(.foreign(foreign), on: .get, times: nil)
            do {
                let listed = try await stage.list(by: detailed).count
                try expect(listed == stage.people, "\(stage.people) clients, or an error", "\(listed)")
            } catch let error as ContractError {
                try expectFailed(error)
            }
        }
    }

    private static func repeated(_ foreign: Foreign) -> Check {
        check(
            foreign, "again", "somebody on record is not made again because their record is denied",
            needs: [.operation(.get), .operation(.create), .searches]
        ) { stage in
            try stage.needsDetail()
            let person = Role.complete.person
            guard let phone = person.phones.first else { throw Inapplicable(reason: "nobody with a phone") }
            let draft = try stage.fitting(
                ClientDraft(
                    name: person.name, phone: phone, email: person.email, birthday: person.birthday, cpf: person.cpf))
            try await stage.warmUp()
            await stage.world.make(.foreign(foreign), on: .get, times: nil)
            try await expectFailure(Codes.failed) { try await stage.create(draft) }
            try await stage.expectCreates(0)
        }
    }

    private static func expectFailed(_ error: ContractError) throws {
        try expect(
            Codes.failed.contains(error.code.rawValue), "an error: " + Codes.failed.joined(separator: " or "),
            "the error \(error.code.rawValue)")
    }
}

extension Stage {
    /// - Throws: `Inapplicable` where no record is fetched for a row.
    func needsDetail() throws {
        if subject.capabilities.needsDetail.isEmpty { throw Inapplicable(reason: "rows show all there is") }
    }
}
