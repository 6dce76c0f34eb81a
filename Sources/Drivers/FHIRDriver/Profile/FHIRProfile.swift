public import ClientContract
import JSONBytes
public import StrictConfig
public import Transport
public import UpstreamDriver

/// One FHIR server's ways, read from `Config/drivers/fhir/<name>.json`. The members are described in
/// `docs/drivers/fhir.md`.
public struct FHIRProfile: Sendable {
    /// A value that a tenant gives by name.
    public struct Setting: Sendable {
        public let name: String
        /// Used when the tenant gives none; nil when it must.
        public let fallback: String?
        /// Given only by those who want it.
        public let isOptional: Bool
    }

    public let name: String
    /// The server, as people call it.
    public let title: String
    /// Ways to sign in. The one whose credentials a tenant gives, all and no others, is used.
    public let signIns: [SignIn]
    /// Calls at once that the server can bear; nil when nothing is known.
    public let concurrent: Int?
    /// Calls in a period that the server allows; nil when nothing is known.
    public let pace: Pace?
    /// What the profile says that the server can do; the server's own statement may take from it.
    public let capabilities: Capabilities
    let declared: [Setting]
    let plan: FHIRPlan

    /// Reads a profile.
    /// - Parameter file: its name, for faults.
    /// - Throws: every fault of the file, with pointer, line, what was expected and the nearest valid name.
    public init(_ bytes: [UInt8], file: String) throws(ConfigError) {
        let report = ConfigReport(file: file)
        let read = report.root(bytes).flatMap { FHIRProfileReader($0).read() }
        try report.check()
        guard let read else { throw ConfigError([ConfigFault(file: file, message: "cannot be read")]) }
        self = read
    }

    init(
        name: String, title: String, signIns: [SignIn], concurrent: Int?, pace: Pace?, declared: [Setting],
        plan: FHIRPlan
    ) {
        self.name = name
        self.title = title
        self.signIns = signIns
        self.concurrent = concurrent
        self.pace = pace
        self.declared = declared
        self.plan = plan
        capabilities = plan.capabilities(system: title)
    }

    /// What the server can do for a tenant.
    /// - Parameter repeatsRecords: as in `FHIRTenant`.
    public func capabilities(repeatsRecords: Bool) -> Capabilities {
        var plan = plan
        if repeatsRecords { plan.ifNoneExist = false }
        return plan.capabilities(system: title)
    }

    /// The settings that a tenant with this way to sign in may give.
    public func settings(_ signIn: SignIn) -> [Setting] {
        var all = declared
        // Which identifier system new CPFs get, where the clinic differs from the profile.
        all.append(Setting(name: FHIRProfile.cpfSystem, fallback: nil, isOptional: true))
        if case .clientCredentials = signIn.style {
            all.append(Setting(name: FHIRProfile.tokenURL, fallback: nil, isOptional: false))
            all.append(Setting(name: FHIRProfile.scope, fallback: nil, isOptional: true))
        }
        return all
    }

    /// The way to sign in that needs exactly these credentials.
    public func signIn(credentials: Set<String>) -> SignIn? { signIns.first { Set($0.credentials) == credentials } }

    /// Names of settings that Ponte knows itself.
    public static let cpfSystem = "cpfSystem"
    /// Where a token is asked for: an address of its own, which a tenant must give.
    public static let tokenURL = "tokenURL"
    public static let scope = "scope"
}

/// A way to sign in.
public struct SignIn: Sendable {
    enum Style: Sendable {
        case none
        /// `Authorization: Bearer …` with a token that does not run out.
        case bearer
        /// A header of the server's own.
        case header(String)
        /// RFC 7617.
        case basic
        /// OAuth 2.0 client credentials (RFC 6749, section 4.4).
        case clientCredentials(secretIn: SecretPlace)
    }

    /// Where the client's own secret stands (RFC 6749, section 2.3.1).
    enum SecretPlace: String, Sendable, CaseIterable { case body, header }

    let style: Style

    /// The credentials that a tenant must give.
    public var credentials: [String] {
        switch style {
        case .none: []
        case .bearer: ["token"]
        case .header: ["key"]
        case .basic: ["user", "password"]
        case .clientCredentials: ["clientID", "clientSecret"]
        }
    }
}

/// What one clinic adds to a profile.
public struct FHIRTenant: Sendable {
    /// The server's base address (FHIR R4, section 3.1.0.1.2), without a trailing slash.
    public var baseURL: String
    public var credentials: [String: Secret]
    public var settings: [String: String]
    public var phones: PhoneContext
    /// Whether a create of somebody on record shall make another record: then no server is asked to answer the one that
    /// is there (`If-None-Exist`).
    public var repeatsRecords: Bool

    public init(
        baseURL: String, credentials: [String: Secret] = [:], settings: [String: String] = [:],
        phones: PhoneContext = PhoneContext(), repeatsRecords: Bool = false
    ) {
        self.baseURL = baseURL
        self.credentials = credentials
        self.settings = settings
        self.phones = phones
        self.repeatsRecords = repeatsRecords
    }
}

/// What a profile says, ready to run.
struct FHIRPlan: Sendable {
    struct CPFs: Sendable {
        /// Identifier systems under which CPFs are found, in the order of preference.
        var read: [String]
        /// The one that new CPFs get.
        var write: String
        var spelling = CPFSpelling.digits
        /// Spellings that may be stored.
        var search = CPFSpelling.allCases
        /// `Identifier.type.text` or code of CPFs, for servers whose identifiers have no system.
        var types: [String] = []
        /// Members of a new identifier beside its system and value.
        var members: [JSONTemplate.Member] = []
        /// Whether new identifiers carry their system.
        var writesSystem = true

        /// Whether an identifier's value is a CPF if it looks like one: those of no system may be, and where types tell, any.
        func mayBeCPF(_ identifier: JSONValue) -> Bool {
            guard types.isEmpty, let system = identifier["system"]?.string else { return true }
            return read.contains(system)
        }
    }

    enum CreateStyle: String, Sendable, CaseIterable {
        case create
        /// One call makes records and changes them, by their identifiers.
        case upsert
    }

    enum UpdateStyle: String, Sendable, CaseIterable {
        /// JSON Patch (RFC 6902).
        case patch
        /// The whole resource: read, merged, written.
        case put
        case upsert
    }

    enum SearchMethod: String, Sendable, CaseIterable { case get, post }

    /// Paths behind the base address; `{id}` stands for the client's id.
    struct Paths: Sendable {
        var search = "Patient"
        var read = "Patient/{id}"
        var create = "Patient"
        var update = "Patient/{id}"
        var metadata = "metadata"
    }

    var operations = Set(Capabilities.Operation.allCases)
    var mediaType = "application/fhir+json"
    var paths = Paths()
    var cpf: CPFs
    var phoneSearch = PhoneSpelling.allCases
    var phoneSpelling = PhoneSpelling.e164
    /// `ContactPoint.use` of a new phone; nil for none.
    var phoneUse: String? = "mobile"
    var emailSearch = [EmailSpelling.asGiven, .lowercase]
    var nameForm = NameForm.text
    var nameUse = "official"
    var nameSearch = [NameSearch.first]
    /// Search parameters by kind, in the order of preference; kinds that are not here cannot be searched by.
    var parameters: [TermKind: [String]] = [
        .cpf: ["identifier"], .phone: ["telecom", "phone"], .email: ["telecom", "email"], .name: ["name"],
    ]
    var searchMethod = SearchMethod.get
    /// `Prefer: handling=strict`: the server is asked to refuse parameters that it does not know.
    var isStrict = true
    /// `Cache-Control: no-cache` on searches, for servers that answer them out of a cache.
    var noCache = false
    /// The Bundle's self link is compared with what was asked.
    var comparesSelfLink = true
    var pageSize = 100
    var sort: String?
    var createStyle = CreateStyle.create
    var ifNoneExist = true
    /// Members that the server demands of a new record.
    var requires: [ClientField] = []
    /// Members of a new resource beside what the draft says.
    var createMembers: [JSONTemplate.Member] = []
    /// A new record without a CPF gets a UUID as identifier (`urn:ietf:rfc:3986`).
    var uuidIdentifier = false
    var updateStyle = UpdateStyle.put
    var ifMatch = true
    /// How often an update is tried while others change the same record.
    var attempts = 3
    var readsMetadata = true
    /// A 404 without an OperationOutcome says that there is no such client, too.
    var bareNotFound = false
    var staleReads = Duration.zero

    func capabilities(system: String) -> Capabilities {
        let paging = Capabilities.Paging(.token, maximum: pageSize)
        var searches: [TermKind: [Capabilities.Attempt]] = [:]
        if operations.contains(.search) {
            for (kind, names) in parameters where !names.isEmpty {
                let attempt = Capabilities.Attempt(trust: .superset, paging: paging)
                searches[kind] = Array(repeating: attempt, count: kind == .name ? nameSearch.count : 1)
            }
        }
        // An upsert finds its record by its identifier: with another CPF it would find another one.
        let unchangeable: Set<ClientField> = updateStyle == .upsert ? [.cpf] : []
        return Capabilities(
            system: system, operations: operations, listPaging: paging, searches: searches, skipsRows: true,
            duplicates: createStyle == .upsert || ifNoneExist ? .reusesSilently : .creates,
            unchangeable: unchangeable, staleReads: staleReads,
            readable: Set(ClientField.allCases).subtracting([.description]))
    }
}
