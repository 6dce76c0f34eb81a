import ArgumentParser
import Tenancy
import Transport
import Workbench

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a tenant's homologation summary, in Portuguese and Markdown.",
        discussion: """
            Which endpoints exist, which fields are filled, which searches work, known limits: what Clinia asks an integrator \
            for. From the configuration alone; with --live also what `ponte doctor` sees at the clinic's system.
            """)

    @Argument(help: "The tenant's id.")
    var tenant: String
    @Flag(help: "Probe the clinic's system too, reading only.")
    var live = false
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let plan = try IntegratorFiles.tenant(tenant, options, secrets: SecretSource(resolves: live))
        guard live else { return Terminal.print(Homologation(plan).markdown) }
        let engine = try CurlEngine()
        let findings = await Doctor(plan, engine: engine).examine()
        await engine.shutdown()
        Terminal.print(Homologation(plan, findings: findings).markdown)
    }
}
