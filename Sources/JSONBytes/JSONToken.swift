/// The seven kinds of value of RFC 8259, section 3.
public enum JSONKind: UInt8, Sendable {
    case null, `false`, `true`, number, string, array, object
}

/// One value of a document, as a range of its bytes.
///
/// Tokens stand in document order. An object is followed by its members, key and value in turn; an array by its
/// elements. `next` is the index of the token that follows the whole value, so a value is skipped in one step.
public struct JSONToken: Sendable {
    /// Offset of the first byte. For a string: of the first byte after the opening quote.
    public let start: UInt32
    /// Offset after the last byte. For a string: of the closing quote.
    public internal(set) var end: UInt32
    /// Index of the token after this value.
    public internal(set) var next: UInt32
    public let kind: JSONKind
    /// See `JSONToken.escaped` and `JSONToken.loneSurrogate`.
    public let flags: UInt8

    /// The string holds at least one backslash.
    public static let escaped: UInt8 = 1
    /// The string holds an escaped UTF-16 surrogate without its other half: legal JSON, but not Unicode text.
    public static let loneSurrogate: UInt8 = 2

    init(start: UInt32, end: UInt32, next: UInt32, kind: JSONKind, flags: UInt8) {
        self.start = start
        self.end = end
        self.next = next
        self.kind = kind
        self.flags = flags
    }
}

/// What a reader accepts.
public struct JSONLimits: Sendable {
    /// How deeply arrays and objects may nest.
    public var depth: Int
    /// The longest document, in bytes. A token's offsets have 32 bits, so more than `JSONLimits.longest` is taken for
    /// that.
    public var bytes: Int {
        didSet { bytes = min(bytes, JSONLimits.longest) }
    }

    /// What no document may exceed, in bytes, whatever its limits say.
    public static let longest = Int(UInt32.max) - 1

    public init(depth: Int = 128, bytes: Int = 256 << 20) {
        self.depth = depth
        self.bytes = min(bytes, JSONLimits.longest)
    }
}

/// Why bytes are not JSON (RFC 8259). It never quotes the document.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case empty = "the document is empty"
        case byteOrderMark = "the document begins with a byte order mark"
        case unexpectedByte = "a value, or the punctuation between values, was expected"
        case trailingBytes = "bytes follow the value"
        case unterminated = "the document ends inside a value"
        case badLiteral = "only true, false and null may stand without quotes"
        case badNumber = "a number is not written as RFC 8259 asks"
        case badEscape = "a string holds an unknown escape"
        case controlCharacter = "a string holds an unescaped control character"
        case invalidUTF8 = "a string is not valid UTF-8"
        case tooDeep = "values nest too deeply"
        case tooLong = "the document is too long"
    }

    public let reason: Reason
    /// Offset of the offending byte, from 0; the document's length when it ends too early. For a string's escape it is
    /// the backslash, for a number or a misspelt literal its first byte.
    public let offset: Int
    /// Line and column, both from 1; the column counts bytes.
    public let line: Int
    public let column: Int

    public var description: String { "\(reason.rawValue) (line \(line), column \(column))" }
}
