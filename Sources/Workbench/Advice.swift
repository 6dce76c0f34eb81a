import Tenancy
import Transport
import UpstreamDriver

/// What to do about a failure, for the integrator who sees it.
enum Advice {
    static func transport(_ error: TransportError, _ plan: TenantPlan) -> String {
        let network = Network(plan.upstream)
        switch error.kind {
        case .nameResolution:
            return "The host's name does not resolve here: check baseURL, and the machine's name server."
        case .connect: return "Nothing listens there, or a firewall refuses: check host and port of baseURL."
        case .connectTimeout:
            return
                "The host does not answer: a firewall drops the packets, or the address is wrong. Does the vendor allow "
                + "this machine's address?"
        case .deadline where error.phase == .waiting || error.phase == .receiving: return silence(plan)
        case .deadline: return "The time of one call was over before there was a connection: see upstream.timeouts."
        case .tls where error.detail.contains("client certificate"):
            return "The system demands one: name its files in upstream.tls, clientCertificateFile and clientKeyFile."
        case .tls:
            return
                "Does this port speak TLS at all? If it serves plain HTTP, baseURL must begin with http:// or name the "
                + "port that has TLS. If it does, it must speak TLS 1.2 or newer."
        case .certificate where error.detail.contains("another name"):
            return "baseURL must name the host as the certificate does, not its address or an alias."
        case .certificate where error.detail.contains("expired"):
            return "Whoever runs the system must renew its certificate. There is no switch to look away."
        case .certificate:
            return
                "If the clinic's own authority signed it, name that authority's certificate in upstream.tls.caFile; a "
                + "self-signed one can be named there itself. Else ask the vendor: somebody may stand in between."
        case .ownFile:
            return "A file of upstream.tls cannot be used: check its path, its form (PEM) and who may read it."
        case .addressRefused:
            return
                "The host has an address of a network that is not open to tenants: if the system really stands there, "
                + "name the network in upstream.addresses."
        case .emptyAnswer, .receive, .send, .protocolViolation:
            return network.isPlainHTTP
                ? "baseURL begins with http://: if that port speaks TLS, write https://. Else is it the port of an HTTP service?"
                : "The connection is there and what comes is no HTTP answer: check the port of baseURL, or ask the vendor."
        default: return "See what was seen; if it persists, ask the system's vendor, with the time of this call."
        }
    }

    static func silence(_ plan: TenantPlan) -> String {
        "The address takes the request and does not answer it in time. Is it the right port? If the system is that slow, raise "
            + "upstream.timeouts.call (now \(Explanation.seconds(plan.callTimeout)))."
    }

    static func credentials(_ plan: TenantPlan) -> String {
        let names = plan.upstream.credentials.map { "upstream.credentials.\($0)" }.joined(separator: ", ")
        let given =
            names.isEmpty
            ? "No credential is configured." : "Check \(names): what the variable or file holds, to the letter."
        let file =
            plan.upstream.profile.map { " and how they travel (\"request\" and \"login\" of the profile \($0))" } ?? ""
        return given
            + " If it is right, check baseURL\(file); ask the clinic whether the key is active and may read patients."
    }

    static func upstream(_ error: UpstreamError, _ plan: TenantPlan) -> String {
        switch error {
        case .unreachable: return "The connection broke: see \"connection\" above; if that was good, try again."
        case .timeout:
            return
                "No answer within upstream.timeouts.call (\(Explanation.seconds(plan.callTimeout))): raise it, or ask the vendor."
        case .credentialsRejected: return credentials(plan)
        case .refused:
            return
                "The system refuses the question itself: compare this call's query and body in \(source(plan)) with the "
                + "vendor's documentation. If its text speaks of the key, see to that first\(unauthorised(plan))."
        case .notFound:
            return "The path or the id is not what the system expects: check this call's path in \(source(plan))."
        case .conflict: return "The system reports a conflict on a read: an outcome rule is missing in \(source(plan))."
        case .rateLimited(let seconds):
            return (seconds.map { "The system asks for \($0) s of quiet. " } ?? "")
                + "Too many calls: set upstream.limits.perSecond to what the vendor allows, or \"limits\" of the profile."
        case .failed(let status?, _) where (300..<400).contains(status):
            return "It answers with a redirect: write the address that it leads to into baseURL."
        case .failed(let status?, _) where status == 404 || status == 405:
            return
                "There is no such path: does baseURL end as the documentation says (\(base(plan)))? Then check this call's path "
                + "in \(source(plan)); where 404 is how the system says \"nobody\", an outcome rule must say so."
        case .failed(let status?, _) where status == 400 || status == 421 || status == 426:
            return Network(plan.upstream).isPlainHTTP
                ? "baseURL begins with http://: a port that speaks TLS answers so. Else compare this call with the documentation."
                : "The system does not understand the call: compare its path, query and headers in \(source(plan)) with the "
                    + "documentation. If its text speaks of the key, see to that first\(unauthorised(plan))."
        case .failed(let status?, _) where (200..<300).contains(status):
            return
                "\(plan.upstream.driver == "rest" ? "An outcome rule of \(source(plan)) takes" : "The driver takes") this \(status) for "
                + "a failure: read its text. If it speaks of the key or the user, the credentials are wrong"
                + "\(unauthorised(plan)). If it says that nobody is there, a rule must say that, too. Else ask the vendor, "
                + "with the time of this call."
        case .failed:
            return
                "The system, or a proxy before it, says that it failed: try again; if it persists, ask the vendor, with the "
                + "time of this call."
        case .malformed(let detail) where detail.contains("login"):
            return
                "The login came to an answer, and no token stands where it should: look at \"login\" in \(source(plan)), its "
                + "path and the place of the token, and at baseURL (\(base(plan)))."
        case .malformed(let detail) where detail.contains("web page"):
            return
                "A page for people came: a login page, a firewall's, or a wrong address. Check baseURL (\(base(plan))) and this "
                + "call's path in \(source(plan))."
        case .malformed(let detail) where plan.upstream.driver == "fhir": return resource(detail)
        case .malformed:
            return
                "The answer has not the form that \(source(plan)) expects: keep one as a golden pair, and compare \"items\" or "
                + "\"item\", the places of the fields and the outcome rules with it (ponte test, ponte map)."
        case .unsupported: return "\(source(plan)) says that the system cannot do this."
        case .circuitOpen, .saturated:
            return "The system kept failing, and is left alone for a while: see the failures above."
        default: return "Try again; if it persists, see docs/errors.md."
        }
    }

    /// How a profile tells wrong credentials from other failures.
    private static func unauthorised(_ plan: TenantPlan) -> String {
        plan.upstream.driver == "rest"
            ? ", and an outcome rule with \"then\": \"unauthorised\" must stand before all others that it fits" : ""
    }

    /// What to do about a FHIR server's answer: what its resources look like is the standard's, and no profile's.
    private static func resource(_ detail: String) -> String {
        if detail.contains("next link") {
            return
                "The server writes its next links with an address of its own, not the one that baseURL leads to: set its public "
                + "base (such as server_address), or let the proxy before it send X-Forwarded-Host, X-Forwarded-Proto and "
                + "X-Forwarded-Port."
        }
        if detail.contains("self link") {
            return
                "The server does not know that search parameter, or wants another value: look at \"search\", \"parameters\", of the "
                + "profile, and at what the server's CapabilityStatement names."
        }
        return
            "Is baseURL the base of FHIR R4 (…/Patient, not …/Patient/Patient, and no page before it)? What Ponte reads of a "
            + "Patient, and what it takes for an error, is in docs/drivers/fhir.md."
    }

    /// What to do when clients of the list are not found by what the list shows of them.
    /// - Parameter some: whether others are.
    static func spellings(_ plan: TenantPlan, some: Bool) -> String {
        let places =
            plan.upstream.driver == "fhir"
            ? "\"search\" of \"cpf\", \"phones\", \"emails\" and \"names\", and \"parameters\" of \"search\", in \(source(plan))."
            : "\"spellings\" and \"query\" of the profile's search."
        return some
            ? "What one is found by does not find the next: the system keeps such values in several spellings, or in several "
                + "members. Ask for each: look at " + places
            : "The system wants another spelling, or searches other members: look at " + places
    }

    /// What to do about an answer for an id that nobody has which does not say so.
    static func absent(_ plan: TenantPlan) -> String {
        "GET /clients/{id} answers 404 only if the system says that there is no such client, and else an error. "
            + (plan.upstream.driver == "fhir"
                ? "A FHIR server says it by 404 with an OperationOutcome: without one, a gateway may have answered."
                : "Find out how the system says so, and let an outcome rule of \(source(plan)) say it.")
    }

    static func slow(_ plan: TenantPlan) -> String {
        "Slow: Clinia's caller waits \(Explanation.seconds(plan.callTimeout)) at most (upstream.timeouts.call), and a search may "
            + "need several such calls. Ask the vendor, or raise it."
    }

    /// The file that says how this system is called.
    private static func source(_ plan: TenantPlan) -> String {
        plan.upstream.profile.map { "the profile \"\($0)\"" } ?? "docs/drivers"
    }

    private static func base(_ plan: TenantPlan) -> String { "it is \(plan.upstream.baseURL ?? "made from settings")" }
}
