import Idempotency
import Synchronization
import Testing

@Suite struct CreateMemoryTests {
    @Test("tenants do not meet, also in one store")
    func tenants() async throws {
        let (store, vault) = (MemoryStore(), Vault.random())
        let aurora = CreateMemory(store: store, vault: vault, scope: "aurora")
        let boreal = CreateMemory(store: store, vault: vault, scope: "boreal")
        for (memory, request) in [(aurora, "one"), (boreal, "another")] {
            guard case .fresh(let ticket) = try await memory.begin("key", request: [request], within: .seconds(5))
            else {
                Issue.record("the key of the other tenant was taken")
                return
            }
            await memory.end(ticket, .made("id of \(request)"))
        }
        guard case .made("id of one") = try await aurora.begin("key", request: ["one"], within: .seconds(5)) else {
            Issue.record("the key was lost")
            return
        }
        func ana(_ memory: CreateMemory) -> CreateMemory.Person {
            memory.person(cpf: "12345678900", line: "5511999999999", name: "ana teste")
        }
        _ = try await aurora.began(
            ana(aurora), after: try await aurora.earlier(of: ana(aurora)), settling: .seconds(30))
        #expect(try await aurora.earlier(of: ana(aurora)).unsettled == 30)
        #expect(try await boreal.earlier(of: ana(boreal)).unsettled == nil)
        #expect(try await boreal.earlier(of: ana(boreal)).open.isEmpty)
    }

    @Test("what was sealed for one tenant does not open for another, wherever it is put")
    func seals() async throws {
        let vault = Vault.random()
        let sealed = Sealed()
        let aurora = CreateMemory(store: sealed, vault: vault, scope: "aurora")
        let ana = aurora.person(cpf: nil, line: "5511999999999", name: "ana teste")
        let entry = try #require(
            try await aurora.began(ana, after: try await aurora.earlier(of: ana), settling: .seconds(30)))
        await aurora.made("id of aurora", by: entry, visibleAfter: .seconds(300))
        guard case .fresh(let ticket) = try await aurora.begin("key", request: ["one"], within: .seconds(5)) else {
            Issue.record("the key is fresh")
            return
        }
        await aurora.end(ticket, .made("id of aurora"))
        // The store gives everybody the same: as if rows had been moved from one tenant to another.
        #expect(try await aurora.earlier(of: ana).made == "id of aurora")
        let boreal = CreateMemory(store: sealed, vault: vault, scope: "boreal")
        let other = boreal.person(cpf: nil, line: "5511999999999", name: "ana teste")
        #expect(try await boreal.earlier(of: other).made == nil)
        await #expect(throws: StoreFailure.self) {
            _ = try await boreal.begin("key", request: ["one"], within: .seconds(5))
        }
    }

    @Test("a create settles with time, and is forgotten when it is old")
    func settling() async throws {
        let clock = TestClock()
        let memory = CreateMemory(keepFor: .seconds(3600), now: clock.now)
        let ana = memory.person(cpf: nil, line: "5511999999999", name: "ana teste")
        _ = try await memory.began(
            ana, after: try await memory.earlier(of: ana), settling: .milliseconds(30_500))
        #expect(try await memory.earlier(of: ana).unsettled == 31)
        clock.advance(.seconds(30))
        #expect(try await memory.earlier(of: ana).unsettled == 1)
        clock.advance(.seconds(1))
        #expect(try await memory.earlier(of: ana).unsettled == nil)
        #expect(try await memory.earlier(of: ana).open.count == 1)
        clock.advance(.seconds(3600))
        #expect(try await memory.earlier(of: ana).open.isEmpty)
    }
}

/// Gives whoever asks what was put in last.
private final class Sealed: IdempotencyStore {
    private let state = Mutex<(result: KeyResult?, made: [UInt8]?)>((nil, nil))

    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState { state.withLock { $0.result }.map { .finished($0) } ?? .fresh }
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) {
        state.withLock { $0.result = result }
    }
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) {}
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal {
        let made = state.withLock { $0.made }
        return Journal(entries: made.map { [JournalEntry(id: 1, settles: now, made: $0)] } ?? [], latest: 1)
    }
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? { 1 }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        if case .made(let bytes, _) = settlement { state.withLock { $0.made = bytes } }
    }
}
