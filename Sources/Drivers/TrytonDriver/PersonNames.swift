import ClientContract
import DriverSupport

/// GNU Health keeps a person's name in two fields; the contract has one.
enum PersonNames {
    /// The name as the contract shows it.
    static func joined(given: String, family: String) -> String {
        PersonText.trimmed(PersonText.trimmed(given) + " " + PersonText.trimmed(family))
    }

    /// Takes a name apart: the first word is the given name, the rest the family's.
    /// - Parameters:
    ///   - given: the given name on record. Where the new name begins with it, the border stays where the clinic drew it
    ///     ("Ana Maria" + "Souza").
    ///   - family: the family name on record; the same where the new name ends with it.
    static func split(
        _ name: String, keeping given: String? = nil, _ family: String? = nil
    ) -> (given: String, family: String?) {
        let words = name.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map(String.init)
        let border = NameBorder.place(in: words, by: .firstWord, first: given ?? "", rest: family ?? "")
        let family = words.dropFirst(border).joined(separator: " ")
        return (words.prefix(border).joined(separator: " "), family.isEmpty ? nil : family)
    }
}
