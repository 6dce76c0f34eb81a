import DriverSupport
import JSONBytes
import Transport
import UpstreamDriver

/// Adds a clinic's credentials to calls.
struct Signer: Sendable {
    /// What one call is signed with.
    struct Pass: Sendable {
        var headers: [(name: String, value: String)] = []
        /// What must never come back in the server's words.
        var secrets: [String] = []
        var ticket: Session.Ticket?
    }

    private let fixed: Pass
    private let session: Session?
    /// Why nothing can be signed.
    private let complaint: String?

    init(_ signIn: SignIn, _ tenant: FHIRTenant, _ http: any HTTPSending, pause: Duration) {
        func secret(_ name: String) -> String { tenant.credentials[name]?.reveal() ?? "" }
        var headers: [(name: String, value: String)] = []
        var session: Session?
        var complaint: String?
        switch signIn.style {
        case .none: break
        case .bearer: headers = [("Authorization", "Bearer " + secret("token"))]
        case .header(let name): headers = [(name, secret("key"))]
        case .basic:
            if secret("user").contains(":") { complaint = BasicUser.complaint }
            let pair = secret("user") + ":" + secret("password")
            headers = [("Authorization", "Basic " + Base64.encode(Array(pair.utf8)))]
        case .clientCredentials(let place):
            let grant = ClientCredentials(
                url: tenant.settings[FHIRProfile.tokenURL] ?? "", scope: tenant.settings[FHIRProfile.scope],
                id: secret("clientID"), secret: secret("clientSecret"), secretIn: place, http: http)
            session = Session(pause: pause) { (_, context) in await grant.ask(context) }
        }
        var secrets = tenant.credentials.values.map { $0.reveal() }
        secrets += headers.compactMap { $0.value.split(separator: " ").last.map(String.init) }
        fixed = Pass(headers: headers, secrets: secrets.filter { !$0.isEmpty })
        self.session = session
        self.complaint = complaint
    }

    /// - Throws: what a login failed with; `.credentialsRejected` for a user name that cannot be sent.
    func pass(_ context: CallContext) async throws(UpstreamError) -> Pass {
        if let complaint { throw .credentialsRejected(complaint) }
        guard let session else { return fixed }
        let ticket = try await session.ticket(context)
        var pass = fixed
        pass.headers.append(("Authorization", "Bearer " + ticket.token))
        pass.secrets.append(ticket.token)
        pass.ticket = ticket
        return pass
    }

    /// Says that a call was refused. True where another pass may do better.
    func refused(_ pass: Pass) async -> Bool {
        guard let session, let ticket = pass.ticket else { return false }
        return await session.refused(ticket)
    }

    /// Says that a call was refused with the pass that it was given in place of another one.
    func refusedAgain(_ pass: Pass) async {
        if let ticket = pass.ticket { await session?.refusedAgain(ticket) }
    }
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
struct ClientCredentials: Sendable {
    let url: String
    let scope: String?
    let id: String
    let secret: String
    let secretIn: SignIn.SecretPlace
    let http: any HTTPSending

    func ask(_ context: CallContext) async -> Result<Session.Grant, UpstreamError> {
        var fields = [("grant_type", "client_credentials")]
        if let scope, !scope.isEmpty { fields.append(("scope", scope)) }
        var headers = [
            ("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        switch secretIn {
        case .body: fields += [("client_id", id), ("client_secret", secret)]
        case .header:
            // Both are form-encoded first (section 2.3.1).
            let pair = PercentEncoding.encode(id) + ":" + PercentEncoding.encode(secret)
            headers.append(("Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
        }
        let body = fields.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }
            .joined(separator: "&")
        var request = OutboundRequest(
            method: "POST", url: url, headers: headers.map { ($0.0, $0.1) }, body: Array(body.utf8),
            repeatability: .safe)
        request.isLogin = true
        let asked = ContinuousClock.now
        let answer: UpstreamAnswer
        do {
            answer = try await http.send(request, deadline: context.deadline)
        } catch {
            return .failure(UpstreamError(error, isWrite: false))
        }
        guard (200...299).contains(answer.status) else {
            if [400, 401, 403, 422].contains(answer.status) {
                return .failure(.credentialsRejected("its login answered \(answer.status)"))
            }
            if answer.status == 429 { return .failure(.rateLimited(retryAfter: nil)) }
            return .failure(.failed(status: answer.status, "its login answered \(answer.status)"))
        }
        guard let root = (try? JSONDocument(answer.body, limits: JSONLimits(depth: 16)))?.root,
            let token = root["access_token"]?.string, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return .failure(.malformed("the login's answer holds no token")) }
        let seconds = root["expires_in"]?.scalarText.flatMap { Int($0) }.flatMap {
            (1...31_536_000).contains($0) ? $0 : nil
        }
        return .success(Session.Grant(token: token, lifetime: seconds.map { .seconds($0) }, asked: asked))
    }
}
