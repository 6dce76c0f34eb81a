import Synchronization
package import UpstreamDriver

/// A credential that the vendor replaces, kept as long as this lives. Whoever shares it logs in one after the other.
package final class CredentialInMemory: ReplacedCredential {
    private let current: Mutex<Secret>

    package init(_ first: Secret) { current = Mutex(first) }

    package func use<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        _ login: @Sendable (Secret) async -> (value: Value, successor: Secret?)
    ) async -> Value? {
        let (value, successor) = await login(current.withLock { $0 })
        if let successor { current.withLock { $0 = successor } }
        return value
    }
}
