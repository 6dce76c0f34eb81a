public import ClientContract
public import UpstreamDriver

extension ContractError {
    /// What a caller is told about a failure of the clinic's system.
    /// - Parameter aboutClient: whether the call named one client, so that "not found" means that client. Elsewhere it
    ///   is a failure like any other: a list or a search is never answered with 404.
    init(_ error: UpstreamError, system: String, aboutClient: Bool = false) {
        switch error {
        case .unreachable(let detail, let obstacle):
            let code = ContractError.Code(obstacle)
            self.init(code, "\(system): \(detail)", retryAfter: code.headers.contains("Retry-After") ? 5 : nil)
        case .timeout: self.init(.deadline, "\(system) did not answer within the tenant's deadline")
        case .credentialsRejected(let detail):
            self.init(
                .upstreamCredentials,
                "\(system): \(detail). The clinic must check the credentials that it gave to Ponte")
        case .refused(let reasons): self.init(.refused, "\(system) refused the data", reasons: reasons)
        case .notFound where aboutClient: self.init(.noSuchClient)
        case .notFound:
            self.init(.upstreamMalformed, "\(system): it answered \"not found\" to a call that names no client")
        case .conflict(let reasons):
            self.init(.duplicate, "\(system) says that the record collides with another", reasons: reasons)
        case .rateLimited(let seconds):
            self.init(.rateLimited, "\(system) accepts no more calls for now", retryAfter: seconds ?? 30)
        case .failed(_, let detail): self.init(.upstreamFailed, "\(system): \(detail)")
        case .malformed(let detail): self.init(.upstreamMalformed, "\(system): \(detail)")
        case .outcomeUnknown(let detail):
            self.init(.outcomeUnknown, "\(system): \(detail). Look for the client before trying again")
        case .unsupported(let detail): self.init(.unsupported, "\(system): \(detail)")
        case .saturated(let seconds):
            self.init(.saturated, "Too many calls are waiting for \(system)", retryAfter: seconds ?? 1)
        case .circuitOpen(let seconds, let detail):
            self.init(.circuitOpen, "\(system): \(detail)", retryAfter: seconds ?? 5)
        case .shuttingDown: self.init(.shuttingDown, retryAfter: 5)
        case .cancelled: self.init(.deadline, "The call was given up")
        }
    }
}

extension ContractError.Code {
    /// The code under which a caller hears of a failure of the clinic's system.
    /// - Parameter aboutClient: whether the call named one client.
    public init(_ error: UpstreamError, aboutClient: Bool) {
        self = ContractError(error, system: "", aboutClient: aboutClient).code
    }

    init(_ obstacle: UpstreamError.Obstacle) {
        self =
            switch obstacle {
            case .connection: .upstreamUnreachable
            case .name: .upstreamNameUnknown
            case .silence: .upstreamSilent
            case .tls: .upstreamTLS
            case .certificate: .upstreamCertificate
            case .address: .upstreamAddress
            }
    }
}
