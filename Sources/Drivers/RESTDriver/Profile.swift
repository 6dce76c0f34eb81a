import ClientContract
import JSONBytes
public import StrictConfig
public import Transport
public import UpstreamDriver

/// One vendor's API, read from `Config/drivers/<name>.json` and compiled. The language is described in
/// `docs/profile-language.md`.
public struct Profile: Sendable {
    /// A value that a tenant gives by name, such as a unit's number.
    public struct Setting: Sendable {
        public let name: String
        /// Used when the tenant gives none; nil when it must.
        public let fallback: String?
        /// Made from a credential, never given.
        let derived: Derivation?

        /// True when a tenant may give it.
        public var isGiven: Bool { derived == nil }
    }

    /// A setting that a credential already holds.
    struct Derivation: Sendable {
        let credential: String
        /// What stands after the last one of these.
        let afterLast: Character

        func derive(_ secret: Secret) -> String {
            let text = secret.reveal()
            return text.lastIndex(of: afterLast).map { String(text[text.index(after: $0)...]) } ?? text
        }
    }

    public let name: String
    /// The system, as people call it.
    public let title: String
    /// Address that a tenant may leave out, a template over settings; nil when each clinic has its own.
    public let baseURL: String?
    /// Credentials that a tenant must give.
    public let credentials: [String]
    /// The one among them that the vendor replaces at each login; nil for none.
    public var replacedCredential: String? { plan.login?.replaces }
    public let settings: [Setting]
    /// Calls at once that the vendor can bear; nil when nothing is known.
    public let concurrent: Int?
    /// Calls in a period that the vendor allows; nil when nothing is known.
    public let pace: Pace?
    public let capabilities: Capabilities
    /// Whether calls need a session that a login begins.
    public var logsIn: Bool { plan.login != nil }

    let plan: ProfilePlan

    /// Compiles a profile.
    /// - Parameter file: its name, for faults.
    /// - Throws: every fault of the file, with pointer, line, what was expected and the nearest valid name.
    public init(_ bytes: [UInt8], file: String) throws(ConfigError) {
        let report = ConfigReport(file: file)
        let compiled = report.root(bytes).flatMap { ProfileCompiler($0).compile() }
        try report.check()
        guard let compiled else {
            throw ConfigError([ConfigFault(file: file, message: "cannot be compiled")])
        }
        self = compiled
    }

    init(
        name: String, title: String, baseURL: String?, credentials: [String], settings: [Setting], concurrent: Int?,
        pace: Pace?,
        capabilities: Capabilities, plan: ProfilePlan
    ) {
        self.name = name
        self.title = title
        self.baseURL = baseURL
        self.credentials = credentials
        self.settings = settings
        self.concurrent = concurrent
        self.pace = pace
        self.capabilities = capabilities
        self.plan = plan
    }
}

/// What ids of a vendor look like. Any other id does not exist there, and nothing is sent.
enum IDForm: String, Sendable, CaseIterable {
    case text
    /// Digits, leading zeros included.
    case digits
    /// A whole number as JSON writes it: no leading zeros, so that two texts are never the same client.
    case number

    func allows(_ id: String) -> Bool {
        switch self {
        case .text: !id.isEmpty
        case .digits, .number:
            id.utf8.withContiguousStorageIfAvailable { allows($0) } ?? Array(id.utf8).withUnsafeBufferPointer(allows)
        }
    }

    @inline(__always)
    func allows(_ id: UnsafeBufferPointer<UInt8>) -> Bool {
        if self == .text { return !id.isEmpty }
        for byte in id where byte &- 0x30 >= 10 { return false }
        if self == .digits { return !id.isEmpty }
        return (1...20).contains(id.count) && (id.count == 1 || id[0] != UInt8(ascii: "0"))
    }
}

/// What a full update cannot send back: a record that holds something there is not changed, unless a setting of the
/// tenant is "yes".
struct Guard: Sendable {
    let held: [JSONPointer]
    let unless: String?
}

/// What a profile says, ready to run.
struct ProfilePlan: Sendable {
    var headers: [NamedTemplate] = []
    var query: [NamedTemplate] = []
    /// User and password of HTTP Basic; either may be empty.
    var basic: (user: TextTemplate, password: TextTemplate)?
    var login: LoginRecipe?
    /// Statuses that mean "log in again".
    var loginAgain: Set<Int> = [401]
    var baseURL: TextTemplate?
    var fields: [ProfileField: FieldLenses] = [:]
    var foldCase = false
    /// The encoding of every answer, whatever it says of itself.
    var charset: Charset?
    var idForm = IDForm.text
    var operations: [String: Operation] = [:]
    var searches: [TermKind: [SearchAttempt]] = [:]
    var constants = RecordWriter.Constants()
    var style = RecordWriter.Style.partial
    /// Members without which the vendor makes nobody.
    var createNeeds: [ProfileField] = []
    /// Records that a change must leave alone.
    var guarded: Guard?
    var retryHints: [RetryHint] = []
}
