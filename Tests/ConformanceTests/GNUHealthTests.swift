import Conformance
import Testing
import Transport
import TrytonDriver
import UpstreamDriver

/// A real GNU Health 5 passes the kit, as far as it makes no trouble: with `scripts/test-gnuhealth`.
@Suite(.enabled(if: GNUHealthWorld.server != nil)) struct GNUHealthTests {
    @Test func aRealServerIsCertified() async throws {
        let server = try #require(GNUHealthWorld.server)
        let certificate = try await Repository.withEngine { engine in
            let control = engine.channel(ChannelSettings())
            return await Conformance.run(
                Subject(
                    name: "gnu-health", capabilities: TrytonDriver.abilities,
                    gaps: [.member(.description): "no place is known"], secrets: ["admin-ponte"],
                    world: { people in try await GNUHealthWorld(people, server: server, http: control) },
                    driver: { world, keys in
                        guard let world = world as? GNUHealthWorld else { throw GNUHealthWorld.Refused() }
                        let clinic = TrytonClinic(
                            baseURL: world.baseURL, database: world.database, user: Secret("admin"),
                            password: Secret(keys == .good ? "admin-ponte" : "errada"))
                        return TrytonDriver(clinic: clinic, http: engine.channel(ChannelSettings()))
                    }))
        }
        let failures = certificate.failures.map(\.line)
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
        let passed = certificate.results.count { $0.outcome == .passed }
        #expect(passed >= 130)
    }
}
