import Idempotency
import Testing

@Suite struct CreateMemoryTests {
    @Test("tenants do not meet, also in one store")
    func tenants() async throws {
        let (store, vault) = (MemoryStore(), Vault.random())
        let aurora = CreateMemory(store: store, vault: vault, tenant: "aurora")
        let boreal = CreateMemory(store: store, vault: vault, tenant: "boreal")
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
        _ = try await aurora.began(ana(aurora), settling: .seconds(30))
        #expect(try await aurora.earlier(of: ana(aurora)).unsettled == 30)
        #expect(try await boreal.earlier(of: ana(boreal)).unsettled == nil)
        #expect(try await boreal.earlier(of: ana(boreal)).open.isEmpty)
    }

    @Test("a create settles with time, and is forgotten when it is old")
    func settling() async throws {
        let clock = TestClock()
        let memory = CreateMemory(keepFor: .seconds(3600), now: clock.now)
        let ana = memory.person(cpf: nil, line: "5511999999999", name: "ana teste")
        _ = try await memory.began(ana, settling: .milliseconds(30_500))
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
