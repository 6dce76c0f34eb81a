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
                        mark(key), holder: 1, fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
                    try await store.finish(mark(key), holder: 1, result)
                }
                _ = try await store.begin(
                    mark("running"), holder: 1, fingerprint: mark("request"), lease: at(10), expires: at(100),
                    now: at(0))
                entry = try #require(
                    try await store.createBegan(person("ana"), after: 0, settles: at(30), expires: at(100), now: at(0)))
            }
            let store = try SQLiteStore(path: path)
            func begin(_ key: String) async throws -> KeyState {
                try await store.begin(
                    mark(key), holder: 1, fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
            }
            #expect(try await begin("made") == .finished(.made([1, 2])))
            #expect(try await begin("failed") == .finished(.failed("refused_by_system")))
            // Whoever ran it is gone: its lease is over.
            #expect(try await begin("running") == .fresh)
            #expect(try await store.creates(of: person("ana"), now: at(5)).entries.map(\.id) == [entry])
        }
    }

    @Test("a second process does not take what the first still runs")
    func together() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            let first = try SQLiteStore(path: path)
            _ = try await first.begin(
                mark("key"), holder: 1, fingerprint: mark("request"), lease: at(10), expires: at(100), now: at(0))
            let second = try SQLiteStore(path: path)
            #expect(
                try await second.begin(
                    mark("key"), holder: 1, fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
                    == .running(until: at(10)))
            try await first.finish(mark("key"), holder: 1, .made([1]))
            #expect(
                try await second.begin(
                    mark("key"), holder: 1, fingerprint: mark("request"), lease: at(20), expires: at(100), now: at(5))
                    == .finished(.made([1])))
        }
    }

    @Test("its files are their owner's alone, and hold nothing in clear")
    func files() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            let secret = try SecretFile.secret(at: path + ".secret").bytes
            let store = try SQLiteStore(path: path)
            let memory = CreateMemory(store: store, vault: Vault(secret: secret), scope: "aurora")
            let person = memory.person(cpf: "12345678900", line: "5511999999999", name: "ana teste")
            let entry = try #require(
                try await memory.began(
                    person, after: try await memory.earlier(of: person), settling: .seconds(30)))
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

    @Test("files that others could read are closed to them, and it is told", arguments: [0o644, 0o660, 0o604])
    func modes(_ mode: Int) async throws {
        try await withFolder { folder in
            let files = FileManager.default
            let path = folder.appending(path: "creates.db").path
            do {
                let secret = try SecretFile.secret(at: path + ".secret")
                #expect(!secret.wasOpenToOthers)
                let store = try SQLiteStore(path: path)
                #expect(!store.wasOpenToOthers)
                _ = try await store.createBegan(person("ana"), after: 0, settles: at(30), expires: at(99), now: at(0))
                for name in try files.contentsOfDirectory(atPath: folder.path) {
                    try files.setAttributes(
                        [.posixPermissions: mode], ofItemAtPath: folder.appending(path: name).path)
                }
                let second = try SQLiteStore(path: path)
                #expect(second.wasOpenToOthers)
                let again = try SecretFile.secret(at: path + ".secret")
                #expect(again.wasOpenToOthers && again.bytes == secret.bytes)
                let names = try files.contentsOfDirectory(atPath: folder.path)
                #expect(names.count >= 5)
                for name in names {
                    let file = folder.appending(path: name).path
                    #expect(try files.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600, "\(name)")
                }
                #expect(try await second.creates(of: person("ana"), now: at(1)).entries.count == 1)
            }
            #expect(try !SQLiteStore(path: path).wasOpenToOthers)
            #expect(try !SecretFile.secret(at: path + ".secret").wasOpenToOthers)
        }
    }

    @Test("two processes on one file: of two creates of one person at the same moment one may be sent")
    func oneOfTwoProcesses() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            let stores = [try SQLiteStore(path: path), try SQLiteStore(path: path)]
            for round in 0..<20 {
                let ana = person("\(round) ana")
                var looked: [JournalEntry.ID] = []
                for store in stores { looked.append(try await store.creates(of: ana, now: at(0)).latest) }
                let began = try await withThrowingTaskGroup(of: JournalEntry.ID?.self) { group in
                    for (store, latest) in zip(stores, looked) {
                        group.addTask {
                            try await store.createBegan(
                                ana, after: latest, settles: at(30), expires: at(100), now: at(0))
                        }
                    }
                    return try await group.reduce(into: [JournalEntry.ID?]()) { $0.append($1) }
                }
                #expect(began.count { $0 != nil } == 1)
            }
        }
    }

    @Test("a clinic is known again by any of its traits, and another one with its id is another")
    func clinics() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "creates.db").path
            func scope(_ tenant: String, _ traits: [String]) throws -> [UInt8] {
                // Opened anew, as after a restart.
                try SQLiteStore(path: path).scope(of: mark(tenant), traits: traits.map { mark($0) })
            }
            let ana = try scope("ana", ["account 1", "key 1"])
            #expect(ana.count == 32)
            #expect(try scope("ana", ["account 1", "key 1"]) == ana)
            // Rotated one after the other.
            #expect(try scope("ana", ["account 2", "key 1"]) == ana)
            #expect(try scope("ana", ["account 2", "key 2"]) == ana)
            #expect(try scope("bruno", ["account 2", "key 2"]) != ana)
            // What it had before the last time is not it.
            #expect(try scope("ana", ["account 1", "key 1"]) != ana)
        }
    }

    @Test("the secret is drawn once")
    func secret() async throws {
        try await withFolder { folder in
            let path = folder.appending(path: "secret").path
            let secret = try SecretFile.secret(at: path).bytes
            #expect(secret.count == 64)
            #expect(try SecretFile.secret(at: path).bytes == secret)
            #expect(try SecretFile.secret(at: path + "2").bytes != secret)
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
