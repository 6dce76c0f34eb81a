import JSONBytes
import StrictConfig

/// Named values of a spec file, so that a person is written out once: `"$joao"` stands for the value, and
/// `{ "$joao": { … } }` for the value after a merge patch (RFC 7396). `"$$"` at the beginning is a `$`.
struct Records {
    private(set) var values: [String: JSONValue] = [:]

    /// Adds an object's members; each may use those before it.
    mutating func add(_ node: ConfigNode) {
        for (name, node) in node.entries("an object of named values") {
            if Matching.matchers.contains("$" + name) {
                node.fault("has the name of a matcher")
            } else if let value = expanded(node, matchers: false) {
                values[name] = value
            }
        }
    }

    /// A value with its records in place.
    /// - Parameter matchers: whether it is compared, so that matchers may stand in it; they are checked.
    /// - Returns: nil only with a fault in the report.
    func expanded(_ node: ConfigNode, matchers: Bool) -> JSONValue? {
        guard node.value.source.contains(UInt8(ascii: "$")) else { return node.value }
        var writer = JSONWriter()
        write(node, matchers, &writer)
        return JSONValue.read(writer.finish())
    }

    private func write(_ node: ConfigNode, _ matchers: Bool, _ writer: inout JSONWriter) {
        switch node.kind {
        case .string:
            guard let text = node.value.string, text.hasPrefix("$") else { return writer.raw(node.value.source) }
            if text.hasPrefix("$$") { return writer.string(String(text.dropFirst())) }
            if let value = record(String(text.dropFirst()), node) { writer.raw(value.source) } else { writer.null() }
        case .array:
            writer.raw("[")
            for (index, element) in node.elements().enumerated() {
                if index > 0 { writer.raw(",") }
                write(element, matchers, &writer)
            }
            writer.raw("]")
        case .object: writeObject(node, matchers, &writer)
        default: writer.raw(node.value.source)
        }
    }

    private func writeObject(_ node: ConfigNode, _ matchers: Bool, _ writer: inout JSONWriter) {
        let entries = node.entries()
        if entries.count == 1, let only = entries.first, only.name.hasPrefix("$") {
            if matchers, Matching.matchers.contains(only.name) {
                Matching.check(only.name, only.node)
            } else {
                let patch = expanded(only.node, matchers: matchers)
                let value = record(String(only.name.dropFirst()), only.node)
                if let patch, let value { writer.raw(value.merging(patch).source) } else { writer.null() }
                return
            }
        }
        writer.raw("{")
        for (index, entry) in entries.enumerated() {
            if entries.count > 1, entry.name.hasPrefix("$") {
                entry.node.fault("stands beside other members: a matcher or a record is the only one of its object")
            }
            if index > 0 { writer.raw(",") }
            writer.key(entry.name)
            // The argument of $contains and $is is text.
            let isText = entry.name == "$contains" || entry.name == "$is"
            if isText { writer.raw(entry.node.value.source) } else { write(entry.node, matchers, &writer) }
        }
        writer.raw("}")
    }

    private func record(_ name: String, _ node: ConfigNode) -> JSONValue? {
        guard let value = values[name] else {
            node.fault(NearestName.unknown("record", name, Array(values.keys)))
            return nil
        }
        return value
    }
}
