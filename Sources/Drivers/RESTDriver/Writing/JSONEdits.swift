import JSONBytes

/// Changes to a JSON document, by pointer. What they do not name stays as it is, byte for byte: members that Ponte
/// does not know survive an update.
struct JSONEdits {
    private final class Node {
        var value: [UInt8]?
        var removed = false
        /// Met in the document that is being changed.
        var written = false
        var children: [(step: JSONPointer.Step, node: Node)] = []

        func child(_ step: JSONPointer.Step) -> Node {
            if let known = children.first(where: { $0.step == step }) { return known.node }
            let node = Node()
            children.append((step, node))
            return node
        }
    }

    private let root = Node()

    var isEmpty: Bool { root.value == nil && root.children.isEmpty }

    /// Sets a value, as JSON bytes. Later ones win; array positions after the end append.
    mutating func set(_ pointer: JSONPointer, _ json: [UInt8]) {
        let node = pointer.steps.reduce(root) { $0.child($1) }
        node.value = json
        node.removed = false
    }

    /// Removes a member.
    mutating func remove(_ pointer: JSONPointer) {
        pointer.steps.reduce(root) { $0.child($1) }.removed = true
    }

    /// The document with the changes made; an object of the changes alone where there is no document.
    func apply(to source: JSONValue?) -> [UInt8] {
        guard let source else {
            var writer = JSONWriter(capacity: 512)
            JSONEdits.create(root, &writer, object: true)
            return writer.finish()
        }
        return source.document.withView { view in
            var writer = JSONWriter(capacity: source.document.bytes.count + 256)
            JSONEdits.write(root, view, source.index, &writer)
            return writer.finish()
        }
    }

    private static func write(_ node: Node, _ view: JSONView, _ index: Int, _ writer: inout JSONWriter) {
        if let value = node.value {
            writer.raw(value)
        } else if node.children.isEmpty {
            writer.raw(view.source(index))
        } else if view.kind(index) == .object {
            writer.raw("{")
            var first = true
            var key = index + 1
            let pending = node.children
            while key < view.next(index) {
                let name = view.decoded(key)
                let match = pending.firstIndex { $0.step.name == name }
                if let match, pending[match].node.removed {
                    key = view.next(key + 1)
                    continue
                }
                if !first { writer.raw(",") }
                first = false
                writer.raw(view.source(key))
                writer.raw(":")
                if let match {
                    write(pending[match].node, view, key + 1, &writer)
                    // A repeated key is changed everywhere, but appended nowhere.
                    pending[match].node.written = true
                } else {
                    writer.raw(view.source(key + 1))
                }
                key = view.next(key + 1)
            }
            for (step, child) in pending where !child.removed {
                if child.written {
                    child.written = false
                    continue
                }
                if !first { writer.raw(",") }
                first = false
                member(step, child, &writer)
            }
            writer.raw("}")
        } else if view.kind(index) == .array {
            writer.raw("[")
            var position = 0
            var element = index + 1
            while element < view.next(index) {
                if position > 0 { writer.raw(",") }
                if let child = node.children.first(where: { $0.step.position == position })?.node {
                    write(child, view, element, &writer)
                } else {
                    writer.raw(view.source(element))
                }
                position += 1
                element = view.next(element)
            }
            append(node, from: position, &writer)
            writer.raw("]")
        } else {
            create(node, &writer, object: !isArray(node))
        }
    }

    private static func isArray(_ node: Node) -> Bool {
        !node.children.isEmpty && node.children.allSatisfy { $0.step.position != nil }
    }

    private static func append(_ node: Node, from start: Int, _ writer: inout JSONWriter) {
        let further = node.children.compactMap { child in child.step.position.map { ($0, child.node) } }
            .filter { $0.0 >= start }.sorted { $0.0 < $1.0 }
        var first = start == 0
        for (_, child) in further {
            if !first { writer.raw(",") }
            first = false
            create(child, &writer, object: !isArray(child))
        }
    }

    private static func member(_ step: JSONPointer.Step, _ node: Node, _ writer: inout JSONWriter) {
        step.name.withUnsafeBufferPointer { writer.string(utf8: $0) }
        writer.raw(":")
        create(node, &writer, object: !isArray(node))
    }

    private static func create(_ node: Node, _ writer: inout JSONWriter, object: Bool) {
        if let value = node.value {
            writer.raw(value)
        } else if object {
            writer.raw("{")
            var first = true
            for (step, child) in node.children where !child.removed {
                if !first { writer.raw(",") }
                first = false
                member(step, child, &writer)
            }
            writer.raw("}")
        } else {
            writer.raw("[")
            append(node, from: 0, &writer)
            writer.raw("]")
        }
    }
}
