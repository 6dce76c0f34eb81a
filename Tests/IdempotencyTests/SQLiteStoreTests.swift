import Foundation
import Idempotency
import Testing

/// What only a file can promise.
@Suite(.timeLimit(.minutes(1))) struct SQLiteStoreTests {
    @Test("what was written down is there when the file is opened again")
    func survives() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            var entry: JournalEntry.ID = 0
            do {
                let store = try SQLiteStore(path: path)
                for (key, result) in [("made", KeyResult.made([1, 2])), ("failed", .failed("refused_by_system"))] {
                    _ = try await store.begin(
                        mark(key), fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
                    try await store.finish(mark(key), result)
                }
                _ = try await store.begin(
                    mark("running"), fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
                entry = try await store.createBegan(person("ana"), settles: at(30), expires: at(100), now: at(0))
            }
            let store = try SQLiteStore(path: path)
            func begin(_ key: String) async throws -> KeyState {
                try await store.begin(
                    mark(key), fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
            }
            #expect(try await begin("made") == .finished(.made([1, 2])))
            #expect(try await begin("failed") == .finished(.failed("refused_by_system")))
            // Whoever ran it is gone: its lease is over.
            #expect(try await begin("running") == .fresh)
            #expect(try await store.creates(of: person("ana"), now: at(5)).map(\.id) == [entry])
        }
    }

    @Test("a second process does not take what the first still runs")
    func together() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            let first = try SQLiteStore(path: path)
            _ = try await first.begin(
                mark("key"), fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
            let second = try SQLiteStore(path: path)
            #expect(
                try await second.begin(
                    mark("key"), fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
                    == .running(until: at(10)))
            try await first.finish(mark("key"), .made([1]))
            #expect(
                try await second.begin(
                    mark("key"), fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
                    == .finished(.made([1])))
        }
    }

    @Test("its files are their owner's alone, and hold nothing in clear")
    func files() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            let secret = try SecretFile.secret(at: path + ".secret")
            let store = try SQLiteStore(path: path)
            let memory = CreateMemory(store: store, vault: Vault(secret: secret), tenant: "aurora")
            let person = memory.person(cpf: "12345678900", line: "5511999999999", name: "ana teste")
            let entry = try await memory.began(person, settling: .seconds(30))
            await memory.made("id-of-the-client", by: entry, visibleAfter: .seconds(300))
            guard case .fresh(let ticket) = try await memory.begin("a-key", request: ["Ana Teste"], within: .seconds(5))
            else { return #expect(Bool(false), "the key is fresh") }
            await memory.end(ticket, .made("id-of-the-client"))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(names.count >= 3)
            for name in names {
                let file = folder.appending(path: name)
                let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(name)")
                let bytes = try Data(contentsOf: file)
                for text in ["12345678900", "5511999999999", "ana teste", "Ana Teste", "a-key", "id-of-the-client"] {
                    #expect(bytes.range(of: Data(text.utf8)) == nil, "\(name)")
                }
            }
            #expect(try await memory.earlier(of: person).made == "id-of-the-client")
        }
    }

    @Test("the secret is drawn once")
    func secret() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "secret").path
            let secret = try SecretFile.secret(at: path)
            #expect(secret.count == 64)
            #expect(try SecretFile.secret(at: path) == secret)
            #expect(try SecretFile.secret(at: path + "2") != secret)
        }
    }

    @Test("what is no database, or cannot be opened, is said so")
    func unusable() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "text.db").path
            try Data(String(repeating: "This is no database. ", count: 100).utf8).write(to: URL(filePath: path))
            #expect(throws: StoreFailure("SQLite: file is not a database")) { try SQLiteStore(path: path) }
            let missing = folder.appending(path: "none/creates.db").path
            #expect(throws: StoreFailure.self) { try SQLiteStore(path: missing) }
            #expect(throws: StoreFailure.self) { try SecretFile.secret(at: missing) }
        }
    }
}
