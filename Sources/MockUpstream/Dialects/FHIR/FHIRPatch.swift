import JSONBytes

/// JSON as a tree, for a JSON Patch (RFC 6902). A mock may be slow.
indirect enum JSONTree {
    case object([(key: String, value: JSONTree)])
    case array([JSONTree])
    /// Anything else, as it is written.
    case scalar([UInt8])

    struct Refused: Error { let reason: String }

    init(_ value: JSONValue) {
        switch value.kind {
        case .object: self = .object(value.members.map { ($0.key, JSONTree($0.value)) })
        case .array: self = .array(value.elements.map { JSONTree($0) })
        default: self = .scalar(value.source)
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .scalar(let bytes): return bytes
        case .array(let elements): return [0x5B] + Array(elements.map(\.bytes).joined(separator: [0x2C])) + [0x5D]
        case .object(let members):
            let written = members.map { member in
                var key = JSONWriter()
                key.key(member.key)
                return key.finish() + member.value.bytes
            }
            return [0x7B] + Array(written.joined(separator: [0x2C])) + [0x7D]
        }
    }

    /// The tree after a patch.
    func patched(by patch: JSONValue) throws(Refused) -> JSONTree {
        guard patch.kind == .array else { throw Refused(reason: "a patch is an array") }
        var tree = self
        for operation in patch.elements {
            guard let text = operation["path"]?.string, let pointer = JSONPointer(text) else {
                throw Refused(reason: "a path is no pointer")
            }
            let value = operation["value"].map { JSONTree($0) }
            switch operation["op"]?.string {
            case "test":
                guard let value, tree.at(pointer.steps[...])?.bytes == value.bytes else {
                    throw Refused(reason: "a test failed")
                }
            case "add", "replace", "remove":
                tree = try tree.changed(pointer.steps[...], operation["op"]?.string ?? "", value)
            default: throw Refused(reason: "no such operation")
            }
        }
        return tree
    }

    /// The tree with another value behind these names; objects that are not there are made.
    func setting(_ path: [String], to value: JSONTree) -> JSONTree {
        guard let name = path.first else { return value }
        var members: [(key: String, value: JSONTree)] = []
        if case .object(let known) = self { members = known }
        let rest = Array(path.dropFirst())
        if let place = members.firstIndex(where: { $0.key == name }) {
            members[place].value = members[place].value.setting(rest, to: value)
        } else {
            members.append((name, JSONTree.object([]).setting(rest, to: value)))
        }
        return .object(members)
    }

    private func at(_ steps: ArraySlice<JSONPointer.Step>) -> JSONTree? {
        guard let step = steps.first else { return self }
        switch self {
        case .object(let members):
            return members.first { Array($0.key.utf8) == step.name }?.value.at(steps.dropFirst())
        case .array(let elements):
            guard let position = step.position, elements.indices.contains(position) else { return nil }
            return elements[position].at(steps.dropFirst())
        case .scalar: return nil
        }
    }

    private func changed(
        _ steps: ArraySlice<JSONPointer.Step>, _ operation: String, _ value: JSONTree?
    ) throws(Refused) -> JSONTree {
        let missing = Refused(reason: "there is nothing at a path")
        guard let step = steps.first else { throw missing }
        let isLast = steps.count == 1
        switch self {
        case .scalar: throw missing
        case .object(var members):
            let place = members.firstIndex { Array($0.key.utf8) == step.name }
            if !isLast {
                guard let place else { throw missing }
                members[place].value = try members[place].value.changed(steps.dropFirst(), operation, value)
                return .object(members)
            }
            if operation == "add", let value {
                let member = (key: String(decoding: step.name, as: UTF8.self), value: value)
                if let place { members[place] = member } else { members.append(member) }
                return .object(members)
            }
            guard let place else { throw missing }
            if operation == "remove" { members.remove(at: place) } else if let value { members[place].value = value }
            return .object(members)
        case .array(var elements):
            if isLast, operation == "add", let value, step.name == [0x2D] { return .array(elements + [value]) }
            guard let position = step.position, position <= elements.count else { throw missing }
            if isLast, operation == "add", let value {
                elements.insert(value, at: position)
                return .array(elements)
            }
            guard position < elements.count else { throw missing }
            if !isLast {
                elements[position] = try elements[position].changed(steps.dropFirst(), operation, value)
            } else if operation == "remove" {
                elements.remove(at: position)
            } else if let value {
                elements[position] = value
            }
            return .array(elements)
        }
    }
}
