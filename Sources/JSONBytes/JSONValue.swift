/// One value of a document, held safely: for configuration, errors and single records. Loops over many rows use
/// `JSONView`.
public struct JSONValue: Sendable {
    public let document: JSONDocument
    public let index: Int

    /// - Parameter index: of a token of the document, as a view names it.
    public init(document: JSONDocument, index: Int) {
        self.document = document
        self.index = index
    }

    public var kind: JSONKind { document.withView { $0.kind(index) } }
    public var isNull: Bool { kind == .null }

    /// A string's text; nil for other kinds. A lone surrogate reads as U+FFFD.
    public var string: String? {
        kind == .string ? String(decoding: document.withView { $0.decoded(index) }, as: UTF8.self) : nil
    }

    /// The text of a string or the digits of a number, as they stand; nil for other kinds. Ids are read this way, so
    /// that no id passes through a double.
    public var scalarText: String? {
        switch kind {
        case .string, .number: String(decoding: document.withView { $0.decoded(index) }, as: UTF8.self)
        default: nil
        }
    }

    public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// A number written as an integer that fits; nil for `1.0`, `1e3` and other kinds.
    public var int: Int? { kind == .number ? scalarText.flatMap { Int($0) } : nil }

    /// A number as a double, for ratios and durations, never for ids; nil beyond what a double holds (`1e999`).
    public var double: Double? {
        guard kind == .number, let value = scalarText.flatMap({ Double($0) }), value.isFinite else { return nil }
        return value
    }

    /// True when a string holds half of a surrogate pair: legal JSON, but not text.
    public var hasLoneSurrogate: Bool { document.withView { $0.token(index).flags & JSONToken.loneSurrogate != 0 } }

    /// The value's bytes as they stand in the document.
    public var source: [UInt8] { document.withView { Array($0.source(index)) } }

    /// The elements of an array; empty for other kinds.
    public var elements: [JSONValue] {
        document.withView { view in
            guard view.kind(index) == .array else { return [] }
            var elements: [JSONValue] = []
            var child = index + 1
            while child < view.next(index) {
                elements.append(JSONValue(document: document, index: child))
                child = view.next(child)
            }
            return elements
        }
    }

    /// The members of an object in document order, repeated keys included; empty for other kinds.
    public var members: [(key: String, value: JSONValue)] {
        document.withView { view in
            guard view.kind(index) == .object else { return [] }
            var members: [(key: String, value: JSONValue)] = []
            var key = index + 1
            while key < view.next(index) {
                let name = String(decoding: view.decoded(key), as: UTF8.self)
                members.append((name, JSONValue(document: document, index: key + 1)))
                key = view.next(key + 1)
            }
            return members
        }
    }

    /// A member's value; the last one of a repeated key.
    public subscript(_ name: String) -> JSONValue? {
        document.withView { $0.member(Array(name.utf8), of: index) }.map { JSONValue(document: document, index: $0) }
    }

    public subscript(_ pointer: JSONPointer) -> JSONValue? {
        document.withView { $0.find(pointer, from: index) }.map { JSONValue(document: document, index: $0) }
    }

    /// Line and column of the value, both from 1; the column counts bytes.
    public var position: (line: Int, column: Int) {
        let start = document.withView { view in Int(view.token(index).start) - (view.kind(index) == .string ? 1 : 0) }
        let before = document.bytes.prefix(start)
        let line = 1 + before.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        return (line, 1 + start - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0))
    }
}
