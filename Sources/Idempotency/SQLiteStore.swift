import Foundation
import GRDB
import Glibc

/// Keeps marks in a file, so that they outlive the process, also one that is killed at any moment.
///
/// The file and what SQLite puts beside it can be read by their owner only; what is found open to others is closed. Several processes may use one file on one
/// machine, as two do while one takes over from the other.
public final class SQLiteStore: IdempotencyStore {
    private let database: DatabaseQueue
    private let claim: FileClaim
    /// A file was there already, and others could read or write it.
    public let wasOpenToOthers: Bool

    /// Opens the file, or makes it.
    /// - Throws: what kept it from being opened, without the path.
    public init(path: String) throws(StoreFailure) {
        claim = try FileClaim(path + "-lock")
        // Made here, so that nobody else can read it even for a moment; SQLite gives its other files the same mode.
        try Self.makeFile(path)
        var wasOpenToOthers = false
        for file in [path, path + "-wal", path + "-shm", path + "-lock"] {
            if try FileMode.close(file) { wasOpenToOthers = true }
        }
        self.wasOpenToOthers = wasOpenToOthers
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // A write is on the disk when it returns, also when the power fails.
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        do {
            database = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(database)
            if claim.isAlone {
                // Whoever ran these requests is gone.
                try database.write { try $0.execute(sql: "UPDATE keys SET lease = 0 WHERE state = 0") }
            }
        } catch {
            throw Self.failure(error)
        }
        claim.share()
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE keys (
                        mark BLOB NOT NULL PRIMARY KEY, fingerprint BLOB NOT NULL, state INTEGER NOT NULL,
                        lease INTEGER NOT NULL, expires INTEGER NOT NULL, result BLOB, code TEXT
                    ) WITHOUT ROWID;
                    CREATE INDEX keys_by_end ON keys (expires);
                    CREATE TABLE creates (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, cpf BLOB, line BLOB NOT NULL,
                        settles INTEGER NOT NULL, expires INTEGER NOT NULL, made BLOB
                    );
                    CREATE INDEX creates_by_cpf ON creates (cpf) WHERE cpf IS NOT NULL;
                    CREATE INDEX creates_by_line ON creates (line);
                    CREATE INDEX creates_by_end ON creates (expires);
                    """)
        }
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    ALTER TABLE keys ADD COLUMN holder INTEGER;
                    ALTER TABLE creates ADD COLUMN over INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE clinics (
                        tenant BLOB NOT NULL PRIMARY KEY, scope BLOB NOT NULL, traits BLOB NOT NULL
                    ) WITHOUT ROWID;
                    """)
        }
        return migrator
    }

    /// As `keys.state` has it.
    private enum State: Int { case running = 0, made, failed, unknown }

    public func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState {
        try await write { database in
            try database.execute(sql: "DELETE FROM keys WHERE expires <= ?", arguments: [now.milliseconds])
            let row = try Row.fetchOne(
                database, sql: "SELECT fingerprint, state, lease, result, code FROM keys WHERE mark = ?",
                arguments: [key.data])
            if let row {
                guard (row["fingerprint"] as Data?) == fingerprint.data else { return .mismatch }
                let until = Moment(milliseconds: row["lease"] ?? 0)
                switch State(rawValue: row["state"] ?? 0) {
                case .running where until > now: return .running(until: until)
                case .made: return .finished(.made(Array(row["result"] as Data? ?? Data())))
                case .failed: return .finished(.failed(row["code"] ?? ""))
                case .running, .unknown, nil: break
                }
            }
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO keys (mark, holder, fingerprint, state, lease, expires)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    key.data, holder, fingerprint.data, State.running.rawValue, lease.milliseconds,
                    expires.milliseconds,
                ])
            return .fresh
        }
    }

    public func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) {
        let state: State
        var sealed: Data?
        var code: String?
        switch result {
        case .made(let id): (state, sealed) = (.made, Data(id))
        case .failed(let failure): (state, code) = (.failed, failure)
        case .unknown: state = .unknown
        }
        let arguments: StatementArguments = [state.rawValue, sealed, code, key.data, holder]
        try await write { database in
            try database.execute(
                sql: "UPDATE keys SET state = ?, result = ?, code = ? WHERE mark = ? AND holder = ?",
                arguments: arguments)
        }
    }

    public func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) {
        try await write {
            try $0.execute(sql: "DELETE FROM keys WHERE mark = ? AND holder = ?", arguments: [key.data, holder])
        }
    }

    public func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal {
        try await write { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, cpf, line, settles, made FROM creates
                    WHERE (line = ? OR cpf = ?) AND expires > ? AND over = 0 ORDER BY id DESC
                    """, arguments: [person.line.data, person.cpf?.data, now.milliseconds])
            let entries = rows.filter { Self.person(of: $0).isSamePerson(as: person) }.map { row in
                JournalEntry(
                    id: row["id"] ?? 0, settles: Moment(milliseconds: row["settles"] ?? 0),
                    made: (row["made"] as Data?).map { Array($0) })
            }
            // Ids are never given out twice, also after their rows are gone.
            let latest = try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'creates'")
            return Journal(entries: entries, latest: latest ?? 0)
        }
    }

    private static func person(of row: Row) -> PersonMarks {
        PersonMarks(
            cpf: (row["cpf"] as Data?).map { Mark(bytes: Array($0)) },
            line: Mark(bytes: Array(row["line"] as Data? ?? Data())))
    }

    public func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? {
        // One transaction that begins by taking the right to write: what is read here is so until the row is there.
        try await write { database in
            try database.execute(sql: "DELETE FROM creates WHERE expires <= ?", arguments: [now.milliseconds])
            let later = try Row.fetchAll(
                database, sql: "SELECT cpf, line FROM creates WHERE (line = ? OR cpf = ?) AND id > ?",
                arguments: [person.line.data, person.cpf?.data, latest])
            guard later.allSatisfy({ !Self.person(of: $0).isSamePerson(as: person) }) else { return nil }
            try database.execute(
                sql: "INSERT INTO creates (cpf, line, settles, expires) VALUES (?, ?, ?, ?)",
                arguments: [person.cpf?.data, person.line.data, settles.milliseconds, expires.milliseconds])
            return database.lastInsertedRowID
        }
    }

    public func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        try await write { database in
            switch settlement {
            case .over:
                // It stays a while for those who looked before it began.
                try database.execute(
                    sql: "UPDATE creates SET over = 1, made = NULL, expires = MIN(expires, settles) WHERE id = ?",
                    arguments: [create])
            case .made(let id, let until):
                try database.execute(
                    sql: "UPDATE creates SET made = ?, expires = ? WHERE id = ? AND over = 0",
                    arguments: [Data(id), until.milliseconds, create])
            }
        }
    }

    // MARK: Clinics

    /// The scope under which a tenant's marks are made: the one of before while it is the same clinic.
    /// - Parameters:
    ///   - tenant: of the tenant's id and its system.
    ///   - traits: it is the same clinic if it has one of those that it had the last time.
    /// - Returns: 32 bytes drawn by lot when a clinic is new.
    public func scope(of tenant: Mark, traits: [Mark]) throws(StoreFailure) -> [UInt8] {
        do {
            return try database.write { database in
                let row = try Row.fetchOne(
                    database, sql: "SELECT scope, traits FROM clinics WHERE tenant = ?", arguments: [tenant.data])
                let known = (row?["traits"] as Data?).map { Array($0) } ?? []
                let former = stride(from: 0, to: known.count, by: Mark.size).map {
                    Mark(bytes: Array(known[$0..<min(known.count, $0 + Mark.size)]))
                }
                let isSame = !Set(former).isDisjoint(with: traits)
                let kept = isSame ? (row?["scope"] as Data?).map { Array($0) } : nil
                let scope = kept ?? Vault.randomSecret()
                if kept == nil || former != traits {
                    try database.execute(
                        sql: "INSERT OR REPLACE INTO clinics (tenant, scope, traits) VALUES (?, ?, ?)",
                        arguments: [tenant.data, Data(scope), Data(traits.flatMap(\.bytes))])
                }
                return scope
            }
        } catch {
            throw Self.failure(error)
        }
    }

    // MARK: Helpers

    /// In a task of its own: what is to be written down is, also when nobody waits for it any more.
    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreFailure) -> Value {
        let database = database
        let result = await Task {
            do {
                return Result<Value, StoreFailure>.success(try await database.write(body))
            } catch {
                return .failure(Self.failure(error))
            }
        }.value
        return try result.get()
    }

    private static func failure(_ error: any Error) -> StoreFailure {
        guard let error = error as? DatabaseError else { return StoreFailure("the store failed") }
        // Without the statement and its values.
        return StoreFailure("SQLite: \(error.message ?? "error \(error.resultCode.rawValue)")")
    }

    private static func makeFile(_ path: String) throws(StoreFailure) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreFailure("the file cannot be opened: \(FileClaim.reason())") }
        close(descriptor)
    }
}

extension Mark {
    fileprivate var data: Data { Data(bytes) }
}

/// Tells whether a process is the first to use a file. The claim ends with the process, however it ends.
final class FileClaim: Sendable {
    private let descriptor: Int32
    /// Nobody else had a claim when this one was made.
    let isAlone: Bool

    init(_ path: String) throws(StoreFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreFailure("the file cannot be opened: \(Self.reason())") }
        isAlone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Lets others make their claims, and keeps this one.
    func share() { _ = flock(descriptor, LOCK_SH) }

    deinit { close(descriptor) }

    static func reason() -> String { String(cString: strerror(errno)) }
}
