import DriverSupport
import StrictConfig

/// A URI template (RFC 6570) for paths and queries.
///
/// Expands `{var}`, `{/var}`, `{.var}`, `{;var}`, `{?var}` and `{&var}`, with several variables, prefixes (`{var:3}`)
/// and `*` on lists. `{+var}` and `{#var}` are refused when the profile is loaded: they let a value change the path,
/// and that must be impossible. Everything outside the unreserved set is percent-encoded.
struct URITemplate: Sendable {
    private enum Part: Sendable {
        case literal(String)
        case expression(Operator, [Variable])
    }

    private struct Variable: Sendable {
        let name: String
        let prefix: Int?
        let explode: Bool
    }

    /// RFC 6570, appendix A.
    private enum Operator: Character, Sendable {
        case simple = " ", label = ".", path = "/", parameter = ";", query = "?", continuation = "&"

        var first: String { self == .simple ? "" : String(rawValue) }
        var separator: String {
            switch self {
            case .simple: ","
            case .query, .continuation: "&"
            case .label, .path, .parameter: String(rawValue)
            }
        }
        var named: Bool { self == .parameter || self == .query || self == .continuation }
        var ifEmpty: String { self == .query || self == .continuation ? "=" : "" }
    }

    private let parts: [Part]
    let variables: [String]

    init(_ text: String) throws(TemplateFault) {
        var parts: [Part] = []
        var variables: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{" else { throw TemplateFault(message: "has a } without {") }
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw TemplateFault(message: "has a { without }")
            }
            var inside = rest[rest.index(after: open)..<close]
            var op = Operator.simple
            if let first = inside.first, !first.isLetter, !first.isNumber, first != "_" {
                if first == "+" || first == "#" {
                    throw TemplateFault(message: "uses {\(first)…}, which lets a value change the path: use {…}")
                }
                guard let known = Operator(rawValue: first), first != " " else {
                    throw TemplateFault(message: "uses {\(first)…}, which RFC 6570 does not have")
                }
                op = known
                inside = inside.dropFirst()
            }
            var list: [Variable] = []
            for spec in inside.split(separator: ",", omittingEmptySubsequences: false) {
                var name = spec
                var explode = false
                var prefix: Int?
                if name.last == "*" {
                    explode = true
                    name = name.dropLast()
                } else if let colon = name.firstIndex(of: ":") {
                    guard let length = Int(name[name.index(after: colon)...]), (1...9999).contains(length) else {
                        throw TemplateFault(message: "has a prefix that is not a number from 1 to 9999")
                    }
                    prefix = length
                    name = name[..<colon]
                }
                guard !name.isEmpty,
                    name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) })
                else { throw TemplateFault(message: "has an expression without a proper variable name") }
                list.append(Variable(name: String(name), prefix: prefix, explode: explode))
                variables.append(String(name))
            }
            parts.append(.expression(op, list))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        for case .literal(let literal) in parts {
            let legal = literal.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value < 0x7F && !"\"<>\\^`|".unicodeScalars.contains($0)
            }
            guard legal else { throw TemplateFault(message: "holds characters that a URI cannot: percent-encode them") }
        }
        self.parts = parts
        self.variables = variables
    }

    func expand(_ variables: Variables) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text): result += text
            case .expression(let op, let list):
                var pieces: [String] = []
                for variable in list {
                    switch variables[variable.name] {
                    case nil: continue
                    case .list(let values) where variable.explode:
                        for value in values { pieces.append(piece(op, variable.name, PercentEncoding.encode(value))) }
                    case .list(let values):
                        guard !values.isEmpty else { continue }
                        pieces.append(
                            piece(op, variable.name, values.map(PercentEncoding.encode).joined(separator: ",")))
                    case .some(let value):
                        var text = value.text
                        if let prefix = variable.prefix {
                            text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(prefix)))
                        }
                        pieces.append(piece(op, variable.name, PercentEncoding.encode(text)))
                    }
                }
                if !pieces.isEmpty { result += op.first + pieces.joined(separator: op.separator) }
            }
        }
        return result
    }

    private func piece(_ op: Operator, _ name: String, _ value: String) -> String {
        guard op.named else { return value }
        return value.isEmpty ? name + op.ifEmpty : "\(name)=\(value)"
    }
}

extension ConfigNode {
    /// A URI template whose variables are all known.
    func uriTemplate(_ names: VariableNames) -> URITemplate? {
        string("a URI template such as \"/patients/{id}\"").flatMap {
            template($0, names, \.variables, URITemplate.init)
        }
    }
}
