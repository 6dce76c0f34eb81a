/// Bytes being written, JSON or not. It grows by doubling and is handed over once, by `finish`.
public struct JSONWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var written = 0

    /// Bytes written so far.
    @inlinable public var count: Int { written }

    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 64)
        base = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// What was written.
    public consuming func finish() -> [UInt8] { Array(UnsafeBufferPointer(start: base, count: written)) }

    /// Reads what was written so far, without copying.
    public func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        body(UnsafeBufferPointer(start: base, count: written))
    }

    /// Forgets everything after the first `count` bytes.
    public mutating func truncate(to count: Int) { written = max(0, min(written, count)) }

    @inlinable
    mutating func reserve(_ more: Int) { if written + more > capacity { grow(more) } }

    @inline(never)
    @usableFromInline
    mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, written + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: written)
        base.deallocate()
        base = moved
        capacity = larger
    }

    // MARK: Bytes as they are

    @inlinable
    public mutating func raw(_ byte: UInt8) {
        reserve(1)
        base[written] = byte
        written += 1
    }

    @inlinable
    public mutating func raw(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + written).update(from: source, count: bytes.count)
        written += bytes.count
    }

    @inlinable
    public mutating func raw(_ text: StaticString) {
        // A literal of one character need not have an address of its own.
        text.withUTF8Buffer { raw($0) }
    }

    public mutating func raw(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { raw($0) } }

    public mutating func raw(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBufferPointer { raw($0) } }

    // MARK: JSON

    /// A string with its quotes.
    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(utf8: $0) }
    }

    /// A string with its quotes, from UTF-8 that holds no escapes.
    public mutating func string(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        raw(UInt8(ascii: "\""))
        escaped(bytes)
        raw(UInt8(ascii: "\""))
    }

    /// The inside of a string: escapes `"`, `\` and controls; everything else goes out as it is, so it must be UTF-8.
    public mutating func escaped(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        let end = bytes.count
        var clean = 0
        var position = 0
        while position < end {
            if position + 8 <= end {
                let hit = JSONText.specials(JSONText.word(source + position))
                if hit == 0 {
                    position += 8
                    continue
                }
                position += hit.trailingZeroBitCount >> 3
            } else if !JSONWriter.needsEscape(source[position]) {
                position += 1
                continue
            }
            raw(UnsafeBufferPointer(start: source + clean, count: position - clean))
            reserve(6)
            putEscape(source[position])
            position += 1
            clean = position
        }
        raw(UnsafeBufferPointer(start: source + clean, count: end - clean))
    }

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// At most six bytes, for which the caller has made room.
    private mutating func putEscape(_ byte: UInt8) {
        put(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: put(UInt8(ascii: "b"))
        case 0x09: put(UInt8(ascii: "t"))
        case 0x0A: put(UInt8(ascii: "n"))
        case 0x0C: put(UInt8(ascii: "f"))
        case 0x0D: put(UInt8(ascii: "r"))
        case 0x00..<0x20:
            put(UInt8(ascii: "u"))
            put(0x30)
            put(0x30)
            put(0x30 + byte >> 4)
            put(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
        default: put(byte)
        }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        base[written] = byte
        written += 1
    }

    /// The inside of a document's string, its escapes normalised: what can be UTF-8 becomes UTF-8.
    public mutating func escaped(_ view: JSONView, _ index: Int) {
        let slice = view.slice(index)
        guard view.isEscaped(index), let source = slice.baseAddress else { return raw(slice) }
        // No escape is written longer than it was read: `\u0001` stays, `\u00e7` takes two bytes, `\ud800` three.
        reserve(slice.count)
        JSONText.decode(source, slice.count, escaped: true) { byte in
            if JSONWriter.needsEscape(byte) { putEscape(byte) } else { put(byte) }
        }
    }

    public mutating func number(_ value: Int) {
        var text = String(value)
        text.withUTF8 { raw($0) }
    }

    public mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    public mutating func null() { raw("null") }

    /// A member's name and the colon after it.
    public mutating func key(_ name: String) {
        string(name)
        raw(UInt8(ascii: ":"))
    }

    /// A comma, unless the last byte opens an array or object. Only for writing value by value, not inside raw bytes.
    public mutating func comma() {
        guard written > 0 else { return }
        switch base[written - 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ","): break
        default: raw(UInt8(ascii: ","))
        }
    }
}
