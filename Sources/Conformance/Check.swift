import ClientContract
import UpstreamDriver

/// Who is on record when a check begins.
enum Audience: Sendable {
    case nobody
    case cast
    /// The cast and more people, so that a list has two full pages and a bit, as far as pages are not huge.
    case crowd
}

/// What a check needs of its subject; without it, it is not applicable.
enum Need: Sendable {
    case operation(Capabilities.Operation)
    case search(TermKind)
    /// A search of any kind.
    case searches
    /// A call that shows one client: by id, or by a search.
    case reading
    /// The system keeps what the gap speaks of.
    case no(Gap)
    /// Reads show writes at once.
    case freshReads
    case staleReads
    case keys
    case login
    /// The system updates this member.
    case changing(ClientField)
    case trouble(Trouble)
    /// Rows of a search or list show this member.
    case inRows(ClientField)

    /// Why it is not met; nil when it is.
    func missing(_ subject: Subject, _ world: any World) -> String? {
        let capabilities = subject.capabilities
        switch self {
        case .operation(let operation):
            return capabilities.operations.contains(operation) ? nil : "the system cannot \(operation.rawValue)"
        case .search(let kind):
            return capabilities.searches[kind]?.isEmpty == false ? nil : "the system cannot search by \(kind.rawValue)"
        case .searches:
            return Stage.anyKind(capabilities) != nil ? nil : "the system cannot search"
        case .reading:
            return capabilities.operations.contains(.get) || Stage.anyKind(capabilities) != nil
                ? nil : "the system shows no client alone"
        case .no(let gap): return subject.gaps[gap]
        case .freshReads: return capabilities.staleReads == .zero ? nil : "the system's reads lag its writes"
        case .staleReads: return capabilities.staleReads > .zero ? nil : "the system's reads show writes at once"
        case .keys: return world.hasKeys ? nil : "the system wants no keys"
        case .login: return world.hasLogin ? nil : "the system has no login"
        case .changing(let field):
            return capabilities.unchangeable.contains(field) ? "the system cannot change \(field.wireName)" : nil
        case .trouble(let trouble): return world.canMake(trouble) ? nil : "this world cannot make that trouble"
        case .inRows(let field):
            return capabilities.needsDetail.contains(field) ? "rows do not show \(field.wireName)" : nil
        }
    }
}

/// One thing that holds for every driver.
struct Check: Sendable {
    let group: CheckGroup
    let name: String
    let claim: String
    let audience: Audience
    let needs: [Need]
    let body: @Sendable (Stage) async throws -> Void

    init(
        _ group: CheckGroup, _ name: String, _ claim: String, _ audience: Audience = .cast, needs: [Need] = [],
        _ body: @escaping @Sendable (Stage) async throws -> Void
    ) {
        self.group = group
        self.name = name
        self.claim = claim
        self.audience = audience
        self.needs = needs
        self.body = body
    }

    static let all: [Check] =
        [list, search, windows, get, create, update, fields, refusals, faults, limits, credentials].flatMap { $0 }
}

/// What a check throws when the subject fails it.
struct Mismatch: Error {
    let expected: String
    let came: String
}

/// What a check throws when only the trial shows that there is nothing to hold the subject to.
struct Inapplicable: Error {
    let reason: String
}
