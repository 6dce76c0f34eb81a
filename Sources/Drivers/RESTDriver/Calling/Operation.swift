import ClientContract
import JSONBytes
import UpstreamDriver

/// One call that a vendor offers, compiled.
struct Operation: Sendable {
    /// What is tolerated where the items should be an array.
    struct Tolerance: Sendable {
        /// A single object is a list of one.
        var single = false
        /// `{}` is an empty list.
        var emptyObject = false
        /// null is an empty list.
        var null = false
    }

    struct Paging: Sendable {
        enum Style: Sendable {
            case offset
            /// Page numbers, from this one on.
            case page(base: Int)
            case cursor(JSONPointer)
            case link(JSONPointer)
            case none
        }

        var style: Style
        var maximum: Int
        var fixed: Int?
        var total: JSONPointer?
        /// Number of pages in all.
        var pages: JSONPointer?
        /// Whether more follow.
        var more: JSONPointer?
        var shortPageEnds: Bool

        var capability: Capabilities.Paging {
            let style: Capabilities.PageStyle =
                switch self.style {
                case .offset: .offset
                case .page: .numbered
                case .cursor, .link: .token
                case .none: .single
                }
            return Capabilities.Paging(style, maximum: maximum, fixed: fixed, shortPageEnds: shortPageEnds)
        }
    }

    let name: String
    let method: String
    let path: URITemplate
    let query: [NamedTemplate]
    let headers: [NamedTemplate]
    let body: BodyTemplate
    /// User and password of HTTP Basic for this operation alone.
    let basic: (user: TextTemplate, password: TextTemplate)?
    /// Where the rows stand; the first pointer that names something.
    let items: [JSONPointer]
    /// Where the record stands.
    let item: [JSONPointer]
    let tolerance: Tolerance
    let shape: Shape
    let paging: Paging
    /// Its own rules, then the profile's.
    let outcomes: [OutcomeRule]
    /// For a create: where the new id stands, or that it is the tail of the Location header.
    let answerID: [JSONPointer]
    /// For a create: where the id stands in the record that was sent, for systems whose ids are given by the caller.
    let sentID: JSONPointer?
    let idFromLocation: Bool
    /// The answer to a write is the whole record.
    let answersRecord: Bool
    /// Sends `If-Match` with the entity tag that the read answered.
    let conditional: Bool

    static let contentTypeJSON = "application/json"
}

/// One way to search, compiled: an operation and one spelling of the term.
struct SearchAttempt: Sendable {
    let operation: String
    /// Query parameters beside the operation's own.
    let query: [NamedTemplate]
    /// Values for `{with.name}` in the operation.
    let with: [(name: String, value: String)]
    /// One spelling, or several that go in one call as `{terms}`.
    let spellings: [TermSpelling]
    /// Whether to ask for the number, for its twin with the ninth digit added or left out, or for both in one call.
    let lines: Lines
    let trust: Capabilities.Trust
    /// Characters that the vendor's filter language would read as its own, and what is put before them. Scalars, not
    /// letters: a combining mark behind a wildcard must not hide it.
    let escapes: (characters: Set<Unicode.Scalar>, prefix: String)?
    /// Characters that the filter cannot carry at all.
    let forbidden: Set<Unicode.Scalar>

    enum Lines: Sendable { case own, twin, both }

    struct Refused: Error {}

    /// The values of the operation's variables; nil where there is nothing to ask for.
    func values(_ texts: [String]) -> Variables? {
        guard let first = texts.first else { return nil }
        var values = Variables(["term": .text(first), "terms": .list(texts)])
        for (name, value) in with { values["with.\(name)"] = .text(value) }
        return values
    }

    /// How a well known phone or CPF is asked for.
    var samples: [String] {
        let texts = spellings.compactMap { spelling -> String? in
            guard lines != .twin else { return nil }
            if let phone = PhoneNumber("5531988880001"), let text = spelling.write(.phone(phone)) { return text }
            return CPF("30000000116").flatMap { spelling.write(.cpf($0)) }
        }
        return texts
    }

    /// The texts to ask for; none where the term has no such spelling.
    func texts(_ term: SearchTerm) throws(Refused) -> [String] {
        var terms = lines == .twin ? [] : [term]
        if lines != .own, case .phone(let phone) = term, let other = phone.ninthDigitTwin {
            terms.append(.phone(other))
        }
        var texts: [String] = []
        for term in terms {
            for spelling in spellings {
                guard let text = spelling.write(term) else { continue }
                if text.unicodeScalars.contains(where: { forbidden.contains($0) }) { throw Refused() }
                let escaped = escapes.map { SearchAttempt.escape(text, $0.characters, $0.prefix) } ?? text
                if !texts.contains(escaped) { texts.append(escaped) }
            }
        }
        return texts
    }
}

extension SearchAttempt {
    private static func escape(_ text: String, _ characters: Set<Unicode.Scalar>, _ prefix: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if characters.contains(scalar) { result.append(contentsOf: prefix.unicodeScalars) }
            result.append(scalar)
        }
        return String(result)
    }
}

extension Operation {
    /// Every variable that the request uses, beside those of all requests.
    var variables: Set<String> {
        var names = Set(path.variables)
        for template in query + headers { names.formUnion(template.value.variables) }
        if let basic { names.formUnion(basic.user.variables + basic.password.variables) }
        switch body {
        case .none: break
        case .json(let node): names.formUnion(node.variables)
        case .form(let fields, _), .multipart(let fields):
            for field in fields { names.formUnion(field.value.variables) }
        }
        return names
    }

    /// Whether the profile says what "no such client" looks like here: then nothing else does.
    var namesAbsence: Bool {
        outcomes.contains { $0.kind == .notFound } || tolerance.emptyObject || tolerance.null
    }

    /// Whether the request carries the record that a write makes.
    var sendsRecord: Bool {
        switch body {
        case .json(let node): node.holdsRecord
        case .form(_, let spreads): spreads
        case .none, .multipart: false
        }
    }
}

/// How a vendor's sessions begin.
struct LoginRecipe: Sendable {
    struct Step: Sendable {
        let operation: Operation
        let token: [JSONPointer]
        let lifetime: Lifetime
        let refreshToken: JSONPointer?
    }

    enum Lifetime: Sendable {
        case fixed(Duration)
        /// A number of seconds in the answer.
        case seconds(JSONPointer, fallback: Duration)
        /// Until the vendor says otherwise.
        case open
    }

    let login: Step
    let refresh: Step?
    /// The credential that each login replaces by the refresh token of its answer.
    let replaces: String?
}

/// Where a vendor says when to come back.
struct RetryHint: Sendable {
    enum Form: String, Sendable, CaseIterable { case seconds, epochSeconds }
    let header: String
    let form: Form
}
