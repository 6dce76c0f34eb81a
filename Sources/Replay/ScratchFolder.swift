import Glibc

/// A folder of the system's for temporary files, in which worlds write their configuration, one after the other.
struct ScratchFolder: Sendable {
    let path: String

    struct Failure: Error, CustomStringConvertible { let description: String }

    init() throws(Failure) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/ponte-replay-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(description: "no temporary folder can be made") }
        path = String(cString: made)
        for folder in ["tenants", "drivers"] { mkdir("\(path)/\(folder)", 0o700) }
    }

    private static let files = ["server.json", "tenants/\(SpecTenant.id).json", "drivers/\(SpecTenant.id).json"]

    /// - Returns: the server's file.
    func write(_ world: WorldFiles) throws(Failure) -> String {
        for (name, bytes) in zip(Self.files, [world.server, world.tenant, world.profile]) {
            guard let file = fopen("\(path)/\(name)", "w") else {
                throw Failure(description: "a temporary file cannot be written")
            }
            let count = fwrite(bytes, 1, bytes.count, file)
            guard fclose(file) == 0, count == bytes.count else {
                throw Failure(description: "a temporary file cannot be written")
            }
        }
        return "\(path)/\(Self.files[0])"
    }

    func remove() {
        for file in Self.files { unlink("\(path)/\(file)") }
        for folder in ["tenants", "drivers"] { rmdir("\(path)/\(folder)") }
        rmdir(path)
    }
}
