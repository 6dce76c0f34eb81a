/// A checked JSON document: its bytes and the places of its values.
///
/// Building one is a single pass; reading from it copies nothing. It is what Ponte has instead of a tree.
/// `@unchecked Sendable`: the tape is written by `init` only and freed by `deinit`; all else is immutable.
public final class JSONDocument: @unchecked Sendable {
    public let bytes: [UInt8]
    @usableFromInline let tape: UnsafeMutablePointer<JSONToken>
    @usableFromInline let tokens: Int

    /// Reads a document.
    /// - Throws: `JSONSyntaxError` for anything that RFC 8259 does not allow, invalid UTF-8 and a byte order mark
    ///   included.
    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONSyntaxError) {
        guard bytes.count <= limits.bytes else { throw JSONSyntaxError(.tooLong, limits.bytes, in: bytes) }
        var fault: JSONParser.Fault?
        let read: (UnsafeMutablePointer<JSONToken>, Int)? = bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, !buffer.isEmpty else {
                fault = JSONParser.Fault(.empty, 0)
                return nil
            }
            var parser = JSONParser(buffer, base: base, limits: limits)
            do throws(JSONParser.Fault) {
                try parser.parse()
                let count = parser.tokens
                return (parser.release(), count)
            } catch {
                fault = error
                return nil
            }
        }
        guard let read else {
            throw JSONSyntaxError(fault?.reason ?? .empty, fault?.offset ?? 0, in: bytes)
        }
        self.bytes = bytes
        (tape, tokens) = read
    }

    deinit { tape.deallocate() }

    /// The document's value.
    public var root: JSONValue { JSONValue(document: self, index: 0) }

    /// Calls `body` with a view of the document, for code that reads many values. The view must not outlive the call.
    @inlinable
    public func withView<Result, Failure: Error>(
        _ body: (JSONView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The view holds plain pointers, so nothing but this keeps the tape alive while `body` runs.
        defer { withExtendedLifetime(self) {} }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            guard let base = buffer.baseAddress else { preconditionFailure("a document has at least one byte") }
            return try body(JSONView(bytes: base, tape: UnsafePointer(tape), count: tokens))
        }
    }
}

extension JSONSyntaxError {
    init(_ reason: Reason, _ offset: Int, in bytes: [UInt8]) {
        let offset = min(max(offset, 0), bytes.count)
        self.reason = reason
        self.offset = offset
        let before = bytes.prefix(offset)
        line = 1 + before.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        column = 1 + offset - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    }
}
