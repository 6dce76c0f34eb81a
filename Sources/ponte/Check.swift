import ArgumentParser
import JSONBytes
import StrictConfig
import Tenancy

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check all configuration files, without any network.",
        discussion: """
            Prints each fault as file:line:column: place: message. Exits with 0 when there are none, with 1 otherwise. \
            Warnings change nothing about that.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print one JSON object instead of text.")
    var json = false
    @Flag(help: "Check references to secrets for their form only: neither environment nor files are read.")
    var withoutSecrets = false

    func run() throws {
        let secrets = SecretSource(resolves: !withoutSecrets)
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: secrets))
        if json { Terminal.print(Self.document(configuration)) } else { printText(configuration) }
        if !configuration.faults.isEmpty { throw ExitCode.failure }
    }

    private func printText(_ configuration: Configuration) {
        for fault in configuration.faults { Terminal.print(fault.description) }
        for warning in configuration.warnings { Terminal.print("warning: \(warning.description)") }
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        let read =
            "\(count(configuration.files, "file")), \(count(configuration.tenants.count, "sound tenant")), "
            + count(configuration.profiles.count, "sound profile")
        let faults = configuration.faults.isEmpty ? "no faults" : count(configuration.faults.count, "fault")
        Terminal.print("\(faults) in \(read)\(withoutSecrets ? "; secrets were not looked up" : "")")
    }

    private static func document(_ configuration: Configuration) -> String {
        var writer = JSONWriter()
        writer.raw("{\"ok\":")
        writer.bool(configuration.faults.isEmpty)
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
        writer.raw("]}")
        return String(decoding: writer.finish(), as: UTF8.self)
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
