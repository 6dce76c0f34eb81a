import ClientContract

/// GNU Health keeps a person's name in two fields; the contract has one.
enum PersonNames {
    /// The name as the contract shows it.
    static func joined(given: String, family: String) -> String {
        PersonText.trimmed(PersonText.trimmed(given) + " " + PersonText.trimmed(family))
    }

    /// Takes a name apart: the first word is the given name, the rest the family's.
    /// - Parameter given: the given name on record. Where the new name begins with it, the border stays where the clinic
    ///   drew it ("Ana Maria" + "Souza").
    static func split(_ name: String, keeping given: String? = nil) -> (given: String, family: String?) {
        let words = name.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map(String.init)
        var border = 1
        if let given {
            let known = PersonText.nameKey(given)
            let length = known.split(separator: " ").count
            if length > 1, words.count >= length, PersonText.nameKey(words[..<length].joined(separator: " ")) == known {
                border = length
            }
        }
        let family = words.dropFirst(border).joined(separator: " ")
        return (words.prefix(border).joined(separator: " "), family.isEmpty ? nil : family)
    }
}
