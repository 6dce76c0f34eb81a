import ClientContract
import DriverSupport
import JSONBytes
import UpstreamDriver

extension LoginRecipe {
    /// Refreshes where that can be done, else logs in.
    /// - Parameter credential: the one that each login replaces, where there is one.
    func begin(
        _ exchanger: Exchanger, _ credential: (any ReplacedCredential)?, _ refreshToken: String?,
        _ context: CallContext
    ) async -> Result<Session.Grant, UpstreamError> {
        if let replaces, let credential {
            let name = "credential.\(replaces)"
            let result = await credential.use(until: context.deadline) { [login] secret in
                let result = await LoginRecipe.run(login, exchanger, [name: .text(secret.reveal())], context)
                guard case .success(let granted) = result, let successor = granted.refreshToken else {
                    return (result, nil)
                }
                return (result, Secret(successor))
            }
            return result ?? .failure(.timeout)
        }
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
                isPlain(token)
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
            return .success(
                Session.Grant(
                    token: token,
                    refreshToken: step.refreshToken.flatMap { root.at($0, foldCase: foldCase)?.scalarText }.flatMap {
                        isPlain($0) ? $0 : nil
                    },
                    lifetime: lifetime, asked: asked))
        } catch {
            return .failure(error)
        }
    }

    /// Whether a text can be a token: it may stand in a header, where a line break would begin another one.
    private static func isPlain(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
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
