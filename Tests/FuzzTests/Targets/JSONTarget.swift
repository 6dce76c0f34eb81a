@testable import JSONBytes

/// The JSON reader and writer: each value is visited through every accessor, the document is written again in three ways,
/// and what was written is read back and compared.
func fuzzJSON(_ bytes: [UInt8]) {
    do throws(JSONSyntaxError) {
        // The sanitizer sees a byte read beyond the array, which is an exact copy on the heap.
        let document = try JSONDocument(bytes, limits: JSONLimits(depth: 64))
        visit(document)
        rewrite(document)
    } catch {
        check(
            error.offset >= 0 && error.offset <= bytes.count && error.line >= 1 && error.column >= 1, "an error's place"
        )
    }
    pointer(bytes)
    text(bytes)
}

private func visit(_ document: JSONDocument) {
    let count = document.withView { $0.next(0) }
    document.withView { view in
        for index in 0..<count {
            let token = view.token(index)
            check(token.start <= token.end && Int(token.end) <= document.bytes.count, "a token's range")
            check(Int(token.next) > index && Int(token.next) <= count, "a token's successor")
            let decoded = view.decoded(index)
            check(decoded.count <= view.slice(index).count, "decoding never grows")
            check(String(validating: decoded, as: UTF8.self) != nil, "decoded text is UTF-8")
            check(view.source(index).count >= view.slice(index).count, "a source holds its slice")
            decoded.withUnsafeBufferPointer { check(view.text(index, equals: $0), "a text equals itself") }
            let children = view.childCount(index)
            check((view.element(0, of: index) != nil) == (view.kind(index) == .array && children > 0), "first element")
            check(view.element(children, of: index) == nil, "no element beyond the last")
            _ = view.member(decoded, of: index)
            _ = view.member(decoded, of: 0, foldCase: true)
        }
    }
    walk(document.root)
}

private func walk(_ value: JSONValue) {
    _ = (value.isNull, value.string, value.scalarText, value.bool, value.int, value.double, value.hasLoneSurrogate)
    check(value.position.line >= 1 && value.position.column >= 1, "a value's place")
    check((try? JSONDocument(value.source)) != nil, "a value's source is a document")
    for (index, element) in value.elements.enumerated() {
        check(value[JSONPointer.root.appending(index)]?.index == element.index, "an element by its pointer")
        walk(element)
    }
    for member in value.members {
        check(value[member.key] != nil, "a member by its name")
        let pointer = JSONPointer.root.appending(member.key)
        check(value[pointer]?.index == value[member.key]?.index, "a member by its pointer")
        check(JSONPointer(pointer.description) == pointer, "a pointer reads back")
        walk(member.value)
    }
}

/// How to write a string: as it was read, from decoded bytes, or from text.
private enum Manner: CaseIterable { case slice, bytes, text }

private func rewrite(_ document: JSONDocument) {
    for manner in Manner.allCases {
        var writer = JSONWriter(capacity: 0)
        document.withView { write($0, 0, manner, to: &writer) }
        let written = writer.finish()
        guard let again = try? JSONDocument(written) else { return check(false, "what was written is JSON") }
        document.withView { one in again.withView { other in check(same(one, other), "written and read is the same") } }
    }
}

private func write(_ view: JSONView, _ index: Int, _ manner: Manner, to writer: inout JSONWriter) {
    func string(_ index: Int) {
        switch manner {
        case .slice:
            writer.raw(UInt8(ascii: "\""))
            writer.escaped(view, index)
            writer.raw(UInt8(ascii: "\""))
        case .bytes: view.decoded(index).withUnsafeBufferPointer { writer.string(utf8: $0) }
        case .text: writer.string(String(decoding: view.decoded(index), as: UTF8.self))
        }
    }
    switch view.kind(index) {
    case .null: writer.null()
    case .true: writer.bool(true)
    case .false: writer.bool(false)
    case .number: writer.raw(view.slice(index))
    case .string: string(index)
    case .array, .object:
        let isObject = view.kind(index) == .object
        writer.raw(isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
        var child = index + 1
        while child < view.next(index) {
            writer.comma()
            if isObject {
                string(child)
                writer.raw(":")
                child += 1
            }
            write(view, child, manner, to: &writer)
            child = view.next(child)
        }
        writer.raw(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }
}

/// Same kinds, same text, same shape, token by token.
private func same(_ one: JSONView, _ other: JSONView) -> Bool {
    guard one.next(0) == other.next(0) else { return false }
    return (0..<one.next(0)).allSatisfy { index in
        guard one.kind(index) == other.kind(index), one.next(index) == other.next(index) else { return false }
        switch one.kind(index) {
        case .array, .object: return true
        default: return one.decoded(index) == other.decoded(index)
        }
    }
}

private func pointer(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let pointer = JSONPointer(text) else { return }
    check(Array(pointer.description.utf8) == Array(text.utf8), "a pointer keeps its spelling")
}

/// Any text can be written, and reads back.
private func text(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    var writer = JSONWriter(capacity: 0)
    writer.string(text)
    guard let document = try? JSONDocument(writer.finish()) else { return check(false, "a written text is JSON") }
    check(document.root.string.map { Array($0.utf8) } == Array(text.utf8), "a written text reads back")
}
