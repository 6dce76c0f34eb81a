import JSONBytes

extension ContractError {
    /// Media type of `problem` (RFC 9457, section 3).
    public static let mediaType = "application/problem+json"

    /// The error as a problem document (RFC 9457): `type`, `title`, `status`, `detail`, `code`, `requestId`, and as
    /// they apply `errors` (each with `pointer` or `parameter`), `reasons`, `clients` and `outcome`.
    public func problem(requestID: String) -> [UInt8] {
        var writer = JSONWriter(capacity: 384)
        writer.raw("{\"type\":\"urn:ponte:problem:")
        var name = code.rawValue
        name.withUTF8 { writer.raw($0) }
        writer.raw("\",\"title\":")
        writer.string(code.title)
        writer.raw(",\"status\":")
        writer.number(code.status)
        if let detail {
            writer.raw(",\"detail\":")
            writer.string(detail)
        }
        writer.raw(",\"code\":")
        writer.string(code.rawValue)
        writer.raw(",\"requestId\":")
        writer.string(requestID)
        if !faults.isEmpty {
            writer.raw(",\"errors\":[")
            for (index, fault) in faults.enumerated() {
                writer.raw(index == 0 ? "{" : ",{")
                if let pointer = fault.pointer {
                    writer.key("pointer")
                    writer.string(pointer)
                    writer.raw(",")
                }
                if let parameter = fault.parameter {
                    writer.key("parameter")
                    writer.string(parameter)
                    writer.raw(",")
                }
                writer.key("message")
                writer.string(fault.message)
                writer.raw("}")
            }
            writer.raw("]")
        }
        if !reasons.isEmpty {
            writer.raw(",\"reasons\":[")
            for (index, reason) in reasons.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.string(reason)
            }
            writer.raw("]")
        }
        if !conflicting.isEmpty {
            writer.raw(",\"clients\":[")
            for (index, id) in conflicting.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.string(id.text)
            }
            writer.raw("]")
        }
        if code == .outcomeUnknown { writer.raw(",\"outcome\":\"unknown\"") }
        writer.raw("}")
        return writer.finish()
    }
}
