/// A window on a document for the length of one closure: plain pointers, so reading costs no reference counting.
/// A value is named by the index of its token; `root` is 0. An index that the document does not have stops the
/// program: it is a fault in the caller, never in the data.
public struct JSONView {
    public let bytes: UnsafePointer<UInt8>
    @usableFromInline let tape: UnsafePointer<JSONToken>
    @usableFromInline let count: Int

    @usableFromInline
    init(bytes: UnsafePointer<UInt8>, tape: UnsafePointer<JSONToken>, count: Int) {
        self.bytes = bytes
        self.tape = tape
        self.count = count
    }

    @inlinable public func kind(_ index: Int) -> JSONKind { token(index).kind }

    /// The index after a whole value: its next sibling, or the end of its parent.
    @inlinable public func next(_ index: Int) -> Int { Int(token(index).next) }

    @inlinable
    public func token(_ index: Int) -> JSONToken {
        precondition(index >= 0 && index < count, "no such value in this document")
        return tape[index]
    }

    /// The bytes of a value. A string's are what stands between its quotes, escapes and all.
    @inlinable
    public func slice(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let token = token(index)
        return UnsafeBufferPointer(start: bytes + Int(token.start), count: Int(token.end &- token.start))
    }

    /// The bytes of a value as they stand in the document, quotes included.
    @inlinable
    public func source(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let token = token(index)
        let quote = token.kind == .string ? 1 : 0
        return UnsafeBufferPointer(
            start: bytes + Int(token.start) - quote, count: Int(token.end &- token.start) + 2 * quote)
    }

    @inlinable public func isEscaped(_ index: Int) -> Bool { token(index).flags & JSONToken.escaped != 0 }

    /// Number of elements or members; 0 for other kinds.
    public func childCount(_ index: Int) -> Int {
        let end = next(index)
        var child = index + 1
        var count = 0
        switch kind(index) {
        case .array:
            while child < end {
                child = next(child)
                count += 1
            }
        case .object:
            while child < end {
                child = next(child + 1)
                count += 1
            }
        default: break
        }
        return count
    }

    /// Whether a string (or key) has exactly this text. Escapes are decoded first.
    @inlinable
    public func text(_ index: Int, equals name: UnsafeBufferPointer<UInt8>) -> Bool {
        let token = token(index)
        if token.flags & JSONToken.escaped != 0 { return escapedText(index, equals: name, foldCase: false) }
        guard Int(token.end &- token.start) == name.count else { return false }
        guard let base = name.baseAddress else { return true }
        return JSONText.same(bytes + Int(token.start), base, name.count)
    }

    /// The same for strings with escapes, and without regard to the case of ASCII letters.
    @usableFromInline
    func escapedText(_ index: Int, equals name: UnsafeBufferPointer<UInt8>, foldCase: Bool) -> Bool {
        let slice = slice(index)
        guard let base = slice.baseAddress else { return name.isEmpty }
        var matched = 0
        var equal = true
        JSONText.decode(base, slice.count, escaped: isEscaped(index)) { byte in
            guard equal, matched < name.count else {
                equal = false
                return
            }
            let wanted = name[matched]
            equal = foldCase ? JSONView.lowercased(byte) == JSONView.lowercased(wanted) : byte == wanted
            matched += 1
        }
        return equal && matched == name.count
    }

    /// The decoded UTF-8 of a string, or the bytes of any other scalar.
    public func decoded(_ index: Int) -> [UInt8] {
        let slice = slice(index)
        guard isEscaped(index), let base = slice.baseAddress else { return Array(slice) }
        var text: [UInt8] = []
        text.reserveCapacity(slice.count)
        JSONText.decode(base, slice.count, escaped: true) { text.append($0) }
        return text
    }

    /// The value of a member. With a repeated key the last one counts.
    /// - Parameter foldCase: ASCII letters match in either case; an exact match is preferred.
    public func member(_ name: [UInt8], of index: Int, foldCase: Bool = false) -> Int? {
        guard kind(index) == .object else { return nil }
        return name.withUnsafeBufferPointer { name in
            lastKey(of: index) { text($0, equals: name) }
                ?? (foldCase ? lastKey(of: index) { escapedText($0, equals: name, foldCase: true) } : nil)
        }.map { $0 + 1 }
    }

    /// The last key of an object that satisfies a condition.
    @inline(__always)
    private func lastKey(of index: Int, where matches: (Int) -> Bool) -> Int? {
        let end = next(index)
        var key = index + 1
        var found: Int?
        while key < end {
            if matches(key) { found = key }
            key = next(key + 1)
        }
        return found
    }

    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The element at a position, from 0; nil beyond the last one and before the first.
    public func element(_ position: Int, of index: Int) -> Int? {
        guard kind(index) == .array, position >= 0 else { return nil }
        let end = next(index)
        var child = index + 1
        var remaining = position
        while child < end {
            if remaining == 0 { return child }
            remaining -= 1
            child = next(child)
        }
        return nil
    }

    /// The value that a pointer names, seen from `index` (RFC 6901, section 4).
    public func find(_ pointer: JSONPointer, from index: Int = 0, foldCase: Bool = false) -> Int? {
        var index = index
        for step in pointer.steps {
            switch kind(index) {
            case .object:
                guard let child = member(step.name, of: index, foldCase: foldCase) else { return nil }
                index = child
            case .array:
                guard let position = step.position, let child = element(position, of: index) else { return nil }
                index = child
            default:
                return nil
            }
        }
        return index
    }
}
