/// A credential that the vendor replaces each time it is used, such as a rotating refresh token (RFC 6749, section 6): what
/// worked before may be worth nothing, and using it twice may end them all (RFC 9700, section 4.14.2).
public protocol ReplacedCredential: Sendable {
    /// Logs in with the newest one, and keeps what the login brought in its place. Nobody else uses it meanwhile.
    /// - Parameters:
    ///   - deadline: until when somebody else's login is waited for.
    ///   - login: answers what it came for, and the credential's successor, if there is one.
    /// - Returns: nil when the turn did not come in time; nothing was sent then.
    func use<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ login: @Sendable (Secret) async -> (value: Value, successor: Secret?)
    ) async -> Value?
}
