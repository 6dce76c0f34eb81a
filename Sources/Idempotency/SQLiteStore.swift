import Foundation
import GRDB
import Glibc

/// Keeps marks in a file, so that they outlive the process, also one that is killed at any moment.
///
/// The file and what SQLite puts beside it can be read by their owner only. Several processes may use one file on one
/// machine, as two do while one takes over from the other.
public final class SQLiteStore: IdempotencyStore {
    private let database: DatabaseQueue
    private let claim: FileClaim

    /// Opens the file, or makes it.
    /// - Throws: what kept it from being opened, without the path.
    public init(path: String) throws(StoreFailure) {
        claim = try FileClaim(path + "-lock")
        // Made here, so that nobody else can read it even for a moment; SQLite gives its other files the same mode.
        try Self.makeFile(path)
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
        return migrator
    }

    /// As `keys.state` has it.
    private enum State: Int { case running = 0, made, failed, unknown }

    public func begin(
        _ key: Mark, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
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
                    INSERT OR REPLACE INTO keys (mark, fingerprint, state, lease, expires) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    key.data, fingerprint.data, State.running.rawValue, lease.milliseconds, expires.milliseconds,
                ])
            return .fresh
        }
    }

    public func finish(_ key: Mark, _ result: KeyResult) async throws(StoreFailure) {
        let state: State
        var sealed: Data?
        var code: String?
        switch result {
        case .made(let id): (state, sealed) = (.made, Data(id))
        case .failed(let failure): (state, code) = (.failed, failure)
        case .unknown: state = .unknown
        }
        let arguments: StatementArguments = [state.rawValue, sealed, code, key.data]
        try await write { database in
            try database.execute(
                sql: "UPDATE keys SET state = ?, result = ?, code = ? WHERE mark = ?", arguments: arguments)
        }
    }

    public func forget(_ key: Mark) async throws(StoreFailure) {
        try await write { try $0.execute(sql: "DELETE FROM keys WHERE mark = ?", arguments: [key.data]) }
    }

    public func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> [JournalEntry] {
        try await write { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, cpf, line, settles, made FROM creates WHERE (line = ? OR cpf = ?) AND expires > ?
                    ORDER BY id DESC
                    """, arguments: [person.line.data, person.cpf?.data, now.milliseconds])
            return rows.compactMap { row in
                let marks = PersonMarks(
                    cpf: (row["cpf"] as Data?).map { Mark(bytes: Array($0)) },
                    line: Mark(bytes: Array(row["line"] as Data? ?? Data())))
                guard marks.isSamePerson(as: person) else { return nil }
                return JournalEntry(
                    id: row["id"] ?? 0, settles: Moment(milliseconds: row["settles"] ?? 0),
                    made: (row["made"] as Data?).map { Array($0) })
            }
        }
    }

    public func createBegan(
        _ person: PersonMarks, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID {
        try await write { database in
            try database.execute(sql: "DELETE FROM creates WHERE expires <= ?", arguments: [now.milliseconds])
            try database.execute(
                sql: "INSERT INTO creates (cpf, line, settles, expires) VALUES (?, ?, ?, ?)",
                arguments: [person.cpf?.data, person.line.data, settles.milliseconds, expires.milliseconds])
            return database.lastInsertedRowID
        }
    }

    public func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        try await write { database in
            switch settlement {
            case .over: try database.execute(sql: "DELETE FROM creates WHERE id = ?", arguments: [create])
            case .made(let id, let until):
                try database.execute(
                    sql: "UPDATE creates SET made = ?, expires = ? WHERE id = ?",
                    arguments: [Data(id), until.milliseconds, create])
            }
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
