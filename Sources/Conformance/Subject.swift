public import ClientContract
public import UpstreamDriver

/// The keys that a driver gets from its tenant.
public enum Keys: Sendable {
    case good
    /// The system does not accept them.
    case wrong
}

/// What a system has no room for, so that nothing can be expected of it there. Each is stated for a subject with its
/// reason, and shown in its table; one that is not true fails the certification as far as a check can see it.
public enum Gap: Sendable, Hashable {
    /// The member is neither kept nor shown.
    case member(ClientField)
    /// The member is shown, but a create does not keep it.
    case creating(ClientField)
    case foreignPhones
    case landlines
    /// One number is kept, the main one.
    case severalPhones
    case peopleWithoutCPF
    case peopleWithoutPhone
    /// An e-mail address occurs once.
    case sharedEmails
    /// A create needs these, though people without them may be on record.
    case createsWithoutCPF, createsWithoutEmail, createsWithoutBirthday
    /// Some records are left as they are: a change would lose what they hold elsewhere.
    case changingEveryRecord
    /// What somebody else changes of the member, name, e-mail, birthday or main number, between Ponte's reading and its
    /// writing is lost: a change sends the member along, and the system takes no condition.
    case changingAtOnce(ClientField)
    /// An address is found in the spelling that is on record, and in no other case.
    case emailInAnyCase

    /// What is missing, for tables.
    public var title: String {
        switch self {
        case .member(let field): "no `\(field.wireName)`"
        case .creating(let field): "no `\(field.wireName)` by a create"
        case .foreignPhones: "no numbers of other countries"
        case .landlines: "no landlines"
        case .severalPhones: "no second number"
        case .peopleWithoutCPF: "nobody without a CPF"
        case .peopleWithoutPhone: "nobody without a phone"
        case .sharedEmails: "no address that two people share"
        case .createsWithoutCPF: "no create without a CPF"
        case .createsWithoutEmail: "no create without an e-mail address"
        case .createsWithoutBirthday: "no create without a birthday"
        case .changingEveryRecord: "no change of some records"
        case .changingAtOnce(let field): "no protection of what somebody else changes at once: `\(field.wireName)`"
        case .emailInAnyCase: "no e-mail address in another case than on record"
        }
    }
}

/// What is certified: one driver, or one profile of a driver, and a world to try it in.
public struct Subject: Sendable {
    /// The profile's name, or the driver's.
    public let name: String
    public let capabilities: Capabilities
    public let gaps: [Gap: String]
    /// Texts that no error may hold, such as the keys that `driver` hands out.
    public let secrets: [String]
    let world: @Sendable ([Person]) async throws -> any World
    let driver: @Sendable (any World, Keys) throws -> any UpstreamDriver

    /// - Parameters:
    ///   - world: a new world with these people on record, in this order, and nobody else.
    ///   - driver: a new driver that calls a world, with limits and connections of its own.
    public init(
        name: String, capabilities: Capabilities, gaps: [Gap: String] = [:], secrets: [String] = [],
        world: @escaping @Sendable ([Person]) async throws -> any World,
        driver: @escaping @Sendable (any World, Keys) throws -> any UpstreamDriver
    ) {
        self.name = name
        self.capabilities = capabilities
        self.gaps = gaps
        self.secrets = secrets
        self.world = world
        self.driver = driver
    }
}
