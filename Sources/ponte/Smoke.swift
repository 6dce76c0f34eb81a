import ArgumentParser
import Gateway
import Logging
import MockUpstream
import Replay
import Tenancy

struct Smoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a pretend clinic system and Ponte, and call the one through the other.",
        discussion: """
            Takes the demo tenant of the configuration, points it at the pretend system, and makes the five calls and \
            the main refusals over HTTP, on free ports. Exits with 1 when an answer is not the expected one.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Show Ponte's own log, too.")
    var verbose = false

    func run() async throws {
        let mockOptions = MockOptions()
        let mock = try await MockServer.start(mockOptions)
        let failures: Int
        do {
            failures = try await run(against: mock, mockOptions)
        } catch {
            await mock.stop()
            throw error
        }
        await mock.stop()
        if failures > 0 { throw ExitCode.failure }
    }

    private func run(against mock: MockServer, _ mockOptions: MockOptions) async throws -> Int {
        let secrets = SecretSource(environment: { name in
            switch name {
            case "PONTE_DEMO_USER": mockOptions.user
            case "PONTE_DEMO_PASSWORD": mockOptions.password
            default: nil
            }
        })
        let configuration = Configuration(
            serverFile: options.config, options: .init(secrets: secrets, baseURLs: ["demo": mock.baseURL]))
        guard configuration.tenants.contains(where: { $0.id == "demo" }) else {
            for fault in configuration.faults { Terminal.error(fault.description) }
            Terminal.error("The configuration has no sound tenant \"demo\".")
            throw ExitCode.failure
        }
        let logger = verbose ? LogOutput.logger(level: .info, format: .text) : LocalPonte.quiet
        let ponte = try await LocalPonte.start(configuration, key: "demo-key-not-for-production", logger: logger)
        let failures = await SmokeScript(caller: ponte.caller, mock: mock).run()
        try await ponte.stop()
        LogOutput.standardOutput.flush(within: .seconds(2))
        return failures
    }
}
