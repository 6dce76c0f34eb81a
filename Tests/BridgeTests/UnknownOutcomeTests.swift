import Bridge
import ClientContract
import Idempotency
import Synchronization
import Testing
import UpstreamDriver

/// Creates and changes that were sent and not answered, and what is known of them later.
@Suite(.timeLimit(.minutes(1))) struct UnknownOutcomeTests {
    /// A clock that goes on when it is told to.
    private final class Clock: Sendable {
        private let moment = Mutex(Moment(milliseconds: 1_800_000_000_000))
        var now: @Sendable () -> Moment { { self.moment.withLock { $0 } } }
        func advance(_ time: Duration) { moment.withLock { $0 = $0 + time } }
    }

    /// Some Bridges one after the other, as after crashes or reloads, that share what is known of earlier creates.
    private struct Ponte {
        let clock = Clock()
        let store = MemoryStore()
        let vault = Vault.random()

        func bridge(_ clinic: any UpstreamDriver, _ options: BridgeOptions = BridgeOptions()) -> Bridge {
            Bridge(
                driver: clinic, options: options, memory: CreateMemory(store: store, vault: vault, now: clock.now))
        }
    }

    private let lost = UpstreamError.outcomeUnknown("no answer came")

    private func ana() throws -> ClientDraft { ClientDraft(name: "Ana Teste", phone: try phone("5511988887777")) }

    @Test("a create without an answer is not sent anew before its record would have appeared")
    func settling() async throws {
        let (ponte, clinic) = (Ponte(), ModelClinic([], .model()))
        clinic.set { [lost] in $0.creation = .fails(lost) }
        let first = await failure { try await ponte.bridge(clinic).create(ana(), soon()) }
        #expect(first?.code == .outcomeUnknown)
        clinic.set { $0.creation = .record }
        ponte.clock.advance(.seconds(10))
        for name in ["Ana Teste", " ANA  teste"] {
            let draft = ClientDraft(name: name, phone: try phone("551188887777"))
            let again = await failure { try await ponte.bridge(clinic).create(draft, soon()) }
            #expect(again?.code == .outcomeUnknown)
            #expect(again?.retryAfter == 20)
        }
        #expect(clinic.calls.count { $0 == .create } == 1)
        // Others on the same line are others.
        let other = ClientDraft(name: "Bruno Teste", phone: try phone("5511988887777"))
        #expect(try await ponte.bridge(clinic).create(other, soon()).id.text == "new-0")
        ponte.clock.advance(.seconds(20))
        #expect(try await ponte.bridge(clinic).create(ana(), soon()).name == "Ana Teste")
        #expect(clinic.calls.count { $0 == .create } == 3)
    }

    @Test("a record that appears late is answered, by every policy", arguments: BridgeOptions.DuplicateAction.allCases)
    func late(_ action: BridgeOptions.DuplicateAction) async throws {
        let (ponte, clinic) = (Ponte(), ModelClinic([], .model()))
        let options = BridgeOptions(onDuplicate: action)
        clinic.set { [lost] state in
            state.creation = .createsAndFails(lost)
            state.invisible = ["new-0"]
        }
        let first = await failure { try await ponte.bridge(clinic, options).create(ana(), soon()) }
        #expect(first?.code == .outcomeUnknown)
        clinic.set { state in
            state.creation = .record
            state.invisible = []
        }
        #expect(try await ponte.bridge(clinic, options).create(ana(), soon()).id.text == "new-0")
        #expect(clinic.calls.count { $0 == .create } == 1)
    }

    @Test("a system's own spelling of the name does not hide the record of an unanswered create")
    func spelling() async throws {
        let clinic = ModelClinic([], .model())
        let long = "José Antônio de Albuquerque Cavalcanti Exemplo"
        clinic.set { [lost] state in
            state.creation = .fails(lost)
            state.found = { term, _, person in term.matches(person.client()) }
        }
        for (sent, kept, isFound) in [
            ("José Exemplo", "JOSE EXEMPLO", true), (long, "JOSE ANTONIO DE ALBUQUERQUE CA", true),
            ("Maria Teste Exemplo", "Maria Teste", false), ("José Exemplo", "Jonas Exemplo", false),
        ] {
            let ponte = Ponte()
            let line = try phone("5511988887777")
            clinic.set { state in
                state.people = []
                state.failures = [:]
                state.calls = []
            }
            // It comes about between the look before and the look after.
            clinic.set { $0.people = [Person(id: "its", name: kept, phones: [line])] }
            let draft = ClientDraft(name: sent, phone: line)
            var id: String?
            let error = await failure { id = try await ponte.bridge(clinic).create(draft, soon()).id.text }
            #expect(id == (isFound ? "its" : nil), "\(kept)")
            #expect(error?.code == (isFound ? nil : .outcomeUnknown), "\(kept)")
        }
    }

    @Test("where reads lag, the next create of the person answers the id of the first")
    func staleReads() async throws {
        let (ponte, clinic) = (Ponte(), ModelClinic([], .model(staleReads: .seconds(300))))
        clinic.set { state in
            state.creation = .id
            state.invisible = ["new-0"]
        }
        let draft = ClientDraft(
            name: "Ana Teste", phone: try phone("5511988887777"), email: "ana@example.test", cpf: try cpf(1))
        #expect(try await ponte.bridge(clinic).create(draft, soon()).id.text == "new-0")
        for again in [
            draft, ClientDraft(name: "ana teste", phone: try phone("551188887777")),
            ClientDraft(name: "Ana", phone: try phone("5521977776666"), cpf: try cpf(1)),
        ] {
            #expect(try await ponte.bridge(clinic).create(again, soon()).id.text == "new-0")
        }
        let rejecting = BridgeOptions(onDuplicate: .reject)
        let error = await failure { try await ponte.bridge(clinic, rejecting).create(draft, soon()) }
        #expect(error?.code == .duplicate)
        #expect(error?.conflicting == [ClientID("new-0")])
        #expect(clinic.calls.count { $0 == .create } == 1)
        // Another CPF is another person, on the same line and with the same name.
        clinic.set { $0.creation = .record }
        let twin = ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"), cpf: try cpf(2))
        #expect(try await ponte.bridge(clinic).create(twin, soon()).id.text != "new-0")
    }

    @Test(
        "after another person's record the next create is sent where nothing was made, and waits where it may have been"
    )
    func wrongPerson() async throws {
        for (policy, next) in [
            (Capabilities.DuplicatePolicy.reusesSilently, ContractError.Code.wrongPerson), (.unknown, .outcomeUnknown),
            (.creates, .outcomeUnknown),
        ] {
            let stranger = Person(id: "old", name: "Bruno Exemplo", phones: [try phone("5521977776666")])
            let (ponte, clinic) = (Ponte(), ModelClinic([stranger], .model(duplicates: policy)))
            clinic.set { $0.creation = .reuses("old") }
            let first = await failure { try await ponte.bridge(clinic).create(ana(), soon()) }
            #expect(first?.code == .wrongPerson)
            #expect(first?.conflicting == [])
            let second = await failure { try await ponte.bridge(clinic).create(ana(), soon()) }
            #expect(second?.code == next, "\(policy)")
        }
    }

    @Test("what was refused may be sent again at once")
    func refused() async throws {
        let (ponte, clinic) = (Ponte(), ModelClinic([], .model()))
        for error in [
            UpstreamError.refused(reasons: []), .rateLimited(retryAfter: 1), .unreachable("nobody"), .timeout,
        ] {
            clinic.set { $0.creation = .fails(error) }
            _ = await failure { try await ponte.bridge(clinic).create(ana(), soon()) }
        }
        clinic.set { $0.creation = .record }
        #expect(try await ponte.bridge(clinic).create(ana(), soon()).id.text == "new-0")
        #expect(clinic.calls.count { $0 == .create } == 5)
    }

    @Test("nothing is sent that cannot be written down")
    func storage() async throws {
        let clinic = ModelClinic([], .model())
        let bridge = Bridge(
            driver: clinic, options: BridgeOptions(), memory: CreateMemory(store: BrokenStore()))
        for key in [nil, "a-key"] {
            let error = await failure { try await bridge.create(ana(), key: key, soon()) }
            #expect(error?.code == .storageFailed)
            #expect(error?.retryAfter != nil)
        }
        #expect(clinic.calls.isEmpty)
    }

    @Test(
        "a create that another Ponte began meanwhile is looked for, and not sent a second time",
        arguments: [false, true])
    func overtaken(_ isOver: Bool) async throws {
        let (ponte, clinic) = (Ponte(), ModelClinic([], .model()))
        let draft = try ana()
        // Just as this one is about to be written down, another one with the same store does it all.
        let store = Overtaken(ponte.store) { [lost] in
            clinic.set { $0.creation = isOver ? .record : .createsAndFails(lost) }
            if !isOver { clinic.set { $0.invisible = ["new-0"] } }
            _ = try? await ponte.bridge(clinic).create(draft, soon())
        }
        let bridge = Bridge(
            driver: clinic, options: BridgeOptions(),
            memory: CreateMemory(store: store, vault: ponte.vault, now: ponte.clock.now))
        var id: String?
        let error = await failure { id = try await bridge.create(draft, soon()).id.text }
        #expect(id == (isOver ? "new-0" : nil))
        #expect(error?.code == (isOver ? nil : .outcomeUnknown))
        #expect(error?.retryAfter == (isOver ? nil : 30))
        #expect(clinic.calls.count { $0 == .create } == 1)
    }

    // MARK: Changes

    @Test("a change without an answer holds when the record shows it, and is sent once", arguments: [true, false])
    func change(_ happened: Bool) async throws {
        let clinic = ModelClinic([Person(id: "1", name: happened ? "Ana Exemplo" : "Ana Teste")], .model())
        clinic.set { [lost] in $0.change = .fails(lost) }
        var name: String?
        let error = await failure {
            name = try await Ponte().bridge(clinic).update(ClientID("1"), ClientPatch(name: "Ana Exemplo"), soon()).name
        }
        #expect(name == (happened ? "Ana Exemplo" : nil))
        #expect(error?.code == (happened ? nil : .outcomeUnknown))
        #expect(clinic.calls == [.update, .client("1")])
    }
}

/// A store that others use, too: before the first create is written down, something else happens.
private final class Overtaken: IdempotencyStore {
    private let store: any IdempotencyStore
    private let first: @Sendable () async -> Void
    private let isFirst = Mutex(true)

    init(_ store: any IdempotencyStore, _ first: @escaping @Sendable () async -> Void) {
        (self.store, self.first) = (store, first)
    }

    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState {
        try await store.begin(
            key, holder: holder, fingerprint: fingerprint, lease: lease, expires: expires, now: now)
    }
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) {
        try await store.finish(key, holder: holder, result)
    }
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) {
        try await store.forget(key, holder: holder)
    }
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal {
        try await store.creates(of: person, now: now)
    }
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? {
        let isFirst = isFirst.withLock { isFirst in
            defer { isFirst = false }
            return isFirst
        }
        if isFirst { await first() }
        return try await store.createBegan(person, after: latest, settles: settles, expires: expires, now: now)
    }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        try await store.createSettled(create, settlement)
    }
}

/// A disk that is full.
struct BrokenStore: IdempotencyStore {
    private var failure: StoreFailure { StoreFailure("the disk is full") }

    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState { throw failure }
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) { throw failure }
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) { throw failure }
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal { throw failure }
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? { throw failure }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) { throw failure }
}
