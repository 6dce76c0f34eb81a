import ArgumentParser
import Replay
import Tenancy

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay specs: what Clinia sends, what Ponte asks the clinic's system, what Ponte answers.",
        discussion: """
            Each spec starts Ponte and a pretend clinic system on free ports and calls the one through the other. \
            docs/specs.md describes the form of a spec. Exits with 1 when a spec fails or cannot be read.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "Spec files, and folders of them.")
    var paths = ["Specs"]
    @Flag(help: "Only read the specs: start nothing.")
    var check = false

    func run() async throws {
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: .init(resolves: false)))
        guard configuration.serverIsSound else {
            for fault in configuration.faults { Terminal.error(fault.description) }
            throw ExitCode.failure
        }
        let replay = Replay(drivers: configuration.server.drivers) { Terminal.print($0) }
        let summary = try await replay.run(paths, checksOnly: check)
        let read = "\(summary.steps) steps of \(summary.specs) specs in \(summary.files) files"
        Terminal.print(
            summary.succeeded
                ? "\(read): \(check ? "read" : "all as expected")"
                : "\(read): \(summary.failedSpecs) specs failed, \(summary.faults) faults")
        if !summary.succeeded { throw ExitCode.failure }
    }
}
