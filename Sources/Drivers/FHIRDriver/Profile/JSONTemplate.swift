import JSONBytes

/// JSON whose texts may hold `{setting.name}`. A value stays within its text.
struct JSONTemplate: Sendable {
    struct Member: Sendable {
        let name: String
        let value: JSONTemplate
    }

    let value: JSONValue

    /// The settings that it names.
    var settings: [String] { JSONTemplate.texts(of: value).flatMap(JSONTemplate.settings) }

    /// The JSON with the settings filled in.
    func expand(_ settings: [String: String]) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        JSONTemplate.write(value, settings, &writer)
        return writer.finish()
    }

    /// A text with the settings filled in.
    static func text(_ text: String, _ settings: [String: String]) -> String {
        parts(text).map { $0.setting.map { settings[$0] ?? "" } ?? $0.text }.joined()
    }

    /// The settings that a text names.
    static func settings(in text: String) -> [String] { parts(text).compactMap(\.setting) }

    private static func texts(of value: JSONValue) -> [String] {
        switch value.kind {
        case .string: value.string.map { [$0] } ?? []
        case .array: value.elements.flatMap(texts)
        case .object: value.members.flatMap { texts(of: $0.value) }
        default: []
        }
    }

    private static func write(_ value: JSONValue, _ settings: [String: String], _ writer: inout JSONWriter) {
        switch value.kind {
        case .string:
            writer.string(text(value.string ?? "", settings))
        case .array:
            writer.raw("[")
            for (index, element) in value.elements.enumerated() {
                if index > 0 { writer.raw(",") }
                write(element, settings, &writer)
            }
            writer.raw("]")
        case .object:
            writer.raw("{")
            for (index, member) in value.members.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.key(member.key)
                write(member.value, settings, &writer)
            }
            writer.raw("}")
        default: writer.raw(value.source)
        }
    }

    /// A text in pieces: those that name a setting, and those between them.
    private static func parts(_ text: String) -> [(text: String, setting: String?)] {
        var parts: [(text: String, setting: String?)] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{setting."), let close = rest[open.upperBound...].firstIndex(of: "}") {
            parts.append((String(rest[..<open.lowerBound]), nil))
            parts.append(("", String(rest[open.upperBound..<close])))
            rest = rest[rest.index(after: close)...]
        }
        parts.append((String(rest), nil))
        return parts
    }
}
