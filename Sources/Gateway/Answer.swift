import ClientContract
import HTTPTypes
import Hummingbird
import JSONBytes

/// What goes back to the caller, before the server's own types.
struct Answer: Sendable {
    var status: Int
    var mediaType = "application/json"
    var headers: [(name: HTTPField.Name, value: String)] = []
    var body: [UInt8]

    static func clients(_ clients: [Client]) -> Answer {
        var writer = JSONWriter(capacity: clients.reduce(2) { $0 + $1.wire.count + 1 })
        writer.raw("[")
        for (index, client) in clients.enumerated() {
            if index > 0 { writer.raw(",") }
            client.write(to: &writer)
        }
        writer.raw("]")
        return Answer(status: 200, body: writer.finish())
    }

    static func client(_ client: Client) -> Answer { Answer(status: 200, body: client.wire) }

    /// A problem document (RFC 9457).
    static func problem(_ error: ContractError, requestID: String, allow: String? = nil) -> Answer {
        var answer = Answer(
            status: error.code.status, mediaType: ContractError.mediaType, body: error.problem(requestID: requestID))
        if let seconds = error.retryAfter { answer.headers.append((.retryAfter, String(max(0, seconds)))) }
        if let allow { answer.headers.append((.allow, allow)) }
        if error.code == .unknownKey || error.code == .keyExpired {
            answer.headers.append((.wwwAuthenticate, "Bearer realm=\"ponte\""))
        }
        return answer
    }

    func head(requestID: String) -> HTTPFields { Self.fields(mediaType, requestID: requestID, headers) }

    static let requestID = HTTPField.Name("X-Request-Id")

    static func fields(
        _ mediaType: String, requestID: String, _ more: [(name: HTTPField.Name, value: String)] = []
    ) -> HTTPFields {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .contentType, value: mediaType))
        // Patient data must not stay in caches on the way; nor must an error about it.
        fields.append(HTTPField(name: .cacheControl, value: "no-store"))
        if let name = Self.requestID { fields.append(HTTPField(name: name, value: requestID)) }
        for field in more { fields.append(HTTPField(name: field.name, value: field.value)) }
        return fields
    }

    func response(requestID: String) -> Response {
        Response(
            status: .init(code: status), headers: head(requestID: requestID),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
