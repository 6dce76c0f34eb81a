import Glibc

/// A secret that is drawn by lot when it is first needed, and kept in a file that its owner alone can read.
public enum SecretFile {
    /// The secret, and whether the file was there already and others could read or write it, which they no longer can.
    /// - Throws: what kept the file from being read, made or closed, without the path.
    public static func secret(at path: String) throws(StoreFailure) -> (bytes: [UInt8], wasOpenToOthers: Bool) {
        let wasOpenToOthers = try FileMode.close(path)
        return (try bytes(at: path), wasOpenToOthers)
    }

    private static func bytes(at path: String) throws(StoreFailure) -> [UInt8] {
        if let secret = try read(path) { return secret }
        let secret = Vault.randomSecret().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        // Whole or not at all: others see the name only when the content is there.
        let draft = "\(path).\(getpid())"
        try write(Array(secret.utf8), to: draft)
        defer { unlink(draft) }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure("cannot be made") }
        // Somebody else may have been faster.
        guard let kept = try read(path) else { throw failure("cannot be read") }
        return kept
    }

    /// Nil when there is no such file.
    private static func read(_ path: String) throws(StoreFailure) -> [UInt8]? {
        // A pipe is not waited for: it holds nothing.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure("cannot be read") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= Vault.shortest else { throw StoreFailure("the file of the secret holds none") }
        return Array(bytes.prefix(count))
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(StoreFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be made") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw failure("cannot be written")
        }
    }

    private static func failure(_ what: String) -> StoreFailure {
        StoreFailure("the file of the secret \(what): \(String(cString: strerror(errno)))")
    }
}
