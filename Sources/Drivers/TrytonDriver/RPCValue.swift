import JSONBytes

/// A value of a call: parameters, search domains, values to write. Written as JSON, so that no text can leave its place.
enum RPCValue: Sendable {
    case null
    case bool(Bool)
    case number(Int)
    case text(String)
    case list([RPCValue])
    /// Members in the order in which they are written.
    case object([(String, RPCValue)])

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let value): writer.number(value)
        case .text(let text): writer.string(text)
        case .list(let values):
            writer.raw(UInt8(ascii: "["))
            for value in values {
                writer.comma()
                value.write(to: &writer)
            }
            writer.raw(UInt8(ascii: "]"))
        case .object(let members):
            writer.raw(UInt8(ascii: "{"))
            for (name, value) in members {
                writer.comma()
                writer.key(name)
                value.write(to: &writer)
            }
            writer.raw(UInt8(ascii: "}"))
        }
    }
}

extension RPCValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(arrayLiteral elements: RPCValue...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, RPCValue)...) { self = .object(elements) }
    init(nilLiteral: ()) { self = .null }

    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
}

extension RPCValue: CustomStringConvertible, CustomReflectable {
    /// Masked: it may hold a person or a password.
    var description: String { "value(…)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
