package import JSONBytes

/// Changes to a JSON document, by pointer. What they do not name stays as it is, byte for byte: members that Ponte
/// does not know survive an update.
package struct JSONEdits {
    private final class Node {
        var value: [UInt8]?
        var removed = false
        /// Met in the document that is being changed.
        var written = false
        var children: [(step: JSONPointer.Step, node: Node)] = []
    }

    private let root = Node()
    /// Member names that differ only in ASCII case are the same.
    private let foldCase: Bool

    package init(foldCase: Bool = false) { self.foldCase = foldCase }

    /// Whether a change reaches this member of the document.
    package func reaches(_ name: [UInt8]) -> Bool { root.children.contains { same($0.step.name, name) } }

    /// Sets a value, as JSON bytes. Later changes win; array positions after the end append.
    package mutating func set(_ pointer: JSONPointer, _ json: [UInt8]) { put(pointer, json) }

    /// Removes a member, or an element of an array.
    package mutating func remove(_ pointer: JSONPointer) { put(pointer, nil) }

    private func put(_ pointer: JSONPointer, _ json: [UInt8]?) {
        var node = root
        for (depth, step) in pointer.steps.enumerated() {
            // What was set or removed before is changed in turn: the later change is made inside it.
            if node.value != nil || node.removed {
                let rest = JSONPointer(steps: Array(pointer.steps[depth...]))
                if node.removed, json == nil { return }
                let inner = JSONEdits(foldCase: foldCase)
                inner.put(rest, json)
                let before = node.removed ? nil : node.value.flatMap { try? JSONDocument($0).root }
                node.value = inner.apply(to: before, object: false)
                node.removed = false
                return
            }
            node = child(of: node, step)
        }
        node.value = json
        node.removed = json == nil
        node.children = []
    }

    private func child(of node: Node, _ step: JSONPointer.Step) -> Node {
        if let known = node.children.first(where: { same($0.step.name, step.name) }) { return known.node }
        let new = Node()
        node.children.append((step, new))
        return new
    }

    private func same(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard foldCase, a.count == b.count else { return a == b }
        return zip(a, b).allSatisfy { JSONEdits.folded($0) == JSONEdits.folded($1) }
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The document with the changes made; an object of the changes alone where there is none.
    package func apply(to source: JSONValue?) -> [UInt8] { apply(to: source, object: true) }

    private func apply(to source: JSONValue?, object: Bool) -> [UInt8] {
        guard let source else {
            var writer = JSONWriter(capacity: 512)
            create(root, &writer, object: object || !isArray(root))
            return writer.finish()
        }
        return source.document.withView { view in
            var writer = JSONWriter(capacity: source.document.bytes.count + 256)
            write(root, view, source.index, &writer)
            return writer.finish()
        }
    }

    private func write(_ node: Node, _ view: JSONView, _ index: Int, _ writer: inout JSONWriter) {
        if let value = node.value {
            writer.raw(value)
        } else if node.children.isEmpty {
            writer.raw(view.source(index))
        } else if view.kind(index) == .object {
            writeObject(node, view, index, &writer)
        } else if view.kind(index) == .array {
            writeArray(node, view, index, &writer)
        } else if node.children.allSatisfy({ !adds($0.node) }) {
            // Nothing is there to be removed.
            writer.raw(view.source(index))
        } else {
            create(node, &writer, object: !isArray(node))
        }
    }

    private func writeObject(_ node: Node, _ view: JSONView, _ index: Int, _ writer: inout JSONWriter) {
        writer.raw("{")
        var first = true
        var key = index + 1
        while key < view.next(index) {
            let name = view.decoded(key)
            let match = node.children.first { same($0.step.name, name) }?.node
            if let match, match.removed {
                key = view.next(key + 1)
                continue
            }
            if !first { writer.raw(",") }
            first = false
            writer.raw(view.source(key))
            writer.raw(":")
            if let match {
                write(match, view, key + 1, &writer)
                // A repeated key is changed everywhere, but appended nowhere.
                match.written = true
            } else {
                writer.raw(view.source(key + 1))
            }
            key = view.next(key + 1)
        }
        for (step, child) in node.children where adds(child) {
            if child.written {
                child.written = false
                continue
            }
            if !first { writer.raw(",") }
            first = false
            member(step, child, &writer)
        }
        writer.raw("}")
    }

    private func writeArray(_ node: Node, _ view: JSONView, _ index: Int, _ writer: inout JSONWriter) {
        writer.raw("[")
        var position = 0
        var first = true
        var element = index + 1
        while element < view.next(index) {
            let child = node.children.first { $0.step.position == position }?.node
            if !(child?.removed ?? false) {
                if !first { writer.raw(",") }
                first = false
                if let child {
                    write(child, view, element, &writer)
                } else {
                    writer.raw(view.source(element))
                }
            }
            position += 1
            element = view.next(element)
        }
        append(node, from: position, first: first, &writer)
        writer.raw("]")
    }

    /// Whether a change puts anything where nothing was.
    private func adds(_ node: Node) -> Bool {
        node.value != nil || (!node.removed && node.children.contains { adds($0.node) })
    }

    private func isArray(_ node: Node) -> Bool {
        let added = node.children.filter { adds($0.node) }
        return !added.isEmpty && added.allSatisfy { $0.step.position != nil }
    }

    private func append(_ node: Node, from start: Int, first: Bool, _ writer: inout JSONWriter) {
        let further = node.children.compactMap { child in child.step.position.map { ($0, child.node) } }
            .filter { $0.0 >= start && adds($0.1) }.sorted { $0.0 < $1.0 }
        var first = first
        for (_, child) in further {
            if !first { writer.raw(",") }
            first = false
            create(child, &writer, object: !isArray(child))
        }
    }

    private func member(_ step: JSONPointer.Step, _ node: Node, _ writer: inout JSONWriter) {
        step.name.withUnsafeBufferPointer { writer.string(utf8: $0) }
        writer.raw(":")
        create(node, &writer, object: !isArray(node))
    }

    private func create(_ node: Node, _ writer: inout JSONWriter, object: Bool) {
        if let value = node.value {
            writer.raw(value)
        } else if object {
            writer.raw("{")
            var first = true
            for (step, child) in node.children where adds(child) {
                if !first { writer.raw(",") }
                first = false
                member(step, child, &writer)
            }
            writer.raw("}")
        } else {
            writer.raw("[")
            append(node, from: 0, first: true, &writer)
            writer.raw("]")
        }
    }
}
