import ArgumentParser
import Tenancy
import Workbench

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print how a tenant's configuration was understood, secrets masked.",
        discussion: "Reads files only: no network, and no secret is looked up.")

    @Argument(help: "The tenant's id.")
    var tenant: String
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let plan = try IntegratorFiles.tenant(tenant, options, secrets: SecretSource(resolves: false))
        Terminal.print(Explanation(plan).text)
    }
}
