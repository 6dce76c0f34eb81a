import Glibc

/// One pass over a document: checks it against RFC 8259 and notes where each value stands.
///
/// It does not recurse, so nesting costs no stack. It builds no tree and no strings.
struct JSONParser: ~Copyable {
    private let bytes: UnsafePointer<UInt8>
    private let count: Int
    private let depthLimit: Int
    private(set) var tape: UnsafeMutablePointer<JSONToken>
    private(set) var tokens = 0
    private var capacity: Int
    private var owned = true

    init(_ bytes: UnsafeBufferPointer<UInt8>, base: UnsafePointer<UInt8>, limits: JSONLimits) {
        self.bytes = base
        count = bytes.count
        depthLimit = limits.depth
        capacity = max(16, count / 6)
        tape = UnsafeMutablePointer<JSONToken>.allocate(capacity: capacity)
    }

    deinit { if owned { tape.deallocate() } }

    /// Hands the tape to the caller, who frees it.
    mutating func release() -> UnsafeMutablePointer<JSONToken> {
        owned = false
        return tape
    }

    @inline(__always)
    private mutating func append(_ kind: JSONKind, _ start: Int, _ end: Int, flags: UInt8 = 0) {
        if tokens == capacity { grow() }
        (tape + tokens).initialize(
            to: JSONToken(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                next: UInt32(truncatingIfNeeded: tokens + 1), kind: kind, flags: flags))
        tokens += 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<JSONToken>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: tape, count: tokens)
        tape.deallocate()
        tape = larger
        capacity *= 2
    }

    /// Reads the one value that a document is.
    /// - Throws: the first fault, with its offset; line and column are the caller's to compute.
    mutating func parse() throws(Fault) {
        if count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw Fault(.byteOrderMark, 0) }
        // The innermost open array or object. While one is open, its token's `end` holds the one around it, so the
        // nesting needs no stack of its own.
        var open = JSONParser.outermost
        var depth = 0
        var inObject = false
        var position = skipSpace(0)
        guard position < count else { throw Fault(.empty, position) }
        value: while true {
            guard position < count else { throw Fault(.unterminated, position) }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position = try string(from: position)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < depthLimit else { throw Fault(.tooDeep, position) }
                depth += 1
                inObject = byte == UInt8(ascii: "{")
                append(inObject ? .object : .array, position, Int(open))
                open = UInt32(truncatingIfNeeded: tokens - 1)
                position = skipSpace(position + 1)
                guard position < count else { throw Fault(.unterminated, position) }
                // An empty one is closed below; nothing else may come before the first element or member.
                if bytes[position] != JSONParser.closer(inObject) {
                    if inObject { position = try key(from: position) }
                    continue value
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                position = try number(from: position)
            case UInt8(ascii: "t"):
                position = try literal("true", .true, from: position)
            case UInt8(ascii: "f"):
                position = try literal("false", .false, from: position)
            case UInt8(ascii: "n"):
                position = try literal("null", .null, from: position)
            default:
                throw Fault(.unexpectedByte, position)
            }
            // A value is complete: what follows is a comma, the end of what it stands in, or the end of the document.
            while open != JSONParser.outermost {
                position = skipSpace(position)
                guard position < count else { throw Fault(.unterminated, position) }
                let byte = bytes[position]
                if byte == UInt8(ascii: ",") {
                    position = skipSpace(position + 1)
                    if inObject { position = try key(from: position) }
                    continue value
                }
                guard byte == JSONParser.closer(inObject) else { throw Fault(.unexpectedByte, position) }
                position += 1
                let closed = Int(open)
                open = tape[closed].end
                tape[closed].end = UInt32(truncatingIfNeeded: position)
                tape[closed].next = UInt32(truncatingIfNeeded: tokens)
                depth -= 1
                inObject = open != JSONParser.outermost && tape[Int(open)].kind == .object
            }
            break
        }
        position = skipSpace(position)
        guard position == count else { throw Fault(.trailingBytes, position) }
    }

    /// Stands for "no array or object around this one". No token has this index: documents are shorter.
    private static let outermost = UInt32.max

    @inline(__always)
    private static func closer(_ object: Bool) -> UInt8 { object ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    /// Reads a member's name and its colon; answers the offset of the value.
    @inline(__always)
    private mutating func key(from start: Int) throws(Fault) -> Int {
        guard start < count else { throw Fault(.unterminated, start) }
        guard bytes[start] == UInt8(ascii: "\"") else { throw Fault(.unexpectedByte, start) }
        let position = skipSpace(try string(from: start))
        guard position < count else { throw Fault(.unterminated, position) }
        guard bytes[position] == UInt8(ascii: ":") else { throw Fault(.unexpectedByte, position) }
        return skipSpace(position + 1)
    }

    /// The offset of the first byte that is not white space, or `count`.
    @inline(__always)
    private func skipSpace(_ start: Int) -> Int {
        var position = start
        while position < count, bytes[position] <= 0x20, isSpace(bytes[position]) { position += 1 }
        return position
    }

    @inline(__always)
    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private mutating func literal(_ text: StaticString, _ kind: JSONKind, from start: Int) throws(Fault) -> Int {
        let length = text.utf8CodeUnitCount
        guard start + length <= count, memcmp(bytes + start, text.utf8Start, length) == 0 else {
            throw Fault(.badLiteral, start)
        }
        append(kind, start, start + length)
        return start + length
    }

    /// RFC 8259, section 6. What may follow the last digit is for the caller to check.
    private mutating func number(from start: Int) throws(Fault) -> Int {
        var position = start
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard position < count, isDigit(bytes[position]) else { throw Fault(.badNumber, start) }
        if bytes[position] == UInt8(ascii: "0") {
            position += 1
            if position < count, isDigit(bytes[position]) { throw Fault(.badNumber, start) }
        } else {
            while position < count, isDigit(bytes[position]) { position += 1 }
        }
        if position < count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard position < count, isDigit(bytes[position]) else { throw Fault(.badNumber, start) }
            while position < count, isDigit(bytes[position]) { position += 1 }
        }
        if position < count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard position < count, isDigit(bytes[position]) else { throw Fault(.badNumber, start) }
            while position < count, isDigit(bytes[position]) { position += 1 }
        }
        append(.number, start, position)
        return position
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// RFC 8259, section 7. `start` is the opening quote; answers the offset after the closing one.
    @inline(__always)
    private mutating func string(from start: Int) throws(Fault) -> Int {
        var position = start + 1
        var flags: UInt8 = 0
        while true {
            // Eight bytes at a time while none of them is a quote, a backslash, a control or beyond ASCII.
            while position + 8 <= count {
                let word = JSONText.word(bytes + position)
                let hit = JSONText.specials(word) | (word & JSONText.highs)
                if hit == 0 {
                    position += 8
                } else {
                    position += hit.trailingZeroBitCount >> 3
                    break
                }
            }
            guard position < count else { throw Fault(.unterminated, position) }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                append(.string, start + 1, position, flags: flags)
                return position + 1
            } else if byte == UInt8(ascii: "\\") {
                flags |= JSONToken.escaped
                position = try escape(from: position, &flags)
            } else if byte < 0x20 {
                throw Fault(.controlCharacter, position)
            } else if byte < 0x80 {
                position += 1
            } else {
                let length = utf8Length(at: position)
                guard length > 0 else { throw Fault(.invalidUTF8, position) }
                position += length
            }
        }
    }

    private func escape(from start: Int, _ flags: inout UInt8) throws(Fault) -> Int {
        guard start + 1 < count else { throw Fault(.unterminated, count) }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard let unit = JSONText.hexUnit(bytes, start + 2, count) else { throw Fault(.badEscape, start) }
            if unit & 0xF800 == 0xD800 {
                if unit < 0xDC00, start + 7 < count, bytes[start + 6] == UInt8(ascii: "\\"),
                    bytes[start + 7] == UInt8(ascii: "u"), let low = JSONText.hexUnit(bytes, start + 8, count),
                    low & 0xFC00 == 0xDC00
                {
                    return start + 12
                }
                flags |= JSONToken.loneSurrogate
            }
            return start + 6
        default:
            throw Fault(.badEscape, start)
        }
    }

    /// Length of the well-formed UTF-8 sequence at an offset (Unicode 15, table 3-7); 0 when there is none.
    @inline(__always)
    private func utf8Length(at position: Int) -> Int {
        let first = bytes[position]
        func continuation(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> Bool {
            position + offset < count && bytes[position + offset] >= low && bytes[position + offset] <= high
        }
        switch first {
        case 0xC2...0xDF:
            return continuation(1) ? 2 : 0
        case 0xE0...0xEF:
            let low: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = first == 0xED ? 0x9F : 0xBF
            return continuation(1, low, high) && continuation(2) ? 3 : 0
        case 0xF0...0xF4:
            let low: UInt8 = first == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = first == 0xF4 ? 0x8F : 0xBF
            return continuation(1, low, high) && continuation(2) && continuation(3) ? 4 : 0
        default:
            return 0
        }
    }

    struct Fault: Error {
        let reason: JSONSyntaxError.Reason
        let offset: Int
        init(_ reason: JSONSyntaxError.Reason, _ offset: Int) {
            self.reason = reason
            self.offset = offset
        }
    }
}
