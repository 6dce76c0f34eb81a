import ClientContract

/// Tryton's search domains for the contract's terms. Each finds every patient whose record matches in any spelling, and
/// may find more: Bridge compares.
///
/// `like` and `ilike` patterns have two wildcards, `%` and `_`, and no way of escaping them that works on PostgreSQL and on
/// SQLite alike. So none is escaped: a wildcard in a term finds what is meant, too. A backslash, which PostgreSQL reads
/// and SQLite does not, becomes a wildcard.
enum Domains {
    /// Persons whom the clinic marked as patients. Inactive ones are left out by Tryton itself.
    static let patients: RPCValue = ["is_patient", "=", true]

    /// Contact mechanisms that are phones.
    static let phoneTypes: Set<String> = ["phone", "mobile"]
    static let emailType = "email"
    /// How python-stdnum, and so Tryton, names the CPF.
    static let cpfType = "br_cpf"

    static func id(_ id: Int) -> RPCValue { [["id", "=", .number(id)], patients] }

    static func candidates(_ term: SearchTerm) -> RPCValue {
        switch term {
        case .phone(let phone):
            // The last eight digits stand in every spelling, with and without country, area code and ninth digit.
            [
                mechanisms(
                    ["type", "in", .list(phoneTypes.sorted().map { .text($0) })],
                    ["value", "like", .text("%" + spaced(String(phone.digits.suffix(8))) + "%")]), patients,
            ]
        case .email(let email):
            [mechanisms(["type", "=", .text(emailType)], ["value", "ilike", .text(pattern(email))]), patients]
        case .cpf(let cpf):
            // Kept as it was written: with its dots and hyphen, with some of them, or without.
            [
                [
                    "identifiers", "where",
                    [["type", "=", .text(cpfType)], ["code", "like", .text("%" + spaced(cpf.digits) + "%")]],
                ], patients,
            ]
        case .name(let name): .list(names(name) + [patients])
        }
    }

    private static func mechanisms(_ clauses: RPCValue...) -> RPCValue {
        ["contact_mechanisms", "where", .list(clauses)]
    }

    /// `1%2%3`
    private static func spaced(_ digits: String) -> String { digits.map(String.init).joined(separator: "%") }

    /// Given and family names stand in two fields: any word may be the first of the family's.
    private static func names(_ name: String) -> [RPCValue] {
        let words = name.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { pattern(String($0)) }
        func joined(_ words: ArraySlice<String>) -> RPCValue { .text(words.joined(separator: "%")) }
        let whole: RPCValue = [
            ["name", "ilike", joined(words[...])], ["OR", ["lastname", "=", nil], ["lastname", "=", ""]],
        ]
        let split = words.indices.dropFirst().map { place -> RPCValue in
            [["name", "ilike", joined(words[..<place])], ["lastname", "ilike", joined(words[place...])]]
        }
        // The first word goes ahead: one comparison, and not one for each border, decides most rows.
        return [["name", "ilike", .text((words.first ?? "") + "%")], .list(["OR", whole] + split)]
    }

    /// A text as a pattern. Letters beyond ASCII become wildcards: SQLite does not know their capitals, and a letter with an
    /// accent may be stored as one character or as two.
    private static func pattern(_ text: String) -> String {
        var pattern = ""
        for scalar in PersonText.composed(text).unicodeScalars {
            switch scalar {
            case "\\": pattern.append("_")
            case _ where scalar.isASCII: pattern.unicodeScalars.append(scalar)
            default: if pattern.last != "%" { pattern.append("%") }
            }
        }
        return pattern
    }
}
