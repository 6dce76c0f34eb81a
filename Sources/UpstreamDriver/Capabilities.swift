public import ClientContract

/// What a clinic's system can do, as its driver knows it.
public struct Capabilities: Sendable {
    public enum Operation: String, Sendable, CaseIterable { case list, search, get, create, update }

    /// How the system pages.
    public enum PageStyle: Sendable, Equatable {
        /// Any offset.
        case offset
        /// Pages of a fixed size, from the first on.
        case numbered
        /// One page after the other, by a token.
        case token
        /// Everything at once.
        case single
    }

    public struct Paging: Sendable {
        public var style: PageStyle
        /// Most clients that one page holds.
        public var maximum: Int
        /// Pages hold exactly this many; nil where the size can be asked for.
        public var fixed: Int?
        /// A page with fewer rows than asked for is the last.
        public var shortPageEnds: Bool

        public init(_ style: PageStyle, maximum: Int = 100, fixed: Int? = nil, shortPageEnds: Bool = true) {
            self.style = style
            self.maximum = maximum
            self.fixed = fixed
            self.shortPageEnds = shortPageEnds
        }
    }

    /// How much of the system's own search can be relied on. Bridge compares every candidate all the same.
    public enum Trust: Sendable {
        /// It finds every match of the spelling it is asked for.
        case exact
        /// It finds every match, and more.
        case superset
        /// Nobody has proved anything: treated as a superset.
        case unproven
    }

    /// One way to search by a kind of term.
    public struct Attempt: Sendable {
        public var trust: Trust
        public var paging: Paging
        /// How the phone +55 31 98888-0001, or the CPF 300.000.001-16, is asked for: a system that compares letter by
        /// letter finds it on record so and in no other spelling. Empty where that is not known, or no matter.
        public var samples: [String]

        public init(trust: Trust, paging: Paging, samples: [String] = []) {
            self.trust = trust
            self.paging = paging
            self.samples = samples
        }
    }

    /// What the system does with a create that repeats a record.
    public enum DuplicatePolicy: String, Sendable { case reusesSilently, refuses, creates, unknown }

    /// What a create is told and no client shows ("Criar um novo cliente").
    public enum DraftMember: String, Sendable, CaseIterable { case healthInsurance, location }

    /// The system, as people call it: for error texts.
    public var system: String
    public var operations: Set<Operation>
    public var listPaging: Paging
    /// Attempts by kind, to be made together: a match may be found by any of them.
    public var searches: [TermKind: [Attempt]]
    /// Members that rows of lists and searches lack, though the full record may hold them.
    public var needsDetail: Set<ClientField>
    /// Rows are passed over (inactive records), so that offsets of the system and of the caller differ.
    public var skipsRows: Bool
    public var duplicates: DuplicatePolicy
    /// Members that a patch cannot change in this system.
    public var unchangeable: Set<ClientField>
    /// How long reads may lag writes.
    public var staleReads: Duration
    /// Members of a draft beside the client's own that a create passes on; the contract lets the others be ignored.
    public var draftMembers: Set<DraftMember>
    /// Members that the system's records can show at all.
    public var readable: Set<ClientField>
    /// Members that a create keeps.
    public var creatable: Set<ClientField>
    /// Whether "not found" for one client is the system's own word. Where it is not, a gateway's looks the same, and
    /// Bridge asks for somebody who is listed before it believes one.
    public var provesAbsence: Bool

    public init(
        system: String, operations: Set<Operation>, listPaging: Paging, searches: [TermKind: [Attempt]],
        needsDetail: Set<ClientField> = [], skipsRows: Bool = false, duplicates: DuplicatePolicy = .unknown,
        unchangeable: Set<ClientField> = [], staleReads: Duration = .zero,
        draftMembers: Set<DraftMember> = [], readable: Set<ClientField> = Set(ClientField.allCases),
        creatable: Set<ClientField> = [.name, .phone, .cpf, .email, .birthday], provesAbsence: Bool = true
    ) {
        self.system = system
        self.operations = operations
        self.listPaging = listPaging
        self.searches = searches
        self.needsDetail = needsDetail
        self.skipsRows = skipsRows
        self.duplicates = duplicates
        self.unchangeable = unchangeable
        self.staleReads = staleReads
        self.draftMembers = draftMembers
        self.readable = readable
        self.creatable = creatable
        self.provesAbsence = provesAbsence
    }
}
