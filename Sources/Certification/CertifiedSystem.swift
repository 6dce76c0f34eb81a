import ClientContract
public import Conformance
import Glibc
import MockUpstream
package import RESTDriver
import Tenancy
public import Transport
import UpstreamDriver

/// A profile or driver that Ponte ships, and how it is certified: against the mock's dialect of its system.
public struct CertifiedSystem: Sendable {
    /// The profile's name: its file in the folder of drivers, without `.json`.
    public let name: String
    /// The page that shows its capability table.
    public var page: String { "docs/drivers/\(name).md" }
    let mock: MockOptions
    let hasLogin: Bool
    /// By the names that the profile gives them.
    let keys: [String: String]
    let gaps: [Gap: String]

    private static let wrongKey = "chave-errada-de-demonstracao"

    /// Every one of them. A profile without a line here fails a test.
    public static let all: [CertifiedSystem] = [
        .profile("agenda-demo", .agendaDemo, hasLogin: true) { ["user": $0.user, "password": $0.password] },
        .profile("feegow", .feegow, gaps: [.description: "not documented"]) { ["token": $0.accessToken] },
        .profile("prodoctor", .prodoctor, gaps: [.foreignPhones: "area code and number stand apart"]) {
            ["key": $0.accessToken, "password": $0.password]
        },
    ]

    private static func profile(
        _ name: String, _ dialect: MockOptions.Dialect, hasLogin: Bool = false, gaps: [Gap: String] = [:],
        keys: (MockOptions) -> [String: String]
    ) -> CertifiedSystem {
        let mock = MockOptions(dialect: dialect)
        return CertifiedSystem(name: name, mock: mock, hasLogin: hasLogin, keys: keys(mock), gaps: gaps)
    }

    /// What to certify.
    /// - Parameters:
    ///   - drivers: the folder of profiles.
    ///   - engine: sends the calls; the caller shuts it down.
    /// - Throws: `ConfigError` with the profile's faults, or what the system says about its file.
    public func subject(drivers: String, engine: CurlEngine) throws -> Subject {
        let file = Files.join(drivers, "\(name).json")
        return subject(try Profile(try Files.read(file), file: file), engine)
    }

    /// The same, of a profile that need not be the shipped one.
    package func subject(_ profile: Profile, _ engine: CurlEngine) -> Subject {
        var mock = mock
        // The world lags as far as the profile says, never further.
        mock.staleReads = Int(profile.capabilities.staleReads.components.seconds)
        let options = mock
        var settings = ChannelSettings(paces: profile.pace.map { [$0] } ?? [])
        if let concurrent = profile.concurrent { settings.maxInFlight = concurrent }
        let channel = settings
        let keys = keys
        return Subject(
            name: name, capabilities: profile.capabilities, gaps: gaps, secrets: [Self.wrongKey] + keys.values.sorted(),
            world: { people in try await MockWorld(people, options, hasLogin: hasLogin) },
            driver: { world, which in
                let credentials = keys.mapValues { Secret(which == .good ? $0 : Self.wrongKey) }
                return RESTDriver(
                    profile: profile, tenant: RESTTenant(baseURL: world.baseURL, credentials: credentials),
                    http: engine.channel(channel))
            })
    }
}
