extension ContractError {
    /// Who can do something about an error.
    public enum Actor: String, Sendable, CaseIterable {
        /// The program that calls the contract, and whoever set it up there.
        case caller
        /// Who runs Ponte: server and tenant files, secrets, network.
        case `operator`
        /// Who taught Ponte the clinic's system: its profile or driver.
        case integrator
        /// The clinic, and the vendor of its system.
        case clinic
        /// Nobody has to: it passes by itself.
        case nobody
    }
}

/// The catalogue of errors. docs/errors.md and docs/openapi.json say the same; tests hold them together.
extension ContractError.Code {
    /// HTTP status.
    public var status: Int { entry.status }

    /// The problem's title (RFC 9457, section 3.1.4): the same for every occurrence.
    public var title: String { entry.title }

    /// Who acts, the likeliest first.
    public var actors: [ContractError.Actor] { entry.actors }

    /// What they do, in a sentence.
    public var advice: String { entry.advice }

    /// Headers that an answer with this code has beside the usual ones.
    public var headers: [String] { entry.headers }

    private struct Entry {
        let status: Int
        let title: String
        let actors: [ContractError.Actor]
        let advice: String
        let headers: [String]

        init(
            _ status: Int, _ title: String, _ actors: [ContractError.Actor], _ advice: String, headers: [String] = []
        ) {
            self.status = status
            self.title = title
            self.actors = actors
            self.advice = advice
            self.headers = headers
        }
    }

    private var entry: Entry {
        switch self {
        case .invalidInput:
            Entry(
                400, "The request is not valid", [.caller],
                "Correct every place that `errors` names; unchanged, the request is refused again.")
        case .unknownKey:
            Entry(
                401, "The key is missing or unknown", [.caller, .operator],
                "Send the tenant's key; where it should be known, compare its SHA-256 with the tenant file.",
                headers: ["WWW-Authenticate"])
        case .otherTenant:
            Entry(
                403, "The key belongs to another tenant", [.caller],
                "Call the path of the key's own tenant, or leave `/t/{tenant}` out.")
        case .noSuchClient:
            Entry(404, "There is no such client", [.caller], "Forget the id, and search for the client anew.")
        case .noSuchRoute:
            Entry(
                404, "There is nothing at this path", [.caller],
                "Correct the base URL: the contract's paths follow it, without a slash at the end.")
        case .methodNotAllowed:
            Entry(
                405, "The method is not allowed here", [.caller], "Use one of the methods that `Allow` names.",
                headers: ["Allow"])
        case .duplicate:
            Entry(
                409, "The client is already on record", [.caller, .clinic],
                "Go on with one of the records in `clients`; where several qualify, the clinic decides which.")
        case .wrongPerson:
            Entry(
                409, "The clinic's system answered another person's record", [.clinic, .integrator],
                "Have the clinic look at who is on record with this phone and CPF, and create the client there.")
        case .keyInUse:
            Entry(
                409, "A request with this Idempotency-Key is under way", [.caller],
                "Wait as `Retry-After` says, then send the same request with the same key.", headers: ["Retry-After"])
        case .bodyTooLarge:
            Entry(
                413, "The body is too large", [.caller, .operator],
                "Send less; the contract's bodies are far smaller than any sensible `limits.bodyBytes`.")
        case .unsupportedMediaType:
            Entry(
                415, "The body must be application/json", [.caller],
                "Send UTF-8 as `Content-Type: application/json`, without a `Content-Encoding`.")
        case .refused:
            Entry(
                422, "The clinic's system refused the data", [.caller, .integrator, .clinic],
                "Correct what `reasons` says; where the system asks for what the contract has not, add a filler to "
                    + "the profile.")
        case .keyReused:
            Entry(
                422, "This Idempotency-Key came with another request", [.caller],
                "Make a new key for every new request, and send a key again only with the same body.")
        case .rateLimited:
            Entry(
                429, "Too many calls", [.caller, .operator],
                "Wait as `Retry-After` says; where it happens often, set `upstream.limits` to what the vendor allows.",
                headers: ["Retry-After"])
        case .headersTooLarge:
            Entry(
                431, "The request's head is too large", [.caller, .operator],
                "Send fewer or shorter header fields; raise `limits.headerBytes` if they are needed.")
        case .internalError:
            Entry(
                500, "Ponte failed", [.operator],
                "Report it to Ponte's developers with the log line of the request id.")
        case .unsupported:
            Entry(
                501, "The clinic's system cannot do this", [.operator, .integrator],
                "Search by a kind that the system can search by, allow a scan, or extend the profile.")
        case .upstreamFailed:
            Entry(
                502, "The clinic's system failed", [.clinic],
                "Try again later; where it stays, the clinic asks its vendor.")
        case .upstreamUnreachable:
            Entry(
                502, "The clinic's system cannot be reached", [.clinic, .operator],
                "Check that the system runs and listens at `upstream.baseURL`, then the way to it.",
                headers: ["Retry-After"])
        case .upstreamNameUnknown:
            Entry(
                502, "The clinic's system has a name that nobody knows", [.operator, .clinic],
                "Check the host in `upstream.baseURL`, then the name service of Ponte's machine.",
                headers: ["Retry-After"])
        case .upstreamTLS:
            Entry(
                502, "No secure connection to the clinic's system came about", [.operator, .clinic],
                "Check that the address speaks TLS 1.2 or later there, then the files of `upstream.tls`.",
                headers: ["Retry-After"])
        case .upstreamCertificate:
            Entry(
                502, "The certificate of the clinic's system is not trusted", [.clinic, .operator],
                "Have the clinic renew or correct the certificate; name its own authority in `upstream.tls.caFile`.")
        case .upstreamAddress:
            Entry(
                502, "The clinic's system has an address that is not allowed", [.operator],
                "Where the system does stand in a local network, name it in `upstream.addresses`; else look at who "
                    + "answers for the name.")
        case .upstreamMalformed:
            Entry(
                502, "The clinic's system gave an answer that makes no sense", [.integrator, .operator, .clinic],
                "Check `upstream.baseURL`, then compare the answer with the profile.")
        case .upstreamCredentials:
            Entry(
                502, "The clinic's system rejected Ponte's credentials", [.clinic, .operator],
                "Have the clinic confirm or renew the credentials, and put them where the tenant file refers to.")
        case .storageFailed:
            Entry(
                503, "Ponte cannot write down what it does", [.operator],
                "Check the disk, the owner and the mode of `idempotency.database`; creates go on when it can be written.",
                headers: ["Retry-After"])
        case .saturated:
            Entry(
                503, "Too many calls are waiting for the clinic's system", [.caller, .operator],
                "Wait as `Retry-After` says; where it happens often, raise the limits or find out why the system is "
                    + "slow.",
                headers: ["Retry-After"])
        case .circuitOpen:
            Entry(
                503, "The clinic's system kept failing and is not called for now", [.caller, .clinic],
                "Wait as `Retry-After` says: Ponte looks by itself whether the system is back; where it stays, the clinic "
                    + "asks its vendor.",
                headers: ["Retry-After"])
        case .tooManyConnections:
            Entry(
                503, "Too many connections are open", [.caller, .operator],
                "Keep connections and use them again, and wait as `Retry-After` says; raise `limits.connections` if that "
                    + "many are needed.",
                headers: ["Retry-After"])
        case .shuttingDown:
            Entry(
                503, "Ponte is shutting down", [.nobody],
                "Try again after `Retry-After`: another instance answers, or this one when it is back.",
                headers: ["Retry-After"])
        case .upstreamSilent:
            Entry(
                504, "Nothing answers at the address of the clinic's system", [.clinic, .operator],
                "Check the firewalls and routes between Ponte and the system, then that it runs; nothing was sent.",
                headers: ["Retry-After"])
        case .deadline:
            Entry(
                504, "The clinic's system did not answer in time", [.clinic, .operator],
                "Try again: no create was sent, and a change may be repeated; where it happens often, raise "
                    + "`timeouts.call` or ask the vendor.")
        case .outcomeUnknown:
            Entry(
                504, "It is not known whether the clinic's system did it", [.caller],
                "Search for the client, or read it, before trying again.")
        }
    }
}
