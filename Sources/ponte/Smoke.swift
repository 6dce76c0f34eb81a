import ArgumentParser
import Gateway
import Glibc
import Logging
import MockUpstream
import ServiceLifecycle
import Tenancy
import Transport

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
        let engine = try CurlEngine(EngineOptions())
        var gatewayOptions = GatewayOptions(configuration.server)
        gatewayOptions.host = "127.0.0.1"
        gatewayOptions.port = 0
        let logger =
            verbose
            ? LogOutput.logger(level: .info, format: .text) : Logger(label: "smoke") { _ in SwiftLogNoOpLogHandler() }
        let gateway = Gateway(
            tenants: TenantDirectory(configuration, engine: engine), options: gatewayOptions, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }))
        let serving = Task { try await group.run() }
        let port = try await gateway.port()
        let caller = SmokeCaller(
            channel: engine.channel(ChannelSettings()), base: "http://127.0.0.1:\(port)",
            key: "demo-key-not-for-production")
        let failures = await SmokeScript(caller: caller, mock: mock).run()
        await group.triggerGracefulShutdown()
        try await serving.value
        await engine.shutdown()
        LogOutput.standardOutput.flush(within: .seconds(2))
        return failures
    }
}
