import Foundation
import MockUpstream
import Tenancy
import Testing

extension Configuration {
    /// What a test's folder holds: tenants of pretend systems, with the shipped drivers. `PONTE_USER` is the user in its
    /// files, and any other name the password.
    static func ofTest(in folder: URL, _ options: MockOptions) throws -> Configuration {
        let drivers = EndToEndTests.repository.appending(path: "Config/drivers").path
        let server = folder.appending(path: "server.json")
        try Data(#"{"drivers":"\#(drivers)"}"#.utf8).write(to: server)
        let secrets = SecretSource(environment: { $0 == "PONTE_USER" ? options.user : options.password })
        let configuration = Configuration(serverFile: server.path, options: .init(secrets: secrets))
        try #require(configuration.faults == [])
        return configuration
    }
}
