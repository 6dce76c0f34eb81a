import Glibc
import JSONBytes
import StrictConfig
import Tenancy

/// Replays specs: each is a tenant, a pretend clinic system, what Clinia sends, what Ponte must ask the system, and what
/// Ponte must answer. Both are real servers on free ports of 127.0.0.1. `docs/specs.md` describes the form.
///
/// What it prints holds whatever the specs and the answers hold: specs must be about fictional people.
public struct Replay: Sendable {
    /// How a run ended.
    public struct Summary: Sendable {
        public var files = 0
        public var specs = 0
        public var steps = 0
        public var failedSpecs = 0
        /// Files that could not be read, and faults in them.
        public var faults = 0

        public var succeeded: Bool { failedSpecs == 0 && faults == 0 && specs > 0 }
    }

    let drivers: String
    let print: @Sendable (String) -> Void

    /// - Parameters:
    ///   - drivers: the folder of the profiles that specs can name.
    ///   - print: takes what is found, line by line.
    public init(drivers: String, print: @escaping @Sendable (String) -> Void) {
        self.drivers = drivers
        self.print = print
    }

    /// - Parameters:
    ///   - paths: files, and folders whose JSON files are read.
    ///   - checksOnly: read the specs and start nothing.
    /// - Throws: when a server does not start or stop.
    public func run(_ paths: [String], checksOnly: Bool = false) async throws -> Summary {
        var summary = Summary()
        var files: [SpecFile] = []
        for path in paths {
            for file in expand(path, &summary) {
                summary.files += 1
                do throws(ConfigError) {
                    files.append(try SpecReader.read(try bytes(file), file: file))
                } catch {
                    for fault in error.faults { print(fault.description) }
                    summary.faults += error.faults.count
                }
            }
        }
        if checksOnly {
            for file in files {
                summary.specs += file.specs.count
                summary.steps += file.specs.reduce(0) { $0 + $1.steps.count }
            }
            return summary
        }
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        for file in files {
            var failures: [SpecFailure] = []
            for spec in file.specs {
                let found = try await World(spec: spec, drivers: drivers, scratch: scratch).play()
                summary.specs += 1
                summary.steps += spec.steps.count
                if !found.isEmpty { summary.failedSpecs += 1 }
                failures += found
            }
            let steps = file.specs.reduce(0) { $0 + $1.steps.count }
            print("\(failures.isEmpty ? "ok    " : "FAILED") \(file.file): \(file.title) (\(steps) steps)")
            for failure in failures { tell(failure, of: file.file) }
        }
        return summary
    }

    private func expand(_ path: String, _ summary: inout Summary) -> [String] {
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { return [path] }
        do {
            return try Files.jsonNames(in: path).map { Files.join(path, $0) }
        } catch {
            print("\(path): \(error.message)")
            summary.faults += 1
            return []
        }
    }

    private func bytes(_ file: String) throws(ConfigError) -> [UInt8] {
        do {
            return try Files.read(file)
        } catch {
            throw ConfigError([ConfigFault(file: file, message: error.message)])
        }
    }

    /// Each difference with its place, and what was wanted above what came.
    private func tell(_ failure: SpecFailure, of file: String) {
        let pointer = failure.step?.pointer ?? failure.spec.pointer
        print("  \(file): \(pointer): \(failure.spec.title)")
        if let step = failure.step {
            print("    \(step.title.map { "\($0): " } ?? "")\(step.inbound.method) \(step.inbound.target)")
        }
        print("    \(failure.message)")
        for difference in failure.differences {
            print("    \(difference.pointer)")
            print("      want: \(difference.want)")
            print("      got:  \(difference.got)")
        }
    }
}
