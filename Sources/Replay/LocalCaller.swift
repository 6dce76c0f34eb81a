public import JSONBytes
public import Transport

/// Calls Ponte as Clinia does.
public struct LocalCaller: Sendable {
    let channel: HTTPChannel
    let base: String
    let key: String

    /// An answer of Ponte. Prints masked.
    public struct Answer: Sendable, CustomStringConvertible, CustomReflectable {
        /// 0 when none came.
        public let status: Int
        /// The first value of each header, by its name in lower case.
        public let headers: [String: String]
        public let body: [UInt8]
        /// Why no answer came, or why it came in part.
        public let failure: TransportError.Kind?

        public var mediaType: String { headers["content-type"] ?? "" }
        public var json: JSONValue? { try? JSONDocument(body).root }
        public var description: String { "HTTP \(status), \(body.count) bytes" }
        public var customMirror: Mirror { Mirror(reflecting: description) }
    }

    /// Makes one call, which is never repeated.
    /// - Parameters:
    ///   - path: with its query, percent-encoded.
    ///   - headers: beside the key and, with a body, the type `application/json`; a nil value leaves one of these out.
    public func call(
        _ method: String, _ path: String, headers given: [(name: String, value: String?)] = [], body: [UInt8]? = nil
    ) async -> Answer {
        var headers: [(name: String, value: String)] = []
        func isGiven(_ names: String...) -> Bool { given.contains { names.contains($0.name.lowercased()) } }
        if !isGiven("x-api-key", "authorization") { headers.append(("X-API-Key", key)) }
        if body != nil, !isGiven("content-type") { headers.append(("Content-Type", "application/json")) }
        headers += given.compactMap { header in header.value.map { (header.name, $0) } }
        let request = OutboundRequest(
            method: method, url: base + path, headers: headers, body: body, repeatability: .unsafe)
        do {
            let answer = try await channel.send(request, deadline: .now + .seconds(30))
            let headers = Dictionary(answer.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
            return Answer(status: answer.status, headers: headers, body: answer.body, failure: nil)
        } catch {
            return Answer(status: 0, headers: [:], body: [], failure: error.kind)
        }
    }
}
