import JSONBytes

/// Tryton's search domains, as far as calls about patients use them.
enum GNUHealthDomain {
    struct Malformed: Error {
        /// What the server says: the text of a Python exception.
        let message: String
    }

    /// Whether a party is in a domain: a list of clauses that all hold, or `["OR", …]`.
    static func holds(_ domain: JSONValue, _ party: GNUHealthParty) throws -> Bool {
        try holds(domain) { clause in try holds(clause, of: party) }
    }

    private static func holds(_ domain: JSONValue, _ clause: ([JSONValue]) throws -> Bool) throws -> Bool {
        let parts = domain.elements
        switch parts.first?.string {
        case "OR": return try parts.dropFirst().contains { try holds($0, clause) }
        case "AND": return try parts.dropFirst().allSatisfy { try holds($0, clause) }
        case nil: return try parts.allSatisfy { try holds($0, clause) }
        default: return try clause(parts)
        }
    }

    private static func holds(_ clause: [JSONValue], of party: GNUHealthParty) throws -> Bool {
        guard clause.count == 3, let field = clause[0].string, let comparison = clause[1].string else {
            throw Malformed(message: "maximum recursion depth exceeded in __instancecheck__")
        }
        let value = clause[2]
        switch field {
        case "is_patient": return party.isPatient == (value.bool ?? false)
        case "id":
            if comparison == "in" { return value.elements.contains { $0.int == party.id } }
            guard let id = value.int else {
                throw Malformed(message: "Python int too large to convert to SQLite INTEGER")
            }
            return party.id == id
        case "name": return try compare(party.name, comparison, value)
        case "lastname": return try compare(party.lastname, comparison, value)
        case "contact_mechanisms" where comparison == "where", "identifiers" where comparison == "where":
            return try party.subrecords(field).contains { record in
                try holds(value) { clause in
                    guard clause.count == 3, let name = clause[0].string, let comparison = clause[1].string,
                        let text = record.texts[name]
                    else { throw Malformed(message: "'\(clause.first?.string ?? "")'") }
                    return try compare(text, comparison, clause[2])
                }
            }
        default:
            let path = field.split(separator: ".").map(String.init)
            guard path.count == 2, ["contact_mechanisms", "identifiers"].contains(path[0]) else {
                throw Malformed(message: "'\(field)'")
            }
            return try party.subrecords(path[0]).contains { record in
                guard let text = record.texts[path[1]] else { throw Malformed(message: "'\(path[1])'") }
                return try compare(text, comparison, value)
            }
        }
    }

    private static func compare(_ text: String?, _ comparison: String, _ value: JSONValue) throws -> Bool {
        switch comparison {
        case "=": return text == value.string
        case "in": return value.elements.contains { $0.string == text }
        case "like", "ilike":
            guard let text, let pattern = value.string else { return false }
            let fold = comparison == "ilike"
            return Pattern.matches(scalars(text, fold), scalars(pattern, fold))
        default: throw Malformed(message: "'\(comparison)'")
        }
    }

    /// SQLite knows the capitals of ASCII letters only.
    private static func scalars(_ text: String, _ fold: Bool) -> [UInt32] {
        text.unicodeScalars.map { fold && (0x61...0x7A).contains($0.value) ? $0.value - 0x20 : $0.value }
    }

    /// SQL's LIKE without an escape: `%` is any run of characters, `_` any one.
    private enum Pattern {
        static func matches(_ text: [UInt32], _ pattern: [UInt32]) -> Bool {
            var (place, wanted) = (0, 0)
            // Where the last % stands, and the text that it has swallowed.
            var restart: (pattern: Int, text: Int)?
            while place < text.count {
                if wanted < pattern.count, pattern[wanted] == 0x25 {
                    restart = (wanted, place)
                    wanted += 1
                } else if wanted < pattern.count, pattern[wanted] == 0x5F || pattern[wanted] == text[place] {
                    place += 1
                    wanted += 1
                } else if let last = restart {
                    restart = (last.pattern, last.text + 1)
                    (place, wanted) = (last.text + 1, last.pattern + 1)
                } else {
                    return false
                }
            }
            return pattern[wanted...].allSatisfy { $0 == 0x25 }
        }
    }
}
