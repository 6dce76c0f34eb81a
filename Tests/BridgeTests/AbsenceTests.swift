import Bridge
import ClientContract
import Testing
import UpstreamDriver

/// "Not found" hides nobody whom the system shows elsewhere.
@Suite struct AbsenceTests {
    private let ana = ClientPatch(name: "Ana Exemplo")

    private func bridge(
        _ clinic: ModelClinic, listDetail: Bool = false, scan: Bool = false
    ) -> Bridge {
        Bridge(
            driver: clinic,
            options: BridgeOptions(
                searchBy: [.phone], scan: .init(allowed: scan), listDetail: listDetail))
    }

    private func family(_ count: Int, _ capabilities: Capabilities) throws -> ModelClinic {
        let line = try phone("5511999990000")
        return ModelClinic(
            (0..<count).map { Person(id: "p\($0)", phones: [line], email: "p\($0)@example.test") }, capabilities)
    }

    // MARK: Searches

    @Test("a match whose record is \"not found\" is searched for again: still there is a failure, gone is left out")
    func matches() async throws {
        let clinic = try family(4, .model(needsDetail: [.email]))
        clinic.set { $0.denied = ["p1"] }
        #expect(await failure { try await bridge(clinic).ids("5511999990000") }?.code == .upstreamMalformed)
        clinic.set { ($0.denied, $0.vanishing) = ([], ["p1"]) }
        #expect(try await bridge(clinic).ids("5511999990000") == ["p0", "p2", "p3"])
    }

    @Test("the same holds where only the record tells whether somebody matches, and where everybody is read")
    func comparisons() async throws {
        for clinic in [
            try family(4, .model(needsDetail: [.phone])),
            try family(4, .model(searches: [.cpf], needsDetail: [.email])),
        ] {
            clinic.set { state in
                state.found = { _, _, _ in true }
                state.denied = ["p1"]
            }
            let code = await failure { try await bridge(clinic, scan: true).ids("5511999990000") }?.code
            #expect(code == .upstreamMalformed)
            clinic.set { ($0.denied, $0.vanishing) = ([], ["p1"]) }
            #expect(try await bridge(clinic, scan: true).ids("5511999990000") == ["p0", "p2", "p3"])
        }
    }

    @Test("nobody is made again because their record is \"not found\"; whoever was deleted meanwhile is")
    func creates() async throws {
        let clinic = try family(1, .model(needsDetail: [.email]))
        clinic.set { $0.denied = ["p0"] }
        let draft = ClientDraft(name: "Ana Teste", phone: try phone("5511999990000"))
        #expect(await failure { try await bridge(clinic).create(draft, soon()) }?.code == .upstreamMalformed)
        #expect(!clinic.calls.contains(.create))
        clinic.set { ($0.denied, $0.vanishing) = ([], ["p0"]) }
        #expect(try await bridge(clinic).create(draft, soon()).id.text.hasPrefix("new"))
        #expect(clinic.calls.contains(.create))
    }

    @Test("a list shows its rows as they stand; where none has a record, the call is wrong")
    func lists() async throws {
        let clinic = try family(4, .model(needsDetail: [.email]))
        clinic.set { $0.denied = ["p1"] }
        var pages = bridge(clinic, listDetail: true).list(Window(), soon())
        let page = try #require(try await pages.next())
        #expect(page.map(\.id.text) == ["p0", "p1", "p2", "p3"])
        #expect(page.map { $0.email != nil } == [true, false, true, true])
        clinic.set { $0.denied = ["p0", "p1", "p2", "p3"] }
        let all = bridge(clinic, listDetail: true)
        #expect(await failure { try await all.all(Window()) }?.code == .upstreamMalformed)
    }

    // MARK: One client

    @Test("where \"not found\" may be anybody's word, it counts if somebody listed is shown by the same call")
    func weighed() async throws {
        let clinic = try family(4, .model(provesAbsence: false))
        let bridge = bridge(clinic)
        #expect(await failure { try await bridge.client(ClientID("x"), soon()) }?.code == .noSuchClient)
        #expect(clinic.calls == [.client("x"), .page(0, 20), .client("p0")])
        // Of an id of another form nothing is asked.
        #expect(await failure { try await bridge.client(ClientID("!"), soon()) }?.code == .noSuchClient)
        #expect(clinic.calls.count == 4)
        clinic.set { $0.denied = ["p0", "p1", "p2", "p3"] }
        #expect(await failure { try await bridge.client(ClientID("x"), soon()) }?.code == .upstreamMalformed)
        #expect(await failure { try await bridge.client(ClientID("p1"), soon()) }?.code == .upstreamMalformed)
        let empty = ModelClinic([], .model(provesAbsence: false))
        #expect(await failure { try await self.bridge(empty).client(ClientID("x"), soon()) }?.code == .noSuchClient)
        let blind = try family(4, .model(without: [.list], provesAbsence: false))
        #expect(
            await failure { try await self.bridge(blind).client(ClientID("x"), soon()) }?.code == .upstreamMalformed)
    }

    @Test("whoever was deleted, does not count or is asked for is no witness; the next ones are asked, three in all")
    func witnesses() async throws {
        let clinic = try family(60, .model(skipsRows: true, provesAbsence: false))
        clinic.set { state in
            // Whole pages of people who do not count, then the one who is asked for, and somebody who was deleted.
            state.fates = (0..<60).map { $0 < 45 ? ModelClinic.RowFate.inactive : .shown }
            state.denied = ["p45", "p46"]
        }
        let bridge = bridge(clinic)
        #expect(await failure { try await bridge.client(ClientID("p45"), soon()) }?.code == .noSuchClient)
        #expect(clinic.calls.suffix(2) == [.client("p46"), .client("p47")])
        clinic.set { $0.denied = ["p45", "p46", "p47", "p48", "p49"] }
        let before = clinic.calls.count
        #expect(await failure { try await bridge.client(ClientID("x"), soon()) }?.code == .upstreamMalformed)
        let asked = clinic.calls.dropFirst(before).filter { if case .client = $0 { true } else { false } }
        #expect(asked == [.client("x"), .client("p45"), .client("p46"), .client("p47")])
    }

    @Test("a list of one client whose record is gone is that row")
    func lastRow() async throws {
        let clinic = try family(1, .model(needsDetail: [.email]))
        clinic.set { $0.denied = ["p0"] }
        #expect(try await bridge(clinic, listDetail: true).all(Window()) == ["p0"])
    }

    @Test("a list that cannot be had, or that shows only people who do not count, proves nothing")
    func unweighable() async throws {
        let clinic = try family(4, .model(skipsRows: true, provesAbsence: false))
        clinic.set { $0.fates = Array(repeating: .inactive, count: 4) }
        #expect(await failure { try await bridge(clinic).client(ClientID("x"), soon()) }?.code == .upstreamMalformed)
        clinic.set { $0.failures = [3: .failed(status: 500, "the list")] }
        #expect(await failure { try await bridge(clinic).client(ClientID("x"), soon()) }?.code == .upstreamFailed)
    }

    @Test("so it is for a change that finds nobody")
    func changes() async throws {
        for proves in [true, false] {
            let clinic = try family(4, .model(provesAbsence: proves))
            let bridge = self.bridge(clinic)
            #expect(await failure { try await bridge.update(ClientID("x"), ana, soon()) }?.code == .noSuchClient)
            #expect(await failure { try await bridge.update(ClientID("!"), ana, soon()) }?.code == .noSuchClient)
            clinic.set { state in
                state.change = .fails(.notFound)
                state.denied = ["p0", "p1", "p2", "p3"]
            }
            #expect(
                await failure { try await bridge.update(ClientID("p1"), ana, soon()) }?.code
                    == (proves ? .noSuchClient : .upstreamMalformed))
        }
    }
}
