import DriverSupport

/// What a search was asked, to be compared with what the server says that it did.
///
/// Servers may ignore parameters that they do not know (FHIR R4, section 3.1.1.3) and answer more than was asked for; the
/// self link then lacks them (section 3.1.1.3.1). Nothing rests on it: Bridge compares every candidate all the same. It
/// only ends a search at once that would go through the whole table.
enum SelfLink {
    /// A parameter and the alternatives that were asked for, any of which may match.
    struct Parameter: Sendable {
        let name: String
        let values: [String]
    }

    /// The first parameter that the server left out or changed; nil where all are there, and where the link says nothing.
    static func missing(_ asked: [Parameter], in link: String?) -> String? {
        guard let link, let mark = link.firstIndex(of: "?") else { return nil }
        var used: [(name: String, values: Set<String>)] = []
        for pair in link[link.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = PercentEncoding.decode(String(parts[0])) ?? String(parts[0])
            let value = parts.count == 2 ? String(parts[1]) : ""
            used.append((name, Set(alternatives(PercentEncoding.decode(value) ?? value).map(plain))))
        }
        // A link to a page of a search that is kept (`_getpages=…`) says nothing of the search.
        guard used.contains(where: { !$0.name.hasPrefix("_") }) || used.allSatisfy({ !isOpaque($0.name) }) else {
            return nil
        }
        for parameter in asked {
            let wanted = parameter.values.map(plain)
            let isThere = used.contains { entry in
                base(entry.name) == base(parameter.name) && wanted.allSatisfy { entry.values.contains($0) }
            }
            if !isThere { return parameter.name }
        }
        return nil
    }

    /// A parameter's name without its modifier, which some servers add or leave out.
    private static func base(_ name: String) -> Substring { name.prefix { $0 != ":" } }

    private static func isOpaque(_ name: String) -> Bool {
        ["_getpages", "_page_token", "_bundletype", "_getpagesoffset"].contains(name)
    }

    /// A parameter's alternatives: split at commas that no backslash escapes.
    private static func alternatives(_ text: String) -> [String] {
        var alternatives: [String] = []
        var current = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": if let next = rest.popFirst() { current.append(next) }
            case ",":
                alternatives.append(String(current))
                current = String.UnicodeScalarView()
            default: current.append(scalar)
            }
        }
        return alternatives + [String(current)]
    }

    /// Servers write the link anew: a plus may stand for itself or for a blank, and either may be lost; so may case.
    private static func plain(_ text: String) -> String {
        text.filter { $0 != "+" && !$0.isWhitespace }.lowercased()
    }
}
