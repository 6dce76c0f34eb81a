import Idempotency
import Testing

/// What every store promises.
@Suite(.timeLimit(.minutes(1))) struct StoreTests {
    private func begin(
        _ store: any IdempotencyStore, _ key: String = "key", _ request: String = "request", now: Int64 = 0,
        lease: Int64 = 10, expires: Int64 = 100
    ) async throws -> KeyState {
        try await store.begin(
            mark(key), fingerprint: mark(request), lease: at(lease), expires: at(expires), now: at(now))
    }

    @Test("a key is taken once, and means how its request ended", arguments: Kind.allCases)
    func keys(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store) == .fresh)
            #expect(try await begin(store, now: 9) == .running(until: at(10)))
            #expect(try await begin(store, "key", "another request", now: 9) == .mismatch)
            #expect(try await begin(store, "another key") == .fresh)
            try await store.finish(mark("key"), .made([1, 2, 3]))
            try await store.finish(mark("another key"), .failed("refused_by_system"))
            #expect(try await begin(store, now: 99) == .finished(.made([1, 2, 3])))
            #expect(try await begin(store, "another key", now: 99) == .finished(.failed("refused_by_system")))
            #expect(try await begin(store, "key", "another request", now: 99) == .mismatch)
        }
    }

    @Test("a key is free again when it was forgotten, when its time is over, and not before", arguments: Kind.allCases)
    func freed(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store) == .fresh)
            try await store.forget(mark("key"))
            #expect(try await begin(store, "key", "another request") == .fresh)
            try await store.finish(mark("key"), .made([1]))
            #expect(try await begin(store, "key", "another request", now: 99) == .finished(.made([1])))
            #expect(try await begin(store, "key", "a third request", now: 100, lease: 110, expires: 200) == .fresh)
        }
    }

    @Test("whoever left a key running or unknown leaves it to the same request only", arguments: Kind.allCases)
    func taken(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store) == .fresh)
            #expect(try await begin(store, "key", "another request", now: 10) == .mismatch)
            #expect(try await begin(store, now: 10, lease: 20) == .fresh)
            #expect(try await begin(store, now: 11, lease: 20) == .running(until: at(20)))
            try await store.finish(mark("key"), .unknown)
            #expect(try await begin(store, "key", "another request", now: 12) == .mismatch)
            #expect(try await begin(store, now: 12, lease: 30) == .fresh)
            #expect(try await begin(store, now: 13, lease: 30) == .running(until: at(30)))
        }
    }

    @Test("of many who come with a key at once one may go on", arguments: Kind.allCases)
    func atOnce(_ kind: Kind) async throws {
        try await kind.withStore { store in
            let states = try await withThrowingTaskGroup(of: KeyState.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await store.begin(
                            mark("key"), fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
                    }
                }
                return try await group.reduce(into: [KeyState]()) { $0.append($1) }
            }
            #expect(states.count { $0 == .fresh } == 1)
            #expect(states.count { $0 == .running(until: at(10)) } == 39)
        }
    }

    @Test("a create is found by its person until it is settled or over", arguments: Kind.allCases)
    func journal(_ kind: Kind) async throws {
        try await kind.withStore { store in
            let ana = person("1 ana", cpf: "1")
            let first = try await store.createBegan(ana, settles: at(30), expires: at(100), now: at(0))
            let second = try await store.createBegan(ana, settles: at(40), expires: at(100), now: at(10))
            #expect(first != second)
            let entries = try await store.creates(of: ana, now: at(99))
            #expect(entries.map(\.id) == [second, first])
            #expect(entries.map(\.settles) == [at(40), at(30)])
            #expect(entries.allSatisfy { $0.made == nil })
            try await store.createSettled(first, .over)
            try await store.createSettled(second, .made([7], until: at(50)))
            #expect(
                try await store.creates(of: ana, now: at(49)) == [JournalEntry(id: second, settles: at(40), made: [7])])
            #expect(try await store.creates(of: ana, now: at(50)).isEmpty)
            // What is not there any more is left alone.
            try await store.createSettled(first, .made([8], until: at(90)))
            #expect(try await store.creates(of: ana, now: at(50)).isEmpty)
        }
    }

    /// Who is the same person as a record of the line "1 ana", with and without CPF.
    @Test("CPFs decide where both have one, else line and name", arguments: Kind.allCases)
    func persons(_ kind: Kind) async throws {
        for (recorded, asked, isSame) in [
            (person("1 ana", cpf: "1"), person("2 ana", cpf: "1"), true),
            (person("1 ana", cpf: "1"), person("1 ana", cpf: "2"), false),
            (person("1 ana", cpf: "1"), person("1 ana"), true), (person("1 ana"), person("1 ana", cpf: "1"), true),
            (person("1 ana"), person("1 ana"), true), (person("1 ana"), person("1 bia"), false),
            (person("1 ana", cpf: "1"), person("2 ana"), false),
        ] {
            try await kind.withStore { store in
                _ = try await store.createBegan(recorded, settles: at(30), expires: at(100), now: at(0))
                #expect(try await store.creates(of: asked, now: at(1)).isEmpty == !isSame)
                #expect(recorded.isSamePerson(as: asked) == isSame)
            }
        }
    }

    @Test("memory is bounded: what would expire first goes, what is under way stays")
    func bounded() async throws {
        let store = MemoryStore(capacity: 100)
        #expect(try await begin(store, "running", expires: 1) == .fresh)
        let open = try await store.createBegan(person("running"), settles: at(1), expires: at(2), now: at(0))
        for number in 0..<1000 {
            _ = try await begin(store, "key \(number)", expires: 100 + Int64(number))
            try await store.finish(mark("key \(number)"), .made([1]))
            let create = try await store.createBegan(
                person("\(number)"), settles: at(1), expires: at(100), now: at(0))
            try await store.createSettled(create, .made([1], until: at(100 + Int64(number))))
        }
        #expect(try await begin(store, "running") == .running(until: at(10)))
        #expect(try await begin(store, "key 999") == .finished(.made([1])))
        #expect(try await begin(store, "key 0") == .fresh)
        #expect(try await store.creates(of: person("running"), now: at(0)).map(\.id) == [open])
        #expect(try await store.creates(of: person("999"), now: at(0)).count == 1)
        #expect(try await store.creates(of: person("0"), now: at(0)).isEmpty)
    }
}
