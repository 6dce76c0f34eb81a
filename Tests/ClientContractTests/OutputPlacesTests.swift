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

    /// The lines of code of the product with one of these words. Benchmarks are no part of it.
    private static func lines(with words: String...) throws -> [Line] {
        let folder = ErrorCatalogueTests.repository.appending(path: "Sources").standardizedFileURL
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var lines: [Line] = []
        var count = 0
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" || file.pathExtension == "h" else { continue }
            let name = file.pathComponents.dropFirst(folder.pathComponents.count).joined(separator: "/")
            guard !name.hasPrefix("Benchmarks/") else { continue }
            count += 1
            let text = try String(contentsOf: file, encoding: .utf8)
            func has(_ text: some StringProtocol) -> Bool {
                words.contains { text.range(of: $0, options: .literal) != nil }
            }
            // Most files have none: splitting them all would take its time.
            guard has(text) else { continue }
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where has(line) {
                // Comments may say anything.
                guard !line.drop(while: { $0 == " " }).hasPrefix("//") else { continue }
                lines.append(Line(file: name, number: index + 1, text: line))
            }
        }
        try #require(count > 200)
        return lines
    }

    @Test("standard output and standard error are written to in two places")
    func standardStreams() throws {
        let names = ["STDOUT_FILENO", "STDERR_FILENO", "FileHandle.standard"]
        let lines = try Self.lines(with: names[0], names[1], names[2], "stdout", "stderr")
        let files = Set(
            lines.filter { line in
                names.contains { line.text.contains($0) } || line.text.contains(/\b(?:stdout|stderr)\b/)
            }.map(\.file))
        // The third one opens them on nothing, where they are closed.
        #expect(
            files.subtracting(["ponte/StopSignals.swift"]) == ["Gateway/LogOutput.swift", "ponte/Terminal.swift"])
    }

    @Test("nothing prints but commands, by their Terminal, and what they are handed")
    func printing() throws {
        let lines = try Self.lines(with: "rint(", "dump(", "puts(", "printf(", "NSLog(", "syslog(", "perror(")
        let printing = lines.filter {
            $0.text.contains(/(?:^|[^.\w])(?:print|debugPrint|dump|f?puts|f?printf|NSLog|syslog|perror)\(/)
        }
        // The function that a caller of Replay gives, and Terminal's own.
        let known: Set = ["Replay/Replay.swift", "ponte/Terminal.swift"]
        #expect(printing.filter { !known.contains($0.file) }.isEmpty)
        #expect(Set(printing.map(\.file)) == known)
        #expect(try Self.lines(with: "Terminal.").allSatisfy { $0.file.hasPrefix("ponte/") })
    }

    @Test("loggers are called by the Gateway and by serve")
    func logging() throws {
        let levels = /\b[lL]ogger\.(?:trace|debug|info|notice|warning|error|critical|log)\(/
        let logging = Set(try Self.lines(with: "ogger.").filter { $0.text.contains(levels) }.map(\.file))
        #expect(!logging.isEmpty)
        #expect(logging.allSatisfy { $0.hasPrefix("Gateway/") || $0 == "ponte/Serve.swift" }, "\(logging.sorted())")
    }

    @Test("no text of a trap is made from data, and no operation traps with what it was given")
    func traps() throws {
        // These print their argument, an error or a key.
        #expect(try Self.lines(with: "try!", "as!").isEmpty)
        let traps = /\b(?:fatalError|preconditionFailure|precondition|assertionFailure|assert)\(/
        let lines = try Self.lines(with: "fatalError(", "precondition", "assert").filter { $0.text.contains(traps) }
        #expect(!lines.isEmpty)
        for line in lines {
            guard let trap = line.text.firstMatch(of: traps) else { continue }
            #expect(!line.text[trap.range.upperBound...].contains("\\("), "\(line)")
        }
        // A key that comes twice is printed: here they are names that a profile gives to its credentials and settings,
        // and the members of a client.
        #expect(
            Set(try Self.lines(with: "uniqueKeysWithValues").map(\.file)).isSubset(of: [
                "Drivers/RESTDriver/Trying/ProfileMapping.swift", "Workbench/GoldenPairs.swift",
                "Workbench/Doctor.swift",
            ]))
    }

    /// Whoever writes into a folder of its own keeps it for the search, and whoever runs a program keeps what it prints.
    @Test("what tests make Ponte write is kept until it is searched")
    func searched() throws {
        let folder = ErrorCatalogueTests.repository.appending(path: "Tests").standardizedFileURL
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        // Of certificates made by openssl; of what BuiltPonte hands over before it removes it.
        let folders: Set = ["InboundTLSTests.swift", "TLSServer.swift", "BuiltPonte.swift"]
        let programs: Set = ["InboundTLSTests.swift", "TLSServer.swift"]
        var count = 0
        while let file = files?.nextObject() as? URL {
            let name = file.lastPathComponent
            guard file.pathExtension == "swift", name != "OutputPlacesTests.swift" else { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            func has(_ part: String) -> Bool { text.range(of: part, options: .literal) != nil }
            if has("temporaryDirectory"), !folders.contains(name) {
                count += 1
                #expect(has("Leaks.discard("), "\(name) makes a folder and does not hand it to Leaks")
                #expect(!has("try? FileManager.default.removeItem"), "\(name)")
            }
            if has("= Process()"), !programs.contains(name) {
                count += 1
                #expect(has("Leaks."), "\(name) runs a program and keeps nothing of what it prints")
            }
        }
        #expect(count > 10)
    }

    @Test("libraries are not asked to tell what they do")
    func libraries() throws {
        let asked = try Self.lines(
            with: "CURLOPT_VERBOSE", "CURLOPT_DEBUGFUNCTION", "CURLOPT_STDERR", "publicStatementArguments",
            ".trace(options")
        #expect(asked.isEmpty)
    }
}
