import Gateway
import Glibc
import ServiceLifecycle
import UnixSignals

/// SIGTERM and SIGINT: the first lets calls under way end, the second ends the process at once.
enum StopSignals {
    /// Traps them before it returns. The task listens until it is cancelled.
    static func watch(_ group: ServiceGroup) async -> Task<Void, Never> {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return Task {
            var isStopping = false
            for await signal in signals {
                if isStopping { end(signal) }
                isStopping = true
                await group.triggerGracefulShutdown()
            }
        }
    }

    private static func end(_ signal: UnixSignal) -> Never {
        LogOutput.standardOutput.flush(within: .milliseconds(100))
        // As a shell shows whoever was ended by the signal. Nothing is run that could wait.
        _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
    }
}

/// Standard input, output and error that were closed are opened on nothing: a file or a connection that took their
/// numbers would get what is written to them.
enum StandardFiles {
    static func open() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number, and all below it are taken.
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }
}
