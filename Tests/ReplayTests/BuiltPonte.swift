import Foundation
import Testing

/// The `ponte` that was built beside these tests.
enum BuiltPonte {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Run {
        let status: Int32
        let output: String

        func says(_ text: String) -> Bool { output.contains(text) }
    }

    /// Runs it in the repository's folder and waits for its end.
    /// - Parameter environment: variables beside those of the tests.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Run {
        // The tests' own program stands in the folder of products.
        let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let output = FileManager.default.temporaryDirectory.appending(path: "ponte-\(UUID().uuidString).txt")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = products.appending(path: "ponte")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = repository
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        try handle.close()
        return Run(status: status, output: String(decoding: try Data(contentsOf: output), as: UTF8.self))
    }

    /// Replays one file of specs with this text.
    static func replay(_ text: String, _ options: [String] = []) async throws -> Run {
        let file = FileManager.default.temporaryDirectory.appending(path: "spec-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await run(["replay"] + options + [file.path])
    }
}

/// A spec that holds: two steps, of which the first makes two calls. Each piece can be replaced by one that is wrong.
struct SampleSpec {
    var world = ""
    var inbound = #""GET /clients?limit=3""#
    var first = #"{ "request": "GET /api/pacientes?pagina=1&porPagina=2", "answer": { "body": "$first" } }"#
    var second = #", { "request": "GET /api/pacientes?pagina=2&porPagina=2", "answer": { "body": "$second" } }"#
    var more = ""
    /// Numbers of calls in place of the calls.
    var isCounted = false
    var out = """
        { "status": 200, "headers": { "Content-Type": "application/json" },
          "body": [{ "id": "1", "name": "Ana Teste" }, { "id": "2", "name": "Bia Teste" }, { "id": "3", "name": "Rui Teste" }] }
        """
    var nextOut = #"{ "status": 404, "problem": { "code": "no_such_client" } }"#

    var text: String {
        """
        {
          "title": "A sample",
          "records": {
            "first": { "dados": { "total": 3, "itens": [
              { "codigo": 1, "nomeCompleto": "Ana Teste" }, { "codigo": 2, "nomeCompleto": "Bia Teste" }] } },
            "second": { "dados": { "total": 3, "itens": [{ "codigo": 3, "nomeCompleto": "Rui Teste" }] } }
          },
          "specs": [{
            "title": "Two pages",
            "rule": "A rule.",
            "tenant": { "profileChanges": { "operations": { "list": { "paging": { "maximum": 2 } } } } },
            \(world)
            "in": \(inbound),
            "upstream": \(isCounted ? "{}" : "[\(first)\(second)\(more)]"),
            "out": \(out),
            "next": {
              "in": "GET /clients/9",
              "upstream": [{ "request": "GET /api/pacientes/9", "answer": { "status": 404, "body": {} } }],
              "out": \(nextOut)
            }
          }]
        }
        """
    }
}
