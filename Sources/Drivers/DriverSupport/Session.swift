import Synchronization
package import UpstreamDriver

/// A tenant's session at a vendor: one login at a time, however many calls wait for it.
///
/// A login belongs to nobody: it has a time of its own, and whoever waits for it may leave at its own deadline or when
/// cancelled, without ending it for the others.
package actor Session {
    /// What one login brought, for as long as it is used. Two tickets with the same token are two logins.
    package final class Ticket: Sendable {
        package let token: String
        let expires: ContinuousClock.Instant?
        /// The login was made because the ticket before this one was refused.
        let followsRefusal: Bool
        private let accepted = Atomic(false)

        init(token: String, expires: ContinuousClock.Instant?, followsRefusal: Bool) {
            self.token = token
            self.expires = expires
            self.followsRefusal = followsRefusal
        }

        /// Some call was answered with it.
        var wasAccepted: Bool { accepted.load(ordering: .relaxed) }
        package func accept() { accepted.store(true, ordering: .relaxed) }
    }

    /// What a login or a refresh answered.
    package struct Grant: Sendable {
        let token: String
        package let refreshToken: String?
        let expires: ContinuousClock.Instant?
        /// From a login, not from a refresh: an earlier refresh token is worth nothing.
        package var isNew = true

        /// - Parameters:
        ///   - lifetime: how long the token is good for; nil until the vendor says otherwise.
        ///   - asked: when the login was asked for, from which the lifetime counts.
        package init(
            token: String, refreshToken: String? = nil, lifetime: Duration?, asked: ContinuousClock.Instant
        ) {
            self.token = token
            self.refreshToken = refreshToken
            // Renewed a little early, so that no call starts with a token that dies on the way.
            expires = lifetime.map { asked + $0 - min(.seconds(30), $0 / 10) }
        }
    }

    /// Logs in, or refreshes with the refresh token of the login before, where there is one.
    package typealias Login = @Sendable (_ refreshToken: String?, CallContext) async -> Result<Grant, UpstreamError>

    private typealias Waiter = CheckedContinuation<Result<Ticket, UpstreamError>, Never>

    /// How long a login may take.
    private static let patience = Duration.seconds(15)
    /// How long no login is tried after the vendor rejected one, or the token that it gave: some lock the account of
    /// whoever keeps trying.
    package static let pause = Duration.seconds(30)

    private let login: Login
    private let pause: Duration
    /// Goes on evenly whatever becomes of the machine's time of day: lifetimes and pauses are measured by it.
    private let now: @Sendable () -> ContinuousClock.Instant
    private var current: Ticket?
    /// The vendor's rejection of the last login, and until when it stands.
    private var rejection: (error: UpstreamError, until: ContinuousClock.Instant)?
    /// A fresh ticket that was refused, and until when it is not renewed.
    private var unwanted: (ticket: Ticket, until: ContinuousClock.Instant)?
    /// The next login follows a refusal.
    private var wasRefused = false
    private var isLoggingIn = false
    private var refreshToken: String?
    private var waiters: [Int: Waiter] = [:]
    private var lastWaiter = 0

    package init(
        pause: Duration = Session.pause, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        _ login: @escaping Login
    ) {
        self.pause = pause
        self.now = now
        self.login = login
    }

    /// A token that is believed to be good.
    /// - Throws: the login's own failure; `.credentialsRejected` at once, while the rejection of an earlier login
    ///   stands; `.timeout` and `.cancelled` where this caller's time or wish ended before the login did.
    package func ticket(_ context: CallContext) async throws(UpstreamError) -> Ticket {
        if let current, current.expires.map({ $0 > now() }) ?? true { return current }
        if let rejection, rejection.until > now() { throw rejection.error }
        if context.deadline <= .now { throw .timeout }
        logIn(context.requestID)
        return try await turn(before: context.deadline).get()
    }

    /// Says that a ticket was refused. A ticket of an earlier login changes nothing.
    /// - Returns: whether another one can be had. Not where this one had come in place of a refused one and nobody was
    ///   answered with it: then the next would fare no better, and logins pause.
    package func refused(_ ticket: Ticket) -> Bool {
        guard ticket === current else { return true }
        if let unwanted, unwanted.until > now() { return false }
        if ticket.followsRefusal, !ticket.wasAccepted, unwanted?.ticket !== ticket {
            unwanted = (ticket, now() + pause)
            return false
        }
        current = nil
        wasRefused = true
        return true
    }

    /// Says that a ticket was refused which this call had been given in place of another one: logins pause. The ticket
    /// stays, since other calls may be accepted with it.
    package func refusedAgain(_ ticket: Ticket) {
        if ticket === current, unwanted?.ticket !== ticket { unwanted = (ticket, now() + pause) }
    }

    // MARK: Waiting

    /// Waits for the login that is under way. No suspension lies between this and the caller's look at the ticket, so
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
        let refresh = refreshToken
        let context = CallContext(deadline: .now + Session.patience, requestID: requestID)
        // Not a child of the caller's task: it goes on when the caller leaves.
        Task { settle(await login(refresh, context)) }
    }

    private func settle(_ result: Result<Grant, UpstreamError>) {
        isLoggingIn = false
        rejection = nil
        let told: Result<Ticket, UpstreamError>
        switch result {
        case .success(let granted):
            let ticket = Ticket(token: granted.token, expires: granted.expires, followsRefusal: wasRefused)
            wasRefused = false
            current = ticket
            if granted.isNew || granted.refreshToken != nil { refreshToken = granted.refreshToken }
            told = .success(ticket)
        case .failure(let error):
            // It may have been used up.
            refreshToken = nil
            if case .credentialsRejected = error { rejection = (error, now() + pause) }
            told = .failure(error)
        }
        let waiting = waiters
        waiters = [:]
        for waiter in waiting.values { waiter.resume(returning: told) }
    }
}
