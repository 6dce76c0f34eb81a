import Crypto
import Foundation
import Synchronization
import TestSupport

/// `ponte serve`, the program that was built, on a free port: `PONTE_BINARY` where that is set, else the one beside
/// these tests.
final class PonteProcess {
    /// A clinic with a system of its own.
    struct Tenant: Sendable {
        let id: String
        let baseURL: String
        var key: String { "key-of-\(id)-for-tests-only" }
    }

    struct Unexpected: Error, CustomStringConvertible { let description: String }

    /// Within which a call to a clinic's system must be over. Long enough for a loaded machine to answer in.
    static let callTimeout = Duration.milliseconds(1500)

    /// Rows that are asked for at once: few, so that a page comes byte by byte in good time.
    static let pageSize = 5

    let port: Int
    private let process: Process
    private let output: Output
    private let ended: AsyncStream<Int32>
    private let folder: URL

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static var program: URL {
        if let path = ProcessInfo.processInfo.environment["PONTE_BINARY"], !path.isEmpty { return URL(filePath: path) }
        // The tests' own program stands in the folder of products.
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "ponte")
    }

    /// - Parameter breaks: whether a system that keeps failing is left alone for a while, as is usual.
    init(_ tenants: [Tenant], breaks: Bool) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ponte-faults-\(UUID().uuidString)")
        for name in ["tenants", "drivers"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        let profile = try String(
            contentsOf: Self.repository.appending(path: "Config/drivers/agenda-demo.json"), encoding: .utf8)
        let small = profile.replacing(#""maximum": 100"#, with: #""maximum": \#(Self.pageSize)"#)
        try Data(small.utf8).write(to: folder.appending(path: "drivers/agenda-demo.json"))
        for tenant in tenants {
            try Data(Self.file(tenant, breaks: breaks).utf8).write(
                to: folder.appending(path: "tenants/\(tenant.id).json"))
        }
        let server = folder.appending(path: "server.json")
        try Data(#"{"reload":{"watch":false}}"#.utf8).write(to: server)

        let pipe = Pipe()
        output = Output()
        process = Process()
        process.executableURL = Self.program
        process.arguments = ["serve", "--config", server.path, "--port", "0"]
        process.environment = ProcessInfo.processInfo.environment.merging([
            // Its open files are counted from outside, which it otherwise lets nobody but root do.
            "PONTE_CORE_DUMPS": "allow", "PONTE_FAULTS_USER": "ponte", "PONTE_FAULTS_PASSWORD": "senha-de-demonstracao",
        ]) { $1 }
        process.standardOutput = pipe
        process.standardError = pipe
        let (ended, end) = AsyncStream<Int32>.makeStream()
        self.ended = ended
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        try process.run()
        guard let port = await output.port(readingFrom: pipe.fileHandleForReading) else {
            throw Unexpected(description: "it did not start: \(output.text)")
        }
        self.port = port
    }

    deinit { if process.isRunning { process.terminate() } }

    private static func file(_ tenant: Tenant, breaks: Bool) -> String {
        let digest = SHA256.hash(data: Data(tenant.key.utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return """
            {"id":"\(tenant.id)","name":"\(tenant.id)",
            "inbound":{"keys":[{"name":"tests","sha256":"\(digest.joined())"}]},
            "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"\(tenant.baseURL)",
            "credentials":{"user":{"env":"PONTE_FAULTS_USER"},"password":{"env":"PONTE_FAULTS_PASSWORD"}},
            "timeouts":{"connect":"1s","call":"\(callTimeout.components.attoseconds / 1_000_000_000_000_000
                + callTimeout.components.seconds * 1000)ms","list":"6s"},
            "maxBodyBytes":1048576\(breaks ? "" : #","breaker":{"failures":100000}"#)},
            "clients":{"searchBy":["phone"]}}
            """
    }

    /// All that it has printed so far.
    var text: String { output.text }

    /// Open files.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count
    }

    /// Memory in use (`VmRSS`), in MB.
    func memory() throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        else { throw Unexpected(description: "no VmRSS") }
        return kilobytes / 1024
    }

    /// Asks it to end and waits until it has.
    /// - Returns: its exit status.
    func stop() async -> Int32? {
        process.terminate()
        let status = await ended.first { _ in true }
        Leaks.discard(folder)
        return status
    }
}

/// What a process prints, read by a thread of its own so that the process never waits.
private final class Output: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    /// The port that it says it listens on; nil if it ends without.
    func port(readingFrom handle: FileHandle) async -> Int? {
        let (ports, found) = AsyncStream<Int>.makeStream()
        Thread.detachNewThread { [self] in
            var isFound = false
            while case let more = handle.availableData, !more.isEmpty {
                bytes.withLock { $0 += more }
                Leaks.wrote(String(decoding: more, as: UTF8.self), "serve")
                guard !isFound, let port = Self.port(in: text) else { continue }
                isFound = true
                found.yield(port)
            }
            found.finish()
        }
        return await ports.first { _ in true }
    }

    private static func port(in text: String) -> Int? {
        // A line that is not whole has no number to be sure of.
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first {
            $0.contains(#""listening""#)
        }
        guard let digits = line?.firstRange(of: "\"port\":").flatMap({ line?[$0.upperBound...].prefix { $0.isNumber } })
        else { return nil }
        return Int(digits)
    }
}
