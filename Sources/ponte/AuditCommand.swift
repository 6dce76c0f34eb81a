import ArgumentParser
import Audit
import Tenancy

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Hold numbered safety rules against the configuration.",
        discussion: """
            Reads files only. Exits with 0 when nothing graver than low was found, 1 for medium, 2 for high, 3 for critical. \
            docs/audit.md explains each rule.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func run() throws {
        let configuration = Configuration(
            serverFile: options.config, options: .init(secrets: SecretSource(resolves: false)))
        let audit = Audit(configuration)
        Terminal.print(json ? audit.json : audit.text)
        if audit.exitStatus != 0 { throw ExitCode(audit.exitStatus) }
    }
}
