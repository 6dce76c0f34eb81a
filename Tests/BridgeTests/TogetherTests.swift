import Bridge
import ClientContract
import Synchronization
import Testing
import UpstreamDriver

/// Writes that could meet in one record.
@Suite(.timeLimit(.minutes(1))) struct TogetherTests {
    /// A clinic whose writes take long, and that remembers which of them overlapped.
    private final class SlowWrites: UpstreamDriver {
        struct State {
            var underWay: [String: Int] = [:]
            var overlapped = false
            var updates = 0
        }

        let clinic: ModelClinic
        let state = Mutex(State())
        /// Opens when so many different writes are under way.
        private let meeting: Meeting?
        var capabilities: Capabilities { clinic.capabilities }

        init(_ clinic: ModelClinic, meeting: Int? = nil) {
            self.clinic = clinic
            self.meeting = meeting.map { Meeting($0) }
        }

        private func slowly<Value>(_ key: String, _ write: () async throws(UpstreamError) -> Value)
            async throws(UpstreamError) -> Value
        {
            state.withLock { state in
                state.underWay[key, default: 0] += 1
                if state.underWay[key, default: 0] > 1 { state.overlapped = true }
            }
            defer { state.withLock { $0.underWay[key, default: 0] -= 1 } }
            await meeting?.arrive()
            for _ in 0..<20 { await Task.yield() }
            return try await write()
        }

        func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
            try await clinic.page(request, context)
        }

        func candidates(
            for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
        ) async throws(UpstreamError) -> ClientPage {
            try await clinic.candidates(for: term, attempt: attempt, request, context)
        }

        func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
            try await clinic.client(id, context)
        }

        func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
            try await slowly("create") { () async throws(UpstreamError) in try await clinic.create(draft, context) }
        }

        func update(
            _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
        ) async throws(UpstreamError) -> WriteAnswer {
            state.withLock { $0.updates += 1 }
            return try await slowly(id.text) { () async throws(UpstreamError) in
                try await clinic.update(id, patch, context)
            }
        }
    }

    private actor Meeting {
        private var missing: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(_ count: Int) { missing = count }

        func arrive() async {
            missing -= 1
            if missing <= 0 {
                for continuation in waiting { continuation.resume() }
                waiting = []
                return
            }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private var context: CallContext { CallContext(deadline: .now + .seconds(30), requestID: "test") }

    /// Reading, merging and writing must not interleave, or one change undoes the other.
    @Test func updatesOfOneClientRunOneByOne() async throws {
        let driver = SlowWrites(ModelClinic([Person(id: "1", name: "Ana Teste")], .model()))
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        let context = context
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                let patch = number % 2 == 0 ? ClientPatch(name: "Ana \(number)") : ClientPatch(email: "a@example.test")
                group.addTask { _ = try? await bridge.update(ClientID("1"), patch, context) }
            }
            try await group.waitForAll()
        }
        #expect(driver.state.withLock { !$0.overlapped })
        #expect(driver.state.withLock { $0.updates } == 20)
    }

    /// Others do not wait: the meeting opens only when both are under way.
    @Test func updatesOfDifferentClientsRunTogether() async throws {
        let people = [Person(id: "1", name: "Ana Teste"), Person(id: "2", name: "Bruno Exemplo")]
        let driver = SlowWrites(ModelClinic(people, .model()), meeting: 2)
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        async let first = bridge.update(ClientID("1"), ClientPatch(email: "a@example.test"), context)
        async let second = bridge.update(ClientID("2"), ClientPatch(email: "b@example.test"), context)
        #expect(try await [first, second].map(\.email) == ["a@example.test", "b@example.test"])
    }

    /// The same person, once with and once without CPF, and once by another phone: the second finds the first.
    @Test func createsOfOnePersonMeet() async throws {
        let phone = try #require(PhoneNumber("5511988887777"))
        let other = try #require(PhoneNumber("5511977776666"))
        let number = try cpf(1)
        let pairs = [
            [ClientDraft(name: "Ana Teste", phone: phone), ClientDraft(name: "Ana Teste", phone: phone, cpf: number)],
            [
                ClientDraft(name: "Ana Teste", phone: phone, cpf: number),
                ClientDraft(name: "Ana Teste", phone: other, cpf: number),
            ],
        ]
        for drafts in pairs {
            let clinic = ModelClinic([], .model())
            let bridge = Bridge(driver: SlowWrites(clinic), options: BridgeOptions())
            let context = context
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for draft in drafts { group.addTask { try await bridge.create(draft, context).id.text } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(clinic.calls.count { $0 == .create } == 1)
        }
    }

    /// A vendor that is not known to reuse records answers somebody else's: nobody gets that client, a relative on the
    /// same phone neither.
    @Test(arguments: [Capabilities.DuplicatePolicy.creates, .refuses], ["5521955554444", "5511988887777"])
    func strangersAreNotHandedOut(_ policy: Capabilities.DuplicatePolicy, _ phone: String) async throws {
        let stranger = Person(id: "6", name: "Bruno Exemplo", phones: [try #require(PhoneNumber(phone))])
        var capabilities = Capabilities.model()
        capabilities.duplicates = policy
        let clinic = ModelClinic([stranger], capabilities)
        clinic.set { $0.creation = .reuses("6") }
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        let draft = ClientDraft(name: "Ana Teste", phone: try #require(PhoneNumber("5511988887777")))
        await #expect {
            _ = try await bridge.create(draft, context)
        } throws: { ($0 as? ContractError)?.code == .wrongPerson }
    }

    /// A number that the list shows whole and the record without its area code is on record all the same.
    @Test func whatOnlyTheRowShowsCounts() async throws {
        let phone = try #require(PhoneNumber("5541988880010"))
        let row = Client(id: ClientID("1010"), name: "Ana Teste", phones: [phone], email: "ana@example.test")
        let record = Client(id: ClientID("1010"), name: "Ana Teste", cpf: try cpf(3))
        let driver = TwoShapes(row: row, record: record)
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        let found = try await bridge.search("5541988880010", Window(), context)
        #expect(found.map(\.id.text) == ["1010"])
        #expect(found.first?.phone == phone)
        #expect(found.first?.cpf == (try cpf(3)))
        #expect(found.first?.email == "ana@example.test")
        let again = try await bridge.create(ClientDraft(name: "5541988880010", phone: phone), context)
        #expect(again.id.text == "1010")
    }

    private struct TwoShapes: UpstreamDriver {
        let row: Client
        let record: Client
        var capabilities: Capabilities { .model(needsDetail: [.cpf, .phone]) }

        func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
            ClientPage(clients: [row], more: false)
        }
        func candidates(
            for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
        ) async throws(UpstreamError) -> ClientPage { ClientPage(clients: [row], more: false) }
        func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client { record }
        func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
            throw .unsupported("nothing is to be created")
        }
        func update(
            _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
        ) async throws(UpstreamError) -> WriteAnswer { throw .unsupported("nothing is to be changed") }
    }
}
