import Glibc
import StrictConfig

/// Reading configuration from disk.
package enum Files {
    /// No configuration file is larger.
    static let most = 4 << 20

    package struct Failure: Error {
        package let message: String
    }

    /// A file's bytes. What is no regular file is refused and not waited for: a pipe that nobody writes to would hold up
    /// whoever reads it for ever.
    /// - Throws: what the system says, or that it is no regular file; without the path.
    package static func read(_ path: String) throws(Failure) -> [UInt8] { try read(path, isSecret: false) }

    /// The bytes of a file, or of a pipe that somebody hands to a command.
    /// - Throws: as `read`.
    package static func readInput(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(message: "cannot be read: \(reason())") }
        defer { close(descriptor) }
        return try content(of: descriptor)
    }

    /// A secret's bytes.
    /// - Parameter allowsOpen: whether it may be a file that others read or change.
    /// - Throws: as `read`; and what is wrong with the file's mode.
    static func readSecret(_ path: String, allowsOpen: Bool) throws(Failure) -> [UInt8] {
        try read(path, isSecret: !allowsOpen)
    }

    private static func read(_ path: String, isSecret: Bool) throws(Failure) -> [UInt8] {
        // Opening a pipe waits for its other end unless told not to.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw Failure(message: "cannot be read: \(reason())") }
        defer { close(descriptor) }
        // Of the file that is open: a name could lead elsewhere by now.
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Failure(message: "cannot be read: \(reason())") }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw Failure(message: "is not a regular file (a folder, a pipe or a device)")
        }
        if isSecret, let complaint = complaint(aboutModeOf: information) { throw Failure(message: complaint) }
        return try content(of: descriptor)
    }

    private static func content(of descriptor: Int32) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(message: "cannot be read: \(reason())") }
            if count == 0 { return bytes }
            bytes += chunk[0..<count]
            guard bytes.count <= most else { throw Failure(message: "is larger than \(most) bytes") }
        }
    }

    /// What is wrong with the mode of a secret's file at a path; nil when nothing is, and where there is no such file.
    static func complaint(aboutSecretAt path: String) -> String? {
        var information = stat()
        return stat(path, &information) == 0 ? complaint(aboutModeOf: information) : nil
    }

    /// A group may read where an administrator meant it (`ponte audit` says so); nobody else may, and only the owner may
    /// write.
    private static func complaint(aboutModeOf information: stat) -> String? {
        guard information.st_mode & (S_IROTH | S_IWOTH | S_IWGRP) != 0 else { return nil }
        return
            "can be read or changed by others: chmod 600; or, where it is mounted so and nobody else is on the machine, "
            + "say \"secrets\": {\"openFiles\": true} in the server's file"
    }

    /// The names of a folder's JSON files, in order; names that begin with a dot are left out.
    /// - Throws: what the system says, also when the listing ends before its end: names that are missing from it would
    ///   pass for files that are gone.
    package static func jsonNames(in folder: String) throws(Failure) -> [String] {
        try names(in: folder).filter { $0.hasSuffix(".json") }
    }

    /// The names of a folder's files and folders, in order; names that begin with a dot are left out.
    /// - Throws: as `jsonNames(in:)`.
    package static func names(in folder: String) throws(Failure) -> [String] {
        guard let stream = opendir(folder) else { throw Failure(message: "cannot be listed: \(reason())") }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Failure(message: "cannot be listed: \(reason())") }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// What changes when a file's content does: inode, size and time of the last change; empty when there is none.
    static func stamp(_ path: String) -> String {
        var information = stat()
        guard stat(path, &information) == 0 else { return "" }
        let time = information.st_mtim
        return "\(information.st_ino) \(information.st_size) \(time.tv_sec) \(time.tv_nsec)"
    }

    /// A path as a configuration file writes it: relative ones begin at that file's folder.
    static func resolve(_ path: String, beside file: String) -> String {
        path.hasPrefix("/") ? path : join(folder(of: file), path)
    }

    package static func join(_ folder: String, _ path: String) -> String {
        folder.isEmpty ? path : folder.hasSuffix("/") ? folder + path : folder + "/" + path
    }

    package static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    }

    static func reason() -> String { String(cString: strerror(errno)) }
}
