public import ArgumentParser
public import MockUpstream
import ServiceLifecycle
import UnixSignals

extension MockOptions.Dialect: ExpressibleByArgument {}

struct Mock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a pretend clinic system, until Ctrl-C.",
        discussion: """
            Its patients are generated and fictional; the same seed gives the same ones. docs/mock.md lists the fixed \
            ones, and the faults that it can be asked for.
            """)

    @Option(help: "Which system to imitate.")
    var dialect = MockOptions.Dialect.agendaDemo
    @Option(help: "The host or address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8081
    @Option(help: "The seed of the generated patients.")
    var seed: UInt64 = 1
    @Option(help: "How many patients there are.")
    var patients = 2000

    @Option(help: "For how many seconds reads do not show a write, where the dialect can do that.")
    var staleReads = 0

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535.") }
        guard (0...86_400).contains(staleReads) else { throw ValidationError("--stale-reads must be from 0 to 86400.") }
        guard (0...1_000_000).contains(patients) else { throw ValidationError("--patients must be from 0 to 1000000.") }
    }

    func run() async throws {
        let options = MockOptions(
            host: host, port: port, dialect: dialect, seed: seed, patients: patients, staleReads: staleReads)
        let server = try await MockServer.start(options)
        Terminal.print("\(dialect.rawValue) with \(patients) patients at \(server.baseURL)")
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
        await server.stop()
    }
}
