import ClientContract
import JSONBytes
import Transport
import UpstreamDriver

/// A tenant's session at a vendor: one login at a time, however many calls wait for it.
actor Session {
    /// A token and which login it came from.
    struct Ticket: Sendable {
        let token: String
        let generation: Int
    }

    private struct Grant: Sendable {
        let token: String
        let refreshToken: String?
        let expires: ContinuousClock.Instant?
        /// From a login, not from a refresh: an earlier refresh token is worth nothing.
        var isNew = true
    }

    /// How long a login may take.
    private static let patience = Duration.seconds(15)
    /// How long no login is tried after the vendor rejected one: some lock the account of whoever keeps trying.
    static let pause = Duration.seconds(30)

    private let recipe: LoginRecipe
    private let exchanger: Exchanger
    private let pause: Duration
    private var grant: Grant?
    /// The vendor's rejection of the last login, and until when it stands.
    private var rejection: (error: UpstreamError, until: ContinuousClock.Instant)?
    private var generation = 0
    private var pending: Task<Result<Grant, UpstreamError>, Never>?
    private var refreshToken: String?

    init(_ recipe: LoginRecipe, _ exchanger: Exchanger, pause: Duration = Session.pause) {
        self.recipe = recipe
        self.exchanger = exchanger
        self.pause = pause
    }

    /// A token that is believed to be good.
    /// - Throws: `.credentialsRejected` at once, while the rejection of an earlier login stands.
    func ticket(_ context: CallContext) async throws(UpstreamError) -> Ticket {
        while true {
            if let grant, grant.expires.map({ $0 > .now }) ?? true {
                return Ticket(token: grant.token, generation: generation)
            }
            if let rejection, rejection.until > .now { throw rejection.error }
            let task: Task<Result<Grant, UpstreamError>, Never>
            let isOwn = pending == nil
            // The login's number, should it succeed: later ones may be there when this caller goes on.
            let number = generation + 1
            if let pending {
                task = pending
            } else {
                let refresh = refreshToken
                // Others wait for this login, so it must not take as long as a long list may.
                let bounded = CallContext(
                    deadline: min(context.deadline, .now + Session.patience), requestID: context.requestID)
                task = Task { [recipe, exchanger] in await Session.begin(recipe, exchanger, refresh, bounded) }
                pending = task
            }
            let result = await task.value
            // Whoever comes first after the login stores it; the others find it.
            if pending == task {
                pending = nil
                rejection = nil
                if case .failure(let error) = result, case .credentialsRejected = error {
                    rejection = (error, .now + pause)
                }
                if case .success(let granted) = result {
                    grant = granted
                    generation += 1
                    if granted.isNew || granted.refreshToken != nil { refreshToken = granted.refreshToken }
                } else {
                    refreshToken = nil
                }
            }
            switch result {
            case .success(let granted): return Ticket(token: granted.token, generation: number)
            // Somebody else's time was up, not this caller's.
            case .failure(.timeout) where !isOwn && context.deadline > .now: continue
            case .failure(let error): throw error
            }
        }
    }

    /// Says that a ticket was refused. A ticket of an earlier login changes nothing.
    func refused(_ ticket: Ticket) {
        if ticket.generation == generation { grant = nil }
    }

    private static func begin(
        _ recipe: LoginRecipe, _ exchanger: Exchanger, _ refreshToken: String?, _ context: CallContext
    ) async -> Result<Grant, UpstreamError> {
        if let refresh = recipe.refresh, let refreshToken {
            let result = await run(refresh, exchanger, ["login.refreshToken": .text(refreshToken)], context)
            // A refresh token that is no longer accepted means a login from the start.
            guard case .failure(.credentialsRejected) = result else {
                return result.map { granted in
                    var granted = granted
                    granted.isNew = false
                    return granted
                }
            }
        }
        return await run(recipe.login, exchanger, [:], context)
    }

    private static func run(
        _ step: LoginRecipe.Step, _ exchanger: Exchanger, _ values: [String: VariableValue], _ context: CallContext
    ) async -> Result<Grant, UpstreamError> {
        do throws(UpstreamError) {
            let asked = ContinuousClock.now
            let exchange = try await exchanger.send(step.operation, .login, Variables(values), context)
            guard exchange.kind == .ok else {
                // What it says may repeat the credentials.
                let refusals: [OutcomeKind] = [.refused, .conflict, .notFound, .empty, .unauthorised]
                if refusals.contains(exchange.kind)
                    || ([400, 401, 403, 422].contains(exchange.status) && exchange.kind != .rateLimited)
                {
                    return .failure(.credentialsRejected("its login answered \(exchange.status)"))
                }
                return .failure(exchanger.error(exchange, .login))
            }
            let foldCase = exchanger.plan.foldCase
            guard let root = exchange.document?.root,
                let token = step.token.lazy.compactMap({ root.at($0, foldCase: foldCase)?.scalarText }).first,
                !token.isEmpty
            else { return .failure(.malformed("the login's answer holds no token")) }
            let lifetime: Duration? =
                switch step.lifetime {
                case .open: nil
                case .fixed(let duration): duration
                case .seconds(let pointer, let fallback):
                    root.at(pointer, foldCase: foldCase)?.scalarText.flatMap { Double($0) }.flatMap {
                        (1...31_536_000).contains($0) ? .seconds($0) : nil
                    } ?? fallback
                }
            // Renewed a little early, so that no call starts with a token that dies on the way.
            let expires = lifetime.map { asked + $0 - min(.seconds(30), $0 / 10) }
            return .success(
                Grant(
                    token: token,
                    refreshToken: step.refreshToken.flatMap { root.at($0, foldCase: foldCase)?.scalarText },
                    expires: expires))
        } catch {
            return .failure(error)
        }
    }
}
