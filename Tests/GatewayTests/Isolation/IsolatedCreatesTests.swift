import Foundation
import JSONBytes
import TestSupport
import Testing

/// What is remembered of creates is one clinic's: its keys, its persons, its unknown outcomes. Also where clinics share
/// a database, a host, or one after the other an id.
@Suite(.timeLimit(.minutes(3))) struct IsolatedCreatesTests {
    static let stores = ["memory", "sqlite"]

    private func with(
        _ ids: [String], store: String, _ test: (TenantWorld, SharedHost) async throws -> Void
    ) async throws {
        let host = try SharedHost()
        defer { host.stop() }
        let clinics = ids.map { id in
            var clinic = ClinicFile(id, at: host.baseURL)
            clinic.store = store
            return clinic
        }
        try await TenantWorld.with(clinics) { try await test($0, host) }
    }

    private func create(
        _ ponte: TenantWorld.Ponte, _ key: String, _ idempotencyKey: String? = nil,
        _ body: String = IsolationDrafts.draft()
    ) async throws -> RawHTTP.Answer {
        try await ponte.call(
            "POST", "/clients", key: key, idempotencyKey.map { ["Idempotency-Key: \($0)"] } ?? [], body: body)
    }

    @Test("an Idempotency-Key of one tenant means nothing to another", arguments: stores)
    func keys(_ store: String) async throws {
        try await with(["ana", "bruno"], store: store) { world, host in
            let other = IsolationDrafts.draft("Dora Exemplo", "5511955554444")
            for (id, body) in [("ana", IsolationDrafts.draft()), ("bruno", IsolationDrafts.draft()), ("ana", other)] {
                let key = body == other ? "k2" : "k"
                let first = try await create(world.ponte, "key-\(id)", key, body)
                #expect(first.status == 200)
                #expect(try await create(world.ponte, "key-\(id)", key, body).body == first.body)
            }
            // Another body: were the key known, it would be refused.
            let third = try await create(
                world.ponte, "key-bruno", "k2", IsolationDrafts.draft("Elisa Teste", "5511944443333"))
            #expect(third.status == 200 && third.name == "Elisa Teste")
            #expect(try await create(world.ponte, "key-bruno", "k", other).code == "idempotency_key_reused")
            #expect(host.creates("ana") == 2 && host.creates("bruno") == 2)
        }
    }

    @Test("a create whose outcome one tenant does not know is no matter of another's", arguments: stores)
    func unknown(_ store: String) async throws {
        try await with(["ana", "bruno"], store: store) { world, host async throws in
            host.set("ana", .losesWrites)
            for _ in 0..<2 { #expect(try await create(world.ponte, "key-ana", "k").code == "outcome_unknown") }
            #expect(host.creates("ana") == 1)
            for key in ["k", nil] { #expect(try await create(world.ponte, "key-bruno", key).status == 200) }
            #expect(host.creates("bruno") == 1)
            #expect(try await create(world.ponte, "key-ana").code == "outcome_unknown")
        }
    }

    @Test("equal creates at the same moment are two where they are two tenants'", arguments: stores)
    func together(_ store: String) async throws {
        try await with(["ana", "bruno"], store: store) { world, host async throws in
            for id in ["ana", "bruno"] { host.hold(id) }
            async let ana = create(world.ponte, "key-ana", "k")
            async let bruno = create(world.ponte, "key-bruno", "k")
            // The search of each is under way.
            await host.until { $0.count("ana", "GET") >= 1 && $0.count("bruno", "GET") >= 1 }
            host.release("bruno")
            #expect(try await bruno.status == 200)
            #expect(host.creates("ana") == 0)
            host.release("ana")
            #expect(try await ana.status == 200)
            #expect(host.creates("ana") == 1 && host.creates("bruno") == 1)
        }
    }

    // MARK: One id, two clinics

    enum Successor: CaseIterable {
        /// On another host, on the same one, and after the file was gone for a while.
        case elsewhere, sameHost, afterAWhile
    }

    @Test(
        "a clinic that comes to have another's id finds nothing of it",
        arguments: stores, Successor.allCases)
    func successors(_ store: String, _ successor: Successor) async throws {
        let second = try SharedHost()
        defer { second.stop() }
        try await with(["ana", "bruno"], store: store) { world, host in
            #expect(try await create(world.ponte, "key-ana", "k").status == 200)
            host.set("ana", .losesWrites)
            let lost = IsolationDrafts.draft("Fabio Teste", "5511933332222")
            #expect(try await create(world.ponte, "key-ana", "lost", lost).code == "outcome_unknown")
            let asked = host.count("ana")

            if successor == .afterAWhile {
                try world.remove("ana")
                #expect(try world.ponte.reload().removed == ["ana"])
                #expect(try await create(world.ponte, "key-ana", "k").code == "unknown_key")
            }
            let itsHost = successor == .elsewhere ? second : host
            var next = ClinicFile("ana", at: itsHost.baseURL, account: "beatriz")
            (next.key, next.store) = ("key-beatriz", store)
            try world.write(next)
            _ = try world.ponte.reload()

            #expect(try await create(world.ponte, "key-ana", "k").code == "unknown_key")
            let own = try await world.ponte.call("GET", "/t/ana/clients/7", key: "key-beatriz")
            #expect(own.name == "Paciente de beatriz")
            // The same keys, with the same bodies and with others: they are new, and reach its own system.
            #expect(try await create(world.ponte, "key-beatriz", "k").status == 200)
            #expect(try await create(world.ponte, "key-beatriz", "lost", lost).status == 200)
            #expect(itsHost.creates("beatriz") == 2)
            // Nothing was asked with the former clinic's token.
            #expect(host.count("ana") == asked)
        }
    }

    @Test("a clinic stays itself when its credentials or its key are rotated, or its file was gone", arguments: stores)
    func rotation(_ store: String) async throws {
        try await with(["ana", "bruno"], store: store) { world, host in
            let first = try await create(world.ponte, "key-ana", "k")
            #expect(first.status == 200)
            // The record is renamed, so that only the key tells that the create came before.
            let renamed = try await world.ponte.call(
                "PATCH", "/clients/\(first.id ?? "")", key: "key-ana", body: #"{"name":"Carla Renomeada"}"#)
            #expect(renamed.status == 200)
            var clinic = ClinicFile("ana", at: host.baseURL)
            clinic.store = store
            clinic.key = "key-rotated"
            try world.write(clinic)
            #expect(try world.ponte.reload().replaced == ["ana"])
            #expect(try await create(world.ponte, "key-rotated", "k").id == first.id)
            clinic.passwordFrom = "ROTATED"
            try world.write(clinic)
            #expect(try world.ponte.reload().replaced == ["ana"])
            #expect(try await create(world.ponte, "key-rotated", "k").id == first.id)
            try world.remove("ana")
            #expect(try world.ponte.reload().removed == ["ana"])
            try world.write(clinic)
            #expect(try world.ponte.reload().added == ["ana"])
            #expect(try await create(world.ponte, "key-rotated", "k").id == first.id)
            #expect(host.creates("ana") == 1)
        }
    }

    // MARK: Two Pontes

    @Test("of equal creates at the same moment, at two Pontes with one database, one reaches the system")
    func twoPontes() async throws {
        try await with(["ana"], store: "sqlite") { world, host in
            let another = try await world.another()
            for round in 10..<20 {
                let body = IsolationDrafts.draft("Gina Teste", "55119222211\(round)")
                let before = host.creates("ana")
                let answers = try await withThrowingTaskGroup(of: RawHTTP.Answer.self) { group in
                    for ponte in [world.ponte, another] {
                        group.addTask { try await create(ponte, "key-ana", nil, body) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(host.creates("ana") == before + 1)
                #expect(answers.contains { $0.status == 200 })
                // The other one found it, or says that nobody knows yet and that nothing was sent.
                #expect(answers.allSatisfy { $0.status == 200 || $0.code == "outcome_unknown" })
                // Now it is there for both.
                let ids = [
                    try await create(world.ponte, "key-ana", nil, body).id,
                    try await create(another, "key-ana", nil, body).id,
                ]
                #expect(ids[0] != nil && ids[0] == ids[1])
                #expect(host.creates("ana") == before + 1)
            }
            try await another.stop()
        }
    }
}
