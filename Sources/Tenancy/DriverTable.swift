import ClientContract
import FHIRDriver
import RESTDriver
import StrictConfig
public import Transport
import TrytonDriver
public import UpstreamDriver

/// A driver that a tenant's file describes completely, ready to be given its HTTP channel.
public struct PreparedDriver: Sendable {
    /// Makes the driver.
    public let make: @Sendable (any HTTPSending) -> any UpstreamDriver
    /// What the system can do, so that a tenant's wishes can be checked.
    public let capabilities: Capabilities
    /// The address that holds when the tenant gives none.
    let baseURL: String?
    /// Calls at once that the system can bear, where that is known: used when the tenant sets no limit.
    let concurrent: Int?
    /// Calls in a period that the system allows, where that is known; a tenant can only add to it.
    let pace: Pace?
    /// What the tenant's file does not hold and the driver depends on: when it changes, the driver is made anew.
    let surroundings: [UInt8]
    /// A credential that the vendor replaces: the tenant goes on when it changes.
    var replacedCredential: String?
    /// Where that one is; nil where secrets are not looked at.
    var credentialFile: CredentialFile?
    /// What is called beside the address that the tenant gives.
    var calls: [UpstreamFacts.Call] = []
}

/// What a driver's entry in the table may use.
struct DriverSurroundings {
    /// The driver's profiles by name; nil for one that has faults.
    let profiles: [String: LoadedProfile?]
    /// Checked already; nil when the file gives none, or a faulty one.
    let baseURL: String?
    let hasBaseURL: Bool
    let credentials: [String: Secret]
    /// Where they stand in the file, for faults.
    let credentialNodes: [(name: String, node: ConfigNode)]
    let settings: [String: String]
    let settingNodes: [(name: String, node: ConfigNode)]
    let phones: PhoneContext
    /// A create of somebody on record shall make another record (`onDuplicate`).
    let repeatsRecords: Bool
    let secrets: SecretSource
}

/// A compiled profile and the bytes that it came from.
struct LoadedProfile: Sendable {
    /// Of the type that its driver reads.
    let content: any Sendable
    let bytes: [UInt8]
}

extension DriverSurroundings {
    /// The file of a credential that the vendor replaces; nil, with a fault, where it is none that Ponte can write.
    func credentialFile(_ name: String) -> CredentialFile? {
        guard let node = credentialNodes.first(where: { $0.name == name })?.node else { return nil }
        guard let written = node.value["file"]?.string else {
            node.fault(
                "is replaced by the vendor at each login, so it must be in a file that Ponte can write: "
                    + "{\"file\": \"path\"}")
            return nil
        }
        guard secrets.resolves, let first = credentials[name] else { return nil }
        let path = Files.resolve(written, beside: node.report.file)
        if let complaint = CredentialFile.complaint(about: path) {
            node.fault("is replaced by the vendor at each login, and Ponte cannot write its file: \(complaint)")
            return nil
        }
        let tell = secrets.couldNotSave
        return CredentialFile(path, first) { tell(name, $0) }
    }

    /// The profile that a tenant names; nil, with a fault, where there is none to be used.
    func profile<Content>(_ upstream: ConfigObject, as type: Content.Type) -> (content: Content, bytes: [UInt8])? {
        guard let node = upstream.required("profile"), let name = node.string("a profile's name") else { return nil }
        guard let found = profiles[name] else {
            node.fault(NearestName.unknown("profile", name, Array(profiles.keys)))
            return nil
        }
        guard let found, let content = found.content as? Content else {
            node.fault("the profile \"\(name)\" has faults of its own")
            return nil
        }
        return (content, found.bytes)
    }
}

/// Where a driver's profiles are, and how they are read.
struct ProfileFiles: Sendable {
    /// Within the drivers folder; "" for that folder itself.
    let folder: String
    let compile: @Sendable ([UInt8], _ file: String) throws(ConfigError) -> any Sendable
}

/// One driver that a tenant's file can name.
struct DriverEntry: Sendable {
    let name: String
    /// Members of "upstream" that this driver has beside the common ones.
    let members: [String]
    /// Its profiles; nil for a driver that has none.
    let profiles: ProfileFiles?
    /// Reads those members; nil, with faults, when the tenant cannot be served.
    let prepare: @Sendable (ConfigObject, DriverSurroundings) -> PreparedDriver?
}

/// The drivers that exist. A new one is added here, in its folder, in its tests and its docs.
enum DriverTable {
    static let entries: [DriverEntry] = [.rest, .fhir, .tryton]

    static func entry(_ name: String) -> DriverEntry? { entries.first { $0.name == name } }
}

extension DriverEntry {
    static let rest = DriverEntry(
        name: "rest", members: ["profile"],
        profiles: ProfileFiles(
            folder: "", compile: { (bytes, file) throws(ConfigError) in try Profile(bytes, file: file) })
    ) { upstream, around in
        guard let (profile, bytes) = around.profile(upstream, as: Profile.self) else { return nil }
        let report = upstream.node.report
        let before = report.faults.count
        for (name, node) in around.credentialNodes where !profile.credentials.contains(name) {
            node.fault(NearestName.unknown("credential", name, profile.credentials))
        }
        let missing = profile.credentials.filter { name in !around.credentialNodes.contains { $0.name == name } }
        for name in missing { upstream.node.fault("lacks the credential \"\(name)\", which the profile needs") }
        let settings = profile.settings.filter(\.isGiven).map(\.name)
        for (name, node) in around.settingNodes where !settings.contains(name) {
            node.fault(NearestName.unknown("setting", name, settings))
        }
        for setting in profile.settings
        where setting.isGiven && setting.fallback == nil
            && !around.settingNodes.contains(where: { $0.name == setting.name })
        {
            upstream.node.fault("lacks the setting \"\(setting.name)\", which the profile needs")
        }
        if profile.baseURL == nil, !around.hasBaseURL {
            upstream.node.fault("lacks the member \"baseURL\": the profile has no address of its own")
        }
        let replaced = profile.replacedCredential.flatMap { around.credentialFile($0) }
        guard report.faults.count == before else { return nil }
        let tenant = RESTTenant(
            baseURL: around.baseURL, credentials: around.credentials, settings: around.settings, phones: around.phones,
            replaced: replaced)
        return PreparedDriver(
            make: { RESTDriver(profile: profile, tenant: tenant, http: $0) }, capabilities: profile.capabilities,
            baseURL: profile.baseURL, concurrent: profile.concurrent, pace: profile.pace, surroundings: bytes,
            replacedCredential: profile.replacedCredential, credentialFile: replaced,
            calls: around.baseURL == nil ? profile.address(settings: around.settings) : [])
    }
}

extension Profile {
    /// The address that holds where the tenant gives none.
    fileprivate func address(settings given: [String: String]) -> [UpstreamFacts.Call] {
        guard var url = baseURL else { return [] }
        for setting in settings {
            guard let value = given[setting.name] ?? setting.fallback else { continue }
            url = url.replacing("{setting.\(setting.name)}", with: value)
        }
        return [UpstreamFacts.Call("upstream.baseURL", url)]
    }
}

extension DriverEntry {
    static let fhir = DriverEntry(
        name: "fhir", members: ["profile"],
        profiles: ProfileFiles(
            folder: "fhir", compile: { (bytes, file) throws(ConfigError) in try FHIRProfile(bytes, file: file) })
    ) { upstream, around in
        guard let (profile, bytes) = around.profile(upstream, as: FHIRProfile.self) else { return nil }
        let report = upstream.node.report
        let before = report.faults.count
        let given = Set(around.credentialNodes.map(\.name))
        guard let signIn = profile.signIn(credentials: given) else {
            let ways = profile.signIns.map {
                $0.credentials.isEmpty ? "none" : $0.credentials.joined(separator: " and ")
            }
            upstream.node.fault(
                "has credentials that are none of the server's ways to sign in. It wants: "
                    + ways.joined(separator: "; or "))
            return nil
        }
        let settings = profile.settings(signIn)
        for (name, node) in around.settingNodes where !settings.contains(where: { $0.name == name }) {
            node.fault(NearestName.unknown("setting", name, settings.map(\.name)))
        }
        for setting in settings
        where !setting.isOptional && setting.fallback == nil
            && !around.settingNodes.contains(where: { $0.name == setting.name })
        {
            upstream.node.fault("lacks the setting \"\(setting.name)\", which the profile needs")
        }
        var values = around.settings
        for (name, node) in around.settingNodes where name == FHIRProfile.tokenURL {
            if let complaint = around.settings[name].flatMap(UpstreamAddress.complaint) { node.fault(complaint) }
            values[name] = around.settings[name].map(UpstreamAddress.normalized)
        }
        if !around.hasBaseURL { upstream.node.fault("lacks the member \"baseURL\": a FHIR server has its own address") }
        guard report.faults.count == before, let baseURL = around.baseURL else { return nil }
        let tenant = FHIRTenant(
            baseURL: baseURL, credentials: around.credentials, settings: values, phones: around.phones,
            repeatsRecords: around.repeatsRecords)
        return PreparedDriver(
            make: { FHIRDriver(profile: profile, tenant: tenant, http: $0) },
            capabilities: profile.capabilities(repeatsRecords: around.repeatsRecords),
            baseURL: nil, concurrent: profile.concurrent, pace: profile.pace, surroundings: bytes,
            calls: values[FHIRProfile.tokenURL].map {
                [UpstreamFacts.Call("upstream.settings.\(FHIRProfile.tokenURL)", $0)]
            } ?? [])
    }
}

extension DriverEntry {
    static let tryton = DriverEntry(name: "tryton", members: ["database"], profiles: nil) { upstream, around in
        let before = upstream.node.report.faults.count
        let database = upstream.required("database").flatMap { node -> String? in
            guard let name = node.string("a database's name") else { return nil }
            guard TrytonClinic.isDatabase(name) else {
                node.fault("is not a database's name: letters, digits and - _ . only, at most 63")
                return nil
            }
            return name
        }
        let known = ["user", "password"]
        for (name, node) in around.credentialNodes where !known.contains(name) {
            node.fault(NearestName.unknown("credential", name, known))
        }
        for name in known where !around.credentialNodes.contains(where: { $0.name == name }) {
            upstream.node.fault("lacks the credential \"\(name)\", which the driver \"tryton\" needs")
        }
        for (_, node) in around.settingNodes { node.fault("is not a setting: the driver \"tryton\" has none") }
        if !around.hasBaseURL { upstream.node.fault("lacks the member \"baseURL\": the address of the Tryton server") }
        guard upstream.node.report.faults.count == before, let database else { return nil }
        let clinic = TrytonClinic(
            baseURL: around.baseURL ?? "", database: database, user: around.credentials["user"] ?? Secret(""),
            password: around.credentials["password"] ?? Secret(""), phones: around.phones)
        return PreparedDriver(
            make: { TrytonDriver(clinic: clinic, http: $0) }, capabilities: TrytonDriver.abilities,
            baseURL: nil, concurrent: nil, pace: nil, surroundings: [])
    }
}
