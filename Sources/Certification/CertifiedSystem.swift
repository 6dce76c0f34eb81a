import ClientContract
public import Conformance
import FHIRDriver
import MockUpstream
package import RESTDriver
import Tenancy
public import Transport
import TrytonDriver
import UpstreamDriver

/// A profile or driver that Ponte ships, and how it is certified: against the mock's dialect of its system.
public struct CertifiedSystem: Sendable {
    /// What a driver is made from, once its files are read.
    struct Prepared: Sendable {
        let capabilities: Capabilities
        var channel = ChannelSettings()
        /// From a base URL, the tenant's keys by name, what became of those that logins replace, and a way out.
        let make: @Sendable (String, [String: Secret], WorldCredentials, any HTTPSending) -> any UpstreamDriver
    }

    /// The profile's name: its file in the folder of drivers, without `.json`.
    public let name: String
    /// The page that shows its capability table; the FHIR servers share one.
    public var page: String { "docs/drivers/\(name.split(separator: "/").first ?? "").md" }
    let mock: MockOptions
    var hasLogin = false
    /// By the names that the profile gives them.
    let keys: [String: String]
    var gaps: [Gap: String] = [:]
    /// Sound writes that the dialect refuses.
    var refused: MockWorld.Refused? = .oldBirthday
    /// Reads the files in the folder of drivers.
    let prepare: @Sendable (_ drivers: String) throws -> Prepared

    private static let wrongKey = "chave-errada-de-demonstracao"

    /// Every one of them. A profile without a line here fails a test.
    public static let all: [CertifiedSystem] = [
        .profile(
            "agenda-demo", .agendaDemo, hasLogin: true,
            gaps: noGap.and(overwriting: "a change replaces the record, and the system takes no condition")),
        .profile("belle", .belle, gaps: onePhone.and(without: .description, .image)),
        .profile(
            "clinica-experts", .clinicaExperts,
            gaps: onePhone.and(without: .image).and(
                overwriting: "the name goes along with every change, and no condition is known", .name)),
        .profile("clinica-nas-nuvens", .clinicaNasNuvens, gaps: needsBirthday.and(without: .image)),
        .profile("clinicorp", .clinicorp, gaps: onePhone.and(without: .image)),
        .profile("cliniko", .cliniko, gaps: noGap.and(without: .cpf, .image)),
        .profile("conexa", .conexa, gaps: onePhone.and(without: .description, .image), refused: nil),
        .profile(
            "easyappointments", .easyappointments,
            gaps: onePhone.merging(needsEmail) { $1 }.and(without: .cpf, .birthday, .image), refused: nil),
        .fhir(
            "azure", .fhirAzure, hasLogin: true,
            gaps: mindsCase, keys: { ["clientID": $0.user, "clientSecret": $0.password] }),
        .fhir("google", .fhirGoogle, gaps: noNotes, keys: { ["token": $0.accessToken] }, lag: 60),
        .fhir("hapi", .fhirHAPI, gaps: mindsCase, keys: { _ in [:] }),
        .fhir(
            "nilo", .fhirNilo,
            gaps: noNotes.merging([.peopleWithoutCPF: "the server tells people apart by it"]) { $1 }
                .and(overwriting: "an upsert is taken to replace the resource, and no versions are documented"),
            keys: { ["key": $0.accessToken] }),
        .fhir(
            "openmrs", .fhirOpenMRS,
            gaps: needsBirthday.merging([.createsWithoutCPF: "the server demands an identifier"]) { $1 }
                .merging(noNotes) { $1 }
                .and(overwriting: "PUT replaces the resource, and the server compares no versions"),
            keys: { ["user": $0.user, "password": $0.password] },
            settings: ["location": "8d6c993e-c2cc-11de-8d13-0010c6dffd0f"]),
        .profile("feegow", .feegow, gaps: [.member(.description): "not documented"], lag: 300),
        .profile(
            "gestaods", .gestaods,
            gaps: onePhone.merging([
                .peopleWithoutCPF: "the CPF is the id", .creating(.birthday): "no place is known",
            ]) { $1 }.and(without: .description, .image), refused: nil),
        gnuHealth,
        .profile("ninsaude", .ninsaude, hasLogin: true, gaps: oneOfEach.and(without: .description, .image)),
        .profile("odoo", .odoo, gaps: onePhone.and(without: .birthday), refused: nil),
        .profile(
            "openemr", .openemr, hasLogin: true, gaps: needsBirthday.and(without: .description, .image)),
        .profile(
            "prodoctor", .prodoctor,
            gaps: [
                .foreignPhones: "area code and number stand apart",
                .changingEveryRecord: "insurances are written in another form than they are read",
            ].and(overwriting: replaces)),
        .profile(
            "realclinic", .realclinic,
            gaps: oneOfEach.and(without: .description, .image).and(overwriting: replaces)),
        .profile(
            "shosp", .shosp, gaps: oneOfEach.and(without: .birthday, .description, .image), refused: nil),
        .profile(
            "simplybook", .simplybook, hasLogin: true,
            gaps: onePhone.and(without: .cpf, .birthday, .description, .image), refused: nil),
        .profile("versatilis", .versatilis, hasLogin: true, gaps: oneOfEach.and(without: .description, .image)),
    ]

    /// The driver `tryton`.
    private static var gnuHealth: CertifiedSystem {
        let mock = MockOptions(dialect: .gnuHealth)
        return CertifiedSystem(
            name: "gnu-health", mock: mock, hasLogin: true, keys: ["user": mock.user, "password": mock.password],
            gaps: noGap.and(without: .description)
        ) { _ in
            Prepared(capabilities: TrytonDriver.abilities) { baseURL, keys, _, http in
                let clinic = TrytonClinic(
                    baseURL: baseURL, database: "gh", user: keys["user"] ?? Secret(""),
                    password: keys["password"] ?? Secret(""))
                return TrytonDriver(clinic: clinic, http: http)
            }
        }
    }

    private static let noGap: [Gap: String] = [:]
    private static let onePhone: [Gap: String] = [.severalPhones: "one place for a number"]
    private static let oneOfEach: [Gap: String] = [.severalPhones: "one place for a mobile, one for a landline"]
    private static let needsEmail: [Gap: String] = [
        .createsWithoutEmail: "the system demands one", .sharedEmails: "an address in use is refused",
    ]
    private static let replaces = "Alterar is taken to replace the record, and no condition is known"
    private static let needsBirthday: [Gap: String] = [.createsWithoutBirthday: "the system demands one"]

    private static let noNotes: [Gap: String] = [.member(.description): "Patient has no notes"]
    private static let mindsCase = noNotes.merging([.emailInAnyCase: "the server minds the case of tokens"]) { $1 }

    /// A profile of the `fhir` driver.
    private static func fhir(
        _ name: String, _ dialect: MockOptions.Dialect, hasLogin: Bool = false, gaps: [Gap: String],
        keys: (MockOptions) -> [String: String], settings: [String: String] = [:], lag: Int = 0
    ) -> CertifiedSystem {
        let mock = MockOptions(dialect: dialect, staleReads: lag, strangers: true)
        return CertifiedSystem(
            name: "fhir/\(name)", mock: mock, hasLogin: hasLogin, keys: keys(mock), gaps: gaps, refused: nil
        ) { drivers in
            let file = Files.join(drivers, "fhir/\(name).json")
            let profile = try FHIRProfile(try Files.read(file), file: file)
            return Prepared(capabilities: profile.capabilities) { baseURL, keys, _, http in
                var settings = settings
                if hasLogin { settings[FHIRProfile.tokenURL] = baseURL + "/oauth2/v2.0/token" }
                let tenant = FHIRTenant(baseURL: baseURL, credentials: keys, settings: settings)
                return FHIRDriver(profile: profile, tenant: tenant, http: http)
            }
        }
    }

    /// A profile of the `rest` driver, with what the dialect accepts.
    private static func profile(
        _ name: String, _ dialect: MockOptions.Dialect, hasLogin: Bool = false, gaps: [Gap: String] = [:],
        refused: MockWorld.Refused? = .oldBirthday, lag: Int = 0
    ) -> CertifiedSystem {
        // As far as reads lag in the vendor's world, whatever the profile says of it.
        let mock = MockOptions(dialect: dialect, staleReads: lag, literalPhones: true, strangers: true)
        return CertifiedSystem(
            name: name, mock: mock, hasLogin: hasLogin, keys: mock.credentials, gaps: gaps, refused: refused
        ) { drivers in
            let file = Files.join(drivers, "\(name).json")
            return prepared(try Profile(try Files.read(file), file: file), mock.settings)
        }
    }

    private static func prepared(_ profile: Profile, _ settings: [String: String]) -> Prepared {
        var channel = ChannelSettings(paces: profile.pace.map { [$0] } ?? [])
        if let concurrent = profile.concurrent { channel.maxInFlight = concurrent }
        return Prepared(capabilities: profile.capabilities, channel: channel) { baseURL, keys, kept, http in
            let replaced = profile.replacedCredential.flatMap { keys[$0] }.map { kept.newest(of: $0) }
            return RESTDriver(
                profile: profile,
                tenant: RESTTenant(baseURL: baseURL, credentials: keys, settings: settings, replaced: replaced),
                http: http)
        }
    }

    /// What to certify.
    /// - Parameters:
    ///   - drivers: the folder of profiles.
    ///   - engine: sends the calls; the caller shuts it down.
    /// - Throws: `ConfigError` with the profile's faults, or what the system says about its file.
    public func subject(drivers: String, engine: CurlEngine) throws -> Subject {
        subject(try prepare(drivers), engine)
    }

    /// The same, of a profile that need not be the shipped one.
    package func subject(_ profile: Profile, _ engine: CurlEngine) -> Subject {
        subject(Self.prepared(profile, mock.settings), engine)
    }

    private func subject(_ prepared: Prepared, _ engine: CurlEngine) -> Subject {
        let options = mock
        return Subject(
            name: name, capabilities: prepared.capabilities, gaps: gaps,
            secrets: [Self.wrongKey] + keys.values.sorted(),
            world: { people in
                try await MockWorld(
                    people, options, hasKeys: !keys.isEmpty, hasLogin: hasLogin, refused: refused)
            },
            driver: { world, which in
                prepared.make(
                    world.baseURL, keys.mapValues { Secret(which == .good ? $0 : Self.wrongKey) },
                    (world as? MockWorld)?.credentials ?? WorldCredentials(), engine.channel(prepared.channel))
            })
    }
}

extension [Gap: String] {
    /// These gaps, and members that the system has no place for, or none that anybody knows of.
    fileprivate func and(without fields: ClientField...) -> [Gap: String] {
        fields.reduce(into: self) { $0[.member($1)] = "no place is known" }
    }

    /// These gaps, and members that a change writes back as they were read, whoever changed them meanwhile.
    fileprivate func and(
        overwriting reason: String, _ fields: ClientField...
    ) -> [Gap: String] {
        let all: [ClientField] = [.name, .phone, .email, .birthday]
        return (fields.isEmpty ? all : fields).reduce(into: self) { $0[.changingAtOnce($1)] = reason }
    }
}
