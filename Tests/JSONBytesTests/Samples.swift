import JSONBytes
import TestSupport

typealias Seeded = TestSupport.Seeded

extension Seeded {
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}

/// A JSON value as a tree, to compare documents with. Numbers keep their spelling.
indirect enum Tree: Equatable, CustomStringConvertible {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([Tree])
    case object([Member])

    struct Member: Equatable {
        let key: String
        let value: Tree
    }

    static func object(_ members: KeyValuePairs<String, Tree>) -> Tree {
        .object(members.map { Member(key: $0.key, value: $0.value) })
    }

    var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): "\"\(text)\""
        case .array(let elements): "\(elements)"
        case .object(let members): "{\(members.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        }
    }
}

extension Tree {
    /// Reads a value through `JSONValue`.
    init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .true, .false: self = .bool(value.bool ?? false)
        case .number: self = .number(value.scalarText ?? "?")
        case .string: self = .string(value.string ?? "?")
        case .array: self = .array(value.elements.map(Tree.init))
        case .object: self = .object(value.members.map { Member(key: $0.key, value: Tree($0.value)) })
        }
    }

    /// Reads a value through `JSONView`.
    init(_ view: JSONView, _ index: Int) {
        switch view.kind(index) {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(String(decoding: view.slice(index), as: UTF8.self))
        case .string: self = .string(String(decoding: view.decoded(index), as: UTF8.self))
        case .array:
            var elements: [Tree] = []
            for position in 0..<view.childCount(index) {
                if let child = view.element(position, of: index) { elements.append(Tree(view, child)) }
            }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            var key = index + 1
            while key < view.next(index) {
                members.append(
                    Member(key: String(decoding: view.decoded(key), as: UTF8.self), value: Tree(view, key + 1)))
                key = view.next(key + 1)
            }
            self = .object(members)
        }
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let text): writer.raw(Array(text.utf8))
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.raw("[")
            for element in elements {
                writer.comma()
                element.write(to: &writer)
            }
            writer.raw("]")
        case .object(let members):
            writer.raw("{")
            for member in members {
                writer.comma()
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.raw("}")
        }
    }

    var bytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.finish()
    }

    /// A value of at most `depth` levels.
    static func random(_ depth: Int, using source: inout Seeded) -> Tree {
        switch source.below(depth > 0 ? 8 : 5) {
        case 0: return .null
        case 1: return .bool(source.below(2) == 0)
        case 2: return .number(randomNumber(using: &source))
        case 3, 4: return .string(randomText(using: &source))
        case 5, 6:
            return .object(
                (0..<source.below(6)).map { _ in
                    Member(key: randomText(using: &source), value: random(depth - 1, using: &source))
                })
        default: return .array((0..<source.below(6)).map { _ in random(depth - 1, using: &source) })
        }
    }

    private static func randomNumber(using source: inout Seeded) -> String {
        switch source.below(4) {
        case 0: "\(Int.random(in: -1000...1000, using: &source))"
        case 1: "\(Int.random(in: Int.min...Int.max, using: &source))"
        case 2: "\(Double.random(in: -1...1, using: &source))"
        default: source.pick(["0", "-0", "0.0", "1e9", "1E+2", "-1.5e-7", "12345678901234567890"])
        }
    }

    /// Text of every kind that JSON must carry: controls, quotes, accents, symbols beyond the first plane.
    private static func randomText(using source: inout Seeded) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<source.below(24) {
            let scalar: UInt32 =
                switch source.below(8) {
                case 0: UInt32(source.below(0x20))
                case 1: source.pick([0x22, 0x5C, 0x2F, 0x7F])
                case 2: UInt32(source.below(0x780) + 0x80)
                case 3: UInt32(source.below(0xD000) + 0x800)
                case 4: UInt32(source.below(0x10_0000) + 0x1_0000)
                default: UInt32(source.below(0x5F) + 0x20)
                }
            text.append(Unicode.Scalar(scalar) ?? "?")
        }
        return String(text)
    }
}

/// Bytes written in hexadecimal, spaces ignored; nil when they are not.
func hex(_ text: String) -> [UInt8]? {
    let digits = text.filter { $0 != " " }.compactMap(\.hexDigitValue)
    guard digits.count % 2 == 0, digits.count == text.filter({ $0 != " " }).count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Reads text or bytes, and answers the fault if there is one.
func refusal(_ bytes: [UInt8], _ limits: JSONLimits = JSONLimits()) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
        _ = try JSONDocument(bytes, limits: limits)
        return nil
    } catch {
        return error
    }
}

func document(_ text: String) throws -> JSONDocument { try JSONDocument(Array(text.utf8)) }

func accepts(_ bytes: [UInt8]) -> Bool { refusal(bytes) == nil }
