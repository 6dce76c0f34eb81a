/// What a tenant's file says of its system, for people: no secret is among it, only the names of credentials.
public struct UpstreamFacts: Sendable {
    public struct Setting: Sendable {
        public let name: String
        public let value: String
    }

    /// Where calls begin; links in answers lead to no other origin.
    public struct Call: Sendable {
        /// The member that says where, or would if the profile did not: `upstream.baseURL`.
        public let member: String
        /// Absolute, with scheme and host in lower case. What is made of credentials is a template still.
        public let url: String

        init(_ member: String, _ url: String) {
            self.member = member
            self.url = UpstreamAddress.normalized(url)
        }
    }

    public let driver: String
    /// The profile, for drivers that have them.
    public let profile: String?
    /// Where the system is: the tenant's address, or the driver's own, which may be a template over settings.
    public let baseURL: String?
    /// Every address that is called: the system's, and where tokens are asked for.
    public let calls: [Call]
    public let credentials: [String]
    public let settings: [Setting]
    /// Files that hold secrets: credentials, and the key of a client certificate.
    public let secretFiles: [String]
    /// Credentials whose variable has a name that may be the secret itself.
    public let doubtfulVariables: [String]
    /// Networks that calls may lead to, as the file writes them.
    public let addresses: [String]
    /// Whether the file itself says how long a call may take.
    public let saysCallTimeout: Bool
    /// Whether the file itself bounds a scan.
    public let boundsScan: Bool
}
