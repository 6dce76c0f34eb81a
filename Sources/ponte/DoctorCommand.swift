import ArgumentParser
import ClientContract
import Tenancy
import Transport
import Workbench

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Probe a tenant's real system without writing anything.",
        discussion: """
            Looks up the name, connects, tries the credentials, and asks for one page of the list, one record and one search \
            of each kind, with the time of each; says what is wrong and what to change. No value of a patient is printed. \
            Exits with 1 when something fails. A login that uses its credential up (login.replaces of a profile) replaces the \
            credential's file; where that could not be done, nothing is sent.

            ok: as it should be. look: works, and may not be meant. FAIL: does not work. skip: does not apply, or could tell \
            nothing new.
            """)

    @Argument(help: "The tenant's id.")
    var tenant: String
    @OptionGroup var known: KnownClients
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let terms = try known.terms()
        let unsaved = UnsavedCredentials()
        let plan = try IntegratorFiles.tenant(tenant, options, secrets: unsaved.watching(SecretSource()))
        let engine = try CurlEngine()
        let findings = await Doctor(plan, engine: engine, known: terms, unsaved: unsaved).examine { finding in
            for line in FindingText.lines(finding) { Terminal.print(line) }
        }
        await engine.shutdown()
        if findings.contains(where: { $0.verdict == .bad }) { throw ExitCode.failure }
    }
}

/// Clients that are on record, for systems that show no list.
struct KnownClients: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Somebody who is on record, for systems without a list; once for each kind. Best a made-up patient: it stands in the "
                + "shell's history.", valueName: "kind=term"))
    var known: [String] = []

    func terms() throws -> [SearchTerm] {
        let kinds = TermKind.allCases.map(\.rawValue).joined(separator: ", ")
        return try known.map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let kind = TermKind(rawValue: parts[0]) else {
                throw ValidationError("--known must be KIND=TERM, with one of \(kinds).")
            }
            guard let term = SearchTerm(parts[1], as: kind) else {
                throw ValidationError("--known \(kind.rawValue)=…: the term cannot be a \(kind.rawValue).")
            }
            return term
        }
    }
}

/// A finding of the doctor on a terminal: one line, and one for the advice.
enum FindingText {
    static func lines(_ finding: Doctor.Finding) -> [String] {
        let took = finding.took.map { " (\(time($0)))" } ?? ""
        let line = "\(padded(finding.verdict.rawValue, 5))\(padded(finding.name, 17))\(finding.seen)\(took)"
        return finding.advice.isEmpty ? [line] : [line, padded("", 22) + "→ " + finding.advice]
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    static func time(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
    }
}
