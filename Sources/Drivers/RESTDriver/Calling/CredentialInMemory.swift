import Synchronization
package import UpstreamDriver

/// A credential that the vendor replaces, kept as long as this lives.
package final class CredentialInMemory: ReplacedCredential {
    private let current: Mutex<Secret>

    package init(_ first: Secret) { current = Mutex(first) }

    package func newest() -> Secret { current.withLock { $0 } }
    package func replace(with secret: Secret) { current.withLock { $0 = secret } }
}
