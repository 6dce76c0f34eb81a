import ClientContract
import HTTPTypes
import Tenancy

/// Which tenant a request belongs to.
enum Authentication {
    static let apiKey = HTTPField.Name("X-API-Key")

    /// Finds the tenant by the key in `Authorization: Bearer …` or `X-API-Key: …`.
    /// - Parameter rawTenant: the segment after `/t/`, which must agree with the key.
    /// - Throws: `unknown_key`, or `other_tenant` whether or not that tenant exists.
    static func caller(
        _ headers: HTTPFields, rawTenant: Substring?, in directory: TenantDirectory
    ) throws(ContractError) -> TenantDirectory.Caller {
        let key = try key(headers)
        guard let caller = directory.caller(key: key) else { throw ContractError(.unknownKey) }
        if let rawTenant, PercentEncoding.decode(rawTenant.utf8) != caller.tenant.id {
            throw ContractError(.otherTenant)
        }
        return caller
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
