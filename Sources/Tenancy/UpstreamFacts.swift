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
    /// Files that hold secrets: credentials, and the key of a client certificate.
    public let secretFiles: [String]
    /// Networks that calls may lead to, as the file writes them.
    public let addresses: [String]
    /// Whether the file itself says how long a call may take.
    public let saysCallTimeout: Bool
    /// Whether the file itself bounds a scan.
    public let boundsScan: Bool
}
