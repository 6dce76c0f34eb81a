/// What a tenant's file says of its system, for people: no secret is among it, only the names of credentials.
public struct UpstreamFacts: Sendable {
    public struct Setting: Sendable {
        public let name: String
        public let value: String
    }

    public let driver: String
    /// The profile, for drivers that have them.
    public let profile: String?
    /// Where the system is: the tenant's address, or the driver's own, which may be a template over settings.
    public let baseURL: String?
    public let credentials: [String]
    public let settings: [Setting]
}
