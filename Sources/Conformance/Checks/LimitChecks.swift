import ClientContract

extension Check {
    private static let busy = Trouble.status(429, retryAfter: 100)
    private static let limited = ["rate_limited"]

    /// A call that the system is too busy for, and the wait that the caller is told.
    private static func limit(
        _ call: SystemCall, _ need: Need, _ body: @escaping @Sendable (Stage, Duration) async throws -> Void
    ) -> Check {
        Check(
            .limits, call.rawValue, "429 is said to be one, with the seconds that the system asks for",
            needs: [need, .trouble(busy)]
        ) { stage in
            let reached = call == .search ? stage.searchCalls : [call]
            await stage.make(busy, on: reached)
            let error = try await expectFailure(limited) { try await body(stage, .seconds(8)) }
            let seconds = error.retryAfter ?? 0
            try expect((80...100).contains(seconds), "100 seconds to wait", "\(seconds)")
            // Nobody calls again while the system has asked to be left alone.
            let calls = await stage.count(reached)
            try expect(calls <= (call == .search ? 16 : 1), "no second call", "\(calls)")
        }
    }

    static let limits: [Check] = [
        limit(.list, .operation(.list)) { stage, patience in _ = try await stage.list(Window(), patience) },
        limit(.search, .searches) { stage, patience in _ = try await stage.searchAny(patience) },
        limit(.get, .operation(.get)) { stage, patience in
            _ = try await stage.bridge.client(stage.id(.complete), stage.context(patience))
        },
        limit(.create, .operation(.create)) { stage, patience in
            _ = try await stage.create(.newcomer, patience)
        },
        limit(.update, .operation(.update)) { stage, patience in
            _ = try await stage.update(.complete, stage.change(), patience)
        },
        Check(
            .limits, "nobodyIsMade", "a create that met a limit made nobody",
            needs: [.operation(.create), .operation(.list), .trouble(busy)]
        ) { stage in
            await stage.world.make(.status(429), on: .create, times: nil)
            try await expectFailure(limited) { try await stage.create(.newcomer) }
            try await stage.expectCreates(1)
            await stage.world.calm()
            await stage.world.catchUp()
            // By a driver that has met no limit.
            let ids = try await stage.list(by: stage.bridge(keys: .good)).map(\.id)
            try expect(Set(ids) == Set(stage.world.ids), "nobody new", "somebody new")
        },
        Check(
            .limits, "withoutSeconds", "429 without a time is said to be one, with a guess",
            needs: [.reading, .trouble(.status(429))]
        ) { stage in
            try await stage.warmUp()
            await stage.make(.status(429), on: stage.readCalls)
            let error = try await expectFailure(limited) { try await stage.readOne(.seconds(4)) }
            try expect((error.retryAfter ?? 0) >= 1, "some seconds", "none")
        },
    ]
}
