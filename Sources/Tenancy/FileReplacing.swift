import Glibc

extension Files {
    /// Gives a file new content: whoever reads it finds the old or the new, whole, also after a crash. Mode and owner stay.
    /// In a folder where no file can be made, as that of one mounted file, it is written over. One caller at a time.
    /// - Throws: what the system says, without the path.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw Failure(message: "cannot be found: \(reason())") }
        let (folder, name) = (folder(of: path), path.split(separator: "/").last.map(String.init) ?? "")
        removeDrafts(of: name, in: folder)
        let number = String(UInt64.random(in: 0 ... .max), radix: 36)
        let draft = join(folder, ".\(name).\(number)\(draftEnd)")
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            guard mayBeWrittenOver(errno) else { throw Failure(message: "cannot be written: \(reason())") }
            return try overwrite(path, with: bytes)
        }
        do throws(Failure) {
            defer { close(descriptor) }
            var mode = information.st_mode & 0o777
            // Not as root: then the file is this user's own, and its group another one.
            if fchown(descriptor, information.st_uid, information.st_gid) != 0 { mode &= 0o700 }
            guard fchmod(descriptor, mode) == 0 else {
                throw Failure(message: "cannot be given its mode: \(reason())")
            }
            try write(bytes, to: descriptor)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            guard mayBeWrittenOver(code) else {
                throw Failure(message: "cannot be written: \(String(cString: strerror(code)))")
            }
            return try overwrite(path, with: bytes)
        }
        let opened = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if opened >= 0 {
            fsync(opened)
            close(opened)
        }
    }

    /// Why a file's content could not be replaced by so many bytes now; nil when it can. Nothing stays of the attempt.
    static func complaint(aboutReplacing path: String, with count: Int) -> String? {
        var information = stat()
        guard stat(path, &information) == 0 else { return "cannot be found: \(reason())" }
        let (folder, name) = (folder(of: path), path.split(separator: "/").last.map(String.init) ?? "")
        let number = String(UInt64.random(in: 0 ... .max), radix: 36)
        let draft = join(folder, ".\(name).\(number)\(draftEnd)")
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            // What is written over keeps its place on the disk.
            if mayBeWrittenOver(errno), access(path, W_OK) == 0 { return nil }
            return "cannot be written: \(reason())"
        }
        defer {
            close(descriptor)
            unlink(draft)
        }
        do throws(Failure) {
            try write([UInt8](repeating: 0, count: count), to: descriptor)
            return nil
        } catch {
            return error.message
        }
    }

    private static let draftEnd = ".new"

    /// What a crash has left.
    private static func removeDrafts(of name: String, in folder: String) {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let found = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if found.hasPrefix(".\(name)."), found.hasSuffix(draftEnd) { unlink(join(folder, found)) }
        }
    }

    /// Nothing can be made or put there, though the file itself may be written.
    private static func mayBeWrittenOver(_ code: Int32) -> Bool {
        [EACCES, EPERM, EROFS, EBUSY, EXDEV].contains(code)
    }

    /// The new content is there before the rest of the old one goes.
    private static func overwrite(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(message: "cannot be written: \(reason())") }
        defer { close(descriptor) }
        try write(bytes, to: descriptor)
        guard ftruncate(descriptor, off_t(bytes.count)) == 0, fsync(descriptor) == 0 else {
            throw Failure(message: "cannot be written: \(reason())")
        }
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
