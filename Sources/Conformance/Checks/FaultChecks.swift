import ClientContract
import UpstreamDriver

typealias SystemOperation = Capabilities.Operation

extension Check {
    private struct Case {
        let name: String
        let trouble: Trouble
        let codes: [String]
        /// Whether the system carries the call out all the same.
        let isCarriedOut: Bool
        /// How long the caller waits; for a create three times as long, since it looks for the client then.
        var patience = Duration.seconds(60)
    }

    private static let cases = [
        Case(name: "internalError", trouble: .status(500), codes: Codes.failed, isCarriedOut: false),
        Case(name: "unavailable", trouble: .status(503), codes: Codes.failed, isCarriedOut: false),
        Case(name: "errorInSuccess", trouble: .errorInSuccess, codes: Codes.failed, isCarriedOut: false),
        Case(name: "reset", trouble: .reset, codes: Codes.failed, isCarriedOut: true),
        Case(name: "noReply", trouble: .noReply, codes: Codes.failed, isCarriedOut: true),
        Case(name: "resetMidBody", trouble: .resetMidBody, codes: Codes.failed, isCarriedOut: true),
        Case(name: "truncated", trouble: .truncated, codes: Codes.failed, isCarriedOut: true),
        Case(name: "brokenChunk", trouble: .brokenChunk, codes: Codes.failed, isCarriedOut: true),
        Case(name: "webPage", trouble: .webPage, codes: Codes.failed, isCarriedOut: true),
        Case(name: "emptyBody", trouble: .emptyBody, codes: Codes.failed, isCarriedOut: true),
        Case(name: "brokenJSON", trouble: .brokenJSON, codes: Codes.failed, isCarriedOut: true),
        Case(
            name: "silence", trouble: .silence, codes: Codes.late + Codes.failed, isCarriedOut: true,
            patience: .seconds(2)),
    ]

    private static func reads(_ fault: Case) -> [Check] {
        func check(
            _ call: SystemCall, _ what: String, _ need: Need,
            _ read: @escaping @Sendable (Stage, Duration) async throws -> Int
        ) -> Check {
            Check(
                .faults, "\(fault.name).\(call.rawValue)",
                "\(what) under this fault is an error, never an empty answer",
                needs: [need, .trouble(fault.trouble)]
            ) { stage in
                // Logins and connections are there before the trouble is.
                _ = try await read(stage, .seconds(60))
                let reached = call == .search ? stage.searchCalls : [call]
                let before = await stage.count(reached)
                await stage.make(fault.trouble, on: reached)
                try await expectFailure(fault.codes) { try await read(stage, fault.patience) }
                let calls = await stage.count(reached) - before
                // Three tries, and the first again for each kept connection that dies under it (libcurl, five times).
                let most = 8 * max(1, before)
                try expect(calls <= most, "\(most) calls at most", "\(calls)")
            }
        }
        return [
            check(.list, "a list", .operation(.list)) { try await $0.list(Window(), $1).count },
            check(.search, "a search", .searches) { try await $0.searchAny($1) },
            check(.get, "one client", .operation(.get)) { stage, patience in
                _ = try await stage.bridge.client(stage.id(.complete), stage.context(patience))
                return 1
            },
        ]
    }

    private static func writes(_ fault: Case) -> [Check] {
        [
            Check(
                .faults, "\(fault.name).create",
                "a create under this fault makes one client at most, and says what is known",
                needs: [.operation(.create), .trouble(fault.trouble)]
            ) { stage in
                try await stage.warmUp()
                await stage.world.make(fault.trouble, on: .create, times: nil)
                if fault.isCarriedOut {
                    try await stage.expectFound(.newcomer, fault.patience * 3)
                } else {
                    try await expectFailure(Codes.unknown + Codes.failed) { try await stage.create(.newcomer) }
                    try await stage.expectCreates(1)
                    try await stage.expectNobody(.newcomer)
                }
            },
            Check(
                .faults, "\(fault.name).update", "an update under this fault is never a success that did not happen",
                needs: [.operation(.update), .operation(.get), .trouble(fault.trouble)]
            ) { stage in
                let before = try await stage.get(.complete)
                let patch = try stage.change()
                await stage.world.make(fault.trouble, on: .update, times: nil)
                do {
                    let answer = try await stage.update(.complete, patch, fault.patience)
                    try stage.confirm(answer, shows: patch)
                    try expect(fault.isCarriedOut, "an error", "a success, though nothing was changed")
                } catch let error as ContractError {
                    let allowed = Codes.unknown + fault.codes + Codes.refused
                    try expect(
                        allowed.contains(error.code.rawValue), "an error: " + allowed.joined(separator: " or "),
                        "the error \(error.code.rawValue)")
                }
                await stage.world.calm()
                let record = try await stage.read(stage.id(.complete))
                if fault.isCarriedOut {
                    try stage.confirm(record, shows: patch)
                } else {
                    try expect(record.wire == before.wire, "the record as it was", "another one")
                }
            },
        ]
    }

    static let faults = cases.flatMap { reads($0) + writes($0) } + passing + foreignAnswers

    private static let passing: [Check] = [
        Check(
            .faults, "passing", "a read that fails once and then would not is an error or the right answer",
            needs: [.operation(.get), .trouble(.reset)]
        ) { stage in
            let before = try await stage.get(.complete).wire
            await stage.world.make(.reset, on: .get, times: 1)
            do {
                try expect(try await stage.get(.complete).wire == before, "the same record", "another one")
            } catch let error as ContractError {
                try expect(
                    Codes.failed.contains(error.code.rawValue), "an error of the system's",
                    "the error \(error.code.rawValue)")
            }
        },
        Check(
            .faults, "recovery", "when the fault is over, the next call succeeds",
            needs: [.operation(.get), .trouble(.brokenJSON)]
        ) { stage in
            let before = try await stage.get(.complete).wire
            await stage.world.make(.brokenJSON, on: .get, times: nil)
            try await expectFailure(Codes.failed) { try await stage.get(.complete) }
            await stage.world.calm()
            try expect(try await stage.get(.complete).wire == before, "the same record", "another one")
        },
        Check(
            .faults, "halfAList", "a list that breaks off later fails, and is not taken for whole", .crowd,
            needs: [.operation(.list), .trouble(.status(500))]
        ) { stage in
            let paging = stage.subject.capabilities.listPaging
            guard paging.style != .single, stage.people > (paging.fixed ?? paging.maximum) else {
                throw Inapplicable(reason: "all clients fit into one page")
            }
            var pages = stage.bridge.list(Window(), stage.context())
            _ = try await pages.next()
            await stage.world.make(.status(500), on: .list, times: nil)
            try await expectFailure(Codes.failed) {
                while try await pages.next() != nil {}
            }
        },
    ]
}
