import Glibc
import Synchronization
import UpstreamDriver

/// A credential in a file, written back each time that the vendor replaces it, so that neither a restart nor a reload
/// loses it, and every program that reads the file has the newest.
///
/// The file is read before each login: whatever else wrote it, an operator or another program of Ponte's, is followed. It
/// keeps its mode. What cannot be written is kept in memory until it can.
final class CredentialFile: ReplacedCredential {
    private struct Unsaved: Sendable {
        let secret: Secret
        /// What stood in the file when it could not be written. Anything else there is newer.
        let over: String
    }

    /// By path; of the process, since a reload makes tenants anew.
    private static let unsaved = Mutex<[String: Unsaved]>([:])

    private let path: String
    private let first: Secret
    private let couldNotSave: @Sendable (_ reason: String) -> Void

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

    func newest() -> Secret {
        guard let text = Self.text(path) else { return Self.unsaved.withLock { $0[path]?.secret } ?? first }
        return Self.unsaved.withLock { unsaved in
            if let kept = unsaved[path] {
                if kept.over == text { return kept.secret }
                unsaved[path] = nil
            }
            return text.isEmpty ? first : Secret(text)
        }
    }

    func replace(with secret: Secret) {
        let before = Self.text(path) ?? ""
        guard before != secret.reveal() else { return }
        do {
            try Files.replace(path, with: Array(secret.reveal().utf8) + [UInt8(ascii: "\n")])
            Self.unsaved.withLock { $0[path] = nil }
        } catch {
            Self.unsaved.withLock { $0[path] = Unsaved(secret: secret, over: before) }
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

extension Files {
    /// Gives a file new content: whoever reads it finds the old or the new, whole, also after a crash. Mode and owner stay.
    /// In a folder where no file can be made, as that of one mounted file, it is written over.
    /// - Throws: what the system says, without the path.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw Failure(message: "cannot be found: \(reason())") }
        let draft = "\(path).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return try overwrite(path, with: bytes) }
        do throws(Failure) {
            defer { close(descriptor) }
            // Not as root: then the file stays this user's own.
            _ = fchown(descriptor, information.st_uid, information.st_gid)
            guard fchmod(descriptor, information.st_mode & 0o777) == 0 else {
                throw Failure(message: "cannot be given its mode: \(reason())")
            }
            try write(bytes, to: descriptor)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            unlink(draft)
            return try overwrite(path, with: bytes)
        }
        let folder = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func overwrite(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(message: "cannot be written: \(reason())") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, 0) == 0 else { throw Failure(message: "cannot be written: \(reason())") }
        try write(bytes, to: descriptor)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(message: "cannot be written: \(reason())") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw Failure(message: "cannot be written: \(reason())") }
    }
}
