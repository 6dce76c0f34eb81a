/// A credential that the vendor replaces each time it is used, such as a rotating refresh token (RFC 6749, section 6): what
/// worked before may be worth nothing.
public protocol ReplacedCredential: Sendable {
    /// The one to use now.
    func newest() -> Secret

    /// Keeps what came in its place.
    func replace(with secret: Secret)
}
