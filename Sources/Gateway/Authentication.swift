import ClientContract
import HTTPTypes
import Tenancy
import Transport

/// Which tenant a request belongs to.
enum Authentication {
    static let apiKey = HTTPField.Name("X-API-Key")

    /// Finds the tenant by the key in `Authorization: Bearer …` or `X-API-Key: …`.
    /// - Throws: `unknown_key`.
    static func caller(
        _ headers: HTTPFields, in directory: TenantDirectory
    ) throws(ContractError) -> TenantDirectory.Caller {
        let key = try key(headers)
        guard let caller = directory.caller(key: key) else { throw ContractError(.unknownKey) }
        return caller
    }

    /// Whether a caller who is known may go on.
    /// - Throws: `key_expired`, `other_tenant`, `source_not_allowed` or `too_many_requests`.
    static func admit(
        _ caller: TenantDirectory.Caller, rawTenant: Substring?, from source: @autoclosure () -> CallerAddress?,
        _ paces: KeyPaces
    ) throws(ContractError) {
        let tenant = caller.tenant
        if let expires = caller.expires, expires.isOver(at: CalendarDay.now) { throw ContractError(.keyExpired) }
        if let rawTenant, PercentEncoding.decode(rawTenant.utf8) != caller.tenant.id {
            throw ContractError(.otherTenant)
        }
        if let allow = tenant.allow {
            // An address that cannot be told is none that is allowed.
            guard source()?.isAllowed(by: allow) == true else { throw ContractError(.sourceNotAllowed) }
        }
        if let most = tenant.requestsPerMinute,
            let seconds = paces.take(caller.keyDigest, perMinute: most)
        {
            throw ContractError(.tooManyRequests, retryAfter: seconds)
        }
    }

    private static func key(_ headers: HTTPFields) throws(ContractError) -> String {
        let bearer = headers[.authorization].map(bearer)
        let plain = apiKey.flatMap { headers[$0] }
        switch (bearer, plain) {
        case (nil, nil):
            throw ContractError(
                .unknownKey, "Send the tenant's key as \"Authorization: Bearer …\" or \"X-API-Key: …\".")
        case (.some(nil), nil): throw ContractError(.unknownKey, "The Authorization header is not a Bearer key.")
        case (.some(nil), let key?): return try nonEmpty(key)
        case (.some(.some(let key)), nil): return try nonEmpty(key)
        case (nil, let key?): return try nonEmpty(key)
        case (.some(.some(let first)), let second?):
            guard first == second else {
                throw ContractError(.unknownKey, "Authorization and X-API-Key hold different keys: send one.")
            }
            return try nonEmpty(first)
        }
    }

    private static func nonEmpty(_ key: String) throws(ContractError) -> String {
        guard !key.isEmpty else { throw ContractError(.unknownKey, "The key is empty.") }
        return key
    }

    /// The token of the Bearer scheme (RFC 6750, section 2.1); nil for other schemes.
    private static func bearer(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard let scheme = parts.first, scheme.lowercased() == "bearer" else { return nil }
        return parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
    }
}
