public import Logging
import Synchronization

/// Makes it visible that a credential which the vendor replaced could not be written to its file: it is lost when Ponte
/// ends. One line each, with the tenant, the credential's name in its file, and the system's reason.
public final class UnsavedCredentialLog: Sendable {
    private let logger = Mutex<Logger?>(nil)

    public init() {}

    /// Where the lines go from now on.
    public func write(to logger: Logger) { self.logger.withLock { $0 = logger } }

    public func note(tenant: String, credential: String, reason: String) {
        logger.withLock { $0 }?.error(
            "credential not saved",
            metadata: ["tenant": .string(tenant), "credential": .string(credential), "reason": .string(reason)])
    }
}
