import Glibc

/// What a crash of `ponte serve` prints.
///
/// Swift's runtime prints the registers of a crash and the bytes that they point to, terminal or not: names and numbers of
/// up to 15 bytes stand in registers as they are. The line of a trap (`Fatal error: Index out of range`) is printed as
/// ever: none of Ponte's is made from data.
enum CrashOutput {
    /// How Swift is told what to print. Whoever sets it decides; `enable=yes,registers=none` prints a trace without memory.
    private static let variable = "SWIFT_BACKTRACE"

    /// Those that Swift's runtime catches.
    private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT]

    /// Leaves traces to whoever asked for them.
    static func withhold() {
        guard getenv(variable) == nil else { return }
        for number in signals { signal(number, SIG_DFL) }
    }
}
