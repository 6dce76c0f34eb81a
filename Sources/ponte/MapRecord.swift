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
    @Option(
        help: "Whether it is a full record (detail) or a row of a list; a full record, where the profile reads any.")
    var shape: String?
    @Option(help: "The area code of numbers that have none.")
    var areaCode: Int?
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let (profile, _) = try IntegratorFiles.profile(profile, options)
        let usual = ProfileMapping(profile).forms.contains(.detail) ? ProfileMapping.Form.detail : .row
        guard let form = shape.map({ ProfileMapping.Form(rawValue: $0) }) ?? usual else {
            throw ValidationError("--shape must be detail or row.")
        }
        let record: [UInt8]
        do throws(ConfigError) {
            record = try IntegratorFiles.bytes(input)
        } catch {
            throw IntegratorFiles.failure(error)
        }
        let table = MappingTable(
            profile, record: record, form: form, phones: PhoneContext(areaCode: areaCode))
        if table.isReadable { return Terminal.print(table.text) }
        Terminal.error(table.text)
        throw ExitCode.failure
    }
}
