import Bridge
import ClientContract

extension Check {
    static let credentials: [Check] = [
        Check(.credentials, "reads", "wrong keys are said to be wrong, by every read", needs: [.keys]) { stage in
            let operations = stage.subject.capabilities.operations
            func rejected(_ call: (Stage, Bridge) async throws -> Void) async throws {
                // A driver for each call: some pause after a rejection.
                let caller = try stage.bridge(keys: .wrong)
                let error = try await expectFailure(Codes.credentials) { try await call(stage, caller) }
                try stage.expectNoSecret(error)
            }
            if operations.contains(.list) {
                try await rejected { stage, caller in _ = try await stage.list(by: caller) }
            }
            if operations.contains(.get) {
                try await rejected { stage, caller in
                    _ = try await caller.client(stage.id(.complete), stage.context())
                }
            }
            if let kind = stage.bridge.options.searchBy.first {
                try await rejected { stage, caller in
                    _ = try await caller.search(kind.sample, Window(), stage.context())
                }
            }
        },
        Check(
            .credentials, "create", "a create with wrong keys makes nobody, and is not said to be unknown",
            needs: [.keys, .operation(.create)]
        ) {
            stage in
            let caller = try stage.bridge(keys: .wrong)
            let error = try await expectFailure(Codes.credentials) {
                try await stage.create(.newcomer, by: caller)
            }
            try stage.expectNoSecret(error)
            try await stage.expectNobody(.newcomer)
        },
        Check(
            .credentials, "update", "an update with wrong keys changes nothing",
            needs: [.keys, .operation(.update), .operation(.get)]
        ) {
            stage in
            let before = try await stage.get(.complete).wire
            let caller = try stage.bridge(keys: .wrong)
            let error = try await expectFailure(Codes.credentials) {
                try await stage.update(.complete, stage.change(), by: caller)
            }
            try stage.expectNoSecret(error)
            try expect(try await stage.read(stage.id(.complete)).wire == before, "the same record", "another one")
        },
        Check(.credentials, "forbidden", "403 is about the keys", needs: [.reading, .trouble(.status(403))]) { stage in
            await stage.make(.status(403), on: stage.readCalls)
            let error = try await expectFailure(Codes.credentials) { try await stage.readOne() }
            try stage.expectNoSecret(error)
        },
        Check(
            .credentials, "neverAccepted", "401 that goes on is about the keys, and few calls are made",
            needs: [.reading, .trouble(.status(401))]
        ) { stage in
            await stage.make(.status(401), on: stage.readCalls)
            try await expectFailure(Codes.credentials) { try await stage.readOne() }
            let calls = await stage.count(stage.readCalls)
            let logins = await stage.world.count(.login)
            try expect(calls <= 2 && logins <= 2, "2 calls and 2 logins at most", "\(calls) and \(logins)")
        },
        Check(.credentials, "oneLogin", "calls that come at once log in once", needs: [.login, .reading]) { stage in
            try await stage.readManyTimes()
            let logins = await stage.world.count(.login)
            try expect(logins == 1, "1 login", "\(logins)")
        },
        Check(
            .credentials, "expired", "when tokens run out, calls that come at once log in once more, and all succeed",
            needs: [.login, .reading]
        ) { stage in
            try await stage.readOne()
            await stage.world.expireTokens()
            try await stage.readManyTimes()
            let logins = await stage.world.count(.login)
            try expect(logins == 2, "2 logins", "\(logins)")
        },
        Check(
            .credentials, "expiredCreate", "a create whose token has run out is made once",
            needs: [.login, .operation(.create)]
        ) { stage in
            try await stage.warmUp()
            await stage.world.expireTokens()
            try stage.confirm(try await stage.create(.newcomer), shows: .newcomer)
        },
        Check(
            .credentials, "loginDown", "a login that fails is no rejection of the keys",
            needs: [.login, .reading, .trouble(.status(500))]
        ) { stage in
            await stage.world.make(.status(500), on: .login, times: nil)
            try await expectFailure(Codes.failed) { try await stage.readOne() }
            await stage.world.calm()
            try await stage.readOne()
        },
    ]
}

extension Stage {
    /// One client after the other is asked for at once; where there are only searches, one is made as often.
    fileprivate func readManyTimes() async throws {
        let getsByID = subject.capabilities.operations.contains(.get)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in world.ids {
                group.addTask {
                    if getsByID { _ = try await bridge.client(id, context()) } else { try await readOne() }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Holds if an error repeats none of the subject's secrets.
    fileprivate func expectNoSecret(_ error: ContractError) throws {
        let said = (error.reasons + [error.detail ?? ""]).joined(separator: "\n")
        for secret in subject.secrets where said.contains(secret) {
            throw Mismatch(expected: "an error without secrets", came: "an error that repeats one")
        }
    }
}
