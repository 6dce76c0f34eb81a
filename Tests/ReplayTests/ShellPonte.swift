import Foundation
import Glibc
import MockUpstream
import Synchronization
import TestSupport

/// `ponte serve`, the program that was built, started by a shell that sets what surrounds it: its output, its limits. Its
/// ports are found without reading what it prints.
final class ShellPonte: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// For callers, and for the operator.
    let port: Int
    let pagePort: Int
    let folder: URL
    let key = "key-of-the-process-tests"
    // Only its number is used once it runs, and that never changes.
    private let process: Int32
    private let end: AsyncStream<Int32>

    /// - Parameters:
    ///   - before: shell commands.
    ///   - redirections: of the program.
    ///   - server: more members of `server.json`.
    init(_ mock: MockServer, before: String = ":", redirections: String = "", server: String = "") async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ponte-process-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        let drivers = BuiltPonte.repository.appending(path: "Config/drivers").path
        let files = [
            "server.json": """
            {"drivers":"\(drivers)","operator":{"listen":{"port":0}},"idempotency":{"database":"creates.db"},
            "reload":{"watch":false}\(server)}
            """,
            "tenants/aurora.json": """
            {"id":"aurora","inbound":{"keys":[{"name":"main",
            "sha256":"ee49536d95a06fdf9fe8e37252528820fd04efd9dc039e2500d2e469bac51886"}]},
            "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"\(mock.baseURL)",
            "credentials":{"user":{"env":"MOCK_USER"},"password":{"env":"MOCK_PASSWORD"}},"timeouts":{"call":"60s"}},
            "idempotency":{"store":"sqlite"}}
            """,
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let command = #"exec "$0" serve --config "$1" --port 0"#
        process.arguments = [
            "-c", "\(before); \(command) \(redirections)", products.appending(path: "ponte").path,
            folder.appending(path: "server.json").path,
        ]
        let options = MockOptions()
        process.environment = ProcessInfo.processInfo.environment.merging([
            "MOCK_USER": options.user, "MOCK_PASSWORD": options.password,
            // Its open files are looked at from outside, which it otherwise lets nobody but root do.
            "PONTE_CORE_DUMPS": "allow",
        ]) { $1 }
        // They stay in its folder, to be searched.
        let outputs = (output: folder.appending(path: "stdout"), error: folder.appending(path: "stderr"))
        for file in [outputs.output, outputs.error] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: outputs.output)
        process.standardError = try FileHandle(forWritingTo: outputs.error)
        let (end, ended) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            ended.yield($0.terminationStatus)
            ended.finish()
        }
        try process.run()
        let number = process.processIdentifier
        var ports: Set<Int> = []
        while ports.count < 2 {
            guard process.isRunning, !Task.isCancelled else { throw Failure(description: "it did not start") }
            try await Task.sleep(for: .milliseconds(5))
            ports = Self.listening(number)
        }
        var port: Int?
        for candidate in ports where await Self.get(candidate, "/health/live").contains("live") { port = candidate }
        guard let port, let pagePort = ports.first(where: { $0 != port }) else {
            throw Failure(description: "no port answers")
        }
        self.port = port
        self.pagePort = pagePort
        self.process = number
        self.end = end
    }

    deinit { Leaks.discard(folder) }

    func signal(_ signal: Int32) { _ = Glibc.kill(process, signal) }

    /// Waits for its end.
    /// - Returns: its exit status.
    func status() async -> Int32? { await end.first { _ in true } }

    /// Ends it however it is.
    func kill() async {
        signal(SIGKILL)
        _ = await status()
    }

    /// Open files.
    var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
    }

    /// Time that all processors spent on it, in seconds.
    func processorTime() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // Behind the name, which may hold blanks: utime and stime are the 14th and 15th of proc(5).
        let fields = text.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw Failure(description: "no times")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// One of its patients.
    func patient() async -> String { await Self.get(port, "/clients/1001", key) }

    func page(_ path: String) async -> String { await Self.get(pagePort, path) }

    /// Asks for a page until it holds a text.
    func page(_ path: String, untilItHas text: String) async throws {
        while await !page(path).contains(text) {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ports of 127.0.0.1 on which a process listens, by the system's tables.
    private static func listening(_ process: Int32) -> Set<Int> {
        let files = FileManager.default
        let folder = "/proc/\(process)/fd"
        let sockets = Set(
            ((try? files.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
                try? files.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            })
        return Set(
            systemFile("/proc/net/tcp").split(separator: "\n").compactMap { line in
                let fields = line.split(separator: " ")
                // 0A is LISTEN; the tenth field is the socket's number.
                guard fields.count > 9, fields[3] == "0A", sockets.contains("socket:[\(fields[9])]") else { return nil }
                return fields[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
            })
    }

    /// The whole answer, its head included; empty when there is none.
    static func get(_ port: Int, _ path: String, _ key: String? = nil) async -> String {
        let request =
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            + (key.map { "X-API-Key: \($0)\r\n" } ?? "") + "\r\n"
        return await withCheckedContinuation { answered in
            // A thread may block where a task may not.
            Thread.detachNewThread {
                guard let connection = OpenConnection(port) else { return answered.resume(returning: "") }
                connection.send(request)
                answered.resume(returning: connection.readToEnd())
            }
        }
    }
}

/// A TCP connection to 127.0.0.1, open for as long as it is kept.
final class OpenConnection: Sendable {
    private let descriptor: Int32

    init?(_ port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        // So that a server that never answers fails the test.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = uninterrupted { Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    func readToEnd() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while case let count = receive(descriptor, &chunk), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
