import JSONBytes
import Transport

/// Calls Ponte as Clinia does, on a new connection for each call.
struct Caller: Sendable {
    struct Call: Sendable {
        var method = "GET"
        var path: String
        var body: String?
    }

    struct Answer: Sendable, CustomStringConvertible {
        /// 0 when the answer broke off or none came.
        var status = 0
        var retryAfter: Int?
        var body: [UInt8] = []
        var failure: TransportError.Kind?

        var json: JSONValue? { try? JSONDocument(body).root }
        var code: String? { json?["code"]?.string }
        var ids: [String] { json?.elements.compactMap { $0["id"]?.string } ?? [] }
        var description: String {
            failure.map { "broken (\($0))" }
                ?? "\(status) \(code ?? "\(body.count) bytes") \(json?["detail"]?.string ?? "")"
        }
    }

    let channel: HTTPChannel
    let port: Int
    let key: String

    func call(_ call: Call) async -> Answer {
        var headers = [("X-API-Key", key)]
        if call.body != nil { headers.append(("Content-Type", "application/json")) }
        let request = OutboundRequest(
            method: call.method, url: "http://127.0.0.1:\(port)\(call.path)", headers: headers,
            body: call.body.map { Array($0.utf8) }, repeatability: .unsafe)
        do {
            let answer = try await channel.send(request, deadline: .now + .seconds(60))
            return Answer(
                status: answer.status, retryAfter: answer.headers.first("Retry-After").flatMap { Int($0) },
                body: answer.body)
        } catch {
            return Answer(failure: error.kind)
        }
    }
}
