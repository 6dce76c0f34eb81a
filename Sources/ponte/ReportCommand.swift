import ArgumentParser
import Glibc
import Tenancy
import Transport
import Workbench

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a tenant's homologation summary, in Portuguese and Markdown.",
        discussion: """
            Which endpoints exist, which fields are filled, which searches work, known limits: what Clinia asks an integrator \
            for. From the configuration alone; with --live also what `ponte doctor` sees at the clinic's system. Exits with 1 \
            when something failed there: the summary is written all the same, and says so.
            """)

    @Argument(help: "The tenant's id.")
    var tenant: String
    @Flag(help: "Probe the clinic's system too, reading only.")
    var live = false
    @OptionGroup var known: KnownClients
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let terms = try known.terms()
        let unsaved = UnsavedCredentials()
        let plan = try IntegratorFiles.tenant(
            tenant, options, secrets: unsaved.watching(SecretSource(resolves: live)))
        let day = Self.today
        guard live else { return Terminal.print(Homologation(plan, day: day).markdown) }
        let engine = try CurlEngine()
        let findings = await Doctor(plan, engine: engine, known: terms, unsaved: unsaved).examine()
        await engine.shutdown()
        Terminal.print(Homologation(plan, findings: findings, day: day).markdown)
        let failed = findings.filter { $0.verdict == .bad }
        guard failed.isEmpty else {
            Terminal.error("Not fit to be sent yet; what failed:")
            for finding in failed { for line in FindingText.lines(finding) { Terminal.error(line) } }
            throw ExitCode.failure
        }
    }

    /// Where the machine stands.
    private static var today: CalendarDay? {
        var now = time(nil)
        var parts = tm()
        guard localtime_r(&now, &parts) != nil else { return nil }
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return CalendarDay(
            "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))")
    }
}
