import StrictConfig

/// What a template may name.
enum VariableValue: Sendable {
    case text(String)
    case number(Int)
    /// Several values in one place, such as the spellings of a phone joined by commas.
    case list([String])

    var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        case .list(let list): list.joined(separator: ",")
        }
    }
}

/// The variables of one request. A name without a value leaves out the member, parameter or expression that uses it.
struct Variables: Sendable {
    fileprivate var values: [String: VariableValue]

    init(_ values: [String: VariableValue] = [:]) { self.values = values }

    subscript(_ name: String) -> VariableValue? {
        get { values[name] }
        set { values[name] = newValue }
    }
}

/// The names that a template may use, and how to say that one is unknown.
struct VariableNames {
    var known: Set<String>

    func adding(_ names: String...) -> VariableNames { VariableNames(known: known.union(names)) }
    func adding(_ names: [String]) -> VariableNames { VariableNames(known: known.union(names)) }

    /// What is said of a name that is not among them.
    func unknown(_ name: String) -> String {
        // An address of the vendor's own names settings only.
        let members =
            known.contains("requestId")
            ? ["setting": "settings", "credential": "credentials"] : ["setting": "settings"]
        let kind = name.prefix { $0 != "." }
        if let member = members[String(kind)], !known.contains(where: { $0.hasPrefix("\(kind).") }) {
            return "unknown variable \"\(NearestName.printable(name))\": declare it in \"\(member)\""
        }
        return NearestName.unknown("variable", name, Array(known))
    }
}

extension Variables {
    mutating func merge(_ other: Variables) { values.merge(other.values) { $1 } }

    var texts: [String] { values.values.map(\.text) }
}

/// Why a text is no template.
struct TemplateFault: Error { let message: String }

extension ConfigNode {
    /// A template whose variables are all known.
    func template<Template>(
        _ text: String, _ names: VariableNames, _ variables: (Template) -> [String],
        _ read: (String) throws(TemplateFault) -> Template
    ) -> Template? {
        do throws(TemplateFault) {
            let template = try read(text)
            for name in variables(template) where !names.known.contains(name) {
                fault(names.unknown(name))
                return nil
            }
            return template
        } catch {
            fault(error.message)
            return nil
        }
    }
}
