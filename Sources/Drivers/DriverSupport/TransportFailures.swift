package import Transport
package import UpstreamDriver

extension UpstreamError {
    /// What a failure of the transport means to Bridge.
    /// - Parameter isWrite: whether the call was to change anything.
    package init(_ error: TransportError, isWrite: Bool) {
        if isWrite, error.mayHaveReachedServer {
            self = .outcomeUnknown(error.detail)
            return
        }
        self =
            switch error.kind {
            case .deadline: .timeout
            case .connectTimeout: .unreachable(error.detail, .silence)
            case .nameResolution: .unreachable(error.detail, .name)
            case .tls, .ownFile: .unreachable(error.detail, .tls)
            case .certificate: .unreachable(error.detail, .certificate)
            case .addressRefused: .unreachable(error.detail, .address)
            case .cancelled: .cancelled
            case .shuttingDown: .shuttingDown
            case .saturated: .saturated(retryAfter: error.retryAfter)
            case .rateLimited: .rateLimited(retryAfter: error.retryAfter)
            case .circuitOpen: .circuitOpen(retryAfter: error.retryAfter, error.detail)
            case .invalidRequest: .unsupported(error.detail)
            case .truncated, .badEncoding, .protocolViolation, .tooLarge: .malformed(error.detail)
            // The chunks of an answer do not fit together, or its connection broke in the middle of it.
            case .receive where error.phase == .receiving: .malformed("the answer broke off")
            default: .unreachable(error.detail)
            }
    }
}
