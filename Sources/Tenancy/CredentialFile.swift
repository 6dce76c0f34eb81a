import Glibc
import Synchronization
import UpstreamDriver

/// A credential in a file, written back each time that the vendor replaces it, so that neither a restart nor a reload
/// loses it, and every program that reads the file has the newest.
///
/// A login holds a lock on the file (flock(2)): two programs, or two tenants, never use one credential twice. The file is
/// read anew for each, so that whatever else wrote it is followed, and what was put there meanwhile stays. It keeps its
/// mode. What cannot be written is kept in memory until it can.
final class CredentialFile: ReplacedCredential {
    private struct Unsaved: Sendable {
        let secret: Secret
        /// What stood in the file when it could not be written. Anything else there is newer.
        let over: String
    }

    /// Told of a credential and its successor before the latter is written.
    typealias Observer = @Sendable (_ used: Secret, _ successor: Secret) -> Void

    /// By path; of the process, since a reload makes tenants anew.
    private static let unsaved = Mutex<[String: Unsaved]>([:])

    private let path: String
    private let first: Secret
    private let couldNotSave: @Sendable (_ reason: String) -> Void
    private let observer = Mutex<Observer?>(nil)

    /// - Parameters:
    ///   - first: what the file held when the tenant was read.
    ///   - couldNotSave: told, with the system's reason, each time that a new credential could not be written.
    init(_ path: String, _ first: Secret, couldNotSave: @escaping @Sendable (_ reason: String) -> Void) {
        // A link keeps leading where it does.
        self.path = Self.real(path)
        self.first = first
        self.couldNotSave = couldNotSave
    }

    /// Why Ponte could not write to a file; nil when it can.
    static func complaint(about path: String) -> String? {
        access(path, W_OK) == 0 ? nil : String(cString: strerror(errno))
    }

    /// Why a new credential could not be kept, by writing and removing one beside the file; nil when it can be. A
    /// full disk shows here, and not by the file's mode.
    func complaint() -> String? {
        Files.complaint(aboutReplacing: path, with: max(4096, (Self.text(path) ?? "").utf8.count))
    }

    func observe(_ observer: @escaping Observer) { self.observer.withLock { $0 = observer } }

    func use<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ login: @Sendable (Secret) async -> (value: Value, successor: Secret?)
    ) async -> Value? {
        let lock: FileLock?
        switch await FileLock.acquire(path, until: deadline) {
        case .taken(let taken): lock = taken
        // Without the file there is nobody to share it with.
        case .noFile: lock = nil
        case .late: return nil
        }
        let used = newest()
        let (value, successor) = await login(used)
        if let successor, successor != used { replace(used, with: successor) }
        withExtendedLifetime(lock) {}
        return value
    }

    private func newest() -> Secret {
        guard let text = Self.text(path), !text.isEmpty else {
            return Self.unsaved.withLock { $0[path]?.secret } ?? first
        }
        return Self.unsaved.withLock { unsaved in
            if let kept = unsaved[path] {
                if kept.over == text { return kept.secret }
                unsaved[path] = nil
            }
            return Secret(text)
        }
    }

    private func replace(_ used: Secret, with successor: Secret) {
        let before = Self.text(path) ?? ""
        let wasUnsaved = Self.unsaved.withLock { $0[path]?.over } == before
        // An operator's: it was put there while the login was under way.
        guard before == used.reveal() || before.isEmpty || wasUnsaved else { return }
        observer.withLock { $0 }?(used, successor)
        Self.unsaved.withLock { $0[path] = Unsaved(secret: successor, over: before) }
        do {
            try Files.replace(path, with: Array(successor.reveal().utf8) + [UInt8(ascii: "\n")])
            Self.unsaved.withLock { $0[path] = nil }
        } catch {
            couldNotSave(error.message)
        }
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? Files.read(path), var text = String(validating: bytes, as: UTF8.self) else { return nil }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    private static func real(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}

/// A lock on a file that may be replaced while others wait for it. It ends with this, or with the process.
final class FileLock: Sendable {
    enum Outcome: Sendable {
        case taken(FileLock)
        case noFile
        case late
    }

    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }

    static func acquire(_ path: String, until deadline: ContinuousClock.Instant) async -> Outcome {
        while true {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else { return .noFile }
            let lock = FileLock(descriptor)
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                // The file may be another one by now.
                if isStill(path, descriptor) { return .taken(lock) }
                continue
            }
            guard .now < deadline, !Task.isCancelled else { return .late }
            // Flock would hold a thread; whoever has it logs in, which takes its time.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func isStill(_ path: String, _ descriptor: Int32) -> Bool {
        var (named, opened) = (stat(), stat())
        guard stat(path, &named) == 0, fstat(descriptor, &opened) == 0 else { return false }
        return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
    }
}
