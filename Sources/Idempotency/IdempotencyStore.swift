/// Where marks of creates are kept: in memory, in a file, or in what several replicas share.
///
/// A store sees keyed hashes, moments and sealed bytes: nothing in it says who a patient is. Every call is atomic, also
/// among processes that share the store. Times are the caller's, so that all replicas keep to one rule.
public protocol IdempotencyStore: Sendable {
    // MARK: Keys

    /// Takes a key for a request, if nobody has it.
    ///
    /// A key whose time is over is free. One that is running is free again, for the same request, when its lease is over:
    /// whoever held it is gone.
    /// - Parameters:
    ///   - holder: tells the request that takes the key from any other that does.
    ///   - fingerprint: what tells the request from others.
    ///   - lease: until when the request has ended one way or the other.
    ///   - expires: when the key may be forgotten.
    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState

    /// Notes how the request of a key ended. A key that is not there, or that another one holds by now, is left alone.
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure)

    /// Frees a key, as if it had never come. One that another request holds by now is left alone.
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure)

    // MARK: The journal of creates

    /// What is known of creates that are this person. Those whose time is over are not.
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal

    /// Writes down that a create is about to be sent, before it is.
    ///
    /// Of two that looked at the same moment, in one process or in two, one comes too late: whoever looked before the
    /// other one began must look again, also where that one is over by now.
    /// - Parameter latest: as `creates(of:now:)` said it.
    /// - Returns: nil, and nothing is written down, where another create of this person began since.
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID?

    /// Notes what became of a create. One that is not there is left alone.
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure)
}

/// A number drawn by lot for each request that takes a key.
public typealias KeyHolder = Int64

/// What a key means when a request comes with it.
public enum KeyState: Sendable, Equatable {
    /// The request may go on; it must `finish` the key or `forget` it.
    case fresh
    /// Its first request is under way, at the latest until then.
    case running(until: Moment)
    /// Its first request has ended so.
    case finished(KeyResult)
    /// It came with another request before.
    case mismatch
}

/// How the first request of a key ended.
public enum KeyResult: Sendable, Equatable {
    /// With a client: its id, sealed.
    case made([UInt8])
    /// With an error: its code.
    case failed(String)
    /// Nobody knows. The next request with the key may go on, and looks first.
    case unknown
}

/// What tells whether two creates are one person, hashed.
public struct PersonMarks: Sendable, Hashable {
    /// Of the CPF; nil for a person without.
    public var cpf: Mark?
    /// Of the line and the name together.
    public var line: Mark

    public init(cpf: Mark?, line: Mark) {
        self.cpf = cpf
        self.line = line
    }

    /// CPFs decide where both have one; else line and name do.
    public func isSamePerson(as other: PersonMarks) -> Bool {
        if let cpf, let other = other.cpf { return cpf == other }
        return line == other.line
    }
}

/// What is known of creates of one person.
public struct Journal: Sendable, Equatable {
    /// The latest first.
    public var entries: [JournalEntry]
    /// Of any create that began so far, whoever it is about, the latest; 0 where none has.
    public var latest: JournalEntry.ID

    public init(entries: [JournalEntry], latest: JournalEntry.ID) {
        self.entries = entries
        self.latest = latest
    }
}

/// A create that was sent, or was about to be.
public struct JournalEntry: Sendable, Equatable {
    /// Larger for each one that begins later.
    public typealias ID = Int64

    public let id: ID
    /// From when on the clinic's system will have shown the record, if it ever does.
    public let settles: Moment
    /// The client's id, sealed; nil while nobody knows whether there is one.
    public let made: [UInt8]?

    public init(id: ID, settles: Moment, made: [UInt8]?) {
        self.id = id
        self.settles = settles
        self.made = made
    }
}

/// What became of a create.
public enum Settlement: Sendable, Equatable {
    /// A client came of it: its id, sealed, to be kept until then.
    case made([UInt8], until: Moment)
    /// Nothing came of it, or what came of it need not be remembered.
    case over
}

/// A store cannot be read or written. `reason` is the machine's, without any data.
public struct StoreFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { reason }
}
