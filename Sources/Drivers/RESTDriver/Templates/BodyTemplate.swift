import JSONBytes
import StrictConfig

/// What a request carries.
enum BodyTemplate: Sendable {
    case none
    case json(JSONNode)
    case form([NamedTemplate], spreadsRecord: Bool)
    case multipart([NamedTemplate])

    /// A JSON body with variables in it.
    indirect enum JSONNode: Sendable {
        /// Bytes of JSON, as the profile has them.
        case literal([UInt8])
        case text(TextTemplate)
        /// `{name|number}`: the variable's digits as a JSON number.
        case number(String)
        /// `{name}` alone: a number for a count, a string for anything else.
        case variable(String)
        /// The record as the write lenses make it.
        case record
        /// Members in order; `"...": "{record}"` puts the record's members among them.
        case object([(key: String, node: JSONNode)], spreadsRecord: Bool)
        case array([JSONNode])
    }

    /// A value that the vendor's place cannot hold, such as letters in a number.
    struct Unfit: Error {}
}

extension BodyTemplate.JSONNode {
    /// Compiles a body. `record` tells whether a record is at hand.
    init?(_ node: ConfigNode, _ names: VariableNames, record: Bool) {
        switch node.kind {
        case .object:
            var members: [(key: String, node: BodyTemplate.JSONNode)] = []
            var spreads = false
            for (name, member) in node.entries() {
                if name == "..." {
                    guard record, member.value.string == "{record}" else {
                        member.fault(record ? "must be \"{record}\"" : "has no record to spread in this operation")
                        continue
                    }
                    spreads = true
                } else if let compiled = BodyTemplate.JSONNode(member, names, record: record) {
                    members.append((name, compiled))
                }
            }
            self = .object(members, spreadsRecord: spreads)
        case .array:
            self = .array(node.elements().compactMap { BodyTemplate.JSONNode($0, names, record: record) })
        case .string:
            let text = node.value.string ?? ""
            if text == "{record}" {
                guard record else {
                    node.fault("has no record in this operation")
                    return nil
                }
                self = .record
                return
            }
            if text.hasPrefix("{"), text.hasSuffix("|number}"), !text.dropFirst().contains("{") {
                let name = String(text.dropFirst().dropLast("|number}".count))
                guard names.known.contains(name) else {
                    node.fault(names.unknown(name))
                    return nil
                }
                self = .number(name)
                return
            }
            guard let template = node.textTemplate(names) else { return nil }
            if let name = template.onlyVariable {
                self = .variable(name)
            } else {
                self = template.variables.isEmpty ? .literal(node.value.source) : .text(template)
            }
        default:
            self = .literal(node.value.source)
        }
    }

    /// Every variable that the body uses.
    var variables: Set<String> {
        switch self {
        case .literal, .record: []
        case .text(let template): Set(template.variables)
        case .number(let name), .variable(let name): [name]
        case .object(let members, _): members.reduce(into: []) { $0.formUnion($1.node.variables) }
        case .array(let nodes): nodes.reduce(into: []) { $0.formUnion($1.variables) }
        }
    }

    /// Whether the record is in it.
    var holdsRecord: Bool {
        switch self {
        case .record: true
        case .object(let members, let spreads): spreads || members.contains { $0.node.holdsRecord }
        case .array(let nodes): nodes.contains { $0.holdsRecord }
        case .literal, .text, .number, .variable: false
        }
    }

    /// Writes the body. Members whose variables have no value are left out.
    func write(to writer: inout JSONWriter, _ variables: Variables, record: [UInt8]?) throws(BodyTemplate.Unfit) {
        if try !writeIfPresent(to: &writer, variables, record: record) { writer.null() }
    }

    private func writeIfPresent(
        to writer: inout JSONWriter, _ variables: Variables, record: [UInt8]?
    ) throws(BodyTemplate.Unfit) -> Bool {
        switch self {
        case .literal(let bytes): writer.raw(bytes)
        case .text(let template):
            guard let text = template.expand(variables) else { return false }
            writer.string(text)
        case .number(let name):
            guard let value = variables[name] else { return false }
            guard let digits = RecordWriter.jsonNumber(value.text) else { throw BodyTemplate.Unfit() }
            writer.raw(digits)
        case .variable(let name):
            switch variables[name] {
            case nil: return false
            case .number(let number): writer.number(number)
            case .text(let text): writer.string(text)
            case .list(let list):
                writer.raw("[")
                for (index, text) in list.enumerated() {
                    if index > 0 { writer.raw(",") }
                    writer.string(text)
                }
                writer.raw("]")
            }
        case .record: writer.raw(record ?? Array("{}".utf8))
        case .object(let members, let spreads):
            writer.raw("{")
            var first = true
            for (key, node) in members {
                let before = writer.count
                if !first { writer.raw(",") }
                writer.key(key)
                if try node.writeIfPresent(to: &writer, variables, record: record) {
                    first = false
                } else {
                    writer.truncate(to: before)
                }
            }
            // A member that the body names itself is not repeated.
            let inside = spreads ? record.flatMap { try? JSONDocument($0).root.members } ?? [] : []
            for member in inside where !members.contains(where: { $0.key == member.key }) {
                if !first { writer.raw(",") }
                first = false
                writer.key(member.key)
                writer.raw(member.value.source)
            }
            writer.raw("}")
        case .array(let nodes):
            writer.raw("[")
            var first = true
            for node in nodes {
                let before = writer.count
                if !first { writer.raw(",") }
                if try node.writeIfPresent(to: &writer, variables, record: record) {
                    first = false
                } else {
                    writer.truncate(to: before)
                }
            }
            writer.raw("]")
        }
        return true
    }
}
