public import ClientContract

/// What a call asks of a clinic's system.
public enum SystemCall: String, Sendable, CaseIterable {
    case login, list, search, get, create, update
}

/// Something that goes wrong at a clinic's system. Unless said otherwise the call is carried out, and it is its answer
/// that suffers.
public enum Trouble: Sendable, Hashable {
    /// This status with a small JSON body, and `Retry-After` if given. The call is not carried out.
    case status(Int, retryAfter: Int? = nil)
    /// Status 200 with a JSON body that holds none of what was asked for. The call is not carried out.
    case errorInSuccess
    /// An answer that is not about the client who was asked for, though it could be taken for that. The call is not
    /// carried out.
    case foreign(Foreign)
    /// No answer before the caller's deadline.
    case silence
    /// The connection is reset before any byte of an answer.
    case reset
    /// The connection is reset before the call is carried out.
    case resetBefore
    /// The connection is closed without a byte of an answer.
    case noReply
    /// The connection is reset after half of the body.
    case resetMidBody
    /// Half of the announced body, then the end.
    case truncated
    /// A chunked body with a chunk that makes no sense.
    case brokenChunk
    /// A login page with status 200.
    case webPage
    /// Status 200 without a body.
    case emptyBody
    /// A body that is no JSON, announced as JSON.
    case brokenJSON
}

/// What somebody at the clinic changes of a client by the system's own screens. Prints masked.
public enum ColleagueChange: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    case name(String)
    case email(String)
    case birthday(Birthday)
    /// The main number.
    case phone(PhoneNumber)

    public var description: String { "a change(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Answers that are not about a client.
public enum Foreign: String, Sendable, Hashable, CaseIterable {
    /// 404 as a gateway says it in JSON of a route that it lacks.
    case gateway
    /// 404 as a web framework says it in JSON of an address that it does not know.
    case framework
    /// 404 without a body.
    case bare
    /// 409 in the system's envelope: too many calls.
    case quota
    /// 409 in the system's envelope: the data of another client stand in the way.
    case collision
}

/// A clinic's system that a check has for itself: it puts people on record, makes trouble, and counts what it was asked.
///
/// What the system has no room for is left out when a person is put on record. A mock's owner writes a world over the
/// mock; the vendor's own test account can be one as well, as far as it goes.
public protocol World: Sendable {
    /// What a tenant's `baseURL` is set to.
    var baseURL: String { get }
    /// Ids of the people who were put on record, in their order.
    var ids: [ClientID] { get }
    /// An id of the system's own form that nobody has.
    var absentID: ClientID { get }
    /// Whether the system wants keys at all.
    var hasKeys: Bool { get }
    /// Whether the system gives out tokens by a login, which can expire.
    var hasLogin: Bool { get }
    /// Writes that are sound by the contract and that this system refuses; nil when none are known.
    var refused: (draft: ClientDraft, patch: ClientPatch)? { get }

    /// Records that the system holds and that are no clients: companies, people who are inactive.
    var strangers: [ClientID] { get }

    /// How often a call reached the system.
    func count(_ call: SystemCall) async -> Int
    /// Whether it can make this trouble.
    func canMake(_ trouble: Trouble) -> Bool
    /// Makes trouble for calls of a kind, so many times, or until `calm` when `times` is nil.
    func make(_ trouble: Trouble, on call: SystemCall, times: Int?) async
    /// Ends all trouble.
    func calm() async
    /// Makes all tokens worthless.
    func expireTokens() async
    /// Lets reads see all writes, where they lag.
    func catchUp() async
    /// What the system keeps of a person beside what the contract names, in a form that stays the same while nothing of
    /// it changes; nil where it keeps nothing, or cannot tell.
    func keepsakes(of id: ClientID) async -> [UInt8]?
    /// Serves no page of more rows from now on, whatever is asked for; false where this world cannot.
    func limitPages(to rows: Int) async -> Bool
    /// Has somebody at the clinic change a client, right before each of the next calls of a kind is carried out: one change
    /// for each call, in this order, until there are no more. They replace those that an earlier call left for that kind.
    /// - Returns: false where this world cannot.
    func colleague(_ changes: [ColleagueChange], of id: ClientID, before call: SystemCall) async -> Bool
    /// Ends it.
    func close() async
}

extension World {
    public var strangers: [ClientID] { [] }
    public func limitPages(to rows: Int) async -> Bool { false }
    public func colleague(_ changes: [ColleagueChange], of id: ClientID, before call: SystemCall) async -> Bool {
        false
    }
}
