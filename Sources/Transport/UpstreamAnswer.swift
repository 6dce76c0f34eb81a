/// The version of HTTP that an answer came by.
public enum HTTPVersion: Sendable { case http11, http2, other }

/// When each step of a call was done, counted from the moment it left the queue. Zero: the step was not needed.
public struct CallTimings: Sendable {
    public var nameLookup: Duration
    public var connect: Duration
    public var tls: Duration
    /// First byte of the answer.
    public var firstByte: Duration
    public var total: Duration
}

/// An answer, complete and decompressed. Printing it shows status and size only: headers and body may carry patient data.
public struct UpstreamAnswer: Sendable, CustomStringConvertible, CustomReflectable {
    public let status: Int
    public let headers: AnswerHeaders
    /// After decompression (gzip, brotli, zstd).
    public let body: [UInt8]
    /// True if the connection had served a call before.
    public let reusedConnection: Bool
    public let httpVersion: HTTPVersion
    public let timings: CallTimings

    public var description: String { "HTTP \(status), \(body.count) bytes" }
    public var customMirror: Mirror { Mirror(reflecting: description) }
}

/// The headers of an answer, in order, names in any case. Kept as received and read only when asked for.
/// Headers of interim answers (1xx) and trailers are not among them.
public struct AnswerHeaders: Sendable, Sequence, CustomStringConvertible, CustomReflectable {
    /// `Name: value` lines, each ended by LF, unfolded.
    private var lines: [UInt8] = []

    init() {}

    /// The first value under that name, without surrounding blanks. Bytes that are not UTF-8 are replaced.
    public func first(_ name: String) -> String? {
        var cursor = lines[...]
        while let (found, value) = Self.next(&cursor) {
            if equalsIgnoringCase(found, name.utf8) { return String(decoding: value, as: UTF8.self) }
        }
        return nil
    }

    public func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var cursor = lines[...]
        return AnyIterator {
            Self.next(&cursor).map { (String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self)) }
        }
    }

    public var description: String { "headers, \(lines.count) bytes" }
    public var customMirror: Mirror { Mirror(reflecting: description) }

    /// Takes one line as libcurl hands it over, end of line included.
    mutating func append(line: UnsafeBufferPointer<UInt8>) {
        var end = line.count
        while end > 0, line[end - 1] == 0x0A || line[end - 1] == 0x0D { end -= 1 }
        guard end > 0 else { return }
        // A line that starts with a blank continues the one before (RFC 9112 section 5.2).
        if isBlank(line[0]), lines.last == 0x0A { lines[lines.count - 1] = 0x20 }
        lines.append(contentsOf: UnsafeBufferPointer(rebasing: line[..<end]))
        lines.append(0x0A)
    }

    mutating func removeAll() { lines.removeAll(keepingCapacity: true) }

    private static func next(_ cursor: inout ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        while let end = cursor.firstIndex(of: 0x0A) {
            let line = cursor[..<end]
            cursor = cursor[(end + 1)...]
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            var value = line[(colon + 1)...].drop(while: isBlank)
            while let last = value.last, isBlank(last) { value.removeLast() }
            return (line[..<colon], value)
        }
        return nil
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
