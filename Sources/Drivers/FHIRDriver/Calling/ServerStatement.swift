import JSONBytes
import Synchronization
import UpstreamDriver

/// What a server says of its Patient resource (FHIR R4, CapabilityStatement). What it does not speak of is not known to be
/// missing: servers leave much out.
struct ServerStatement: Sendable {
    /// Interactions, such as `search-type`; nil where none are listed.
    var interactions: Set<String>?
    /// Search parameters; nil where none are listed.
    var parameters: Set<String>?
    var conditionalCreate: Bool?
    var versions: Bool?

    /// Nil where the document is none, or does not speak of patients.
    init?(_ document: JSONDocument?) {
        guard let root = document?.root, root["resourceType"]?.string == "CapabilityStatement" else { return nil }
        let rests = root["rest"]?.elements ?? []
        guard let rest = rests.first(where: { $0["mode"]?.string == "server" }) ?? rests.first,
            let patient = rest["resource"]?.elements.first(where: { $0["type"]?.string == "Patient" })
        else { return nil }
        func names(_ list: String, _ member: String) -> Set<String>? {
            let names = Set((patient[list]?.elements ?? []).compactMap { $0[member]?.string })
            return names.isEmpty ? nil : names
        }
        interactions = names("interaction", "code")
        parameters = names("searchParam", "name")
        conditionalCreate = patient["conditionalCreate"]?.bool
        versions = patient["versioning"]?.string.map { $0 != "no-version" }
    }

    /// The plan without what the server lacks.
    func narrowing(_ plan: FHIRPlan) -> FHIRPlan {
        var plan = plan
        if let interactions {
            if !interactions.contains("search-type") { plan.operations.subtract([.list, .search]) }
            if !interactions.contains("read") { plan.operations.remove(.get) }
            if plan.createStyle == .create, !interactions.contains("create") { plan.operations.remove(.create) }
            if plan.updateStyle == .patch, !interactions.contains("patch") { plan.updateStyle = .put }
            if plan.updateStyle == .put, !interactions.contains("update") { plan.operations.remove(.update) }
            if !plan.operations.contains(.get) { plan.operations.remove(.update) }
        }
        if let parameters {
            plan.parameters = plan.parameters.mapValues { names in
                names.filter { name in parameters.contains(String(name.prefix { $0 != ":" })) }
            }.filter { !$0.value.isEmpty }
        }
        if conditionalCreate == false { plan.ifNoneExist = false }
        if versions == false { plan.ifMatch = false }
        return plan
    }
}

/// Reads a server's statement when the first call comes, once for all callers, and keeps it. A statement that cannot be
/// had changes nothing, and is asked for again after a while.
actor StatementKeeper {
    /// How long a statement may take: the first call waits for it.
    private static let patience = Duration.seconds(5)
    /// How long a server is left alone after its statement failed.
    static let pause = Duration.seconds(300)

    private enum State {
        case unread
        case reading(Task<Bool, Never>)
        case settled
        case failed(until: ContinuousClock.Instant)
    }

    private var state = State.unread
    private let read: @Sendable (CallContext) async -> Bool

    /// - Parameter read: asks for the statement and puts it to use; false where it could not be had.
    init(read: @escaping @Sendable (CallContext) async -> Bool) { self.read = read }

    /// Returns when the statement is known, or known to be out of reach.
    func settle(_ context: CallContext) async {
        switch state {
        case .settled: return
        case .failed(let until) where until > .now: return
        case .reading(let task):
            _ = await task.value
        case .unread, .failed:
            // At most a quarter of the caller's own time.
            let now = ContinuousClock.now
            guard context.deadline > now else { return }
            let wait = min(StatementKeeper.patience, now.duration(to: context.deadline) / 4)
            let bounded = CallContext(deadline: now + wait, requestID: context.requestID)
            let task = Task { [read] in await read(bounded) }
            state = .reading(task)
            state = await task.value ? .settled : .failed(until: .now + StatementKeeper.pause)
        }
    }
}

/// A driver's plan, without what the server turned out to lack.
final class NarrowedPlan: Sendable {
    struct State: Sendable {
        var plan: FHIRPlan
        var capabilities: Capabilities
    }

    private let state: Mutex<State>
    private let system: String

    init(_ plan: FHIRPlan, system: String) {
        self.system = system
        state = Mutex(State(plan: plan, capabilities: plan.capabilities(system: system)))
    }

    var current: State { state.withLock { $0 } }

    func apply(_ statement: ServerStatement) {
        state.withLock { state in
            state.plan = statement.narrowing(state.plan)
            state.capabilities = state.plan.capabilities(system: system)
        }
    }
}
