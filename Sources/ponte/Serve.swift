import ArgumentParser
import Gateway
import Logging
import Metering
import ServiceLifecycle
import Tenancy
import Transport

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the tenants of a configuration.",
        discussion: """
            Tenant files with faults are reported and left out; the others are served. SIGHUP reads the files again, \
            SIGTERM and SIGINT let requests that are under way end, then stop; a second one stops at once.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The host or address to listen on, in place of the configured one.")
    var host: String?
    @Option(help: "The port to listen on, in place of the configured one; 0 takes a free one.")
    var port: Int?
    @Flag(help: "Plain HTTP also where other machines can reach it: a proxy in front terminates TLS.")
    var plainHTTP = false

    func validate() throws {
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535.") }
    }

    func run() async throws {
        ProcessFacts.processStarted()
        defer { LogOutput.standardOutput.flush(within: .seconds(2)) }
        let unsaved = UnsavedCredentialLog()
        var secrets = SecretSource()
        secrets.onUnsaved = { unsaved.note(tenant: $0, credential: $1, reason: $2) }
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: secrets))
        for fault in configuration.faults { Terminal.error(fault.description) }
        guard configuration.serverIsSound else { throw ExitCode.failure }
        guard configuration.tenants.contains(where: { !$0.isDisabled }) else {
            Terminal.error("There is no tenant to serve.")
            throw ExitCode.failure
        }
        let settings = configuration.server
        let logger = LogOutput.logger(level: settings.logLevel, format: settings.logFormat)
        unsaved.write(to: logger)
        for warning in configuration.warnings { logger.warning("in the configuration: \(warning)") }
        let files = OpenFiles.ofThisProcess()
        guard files.limit >= OpenFiles.least else {
            Terminal.error(
                "This process may have \(files.limit) files open, and needs at least \(OpenFiles.least): raise the hard limit "
                    + "(ulimit -Hn, or LimitNOFILE= of systemd).")
            throw ExitCode.failure
        }
        let calls = files.calls(settings.maxInFlight)
        if calls < settings.maxInFlight {
            logger.warning("fewer calls at once than engine.maxInFlight: the process may not open more files")
        }
        let engine = try CurlEngine(EngineOptions(maxInFlight: calls))
        let tenants = TenantDirectory(configuration, engine: engine, observer: CircuitLog.observer(logger))
        if let failure = tenants.databaseFailure {
            Terminal.error("The database of idempotency.database cannot be used: \(failure)")
            await engine.shutdown()
            throw ExitCode.failure
        }
        if let warning = tenants.databaseWarning { logger.warning("idempotency.database: \(warning)") }
        var gatewayOptions = GatewayOptions(settings)
        var plain = settings
        if let host { gatewayOptions.host = host }
        if let port { gatewayOptions.port = port }
        if plainHTTP { plain.plainHTTP = true }
        if let complaint = plain.complaint(aboutListeningAt: gatewayOptions.host) ?? plain.operatorComplaint {
            Terminal.error(complaint)
            throw ExitCode.failure
        }
        if let tls = settings.tls {
            do throws(InboundCertificates.Failure) {
                gatewayOptions.certificates = try InboundCertificates(
                    certificateFile: tls.certificateFile, keyFile: tls.keyFile)
            } catch {
                Terminal.error("\(options.config): \(error)")
                throw ExitCode.failure
            }
        }
        let meter = ServerMeter()
        let gateway = Gateway(tenants: tenants, options: gatewayOptions, meter: meter, logger: logger)
        let reloader = TenantReloader(
            configuration, tenants: tenants, engine: engine, certificates: gatewayOptions.certificates, meter: meter,
            logger: logger)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup),
            .init(service: reloader, successTerminationBehavior: .ignore),
        ]
        if let listener = settings.operatorListener {
            let page = OperatorServer(
                tenants: tenants, gateway: gateway, meter: meter, listener: listener, logger: logger)
            // The first to start is the last to stop: what happens meanwhile can be seen.
            services.insert(.init(service: page, successTerminationBehavior: .ignore), at: 0)
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }))
        let signals = await StopSignals.watch(group)
        defer { signals.cancel() }
        do {
            try await group.run()
        } catch {
            await engine.shutdown()
            Terminal.error("The server stopped: \(error)")
            throw ExitCode.failure
        }
        await engine.shutdown()
    }
}
