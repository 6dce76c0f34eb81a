package import Foundation
import Glibc

/// What `Tests/Leaks` needs of the tests, where `PONTE_LEAKS` names a folder, as `scripts/test` does: what was sent as data
/// of patients and callers, and what was written and would be gone when a test is over. Without it nothing is kept.
package enum Leaks {
    private static let folder = ProcessInfo.processInfo.environment["PONTE_LEAKS"].flatMap { $0.isEmpty ? nil : $0 }

    /// A request as bytes: nothing personal of it may be found in what is written.
    package static func sent(_ request: [UInt8]) {
        guard let folder else { return }
        let text = String(decoding: request.prefix(16_384), as: UTF8.self)
        guard let line = try? JSONEncoder().encode(["kind": "request", "value": text]) else { return }
        append(Array(line) + [0x0A], to: "\(folder)/ledger/sent-\(getpid()).jsonl")
    }

    /// What Ponte wrote to its log, its standard output or its standard error.
    /// - Parameter place: names the file that it is kept in.
    package static func wrote(_ text: String, _ place: String) {
        guard let folder else { return }
        append(Array(text.utf8), to: "\(folder)/output/\(place)-\(getpid()).txt")
    }

    /// Removes a folder into which Ponte wrote; it stays where it is to be searched.
    package static func discard(_ url: URL) {
        if folder == nil { try? FileManager.default.removeItem(at: url) }
    }

    /// In one call, so that what several threads write does not mix.
    private static func append(_ bytes: [UInt8], to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}
