import ClientContract

/// The parameters of a query that the contract names; others are ignored.
struct Query: Equatable {
    var limit: [String] = []
    var offset: [String] = []
    var term: [String] = []

    /// Reads `application/x-www-form-urlencoded` pairs.
    /// - Throws: `invalid_input` for a known parameter that is not percent-encoded UTF-8.
    init(_ raw: Substring?) throws(ContractError) {
        guard let raw else { return }
        for pair in raw.split(separator: "&") {
            let name: Substring
            let value: Substring
            if let equals = pair.firstIndex(of: "=") {
                (name, value) = (pair[..<equals], pair[pair.index(after: equals)...])
            } else {
                (name, value) = (pair, "")
            }
            switch PercentEncoding.decode(name.utf8, plusIsSpace: true) {
            case "limit": limit.append(try Self.decoded("limit", value))
            case "offset": offset.append(try Self.decoded("offset", value))
            case "term": term.append(try Self.term(value))
            default: break
            }
        }
    }

    private static func decoded(_ name: String, _ value: Substring) throws(ContractError) -> String {
        guard let text = PercentEncoding.decode(value.utf8, plusIsSpace: true) else {
            throw .invalidInput([.init(query: name, "is not percent-encoded UTF-8")])
        }
        return text
    }

    /// In a term, a leading `+` before a digit is a phone's plus that the caller did not encode; so is one inside an
    /// e-mail address.
    private static func term(_ value: Substring) throws(ContractError) -> String {
        if value.hasPrefix("+"), value.dropFirst().utf8.first.map({ $0 &- 0x30 < 10 }) == true {
            return "+" + (try decoded("term", value.dropFirst()))
        }
        let term = try decoded("term", value)
        // An address holds no blank: one inside was a plus that the caller did not encode.
        if term.contains("@"), PersonText.trimmed(term).contains(where: \.isWhitespace),
            let literal = PercentEncoding.decode(value.utf8)
        {
            return literal
        }
        return term
    }

    func window() throws(ContractError) -> Window { try Window(limit: limit, offset: offset) }

    /// The search term.
    /// - Throws: `invalid_input` when it is missing, repeated, blank, too long or not text.
    func searchTerm(most: Int) throws(ContractError) -> String {
        func fault(_ message: String) -> ContractError { .invalidInput([.init(query: "term", message)]) }
        guard let term = term.first else { throw fault("is required") }
        guard self.term.count == 1 else { throw fault("is given more than once") }
        guard term.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else { throw fault("is blank") }
        guard term.unicodeScalars.count <= most else { throw fault("is longer than \(most) characters") }
        guard !term.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw fault("holds control characters")
        }
        return term
    }
}
