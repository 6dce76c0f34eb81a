import Foundation
import Testing

/// The places of `Sources` that can write for people to read are few and known, and no text of a trap is made from data.
/// `Tests/Leaks` searches what they write; this keeps new ones from being added unnoticed.
@Suite struct OutputPlacesTests {
    struct Line: CustomStringConvertible {
        /// From `Sources` on.
        let file: String
        let number: Int
        let text: Substring

        var description: String { "\(file):\(number):\(text)" }
    }

    /// All lines of code of the product. Benchmarks are no part of it.
    private static func lines() throws -> [Line] {
        let folder = ErrorCatalogueTests.repository.appending(path: "Sources").standardizedFileURL
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var lines: [Line] = []
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" || file.pathExtension == "h" else { continue }
            let name = file.pathComponents.dropFirst(folder.pathComponents.count).joined(separator: "/")
            guard !name.hasPrefix("Benchmarks/") else { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                // Comments may say anything.
                guard !line.drop(while: { $0 == " " }).hasPrefix("//") else { continue }
                lines.append(Line(file: name, number: index + 1, text: line))
            }
        }
        try #require(lines.count > 10_000)
        return lines
    }

    private static func files(_ expression: Regex<some Any>) throws -> Set<String> {
        Set(try lines().filter { $0.text.contains(expression) }.map(\.file))
    }

    @Test("standard output and standard error are written to in two places")
    func standardStreams() throws {
        let files = try Self.files(/STDOUT_FILENO|STDERR_FILENO|FileHandle\.standard|\bstdout\b|\bstderr\b/)
        // The third one opens them on nothing, where they are closed.
        #expect(
            files.subtracting(["ponte/StopSignals.swift"]) == ["Gateway/LogOutput.swift", "ponte/Terminal.swift"])
    }

    @Test("nothing prints but commands, by their Terminal, and what they are handed")
    func printing() throws {
        let printing = try Self.lines().filter {
            $0.text.contains(/(^|[^.\w])(print|debugPrint|dump|puts|printf|NSLog|syslog|perror|fputs)\(/)
        }
        // The function that a caller of Replay gives, and Terminal's own.
        let known: Set = ["Replay/Replay.swift", "ponte/Terminal.swift"]
        #expect(printing.filter { !known.contains($0.file) }.isEmpty)
        #expect(try Self.files(/\bTerminal\./).allSatisfy { $0.hasPrefix("ponte/") })
    }

    @Test("loggers are called by the Gateway and by serve")
    func logging() throws {
        let logging = try Self.files(/\b[lL]ogger\.(?:trace|debug|info|notice|warning|error|critical|log)\(/)
        #expect(!logging.isEmpty)
        #expect(logging.allSatisfy { $0.hasPrefix("Gateway/") || $0 == "ponte/Serve.swift" }, "\(logging.sorted())")
    }

    @Test("no text of a trap is made from data, and no operation traps with what it was given")
    func traps() throws {
        for line in try Self.lines() {
            // These print their argument, an error or a key.
            #expect(!line.text.contains(/\btry!|\bas!/), "\(line)")
            let traps = /\b(fatalError|preconditionFailure|precondition|assertionFailure|assert)\(/
            guard let trap = line.text.firstMatch(of: traps) else { continue }
            #expect(!line.text[trap.range.upperBound...].contains("\\("), "\(line)")
        }
        // A key that comes twice is printed: here they are names that a profile gives to its credentials and settings,
        // and the members of a client.
        #expect(
            try Self.files(/uniqueKeysWithValues/).isSubset(of: [
                "Drivers/RESTDriver/Trying/ProfileMapping.swift", "Workbench/GoldenPairs.swift",
                "Workbench/Doctor.swift",
            ]))
    }

    @Test("libraries are not asked to tell what they do")
    func libraries() throws {
        let asked = try Self.lines().filter {
            $0.text.contains(
                /CURLOPT_VERBOSE|CURLOPT_DEBUGFUNCTION|CURLOPT_STDERR|publicStatementArguments|\.trace\(options/)
        }
        #expect(asked.isEmpty)
    }
}
