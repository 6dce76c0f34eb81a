import ArgumentParser
import ClientContract
import RESTDriver
import StrictConfig
import Workbench

struct MapRecord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Show both directions of a profile's mapping for one record.",
        discussion: """
            Reads one record in the system's shape, alone or in its answer, and shows what Ponte answers for it, what a create \
            of the same client sends, and what changes send. It prints the record: use a made-up patient.
            """)

    @Argument(help: "A profile's name, or the path of its file.")
    var profile: String
    @Option(name: .customLong("in"), help: "The file of the record.")
    var input: String
    @Option(help: "Whether it is a full record or a row of a list.")
    var shape = "detail"
    @Option(help: "The area code of numbers that have none.")
    var areaCode: Int?
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let form = ProfileMapping.Form(rawValue: shape) else {
            throw ValidationError("--shape must be detail or row.")
        }
        let (profile, _) = try IntegratorFiles.profile(profile, options)
        let record: [UInt8]
        do throws(ConfigError) {
            record = try IntegratorFiles.bytes(input)
        } catch {
            for fault in error.faults { Terminal.error(fault.description) }
            throw ExitCode.failure
        }
        let table = MappingTable(
            profile, record: record, form: form, phones: PhoneContext(areaCode: areaCode))
        if table.isReadable { return Terminal.print(table.text) }
        Terminal.error(table.text)
        throw ExitCode.failure
    }
}
