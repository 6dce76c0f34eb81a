import Foundation

/// A program of the same build, run as a process of its own so that its memory and its work can be told apart.
final class ChildProcess {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private let process = Process()
    private let output = Pipe()
    /// Held open: some of these programs end when their input does.
    private let input = Pipe()
    private var pending = Data()

    var identifier: Int32 { process.processIdentifier }

    /// - Parameter program: its name, beside this program.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        process.executableURL = folder.appending(path: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardInput = input
        do { try process.run() } catch {
            throw Failure(description: "cannot run \(program): build it in the same configuration first")
        }
    }

    /// The first line of its output that holds a text.
    func line(with text: String) throws -> String {
        while true {
            while let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                if line.contains(text) { return line }
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Failure(description: "it ended before it said \"\(text)\"") }
            pending += more
        }
    }

    /// `VmRSS` or `VmHWM` (the peak), in MB.
    func memory(_ field: String) -> Double { Memory.of("\(identifier)", field) }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}

enum Memory {
    /// `VmRSS` or `VmHWM` of a process, in MB.
    static func of(_ process: String, _ field: String) -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
        let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
        return kilobytes / 1024
    }
}

/// A pretend clinic system and Ponte in front of it, each a process of its own, on free ports of 127.0.0.1.
final class PonteUnderTest {
    let key: String
    let mock: ChildProcess
    let ponte: ChildProcess
    let mockPort: Int
    let port: Int
    private let folder: URL

    /// - Parameter server: `server.json`.
    init(patients: Int, server: String = "{}") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ponte-bench-\(UUID().uuidString)")
        for name in ["tenants", "drivers"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: "Config/drivers/agenda-demo.json"),
            to: folder.appending(path: "drivers/agenda-demo.json"))
        mock = try ChildProcess("ponte", ["mock", "--port", "0", "--patients", "\(patients)"])
        let address = try mock.line(with: "http://").split(separator: ":").last ?? ""
        mockPort = Int(address) ?? 0
        let maker = try ChildProcess("ponte", ["hash-key", "--generate"])
        key = try maker.line(with: "key:").components(separatedBy: " ").last ?? ""
        let hash = try maker.line(with: "sha256:").components(separatedBy: " ").last ?? ""
        let tenant = """
            {"id":"banco","name":"Banco","inbound":{"keys":[{"name":"bench","sha256":"\(hash)"}]},
            "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"http://127.0.0.1:\(mockPort)",
            "credentials":{"user":{"env":"PONTE_BENCH_USER"},"password":{"env":"PONTE_BENCH_PASSWORD"}},
            "timeouts":{"call":"30s","list":"10m"}},
            "clients":{"searchBy":["phone"]}}
            """
        try Data(tenant.utf8).write(to: folder.appending(path: "tenants/banco.json"))
        try Data(server.utf8).write(to: folder.appending(path: "server.json"))
        ponte = try ChildProcess(
            "ponte", ["serve", "--config", folder.appending(path: "server.json").path, "--port", "0"],
            environment: ["PONTE_BENCH_USER": "ponte", "PONTE_BENCH_PASSWORD": "senha-de-demonstracao"])
        let line = try ponte.line(with: "listening")
        port = line.components(separatedBy: "\"port\":").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    }

    func stop() {
        ponte.stop()
        mock.stop()
        try? FileManager.default.removeItem(at: folder)
    }
}
