import Idempotency
import Testing

/// What every store promises.
@Suite(.timeLimit(.minutes(1))) struct StoreTests {
    private func begin(
        _ store: any IdempotencyStore, _ key: String = "key", _ request: String = "request", now: Int64 = 0,
        lease: Int64 = 10, expires: Int64 = 100, holder: KeyHolder = 1
    ) async throws -> KeyState {
        try await store.begin(
            mark(key), holder: holder, fingerprint: mark(request), lease: at(lease), expires: at(expires), now: at(now))
    }

    @Test("a key is taken once, and means how its request ended", arguments: Kind.allCases)
    func keys(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store) == .fresh)
            #expect(try await begin(store, now: 9) == .running(until: at(10)))
            #expect(try await begin(store, "key", "another request", now: 9) == .mismatch)
            #expect(try await begin(store, "another key") == .fresh)
            try await store.finish(mark("key"), holder: 1, .made([1, 2, 3]))
            try await store.finish(mark("another key"), holder: 1, .failed("refused_by_system"))
            #expect(try await begin(store, now: 99) == .finished(.made([1, 2, 3])))
            #expect(try await begin(store, "another key", now: 99) == .finished(.failed("refused_by_system")))
            #expect(try await begin(store, "key", "another request", now: 99) == .mismatch)
        }
    }

    @Test("a key is free again when it was forgotten, when its time is over, and not before", arguments: Kind.allCases)
    func freed(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store) == .fresh)
            try await store.forget(mark("key"), holder: 1)
            #expect(try await begin(store, "key", "another request") == .fresh)
            try await store.finish(mark("key"), holder: 1, .made([1]))
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
            try await store.finish(mark("key"), holder: 1, .unknown)
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
                            mark("key"), holder: 1, fingerprint: mark("request"), lease: at(10), expires: at(100),
                            now: at(0))
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
            let first = try #require(
                try await store.createBegan(ana, after: 0, settles: at(30), expires: at(100), now: at(0)))
            let second = try #require(
                try await store.createBegan(ana, after: first, settles: at(40), expires: at(100), now: at(10)))
            #expect(first < second)
            let journal = try await store.creates(of: ana, now: at(99))
            #expect(journal.latest == second)
            let entries = journal.entries
            #expect(entries.map(\.id) == [second, first])
            #expect(entries.map(\.settles) == [at(40), at(30)])
            #expect(entries.allSatisfy { $0.made == nil })
            try await store.createSettled(first, .over)
            try await store.createSettled(second, .made([7], until: at(50)))
            #expect(
                try await store.creates(of: ana, now: at(49)).entries == [
                    JournalEntry(id: second, settles: at(40), made: [7])
                ])
            #expect(try await store.creates(of: ana, now: at(50)).entries.isEmpty)
            // What is not there any more is left alone.
            try await store.createSettled(first, .made([8], until: at(90)))
            #expect(try await store.creates(of: ana, now: at(50)).entries.isEmpty)
        }
    }

    @Test("a holder who comes late changes nothing of the key's next one", arguments: Kind.allCases)
    func lateHolder(_ kind: Kind) async throws {
        try await kind.withStore { store in
            #expect(try await begin(store, holder: 1) == .fresh)
            // Its lease is over, and the same request came again.
            #expect(try await begin(store, now: 10, lease: 20, holder: 2) == .fresh)
            try await store.finish(mark("key"), holder: 1, .failed("refused_by_system"))
            #expect(try await begin(store, now: 11, holder: 3) == .running(until: at(20)))
            try await store.forget(mark("key"), holder: 1)
            #expect(try await begin(store, now: 11, holder: 3) == .running(until: at(20)))
            try await store.finish(mark("key"), holder: 2, .made([2]))
            try await store.finish(mark("key"), holder: 1, .made([1]))
            try await store.forget(mark("key"), holder: 1)
            #expect(try await begin(store, now: 12, holder: 3) == .finished(.made([2])))
            // Whose lease is over and whom nobody followed, still holds the key.
            #expect(try await begin(store, "another key", holder: 4) == .fresh)
            try await store.finish(mark("another key"), holder: 4, .made([4]))
            #expect(try await begin(store, "another key", now: 50, holder: 5) == .finished(.made([4])))
        }
    }

    @Test("whoever looked before another create of the person began must look again", arguments: Kind.allCases)
    func overtaken(_ kind: Kind) async throws {
        try await kind.withStore { store in
            func begin(_ person: PersonMarks, after latest: JournalEntry.ID, now: Int64 = 0) async throws
                -> JournalEntry.ID?
            {
                try await store.createBegan(person, after: latest, settles: at(30), expires: at(100), now: at(now))
            }
            let (ana, bia) = (person("1 ana", cpf: "1"), person("2 bia"))
            let looked = try await store.creates(of: ana, now: at(0)).latest
            // Others do not count.
            #expect(try await begin(bia, after: 0) != nil)
            let first = try #require(try await begin(ana, after: looked))
            for same in [ana, person("1 ana"), person("3 ana", cpf: "1")] {
                #expect(try await begin(same, after: looked) == nil)
            }
            #expect(try await store.creates(of: ana, now: at(1)).entries.map(\.id) == [first])
            // Also when that create is over: its record is there now, and was not when the others looked.
            try await store.createSettled(first, .over)
            #expect(try await store.creates(of: ana, now: at(1)).entries.isEmpty)
            #expect(try await begin(ana, after: looked, now: 1) == nil)
            let again = try await store.creates(of: ana, now: at(1)).latest
            #expect(try await begin(ana, after: again, now: 1) != nil)
        }
    }

    @Test("of many creates of a person that looked at the same moment one may be sent", arguments: Kind.allCases)
    func oneOfMany(_ kind: Kind) async throws {
        try await kind.withStore { store in
            let began = try await withThrowingTaskGroup(of: JournalEntry.ID?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await store.createBegan(
                            person("1 ana"), after: 0, settles: at(30), expires: at(100), now: at(0))
                    }
                }
                return try await group.reduce(into: [JournalEntry.ID?]()) { $0.append($1) }
            }
            #expect(began.count { $0 != nil } == 1)
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
                _ = try await store.createBegan(recorded, after: 0, settles: at(30), expires: at(100), now: at(0))
                #expect(try await store.creates(of: asked, now: at(1)).entries.isEmpty == !isSame)
                #expect(recorded.isSamePerson(as: asked) == isSame)
            }
        }
    }

    @Test("memory is bounded: what would expire first goes, what is under way stays")
    func bounded() async throws {
        let store = MemoryStore(capacity: 100)
        #expect(try await begin(store, "running", expires: 1) == .fresh)
        let open = try #require(
            try await store.createBegan(person("running"), after: 0, settles: at(1), expires: at(2), now: at(0)))
        for number in 0..<1000 {
            _ = try await begin(store, "key \(number)", expires: 100 + Int64(number))
            try await store.finish(mark("key \(number)"), holder: 1, .made([1]))
            let create = try #require(
                try await store.createBegan(
                    person("\(number)"), after: 0, settles: at(1), expires: at(100), now: at(0)))
            try await store.createSettled(create, .made([1], until: at(100 + Int64(number))))
        }
        #expect(try await begin(store, "running") == .running(until: at(10)))
        #expect(try await begin(store, "key 999") == .finished(.made([1])))
        #expect(try await begin(store, "key 0") == .fresh)
        #expect(try await store.creates(of: person("running"), now: at(0)).entries.map(\.id) == [open])
        #expect(try await store.creates(of: person("999"), now: at(0)).entries.count == 1)
        #expect(try await store.creates(of: person("0"), now: at(0)).entries.isEmpty)
    }
}
