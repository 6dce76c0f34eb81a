public import ArgumentParser
import Certification
public import Conformance
import StrictConfig
import Tenancy
import Transport

extension CheckGroup: ExpressibleByArgument {}

struct Certify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Certify the shipped profiles and drivers against pretend systems of their dialects.",
        discussion: """
            Each one runs the conformance kit (docs/conformance.md) over real sockets, on free ports. Prints what the \
            system can do, each check, and the verdict. Exits with 1 when a check fails.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The profiles to certify; all of them unless named.")
    var profiles: [String] = []
    @Option(help: "Run the checks of this group only; may be given several times.")
    var only: [CheckGroup] = []
    @Flag(help: "Print the capability tables and run no check.")
    var table = false
    @Flag(help: "Print failed checks and verdicts only.")
    var quiet = false

    func run() async throws {
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: .init(resolves: false)))
        guard configuration.serverIsSound else {
            for fault in configuration.faults { Terminal.error(fault.description) }
            throw ExitCode.failure
        }
        let known = CertifiedSystem.all.map(\.name)
        for name in profiles where !known.contains(name) {
            Terminal.error(NearestName.unknown("certified profile", name, known))
            throw ExitCode.failure
        }
        let engine = try CurlEngine()
        let result: Result<Bool, any Error>
        do {
            result = .success(try await certify(configuration.server.drivers, engine))
        } catch {
            result = .failure(error)
        }
        await engine.shutdown()
        if case .failure(let error as ConfigError) = result {
            for fault in error.faults { Terminal.error(fault.description) }
            throw ExitCode.failure
        }
        if try !result.get() { throw ExitCode.failure }
    }

    /// Whether every one of them is certified.
    private func certify(_ drivers: String, _ engine: CurlEngine) async throws -> Bool {
        var isGood = true
        for system in CertifiedSystem.all where profiles.isEmpty || profiles.contains(system.name) {
            let subject = try system.subject(drivers: drivers, engine: engine)
            if !quiet { Terminal.print("# \(system.name)\n\n\(Conformance.table(subject))") }
            if table { continue }
            let certificate = await Conformance.run(
                subject, only: only.isEmpty ? Set(CheckGroup.allCases) : Set(only))
            for result in quiet ? certificate.failures : certificate.results { Terminal.print(result.line) }
            Terminal.print((quiet ? "" : "\n") + certificate.verdict + (quiet ? "" : "\n"))
            isGood = isGood && certificate.isGood
        }
        return isGood
    }
}
