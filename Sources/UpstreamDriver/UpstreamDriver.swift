public import ClientContract

/// One family of clinic systems, spoken to in its own dialect.
///
/// A driver translates one call into the system's dialect and the answer back. It never filters for exactness, never
/// pages for the caller and never retries: Bridge and Transport do that once for all drivers. An answer that it does
/// not understand is `UpstreamError.malformed`, never an empty list.
public protocol UpstreamDriver: Sendable {
    /// What the system can do, and how far it can be trusted.
    var capabilities: Capabilities { get }

    /// One page of all clients, as the system serves it.
    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage

    /// What one of a term kind's attempts would ask the system for a term; nil where it would ask nothing, because the
    /// system cannot have the term in that form. Bridge puts equal questions once. Unless a driver says otherwise, every
    /// attempt asks something of its own.
    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion?

    /// One page of the candidates that the system's own search finds for a term, by one of the term kind's attempts.
    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage

    /// One client, complete.
    /// - Throws: `.notFound` when the system says that there is none.
    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client

    /// Whether the system can have given an id. Where it cannot, nothing is sent, and nobody is found. Unless a driver
    /// says otherwise, it can.
    func canExist(_ id: ClientID) -> Bool

    /// Creates a client. The system may answer with an existing one; Bridge compares.
    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer

    /// Changes what the patch names and nothing else, also where the system replaces whole records.
    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer
}

extension UpstreamDriver {
    public func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        SearchQuestion(term, attempt: attempt)
    }

    public func canExist(_ id: ClientID) -> Bool { true }
}

/// A question to a system's search, to tell whether two are the same. Prints masked.
public struct SearchQuestion: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    private enum Content: Sendable, Hashable {
        case attempt(SearchTerm, Int)
        case texts([String?])
    }

    private let content: Content

    /// A question that only this attempt asks, and only for this term.
    public init(_ term: SearchTerm, attempt: Int) { content = .attempt(term, attempt) }

    /// Everything that tells the question from others: where it goes and every value that it carries.
    public init(_ texts: [String?]) { content = .texts(texts) }

    public var description: String { "question(…)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What surrounds one call.
public struct CallContext: Sendable {
    /// When the caller stops waiting. Nothing is sent after it.
    public let deadline: ContinuousClock.Instant
    /// For logs on both sides: no patient data.
    public let requestID: String

    public init(deadline: ContinuousClock.Instant, requestID: String) {
        self.deadline = deadline
        self.requestID = requestID
    }
}

/// What a system answers to a write.
public enum WriteAnswer: Sendable {
    /// The whole record as it stands now.
    case record(Client)
    /// Only which record it was.
    case id(ClientID)
}

/// One page to fetch. Which of its members a driver reads follows from its page style.
public struct PageRequest: Sendable {
    /// Where the page begins.
    public enum Place: Sendable {
        /// Number of clients to pass over. Page-numbered systems serve multiples of `size` only.
        case offset(Int)
        /// What `ClientPage.next` said.
        case token(PageToken)
    }

    public var place: Place
    /// Clients wanted, at most the system's maximum.
    public var size: Int

    public init(_ place: Place, size: Int) {
        self.place = place
        self.size = size
    }
}

/// A cursor or a link to a next page; only the driver that made it can read it. Prints masked.
public struct PageToken: Sendable, Hashable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { "page(…)" }
}

/// A page as a system served it.
public struct ClientPage: Sendable {
    public var clients: [Client]
    /// Rows that the system sent, rows that were passed over (inactive ones) included.
    public var rows: Int
    /// Clients in all, where the system tells.
    public var total: Int?
    /// Whether more can follow: what the system says, or nil where it says nothing.
    public var more: Bool?
    /// Where the next page begins, for systems that page by cursor or link.
    public var next: PageToken?

    public init(
        clients: [Client], rows: Int? = nil, total: Int? = nil, more: Bool? = nil, next: PageToken? = nil
    ) {
        self.clients = clients
        self.rows = rows ?? clients.count
        self.total = total
        self.more = more
        self.next = next
    }
}
