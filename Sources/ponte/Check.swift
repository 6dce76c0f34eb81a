import ArgumentParser
import JSONBytes
import StrictConfig
import Tenancy
import Transport
import Workbench

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check all configuration files, without any network.",
        discussion: """
            Prints each fault as file:line:column: place: message. Exits with 0 when there are none, with 1 otherwise. \
            Warnings change nothing about that.

            With --live it also calls the system of each sound tenant that is not disabled, once and reading only, to see that \
            it is there and takes the credentials; `ponte doctor` tries more.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print one JSON object instead of text.")
    var json = false
    @Flag(help: "Check references to secrets for their form only: neither environment nor files are read.")
    var withoutSecrets = false
    @Flag(help: "Call each tenant's system once, too.")
    var live = false

    func validate() throws {
        if live, withoutSecrets { throw ValidationError("--live needs the secrets: leave --without-secrets out.") }
    }

    func run() async throws {
        let unsaved = UnsavedCredentials()
        let secrets = unsaved.watching(SecretSource(resolves: !withoutSecrets))
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: secrets))
        let seen = live ? try await verify(configuration.tenants.filter { !$0.isDisabled }, unsaved) : nil
        if json {
            Terminal.print(Self.document(configuration, seen))
        } else {
            printText(configuration, seen ?? [])
        }
        if !configuration.faults.isEmpty || seen?.contains(where: \.isBad) == true { throw ExitCode.failure }
    }

    /// What one tenant's system said.
    private struct Live {
        let tenant: String
        let findings: [Doctor.Finding]

        var isBad: Bool { findings.contains { $0.verdict == .bad } }
    }

    private func verify(_ plans: [TenantPlan], _ unsaved: UnsavedCredentials) async throws -> [Live] {
        let engine = try CurlEngine()
        var seen: [Live] = []
        for plan in plans {
            let doctor = Doctor(plan, engine: engine, unsaved: unsaved)
            seen.append(Live(tenant: plan.id, findings: await doctor.verify()))
        }
        await engine.shutdown()
        return seen
    }

    private func printText(_ configuration: Configuration, _ seen: [Live]) {
        for fault in configuration.faults { Terminal.print(fault.description) }
        for warning in configuration.warnings { Terminal.print("warning: \(warning.description)") }
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        let read =
            "\(count(configuration.files, "file")), \(count(configuration.tenants.count, "sound tenant")), "
            + count(configuration.profiles.count, "sound profile")
        let faults = configuration.faults.isEmpty ? "no faults" : count(configuration.faults.count, "fault")
        Terminal.print("\(faults) in \(read)\(withoutSecrets ? "; secrets were not looked up" : "")")
        for live in seen {
            Terminal.print("\(live.isBad ? "FAIL" : "ok  ") \(live.tenant)")
            for finding in live.findings {
                for line in FindingText.lines(finding) { Terminal.print("     " + line) }
            }
        }
    }

    private static func document(_ configuration: Configuration, _ seen: [Live]?) -> String {
        var writer = JSONWriter()
        writer.raw("{\"ok\":")
        writer.bool(configuration.faults.isEmpty && seen?.contains(where: \.isBad) != true)
        writer.raw(",\"files\":")
        writer.number(configuration.files)
        writer.raw(",\"tenants\":[")
        for tenant in configuration.tenants {
            writer.comma()
            writer.string(tenant.id)
        }
        writer.raw("],\"faults\":[")
        write(configuration.faults, to: &writer)
        writer.raw("],\"warnings\":[")
        write(configuration.warnings, to: &writer)
        writer.raw("]")
        if let seen {
            writer.raw(",\"live\":[")
            for live in seen { write(live, to: &writer) }
            writer.raw("]")
        }
        writer.raw("}")
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    private static func write(_ live: Live, to writer: inout JSONWriter) {
        writer.comma()
        writer.raw("{\"tenant\":")
        writer.string(live.tenant)
        writer.raw(",\"ok\":")
        writer.bool(!live.isBad)
        writer.raw(",\"findings\":[")
        for finding in live.findings {
            writer.comma()
            writer.raw("{\"name\":")
            writer.string(finding.name)
            writer.raw(",\"verdict\":")
            writer.string(finding.verdict.rawValue)
            writer.raw(",\"seen\":")
            writer.string(finding.seen)
            writer.raw(",\"advice\":")
            writer.string(finding.advice)
            writer.raw("}")
        }
        writer.raw("]}")
    }

    private static func write(_ faults: [ConfigFault], to writer: inout JSONWriter) {
        for (index, fault) in faults.enumerated() {
            writer.raw(index == 0 ? "{\"file\":" : ",{\"file\":")
            writer.string(fault.file)
            writer.raw(",\"line\":")
            writer.number(fault.line)
            writer.raw(",\"column\":")
            writer.number(fault.column)
            writer.raw(",\"pointer\":")
            writer.string(fault.pointer)
            writer.raw(",\"message\":")
            writer.string(fault.message)
            writer.raw("}")
        }
    }
}
