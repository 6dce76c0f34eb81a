import ArgumentParser

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
        subcommands: [Serve.self, Check.self, Mock.self, Smoke.self, HashKey.self])
}

/// Where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .long, help: "The server's file. The folders of tenants and drivers stand beside it.")
    var config = "Config/server.json"
}
