import Foundation
import TestSupport
import Testing

/// The `ponte` that was built beside these tests.
enum BuiltPonte {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Commands that show data by purpose, the same as in docs/threat-model.md: what they print is not searched.
    private static let showing: Set = ["map", "test", "replay", "smoke", "certify", "hash-key", "mock"]

    struct Run {
        let status: Int32
        /// Its standard error, then its standard output.
        let output: String

        func says(_ text: String) -> Bool { output.contains(text) }
    }

    /// Runs it in the repository's folder and waits for its end.
    /// - Parameter environment: variables beside those of the tests.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Run {
        // The tests' own program stands in the folder of products.
        let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-output-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What they hold goes to the search below.
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = (output: folder.appending(path: "stdout"), error: folder.appending(path: "stderr"))
        for file in [files.output, files.error] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = products.appending(path: "ponte")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = repository
        let handles = (
            output: try FileHandle(forWritingTo: files.output), error: try FileHandle(forWritingTo: files.error)
        )
        process.standardOutput = handles.output
        process.standardError = handles.error
        let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        try handles.output.close()
        try handles.error.close()
        let output = String(decoding: try Data(contentsOf: files.output), as: UTF8.self)
        let error = String(decoding: try Data(contentsOf: files.error), as: UTF8.self)
        if let command = arguments.first, !showing.contains(command) {
            Leaks.wrote(output, "command-stdout")
            Leaks.wrote(error, "command-stderr")
        }
        return Run(status: status, output: error + output)
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
              "upstream": [{ "request": "GET /api/pacientes/9", "answer": { "status": 404, "body": { "sucesso": false } } }],
              "out": \(nextOut)
            }
          }]
        }
        """
    }
}
