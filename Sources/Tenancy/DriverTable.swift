import ClientContract
import RESTDriver
import StrictConfig
public import Transport
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
}

/// What a driver's entry in the table may use.
struct DriverSurroundings {
    /// Profiles by name; nil for one that has faults.
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
}

/// A compiled profile and the bytes that it came from.
struct LoadedProfile: Sendable {
    let profile: Profile
    let bytes: [UInt8]
}

/// One driver that a tenant's file can name.
struct DriverEntry: Sendable {
    let name: String
    /// Members of "upstream" that this driver has beside the common ones.
    let members: [String]
    /// Reads those members; nil, with faults, when the tenant cannot be served.
    let prepare: @Sendable (ConfigObject, DriverSurroundings) -> PreparedDriver?
}

/// The drivers that exist. A new one is added here, in its folder, in its tests and its docs.
enum DriverTable {
    static let entries: [DriverEntry] = [.rest]

    static func entry(_ name: String) -> DriverEntry? { entries.first { $0.name == name } }
}

extension DriverEntry {
    static let rest = DriverEntry(name: "rest", members: ["profile"]) { upstream, around in
        guard let node = upstream.required("profile"), let name = node.string("a profile's name") else { return nil }
        guard let found = around.profiles[name] else {
            node.fault(NearestName.unknown("profile", name, Array(around.profiles.keys)))
            return nil
        }
        guard let loaded = found else {
            node.fault("the profile \"\(name)\" has faults of its own")
            return nil
        }
        let profile = loaded.profile
        let before = node.report.faults.count
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
        guard node.report.faults.count == before else { return nil }
        let tenant = RESTTenant(
            baseURL: around.baseURL, credentials: around.credentials, settings: around.settings, phones: around.phones)
        return PreparedDriver(
            make: { RESTDriver(profile: profile, tenant: tenant, http: $0) }, capabilities: profile.capabilities,
            baseURL: profile.baseURL, concurrent: profile.concurrent, pace: profile.pace, surroundings: loaded.bytes)
    }
}
