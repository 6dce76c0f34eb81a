import StrictConfig

/// Text with `{variables}`, for one header, one query value or one text in a body. The whole text is encoded for its
/// place afterwards, so a value cannot leave it. `{{` and `}}` stand for braces.
struct TextTemplate: Sendable {
    private enum Part: Sendable {
        case literal(String)
        case variable(String)
    }

    private let parts: [Part]
    let variables: [String]

    init(_ text: String) throws(TemplateFault) {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            switch character {
            case "{" where rest.first == "{", "}" where rest.first == "}":
                literal.append(character)
                rest = rest.dropFirst()
            case "{":
                guard let close = rest.firstIndex(of: "}") else { throw TemplateFault(message: "has a { without }") }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.variable(String(rest[..<close])))
                rest = rest[rest.index(after: close)...]
            case "}":
                throw TemplateFault(message: "has a } without {")
            default:
                literal.append(character)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
        variables = parts.compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }

    /// The one variable that the whole text is, if it is.
    var onlyVariable: String? {
        if parts.count == 1, case .variable(let name) = parts[0] { name } else { nil }
    }

    /// The text; nil when it uses a variable without a value.
    func expand(_ values: Variables) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text): result += text
            case .variable(let name):
                guard let value = values[name] else { return nil }
                result += value.text
            }
        }
        return result
    }
}

extension ConfigNode {
    /// A text template whose variables are all known.
    func textTemplate(_ names: VariableNames) -> TextTemplate? {
        string(allowEmpty: true).flatMap { template($0, names, \.variables, TextTemplate.init) }
    }

    /// An object of text templates by name, in order.
    func templates(_ names: VariableNames) -> [NamedTemplate] {
        entries("an object of names and values").compactMap { name, node in
            node.textTemplate(names).map { NamedTemplate(name: name, value: $0) }
        }
    }
}

/// A header, query parameter or form field.
struct NamedTemplate: Sendable {
    let name: String
    let value: TextTemplate
}
