import Tenancy
import Transport
import UpstreamDriver

/// What to do about a failure, for the integrator who sees it.
enum Advice {
    static func transport(_ error: TransportError) -> String {
        switch error.kind {
        case .nameResolution: "The host's name does not resolve here: check baseURL, and the machine's name server."
        case .connect: "Nothing listens there, or a firewall refuses: check host and port of baseURL."
        case .connectTimeout:
            "The host does not answer: a firewall drops the packets, or the address is wrong. Does the vendor allow this "
                + "machine's address?"
        case .tls: "TLS fails: is the address https, and does the system speak TLS 1.2?"
        case .certificate:
            "The certificate is not trusted for this host: a self-signed one needs upstream.tls.caFile; an expired one must "
                + "be renewed by the clinic."
        case .deadline: "The system is slower than upstream.timeouts.call."
        default: "See the detail above; ask the system's vendor if it persists."
        }
    }

    static func upstream(_ error: UpstreamError) -> String {
        switch error {
        case .unreachable: "See \"connection\"."
        case .timeout: "The system is slower than upstream.timeouts.call: raise it, or ask the vendor."
        case .credentialsRejected:
            "Ask the clinic for new credentials; check which of them goes where in the profile's request."
        case .refused:
            "The system refuses the question itself: compare the operation's query and body with its documentation."
        case .notFound: "The path or the id is not what the system expects: check the operation's path."
        case .conflict: "The system reports a conflict on a read: an outcome rule of the profile is missing."
        case .rateLimited: "Too many calls: set upstream.limits.perSecond, or the profile's limits."
        case .failed: "The system says that it failed: ask its vendor, with the time of this call."
        case .malformed:
            "The answer has not the form that the profile expects: compare \"items\" or \"item\" and the outcome rules with a "
                + "real answer (ponte map helps)."
        case .unsupported: "The profile says that the system cannot do this."
        default: "Try again; if it persists, see docs/errors.md."
        }
    }

    static func slow(_ plan: TenantPlan) -> String {
        "Slow: a search may need several calls within \(Explanation.seconds(plan.callTimeout))."
    }
}
