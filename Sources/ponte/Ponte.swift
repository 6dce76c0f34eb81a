import ArgumentParser
import Gateway
import Glibc

@main
struct Ponte: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ponte",
        abstract: "Lets Clinia read and write the clients of a clinic's own system.",
        discussion: """
            Ponte serves the five Client endpoints and translates each call into what the clinic's system understands.

            Try it without a clinic:
              ponte smoke
            Check the configuration, then serve it:
              ponte check --config Config/server.json
              ponte serve --config Config/server.json
            """,
        subcommands: [
            Serve.self, Check.self, Mock.self, Smoke.self, ReplayCommand.self, Certify.self, HashKey.self,
            NewVendor.self,
            MapRecord.self, TestProfile.self, Explain.self, DoctorCommand.self, ReportCommand.self,
            AuditCommand.self,
        ])

    static func main() async {
        // Before anything is read that is secret.
        ProcessSecrecy.begin()
        StandardFiles.open()
        if CommandLine.arguments.dropFirst().first == "serve" {
            // Before anything slow: until the reloader listens, SIGHUP would end the process. What it asks for is done
            // anyway, the files being read after this. SIGTERM ends it as ever.
            signal(SIGHUP, SIG_IGN)
            // A reader of the log who goes away must not end it either.
            signal(SIGPIPE, SIG_IGN)
            CrashOutput.withhold()
        }
        await main(nil)
    }
}

/// Where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "The server's file. The folders of tenants and drivers stand beside it, unless it says otherwise.")
    var config = ConfigurationOptions.usual

    private static let usual = "Config/server.json"

    /// The option as the next command needs it; empty where it need not be said.
    var said: String { config == Self.usual ? "" : " --config \(config)" }
}
