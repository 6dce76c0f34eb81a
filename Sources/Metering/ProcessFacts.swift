import Glibc

/// What the system knows of this process, by the names that Prometheus' own clients use.
public struct ProcessFacts: Sendable {
    /// Bytes in memory; nil where the system does not tell, as with the others.
    public let residentBytes: Int?
    public let openFiles: Int?
    public let mostFiles: Int?
    /// Seconds of all processors, since it started.
    public let processorSeconds: Double
    /// Seconds since 1970-01-01 UTC.
    public let started: Double

    private static let startedAt = ProcessFacts.clock()

    /// Says that the process has just started.
    public static func processStarted() { _ = startedAt }

    public init() {
        residentBytes = Self.read("/proc/self/statm").flatMap { text in
            text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
        }
        openFiles = Self.entries("/proc/self/fd")
        var limit = rlimit()
        let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        mostFiles = hasLimit ? Int(clamping: limit.rlim_cur) : nil
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        processorSeconds = times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        started = Self.startedAt
    }

    private static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1000
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Entries of a folder but `.`, `..` and the file through which it is read.
    private static func entries(_ path: String) -> Int? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }
}
