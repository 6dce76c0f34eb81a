import ArgumentParser
import Tenancy
import Transport
import Workbench

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Probe a tenant's real system without writing anything.",
        discussion: """
            Looks up the name, connects, asks for one page of the list, one record and one search of each kind, with the time of \
            each, and says what is wrong and what to change. No value of a patient is printed. Exits with 1 when something \
            fails.
            """)

    @Argument(help: "The tenant's id.")
    var tenant: String
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let plan = try IntegratorFiles.tenant(tenant, options, secrets: SecretSource())
        let engine = try CurlEngine()
        let findings = await Doctor(plan, engine: engine).examine { finding in
            let took = finding.took.map { " (\(Self.time($0)))" } ?? ""
            Terminal.print(
                "\(Self.padded(finding.verdict.rawValue, 5))\(Self.padded(finding.name, 17))\(finding.seen)\(took)")
            if !finding.advice.isEmpty {
                Terminal.print(Self.padded("", 5) + Self.padded("", 17) + "→ " + finding.advice)
            }
        }
        await engine.shutdown()
        if findings.contains(where: { $0.verdict == .bad }) { throw ExitCode.failure }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    static func time(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
    }
}
