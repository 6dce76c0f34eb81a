import Foundation
import Glibc
import Synchronization
import TestSupport

/// `ponte serve`, the program that was built, for tests that end it without a warning.
final class ServingPonte: Sendable {
    let port: Int
    // Only its number is used once it runs, and that never changes.
    let process: Int32
    private let end: AsyncStream<Void>
    private let lines: AsyncStream<String>

    /// Returns when it listens.
    /// - Parameter folder: in which it runs.
    init(configuration: URL, environment: [String: String], folder: URL? = nil) async throws {
        let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let process = Process()
        process.executableURL = products.appending(path: "ponte")
        process.arguments = ["serve", "--config", configuration.path, "--port", "0"]
        if let folder { process.currentDirectoryURL = folder }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let (end, ended) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in ended.finish() }
        let (lines, read) = AsyncStream.makeStream(of: String.self)
        let rest = Mutex("")
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
                read.finish()
                return
            }
            Leaks.wrote(String(decoding: data, as: UTF8.self), "serve")
            rest.withLock { rest in
                rest += String(decoding: data, as: UTF8.self)
                while let line = rest.firstIndex(of: "\n") {
                    read.yield(String(rest[..<line]))
                    rest = String(rest[rest.index(after: line)...])
                }
            }
        }
        try process.run()
        var told: [String] = []
        var port: Int?
        for await line in lines {
            told.append(line)
            guard line.contains("\"listening\""), let found = line.firstMatch(of: /"port":"?([0-9]+)/) else { continue }
            port = Int(found.1)
            break
        }
        guard let port else { throw Failure(output: told.joined(separator: "\n")) }
        self.port = port
        self.process = process.processIdentifier
        self.end = end
        self.lines = lines
    }

    struct Failure: Error { let output: String }

    /// Ends it at once, as a crash does: it gets no chance to write anything down. Returns when it is gone.
    func kill() async { await end(by: SIGKILL) }

    /// Ends it by a signal, and returns when it is gone.
    func end(by signal: Int32) async {
        send(signal)
        for await _ in end {}
    }

    func send(_ signal: Int32) { _ = Glibc.kill(process, signal) }

    /// The next line of its log that holds a text; nil when it ended without one. Lines before it are passed over.
    func line(containing text: String) async -> String? {
        for await line in lines where line.contains(text) { return line }
        return nil
    }

    /// Every line that is still to come, until it ends.
    func restOfLog() async -> [String] {
        var rest: [String] = []
        for await line in lines { rest.append(line) }
        return rest
    }

    struct Answer {
        let status: Int
        /// Head and body.
        let text: String

        /// The text of a member, wherever it stands.
        func member(_ name: String) -> String? {
            guard let found = text.firstRange(of: "\"\(name)\":\"") else { return nil }
            return String(text[found.upperBound...].prefix { $0 != "\"" })
        }
    }

    /// One create, as Clinia sends it, on a connection of its own. Status 0 when the connection broke off.
    func create(_ body: String, key: String, _ headers: [String] = []) async throws -> Answer {
        let more = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] + headers
        return await call("POST /clients", key, more, body)
    }

    /// One request without a body, alike.
    func get(_ target: String, key: String) async throws -> Answer { await call("GET \(target)", key, [], "") }

    private func call(_ request: String, _ key: String, _ headers: [String], _ body: String) async -> Answer {
        let lines = ["\(request) HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "X-API-Key: \(key)"] + headers
        let request = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
        Leaks.sent(Array(request.utf8))
        let port = port
        return await withCheckedContinuation { answered in
            // A thread may block where a task may not.
            Thread.detachNewThread {
                let connection = OpenConnection(port)
                connection?.send(request)
                let text = connection?.readToEnd() ?? ""
                let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
                answered.resume(returning: Answer(status: status ?? 0, text: text))
            }
        }
    }
}
