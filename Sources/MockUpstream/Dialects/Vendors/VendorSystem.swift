/// One vendor's system as a value: what it wants, what it shows and how it says no. `VendorDialect` plays it. Each
/// vendor has a file in `Systems` that states its quirks; `docs/mock.md` is the reference.
struct VendorSystem: Sendable {
    /// What the base URL ends with, as `/rest/v1`, or "".
    var basePath = ""
    /// What every request must carry, but for a login.
    var wants: [VendorDemand]
    var login: VendorLogin?
    /// The first that fits answers.
    var routes: [VendorRoute]
    var people: VendorPeople
    /// How many calls it takes, where `MockOptions.callLimits` says that it counts.
    var limit: VendorLimit?
    /// How it says what went wrong.
    var says: @Sendable (VendorTrouble) -> MockAnswer
}

/// What went wrong, before a vendor puts it in its own words.
enum VendorTrouble: Sendable {
    case credentialsMissing, credentialsWrong
    case noRoute
    /// The route knows other methods.
    case wrongMethod
    /// Not JSON, or not an object.
    case badBody
    case invalid([VendorFault])
    /// There is no such patient: to a call that reads, or to one that writes.
    case absent(writing: Bool)
    /// The new patient repeats one on record.
    case duplicate(VendorFault)
    /// Seconds until it takes calls again; nil when it does not say.
    case tooManyCalls(seconds: Int?)
}

struct VendorFault: Sendable {
    let field: String
    let message: String
}

/// Something that a request must carry.
enum VendorDemand: Sendable {
    /// A header with exactly this value.
    case header(String, String)
    case basic(user: String, password: String)
    /// A value in path, query or body; without it the request is faulty.
    case parameter(String, String)
    /// A token that a login gave, in this header behind this text.
    case session(header: String, scheme: String)
    /// A header that must hold this text; another value is no matter of credentials.
    case holds(header: String, text: String)
}

/// How a session begins.
struct VendorLogin: Sendable {
    let path: String
    /// What must be sent, beside the refresh token.
    var expects: [String: String]
    /// The parameter with a refresh token, and the first one. Each works once, and gives the next.
    var refresh: (parameter: String, first: String)?
    var lifetime: Int
    /// The answer: access token, refresh token, lifetime.
    var gives: @Sendable (String, String, Int) -> MockJSON
}

/// So many calls in any stretch of so many seconds.
struct VendorLimit: Sendable {
    let calls: Int
    let seconds: Double
    /// A header and the value of it for which the quota is always spent.
    var spent: (header: String, value: String)?
}

struct VendorRoute: Sendable {
    let method: String
    let path: String
    /// A parameter without which the route is another one's.
    var given: String?
    let does: VendorAction

    init(_ method: String, _ path: String, given: String? = nil, _ does: VendorAction) {
        self.method = method
        self.path = path
        self.given = given
        self.does = does
    }
}

enum VendorAction: Sendable {
    case page(VendorPage)
    case one(VendorLookup)
    case create(VendorWrite)
    case update(VendorWrite)
}

// MARK: People

/// How the system keeps its patients.
struct VendorPeople: Sendable {
    /// The id of the patient in this place, from 0.
    var id: @Sendable (Int) -> String = { String(1_001 + $0) }
    /// The id that stands in the record itself, where it is not of the system's making.
    var ownID: (@Sendable (MockJSON) -> String?)?
    /// The record that is kept of a person, in this place, under this id.
    var record: @Sendable (Person, Int, String) -> MockJSON
    /// What a kept record can be searched by.
    var keys: @Sendable (MockJSON) -> SearchKeys
    /// Members of a record beside what a caller of the contract can name.
    var keepsakes: [String] = []
    /// Records that are no patients, each made of the first patient's and an id: a company, somebody inactive.
    var strangers: [@Sendable (MockJSON, String) -> MockJSON] = []
    /// How it is shown in a list.
    var row: @Sendable (MockJSON) -> MockJSON = { $0 }
    /// How it is shown alone.
    var detail: @Sendable (MockJSON) -> MockJSON = { $0 }
}

/// A patient on record.
struct VendorRecord: Sendable {
    let id: String
    let members: MockJSON
    let keys: SearchKeys

    init(id: String, members: MockJSON, _ people: VendorPeople) {
        self.id = people.ownID?(members) ?? id
        self.members = members
        keys = people.keys(members)
    }
}

// MARK: Reading

/// Which records a call asks for.
typealias VendorCondition = @Sendable (VendorRecord) -> Bool

struct VendorPage: Sendable {
    enum Paging: Sendable {
        /// All at once.
        case none
        /// Rows to skip and rows wanted; how many there are unless it is said, and at most.
        case offset(_ offset: String, _ limit: String, usual: Int, most: Int)
        /// Pages from 1 on.
        case numbers(_ page: String, _ size: String, usual: Int, most: Int)
    }

    struct Rows: Sendable {
        let rows: [MockJSON]
        let total: Int
        let first: Int
        let page: Int
        let size: Int
        var pages: Int { (total + size - 1) / max(1, size) }
    }

    var paging: Paging
    /// The size is the database's own limit: a page has as many rows as are asked for, while there are.
    var honoursSize = false
    /// Too large a page is refused; else it is served as the largest.
    var refusesLargePages = false
    /// The filters of a request; none means all. Nil where it makes no sense.
    var conditions: @Sendable (VendorRequest) -> [VendorCondition]?
    /// What is left out without being a filter of the caller's search: inactive people, companies.
    var scope: @Sendable (VendorRequest) -> [VendorCondition] = { _ in [] }
    /// Filters without which it shows nobody: the fault then.
    var demands: VendorFault?
    var envelope: @Sendable (Rows) -> MockJSON
    /// Members that are shown, where the caller may choose.
    var shown: @Sendable (VendorRequest) -> [String]? = { _ in nil }
}

struct VendorLookup: Sendable {
    /// Who is asked for.
    var asks: @Sendable (VendorRequest) -> String? = { $0["id"] }
    var filter = VendorFilter.id
    /// Whether it counts as a search: the caller knows no id.
    var isSearch = false
    var envelope: @Sendable (MockJSON) -> MockJSON = { $0 }
    /// What is said of nobody, where it is not what the system says elsewhere.
    var nobody: MockAnswer?
    /// Members that are shown, where the caller may choose.
    var shown: @Sendable (VendorRequest) -> [String]? = { _ in nil }
}

/// How a parameter is held against a record.
struct VendorFilter: Sendable {
    let fits: @Sendable (String, VendorRecord) -> Bool

    static let id = VendorFilter { $1.id == $0 }
    /// The digits of both.
    static let cpf = VendorFilter { value, record in record.keys.cpf.map { $0 == Text.digits(value) } ?? false }
    /// Anywhere in the digits of any phone.
    static let phone = VendorFilter { value, record in
        let digits = Text.digits(value)
        return !digits.isEmpty && record.keys.phones.contains { $0.contains(digits) }
    }
    static let email = VendorFilter { value, record in record.keys.emails.contains(Text.folded(value)) }
    static let name = VendorFilter { value, record in record.keys.name.contains(Text.folded(value)) }
    static let wholeName = VendorFilter { value, record in record.keys.name == Text.folded(value) }
    static let everybody = VendorFilter { _, _ in true }

    /// A member as it stands, letter by letter.
    static func asStored(_ member: String) -> VendorFilter {
        VendorFilter { value, record in record.members[member]?.scalar == value }
    }

    /// Any of these members as it stands, letter by letter.
    static func asStored(_ members: [String]) -> VendorFilter {
        VendorFilter { value, record in members.contains { record.members[$0]?.scalar == value } }
    }

    /// Anywhere in any of these members, without case.
    static func keyword(_ members: [String]) -> VendorFilter {
        VendorFilter { value, record in
            members.contains { (record.members[$0]?.scalar ?? "").lowercased().contains(value.lowercased()) }
        }
    }

    /// Reads filters by the names of their parameters; others are ignored.
    static func among(_ filters: [String: VendorFilter]) -> @Sendable (VendorRequest) -> [VendorCondition]? {
        { request in
            filters.sorted { $0.key < $1.key }.compactMap { name, filter -> VendorCondition? in
                guard let value = request[name] else { return nil }
                return { filter.fits(value, $0) }
            }
        }
    }
}

// MARK: Writing

struct VendorWrite: Sendable {
    /// The record within what was sent; nil where there is none.
    var record: @Sendable (VendorRequest) -> MockJSON? = { $0.sent }
    /// Who is changed.
    var id: @Sendable (VendorRequest) -> String? = { $0["id"] }
    /// Members that a caller may set. Others are ignored.
    var writable: [String]
    var rules: [VendorRule] = []
    /// Whether members that were not sent are emptied.
    var replaces = false
    /// Takes values to the form in which they are kept.
    var keeps: @Sendable (MockJSON) -> MockJSON = { $0 }
    /// Why a new record cannot be beside one on record; nil when it can.
    var collides: @Sendable (VendorRecord, VendorRecord, VendorRequest) -> VendorFault? = { _, _, _ in nil }
    var status = 200
    var headers: @Sendable (String) -> [(name: String, value: String)] = { _ in [] }
    /// The answer to a write that was made: the id and the record as a detail.
    var answer: @Sendable (String, MockJSON) -> MockJSON
}

/// What a member of a write must be.
struct VendorRule: Sendable {
    enum Test: Sendable {
        case required
        /// So many digits and nothing else.
        case digits(ClosedRange<Int>)
        /// Digits with any of these characters between them.
        case phone(ClosedRange<Int>)
        /// A number in one of these spellings, or one of another country behind a `+`.
        case number([PhoneWriting])
        case isoDate
        /// `dd/MM/yyyy`.
        case dayFirst
        case email
        case only(@Sendable (MockJSON) -> Bool)
    }

    let member: String
    let test: Test
    let message: String

    init(_ member: String, _ test: Test, _ message: String) {
        self.member = member
        self.test = test
        self.message = message
    }

    /// Whether the rule holds. What is absent breaks only the rule that it be there.
    func holds(_ record: MockJSON) -> Bool {
        let value = record.at(member)
        if case .required = test {
            if case .some(.array(let elements)) = value { return !elements.isEmpty }
            return value?.scalar != nil
        }
        guard let value else { return true }
        if case .only(let holds) = test { return holds(value) }
        if case .null = value { return true }
        if case .text(let text) = value, text.isEmpty { return true }
        guard let text = value.scalar else { return false }
        switch test {
        case .required, .only: return true
        case .digits(let count): return Text.digits(text) == text && count.contains(text.utf8.count)
        case .phone(let count):
            return text.allSatisfy { $0.isASCII && ($0.isNumber || " ()+-.".contains($0)) }
                && count.contains(Text.digits(text).utf8.count)
        case .number(let ways): return PhoneWriting.isForeign(text) || ways.contains { $0.fits(text) }
        case .isoDate: return CivilDate(iso: text) != nil
        case .dayFirst: return CivilDate(dayFirst: text, separator: "/") != nil
        case .email:
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && !parts.contains { $0.isEmpty } && !text.contains(" ")
        }
    }
}
