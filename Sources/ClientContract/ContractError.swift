/// What a caller of the contract can be told, without any patient data in it.
public struct ContractError: Error, Sendable, Equatable {
    /// One faulty part of a request.
    public struct Fault: Sendable, Equatable {
        /// JSON pointer into the body (RFC 6901), or nil.
        public let pointer: String?
        /// Name of a query or path parameter, or nil.
        public let parameter: String?
        public let message: String

        public init(_ pointer: String, _ message: String) {
            self.pointer = pointer
            parameter = nil
            self.message = message
        }

        public init(query parameter: String, _ message: String) {
            pointer = nil
            self.parameter = parameter
            self.message = message
        }
    }

    /// Stable codes: callers and operators may rely on them.
    public enum Code: String, Sendable, CaseIterable {
        case invalidInput = "invalid_input"
        case unknownKey = "unknown_key"
        case otherTenant = "other_tenant"
        case noSuchClient = "no_such_client"
        case noSuchRoute = "no_such_route"
        case methodNotAllowed = "method_not_allowed"
        case duplicate = "duplicate"
        case bodyTooLarge = "body_too_large"
        case unsupportedMediaType = "unsupported_media_type"
        case refused = "refused_by_system"
        case rateLimited = "rate_limited"
        case unsupported = "unsupported_by_system"
        case upstreamFailed = "system_failed"
        case upstreamUnreachable = "system_unreachable"
        case upstreamMalformed = "system_answer_malformed"
        case upstreamCredentials = "system_credentials_rejected"
        case saturated = "saturated"
        case shuttingDown = "shutting_down"
        case deadline = "deadline_passed"
        case outcomeUnknown = "outcome_unknown"
        case internalError = "internal_error"

        /// HTTP status (design, section 7).
        public var status: Int {
            switch self {
            case .invalidInput: 400
            case .unknownKey: 401
            case .otherTenant: 403
            case .noSuchClient, .noSuchRoute: 404
            case .methodNotAllowed: 405
            case .duplicate: 409
            case .bodyTooLarge: 413
            case .unsupportedMediaType: 415
            case .refused: 422
            case .rateLimited: 429
            case .internalError: 500
            case .unsupported: 501
            case .upstreamFailed, .upstreamUnreachable, .upstreamMalformed, .upstreamCredentials: 502
            case .saturated, .shuttingDown: 503
            case .deadline, .outcomeUnknown: 504
            }
        }

        /// The problem's title (RFC 9457, section 3.1.4): the same for every occurrence.
        public var title: String {
            switch self {
            case .invalidInput: "The request is not valid"
            case .unknownKey: "The key is missing or unknown"
            case .otherTenant: "The key belongs to another tenant"
            case .noSuchClient: "There is no such client"
            case .noSuchRoute: "There is nothing at this path"
            case .methodNotAllowed: "The method is not allowed here"
            case .duplicate: "The client is already on record"
            case .bodyTooLarge: "The body is too large"
            case .unsupportedMediaType: "The body must be application/json"
            case .refused: "The clinic's system refused the data"
            case .rateLimited: "Too many calls"
            case .internalError: "Ponte failed"
            case .unsupported: "The clinic's system cannot do this"
            case .upstreamFailed: "The clinic's system failed"
            case .upstreamUnreachable: "The clinic's system cannot be reached"
            case .upstreamMalformed: "The clinic's system gave an answer that makes no sense"
            case .upstreamCredentials: "The clinic's system rejected Ponte's credentials"
            case .saturated: "Too many calls are waiting for the clinic's system"
            case .shuttingDown: "Ponte is shutting down"
            case .deadline: "The clinic's system did not answer in time"
            case .outcomeUnknown: "It is not known whether the clinic's system did it"
            }
        }
    }

    public var code: Code
    /// What happened here and what to do; never patient data.
    public var detail: String?
    public var faults: [Fault]
    /// Ids of clients on record that the request collides with: shown to the caller, never logged.
    public var conflicting: [ClientID]
    /// The clinic system's own reasons, cleaned.
    public var reasons: [String]
    /// Seconds after which trying again makes sense.
    public var retryAfter: Int?

    public init(
        _ code: Code, _ detail: String? = nil, faults: [Fault] = [], conflicting: [ClientID] = [],
        reasons: [String] = [], retryAfter: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.faults = faults
        self.conflicting = conflicting
        self.reasons = reasons
        self.retryAfter = retryAfter
    }

    public static func invalidInput(_ faults: [Fault]) -> ContractError {
        ContractError(.invalidInput, faults: faults)
    }
}
