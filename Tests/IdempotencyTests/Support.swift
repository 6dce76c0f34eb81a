import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Idempotency

/// The stores that keep the same promises.
enum Kind: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String { rawValue }

    /// Runs a test with a new, empty store.
    func withStore(_ body: (any IdempotencyStore) async throws -> Void) async throws {
        switch self {
        case .memory: try await body(MemoryStore())
        case .sqlite: try await withFolder { try await body(SQLiteStore(path: $0.appending(path: "creates.db").path)) }
        }
    }
}

func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-idempotency-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { Leaks.discard(folder) }
    try await body(folder)
}

func at(_ seconds: Int64) -> Moment { Moment(milliseconds: seconds * 1000) }
func mark(_ text: String) -> Mark { Vault(secret: Array("a secret of the tests".utf8)).mark([text]) }
func person(_ line: String, cpf: String? = nil) -> PersonMarks {
    PersonMarks(cpf: cpf.map { mark("cpf \($0)") }, line: mark("line \(line)"))
}

/// A clock that goes on when it is told to.
final class TestClock: Sendable {
    private let moment = Mutex(Moment(milliseconds: 1_800_000_000_000))
    var now: @Sendable () -> Moment { { self.moment.withLock { $0 } } }
    func advance(_ time: Duration) { moment.withLock { $0 = $0 + time } }
}
