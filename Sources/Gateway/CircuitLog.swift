public import Logging
public import Tenancy
import Transport

/// Makes a change of a tenant's circuit breaker visible at a glance: one line each, with the tenant and a word for the
/// reason.
public enum CircuitLog {
    public static func observer(_ logger: Logger) -> TenantDirectory.Observer {
        { tenant, transition in
            switch transition {
            case .opened(let reason, let time):
                logger.warning(
                    "circuit open",
                    metadata: [
                        "tenant": .string(tenant), "reason": .string(reason),
                        "seconds": .stringConvertible(max(1, time.components.seconds)),
                    ])
            case .closed: logger.notice("circuit closed", metadata: ["tenant": .string(tenant)])
            }
        }
    }
}
