import Glibc

/// Standard output and error, for people.
enum Terminal {
    static func print(_ line: String) { write(line + "\n", STDOUT_FILENO) }
    static func error(_ line: String) { write(line + "\n", STDERR_FILENO) }

    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 }

    private static func write(_ text: String, _ descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
