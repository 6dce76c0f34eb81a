/// What a caller of the contract can be told, without any patient data in it.
public struct ContractError: Error, Sendable, Equatable {
    /// One faulty part of a request.
    public struct Fault: Sendable, Equatable {
        /// JSON pointer into the body (RFC 6901), or nil.
        public let pointer: String?
        /// Name of a query or path parameter or of a header field, or nil.
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

        public init(header field: String, _ message: String) { self.init(query: field, message) }
    }

    /// Stable codes: callers and operators may rely on them. `ErrorCatalogue.swift` says what each one means.
    public enum Code: String, Sendable, CaseIterable {
        case invalidInput = "invalid_input"
        case unknownKey = "unknown_key"
        case otherTenant = "other_tenant"
        case noSuchClient = "no_such_client"
        case noSuchRoute = "no_such_route"
        case methodNotAllowed = "method_not_allowed"
        case duplicate = "duplicate"
        case wrongPerson = "wrong_person"
        case keyInUse = "idempotency_key_in_use"
        case bodyTooLarge = "body_too_large"
        case unsupportedMediaType = "unsupported_media_type"
        case refused = "refused_by_system"
        case keyReused = "idempotency_key_reused"
        case rateLimited = "rate_limited"
        case headersTooLarge = "headers_too_large"
        case internalError = "internal_error"
        case unsupported = "unsupported_by_system"
        case upstreamFailed = "system_failed"
        case upstreamUnreachable = "system_unreachable"
        case upstreamNameUnknown = "system_name_unknown"
        case upstreamTLS = "system_tls_failed"
        case upstreamCertificate = "system_certificate_untrusted"
        case upstreamAddress = "system_address_refused"
        case upstreamMalformed = "system_answer_malformed"
        case upstreamCredentials = "system_credentials_rejected"
        case storageFailed = "storage_failed"
        case saturated = "saturated"
        case circuitOpen = "circuit_open"
        case tooManyConnections = "too_many_connections"
        case shuttingDown = "shutting_down"
        case upstreamSilent = "system_silent"
        case deadline = "deadline_passed"
        case outcomeUnknown = "outcome_unknown"
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
