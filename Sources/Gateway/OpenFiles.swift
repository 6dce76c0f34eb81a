import Glibc

/// How the files that this process may have open are shared out, so that it never runs out of them: a Swift process that
/// can open none is ended by its runtime, which reads the state of its threads from files.
public struct OpenFiles: Sendable {
    /// With fewer there is no room for the shares.
    public static let least = 256
    /// For anything but connections: logs, databases, the runtime.
    static let rest = 64

    /// How many may be open.
    public let limit: Int

    public init(limit: Int) { self.limit = limit }

    /// What the system lets this process open, once its soft limit is raised to the hard one. No file number is ever given
    /// to select(2), for which the lower one is there.
    public static func ofThisProcess() -> OpenFiles {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return OpenFiles(limit: 1024)
        }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return OpenFiles(limit: Int(clamping: limit.rlim_cur))
    }

    /// Calls to clinic systems at once: as many as wanted, and a quarter of all files at most.
    public func calls(_ wanted: Int) -> Int { max(1, min(wanted, limit / 4)) }

    /// Files for so many calls: libcurl keeps a quarter more connections than that (`EngineOptions`).
    static func files(forCalls calls: Int) -> Int { calls + calls / 4 + 16 }

    /// Callers' connections: as many as wanted within what is left by others, or an eighth of all files where that is more.
    /// - Parameter others: files for anything else.
    func connections(_ wanted: Int, others: Int) -> (most: Int, told: Int) {
        let told = max(1, min(64, limit / 16))
        return (max(1, min(wanted, max(limit / 8, limit - others - told))), told)
    }

    /// Connections of the operator's listener: monitoring that keeps its own, and a few people.
    var operators: (most: Int, told: Int) { (max(1, min(64, limit / 16)), 8) }
}
