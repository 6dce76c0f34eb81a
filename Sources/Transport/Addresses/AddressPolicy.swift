/// Which addresses a tenant's calls may go to, judged when a connection is dialled or used again, by the address
/// itself: what a name resolves to, where a link leads and how an address is spelled make no difference.
///
/// Public addresses are always allowed. Those of the own machine and of local networks must be named. Addresses that
/// no clinic's system has (link-local ones, which cloud providers serve credentials on, multicast, the unspecified
/// one …) must be named one by one: a network that holds them among others does not name them.
public struct AddressPolicy: Sendable, Hashable {
    /// What an address is for.
    public enum Class: String, Sendable, CaseIterable {
        case `public`
        /// The own machine.
        case loopback
        /// Local networks: RFC 1918, RFC 6598 (providers' own), RFC 4193.
        case `private`
        /// No clinic's system.
        case special
    }

    let isUnrestricted: Bool
    private let classes: Set<Class>
    private let ranges: [AddressRange]

    /// Everything is allowed: for calls to one's own servers, as in tests.
    public static let unrestricted = AddressPolicy(isUnrestricted: true, classes: [], ranges: [])

    private init(isUnrestricted: Bool, classes: Set<Class>, ranges: [AddressRange]) {
        self.isUnrestricted = isUnrestricted
        self.classes = classes
        self.ranges = ranges
    }

    /// Public addresses, and those that are named.
    /// - Parameter classes: `.special` names nothing.
    public init(naming classes: Set<Class> = [], ranges: [AddressRange] = []) {
        self.init(isUnrestricted: false, classes: classes, ranges: ranges)
    }

    /// The same, with what the host of an address names by itself: an IP literal names that one address, `localhost` (and
    /// what ends so, RFC 6761) the own machine. A name of any other kind names nothing: whoever answers for the name
    /// would decide.
    /// - Parameter url: absolute; one that cannot be read names nothing.
    public func naming(hostOf url: String) -> AddressPolicy {
        guard !isUnrestricted, let host = (try? Origin(ofURL: url))?.host else { return self }
        if host == "localhost" || host.hasSuffix(".localhost") {
            return AddressPolicy(naming: classes.union([.loopback]), ranges: ranges)
        }
        // A literal of the special kind is a mistake, or meant ill.
        guard let address = IPAddress(hostOf: url), AddressPolicy.class(of: address) != .special else { return self }
        return AddressPolicy(naming: classes, ranges: ranges + [AddressRange(address)])
    }

    public func allows(_ address: IPAddress) -> Bool {
        if isUnrestricted { return true }
        // What an IPv6 address is translated to is where the call arrives.
        let target = address.innerIPv4 ?? address
        let kind = AddressPolicy.class(of: target)
        switch kind {
        case .public: return true
        case .loopback, .private: return classes.contains(kind) || named(target) || named(address)
        case .special:
            return AddressPolicy.specials.contains { special in
                special.contains(target) && ranges.contains { special.contains($0) && $0.contains(target) }
            }
        }
    }

    private func named(_ address: IPAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// What an address is for; of one that holds an IPv4 address, what that one is for.
    public static func `class`(of address: IPAddress) -> Class {
        let target = address.innerIPv4 ?? address
        if specials.contains(where: { $0.contains(target) }) { return .special }
        if loopbacks.contains(where: { $0.contains(target) }) { return .loopback }
        return privates.contains { $0.contains(target) } ? .private : .public
    }

    /// Whether a host is the own machine whoever answers for names: `localhost`, or a literal without brackets. A name
    /// that merely begins like one, `127.0.0.1.example.test`, leads anywhere.
    public static func isLoopback(host: String) -> Bool {
        host.lowercased() == "localhost" || IPAddress(host).map { `class`(of: $0) == .loopback } ?? false
    }

    /// The same of the host of an absolute URL; one that cannot be read leads nowhere near.
    public static func isLoopback(hostOf url: String) -> Bool {
        guard let host = (try? Origin(ofURL: url))?.host else { return false }
        return host == "localhost" || IPAddress(hostOf: url).map { `class`(of: $0) == .loopback } ?? false
    }

    private static let loopbacks = ["127.0.0.0/8", "::1"].map(AddressRange.known)

    /// IANA's registries of special addresses, as far as they are for local use.
    private static let privates = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "fec0::/10",
    ].map(AddressRange.known)

    private static let specials = [
        // This network, link-local, protocol assignments, multicast, reserved with broadcast.
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // Unspecified, discard, link-local, multicast.
        "::", "100::/64", "fe80::/10", "ff00::/8",
        // Where providers serve a machine's own credentials and settings, in networks that are otherwise ordinary:
        // Alibaba, Azure, AWS, Google.
        "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254",
    ].map(AddressRange.known)
}
