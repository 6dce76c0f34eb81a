import ClientContract
import JSONBytes
import UpstreamDriver

/// The clinic's session at its Tryton server: one login at a time, however many calls wait for it.
///
/// A login belongs to nobody: it has a time of its own, and whoever waits for it may leave at its own deadline or when
/// cancelled, without ending it for the others.
actor SignIn {
    /// What one login brought.
    struct Ticket: Sendable {
        /// The value of the `Authorization` header.
        let authorization: String
        let number: Int
    }

    private typealias Waiter = CheckedContinuation<Result<Ticket, UpstreamError>, Never>

    /// How long a login may take.
    private static let patience = Duration.seconds(15)
    /// How long no login is tried after one was rejected: Tryton slows down, and then refuses, whoever keeps trying.
    static let pause = Duration.seconds(30)

    private let server: RPCServer
    private let user: Secret
    private let password: Secret
    private let pause: Duration
    private var current: Ticket?
    private var logins = 0
    private var isLoggingIn = false
    private var rejection: (error: UpstreamError, until: ContinuousClock.Instant)?
    private var waiters: [Int: Waiter] = [:]
    private var lastWaiter = 0

    init(_ server: RPCServer, user: Secret, password: Secret, pause: Duration = SignIn.pause) {
        self.server = server
        self.user = user
        self.password = password
        self.pause = pause
    }

    /// A session that is believed to be good.
    /// - Throws: the login's own failure; `.credentialsRejected` at once, while the rejection of an earlier login
    ///   stands; `.timeout` and `.cancelled` where this caller's time or wish ended before the login did.
    func ticket(_ context: CallContext) async throws(UpstreamError) -> Ticket {
        if let current { return current }
        if let rejection, rejection.until > .now { throw rejection.error }
        if context.deadline <= .now { throw .timeout }
        logIn(context.requestID)
        return try await turn(before: context.deadline).get()
    }

    /// Says that a session is not known. One of an earlier login changes nothing.
    func refused(_ ticket: Ticket) {
        if ticket.number == current?.number { current = nil }
    }

    /// Says that a session is not known that was made because another one was not: the next would fare no better, and
    /// logins pause.
    func refusedAgain(_ ticket: Ticket) -> UpstreamError {
        let error = UpstreamError.credentialsRejected("it answered 401 to a new session")
        if ticket.number == current?.number {
            current = nil
            rejection = (error, .now + pause)
        }
        return error
    }

    // MARK: Waiting

    /// Waits for the login that is under way. No suspension lies between the caller's look at the ticket and this, so
    /// that there is one.
    private func turn(before deadline: ContinuousClock.Instant) async -> Result<Ticket, UpstreamError> {
        lastWaiter += 1
        let number = lastWaiter
        let alarm = Task {
            try? await Task.sleep(until: deadline, clock: .continuous)
            if !Task.isCancelled { leave(number, .timeout) }
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiters[number] = $0 }
        } onCancel: {
            // On the actor, and so after the line above, also for a caller that was cancelled before.
            Task { await self.leave(number, .cancelled) }
        }
    }

    private func leave(_ number: Int, _ error: UpstreamError) {
        waiters.removeValue(forKey: number)?.resume(returning: .failure(error))
    }

    // MARK: Logging in

    private func logIn(_ requestID: String) {
        if isLoggingIn { return }
        isLoggingIn = true
        let context = CallContext(deadline: .now + SignIn.patience, requestID: requestID)
        // Not a child of the caller's task: it goes on when the caller leaves.
        Task { settle(await SignIn.begin(server, user, password, context)) }
    }

    private func settle(_ result: Result<String, UpstreamError>) {
        isLoggingIn = false
        rejection = nil
        if case .failure(let error) = result, case .credentialsRejected = error { rejection = (error, .now + pause) }
        let told = result.map { authorization in
            logins += 1
            let ticket = Ticket(authorization: authorization, number: logins)
            current = ticket
            return ticket
        }
        let waiting = waiters
        waiters = [:]
        for waiter in waiting.values { waiter.resume(returning: told) }
    }

    /// - Returns: the header that carries the new session.
    private static func begin(
        _ server: RPCServer, _ user: Secret, _ password: Secret, _ context: CallContext
    ) async -> Result<String, UpstreamError> {
        let name = user.reveal()
        // The header joins name, user id and session with colons.
        if name.contains(":") { return .failure(.credentialsRejected("a user name with a colon cannot sign in")) }
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
                return .success("Session " + Base64.encode(Array("\(name):\(id):\(session)".utf8)))
            }
        } catch {
            return .failure(error)
        }
    }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
