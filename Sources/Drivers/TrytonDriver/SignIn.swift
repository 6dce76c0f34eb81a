import ClientContract
import DriverSupport
import JSONBytes
import UpstreamDriver

/// Makes a clinic's session at its Tryton server.
struct SignIn: Sendable {
    let server: RPCServer
    let user: Secret
    let password: Secret

    /// - Returns: the value of the `Authorization` header that carries the new session. Tryton ends one when it likes.
    func begin(_ context: CallContext) async -> Result<Session.Grant, UpstreamError> {
        let name = user.reveal()
        // The header joins name, user id and session with colons.
        if name.contains(":") { return .failure(.credentialsRejected("a user name with a colon cannot sign in")) }
        let asked = ContinuousClock.now
        do throws(UpstreamError) {
            let parameters: [RPCValue] = [
                .text(name), ["password": .text(password.reveal())], .text(RPCServer.language),
            ]
            switch try await server.call("common.db.login", parameters, authorization: nil, .signIn, context) {
            case .sessionUnknown: return .failure(.credentialsRejected("its login answered 401"))
            case .carriedOut(.error(let error)) where error.kind == .login:
                return .failure(.credentialsRejected("its login asks for more than a password"))
            case .carriedOut(.error): return .failure(.failed(status: 200, "its login failed with an error of its own"))
            case .carriedOut(.result(let result)):
                let parts = result.elements
                guard parts.count == 2, let id = parts[0].int, let session = parts[1].string, !session.isEmpty else {
                    return .failure(.malformed("the login's answer holds no session"))
                }
                let header = "Session " + Base64.encode(Array("\(name):\(id):\(session)".utf8))
                return .success(Session.Grant(token: header, lifetime: nil, asked: asked))
            }
        } catch {
            return .failure(error)
        }
    }
}
