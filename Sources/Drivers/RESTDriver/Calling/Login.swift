import ClientContract
import DriverSupport
import JSONBytes
import UpstreamDriver

extension LoginRecipe {
    /// Refreshes where that can be done, else logs in.
    func begin(
        _ exchanger: Exchanger, _ refreshToken: String?, _ context: CallContext
    ) async -> Result<Session.Grant, UpstreamError> {
        if let refresh, let refreshToken {
            let result = await LoginRecipe.run(refresh, exchanger, ["login.refreshToken": .text(refreshToken)], context)
            // A refresh token that is no longer accepted means a login from the start.
            guard case .failure(.credentialsRejected) = result else {
                return result.map { granted in
                    var granted = granted
                    granted.isNew = false
                    return granted
                }
            }
        }
        return await LoginRecipe.run(login, exchanger, [:], context)
    }

    private static func run(
        _ step: Step, _ exchanger: Exchanger, _ values: [String: VariableValue], _ context: CallContext
    ) async -> Result<Session.Grant, UpstreamError> {
        do throws(UpstreamError) {
            let asked = ContinuousClock.now
            let exchange = try await exchanger.send(step.operation, .login, Variables(values), context)
            guard exchange.kind == .ok else {
                // What it says may repeat the credentials.
                if rejects(exchange) { return .failure(.credentialsRejected("its login answered \(exchange.status)")) }
                return .failure(exchanger.error(exchange, .login))
            }
            let foldCase = exchanger.plan.foldCase
            guard let root = exchange.document?.root,
                let token = step.token.lazy.compactMap({ root.at($0, foldCase: foldCase)?.scalarText }).first,
                !token.isEmpty
            else { return .failure(.malformed("the login's answer holds no token")) }
            // It goes into a header, which no request with a control character in it would leave.
            guard !PersonText.hasControls(token) else {
                return .failure(.malformed("the login's answer holds a token with control characters"))
            }
            let lifetime: Duration? =
                switch step.lifetime {
                case .open: nil
                case .fixed(let duration): duration
                case .seconds(let pointer, let fallback):
                    root.at(pointer, foldCase: foldCase)?.scalarText.flatMap { Double($0) }.flatMap {
                        (1...31_536_000).contains($0) ? .seconds($0) : nil
                    } ?? fallback
                }
            return .success(
                Session.Grant(
                    token: token,
                    refreshToken: step.refreshToken.flatMap { root.at($0, foldCase: foldCase)?.scalarText }
                        .flatMap { PersonText.hasControls($0) ? nil : $0 },
                    lifetime: lifetime, asked: asked))
        } catch {
            return .failure(error)
        }
    }

    /// Whether a login's answer is about the credentials. A web page with another status than 401 is a proxy's or a wrong
    /// address's, and says nothing about them.
    private static func rejects(_ exchange: Exchange) -> Bool {
        if exchange.ruled || exchange.status == 401 {
            switch exchange.kind {
            case .refused, .conflict, .notFound, .empty, .unauthorised: return true
            case .ok, .rateLimited, .failure: break
            }
        }
        return [400, 401, 403, 422].contains(exchange.status) && exchange.kind != .rateLimited && !exchange.isPage
    }
}
