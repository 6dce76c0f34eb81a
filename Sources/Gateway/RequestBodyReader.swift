import ClientContract
import HTTPTypes
import Hummingbird

/// The body of a create or an update.
enum JSONBody {
    /// Bytes of a refused body that are read, and forgotten, so that the caller gets to see the answer.
    static let mostDiscarded = 16 << 20

    /// Checks what the head says of the body.
    /// - Throws: `unsupported_media_type`, `body_too_large`.
    static func check(_ headers: HTTPFields, limit: Int) throws(ContractError) {
        guard let type = headers[.contentType], isJSON(type) else {
            throw ContractError(.unsupportedMediaType, "Send the body as \"Content-Type: application/json\".")
        }
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ContractError(.unsupportedMediaType, "Send the body without a content coding.")
        }
        if let length = length(headers), length > limit { throw tooLarge(limit) }
    }

    /// `Content-Length`, which the parser has checked to be digits; more of them than a number holds are a lot.
    private static func length(_ headers: HTTPFields) -> Int? {
        headers[.contentLength].map { Int($0) ?? .max }
    }

    static func tooLarge(_ limit: Int) -> ContractError {
        ContractError(.bodyTooLarge, "A body has at most \(limit) bytes.")
    }

    /// `application/json` with any parameters but a charset other than UTF-8.
    static func isJSON(_ header: String) -> Bool {
        let parts = header.split(separator: ";", omittingEmptySubsequences: false).map { part in
            part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        }.map { String($0).lowercased() }
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            guard parameter.hasPrefix("charset=") else { return true }
            let charset = parameter.dropFirst("charset=".count).filter { $0 != "\"" }
            return charset == "utf-8" || charset == "utf8"
        }
    }

    enum Reading: Sendable {
        case whole([UInt8])
        /// `ended`: all of it was read and forgotten.
        case tooLarge(ended: Bool)
    }

    /// Reads the body, at most `limit` bytes of it.
    static func read(_ body: RequestBody, limit: Int) async throws -> Reading {
        var bytes: [UInt8] = []
        var count = 0
        for try await chunk in body {
            count += chunk.readableBytes
            if count <= limit {
                bytes.append(contentsOf: chunk.readableBytesView)
            } else {
                bytes = []
                if count > limit + mostDiscarded { return .tooLarge(ended: false) }
            }
        }
        return count <= limit ? .whole(bytes) : .tooLarge(ended: true)
    }

    /// The caller may send its body only when it is told to go on (RFC 9110, section 10.1.1), or may not send it at all:
    /// any expectation counts, whoever stands in between may read more into it than Ponte does.
    static func hasExpectation(_ headers: HTTPFields) -> Bool { !headers[values: .expect].isEmpty }

    /// Whether the server must close the connection after an answer that did not read the body: it may never end, or
    /// never come.
    static func mayBeEndless(_ headers: HTTPFields) -> Bool {
        if headers[.transferEncoding] != nil || hasExpectation(headers) { return true }
        return (length(headers) ?? 0) > mostDiscarded
    }
}
