import Glibc

/// What a crash of `ponte serve` leaves behind.
///
/// The memory holds patients and credentials. Swift's runtime prints the registers of a crash and the bytes that they
/// point to, short texts among them; a core file holds everything. Neither is wanted from a process that serves. The line
/// of a trap (`Fatal error: Index out of range`) is printed as ever: no such line is made from data.
enum CrashOutput {
    /// Whoever looks into a crash sets it, as Swift documents it. `registers=none` keeps memory out of the trace.
    static let variable = "SWIFT_BACKTRACE"

    /// Signals that Swift's runtime catches to print a trace.
    private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT]

    /// Leaves traces and core files to whoever asked for them, and to nobody else.
    static func withhold() {
        guard getenv(variable) == nil else { return }
        for number in signals { signal(number, SIG_DFL) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        if getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 {
            none.rlim_cur = 0
            _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        }
        // A core that is piped to a program knows no limit of size: let it hold no memory.
        let filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
        guard filter >= 0 else { return }
        _ = write(filter, "0", 1)
        close(filter)
    }
}
