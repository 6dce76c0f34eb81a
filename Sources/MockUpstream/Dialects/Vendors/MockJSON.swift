import JSONBytes

/// JSON that a pretend system keeps and changes. Numbers are texts from the first digit to the last; members keep their
/// order.
enum MockJSON: Sendable {
    case null
    case bool(Bool)
    case number(String)
    case text(String)
    case array([MockJSON])
    case object([Member])

    struct Member: Sendable {
        let key: String
        var value: MockJSON
    }

    init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(value.scalarText ?? "0")
        case .string: self = .text(value.string ?? "")
        case .array: self = .array(value.elements.map { MockJSON($0) })
        case .object: self = .object(value.members.map { Member(key: $0.key, value: MockJSON($0.value)) })
        }
    }

    /// A text where there is one; else what the system says where it has nothing.
    static func maybe(_ text: String?, or nothing: MockJSON) -> MockJSON { text.map { .text($0) } ?? nothing }

    var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    var elements: [MockJSON] {
        if case .array(let elements) = self { elements } else { [] }
    }

    var isObject: Bool {
        if case .object = self { true } else { false }
    }

    /// The text of a string or number that is not blank.
    var scalar: String? {
        switch self {
        case .text(let text), .number(let text): text.allSatisfy(\.isWhitespace) ? nil : text
        default: nil
        }
    }

    /// A member; setting nil removes it, setting a new one appends it.
    subscript(_ key: String) -> MockJSON? {
        get { members.last { $0.key == key }?.value }
        set {
            var members = members
            if let index = members.firstIndex(where: { $0.key == key }) {
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            } else if let newValue {
                members.append(Member(key: key, value: newValue))
            }
            self = .object(members)
        }
    }

    /// The value behind names and positions: `contato/email`, `0/id`.
    func at(_ path: String) -> MockJSON? {
        var value = self
        for step in path.split(separator: "/") {
            let next: MockJSON?
            if case .array(let elements) = value {
                next = Int(step).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            } else {
                next = value[String(step)]
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// The same members under other names.
    func renamed(_ rename: (String) -> String) -> MockJSON {
        .object(members.map { Member(key: rename($0.key), value: $0.value) })
    }

    /// Without these members.
    func without(_ keys: [String]) -> MockJSON { .object(members.filter { !keys.contains($0.key) }) }

    /// The record with the members in which one other differs from another.
    func changed(from old: MockJSON, to new: MockJSON) -> MockJSON {
        var record = self
        for member in new.members {
            let before = old[member.key] ?? .null
            guard member.value.bytes != before.bytes else { continue }
            if let known = record[member.key], known.isObject, before.isObject, member.value.isObject {
                record[member.key] = known.changed(from: before, to: member.value)
            } else {
                record[member.key] = member.value
            }
        }
        return record
    }

    var bytes: [UInt8] {
        var json = JSONWriter(capacity: 512)
        write(to: &json)
        return json.finish()
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let value): json.bool(value)
        case .number(let digits): json.raw(Array(digits.utf8))
        case .text(let text): json.string(text)
        case .array(let elements):
            json.raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { json.raw(UInt8(ascii: ",")) }
                element.write(to: &json)
            }
            json.raw("]")
        case .object(let members):
            json.raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { json.raw(UInt8(ascii: ",")) }
                json.key(member.key)
                member.value.write(to: &json)
            }
            json.raw("}")
        }
    }
}

extension MockJSON: ExpressibleByStringInterpolation, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .number(String(value)) }
    init(arrayLiteral elements: MockJSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, MockJSON)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
    init(nilLiteral: ()) { self = .null }
}

extension MockAnswer {
    init(_ status: Int, json: MockJSON, headers: [(name: String, value: String)] = []) {
        self.init(status, json.bytes)
        self.headers = headers
    }
}
