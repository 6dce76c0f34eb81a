import CLinux
import Glibc

/// What the machine keeps of this process when it dies, and shows of it while it lives. Its memory holds credentials,
/// callers' keys and patients' data.
public enum ProcessSecrecy {
    /// Set to `allow`, the environment variable of this name leaves the process as the system made it: for whoever looks
    /// for a fault with a debugger, where there is no patient's data.
    public static let exemption = "PONTE_CORE_DUMPS"

    /// From now on no core dump is written, neither to a file nor to a program that collects them; a crash prints no bytes
    /// of memory; and other processes of the same user read neither memory nor environment (`/proc/PID`, ptrace). Root
    /// still can.
    public static func begin() {
        if let value = getenv(exemption), strcmp(value, "allow") == 0 { return }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // The limit does not count where dumps go through a pipe (core(5)); this does.
        _ = ponte_set_dumpable(0)
        // Swift's own backtraces (SWIFT_BACKTRACE) print registers with the bytes that they point to: it may be a name.
        for fatal in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(fatal, SIG_DFL) }
    }
}
