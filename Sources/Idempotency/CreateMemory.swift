/// What one tenant remembers of its creates.
///
/// It turns keys, requests and persons into marks of this tenant, so that nothing of one tenant is found by another,
/// also where they share a store.
public struct CreateMemory: Sendable {
    private let store: any IdempotencyStore
    private let vault: Vault
    private let scope: String
    private let keepFor: Duration
    private let now: @Sendable () -> Moment

    /// - Parameters:
    ///   - scope: what nobody else has who shares the store.
    ///   - keepFor: how long keys and creates are remembered.
    ///   - now: the clock; tests have their own.
    public init(
        store: any IdempotencyStore = MemoryStore(), vault: Vault = .random(), scope: String = "",
        keepFor: Duration = .seconds(86_400), now: @escaping @Sendable () -> Moment = { .now() }
    ) {
        self.store = store
        self.vault = vault
        self.scope = scope
        self.keepFor = keepFor
        self.now = now
    }

    private func mark(_ kind: String, _ texts: [String?]) -> Mark { vault.mark([scope, kind] + texts) }

    // MARK: Keys

    /// A key that a request holds.
    public struct Ticket: Sendable {
        fileprivate let key: Mark
        fileprivate let holder: KeyHolder
    }

    /// What a key means when a request comes with it.
    public enum Beginning: Sendable {
        /// The request may go on.
        case fresh(Ticket)
        /// Its first request is under way, for so many seconds at most.
        case running(seconds: Int)
        /// Its first request made, or found, the client with this id.
        case made(String)
        /// Its first request ended with this code.
        case failed(String)
        /// It came with another request before.
        case otherRequest
    }

    /// - Parameters:
    ///   - request: the values of the request, in a fixed order.
    ///   - time: how long the request takes at most.
    public func begin(
        _ key: String, request: [String?], within time: Duration
    ) async throws(StoreFailure) -> Beginning {
        let ticket = Ticket(key: mark("key", [key]), holder: .random(in: .min ... .max))
        let now = now()
        let state = try await store.begin(
            ticket.key, holder: ticket.holder, fingerprint: mark("request", request), lease: now + time,
            expires: now + keepFor, now: now)
        switch state {
        case .fresh: return .fresh(ticket)
        case .running(let until): return .running(seconds: now.seconds(until: until))
        case .mismatch: return .otherRequest
        case .finished(.failed(let code)): return .failed(code)
        case .finished(.made(let sealed)):
            if let id = vault.open(sealed, beside: ticket.key.bytes) { return .made(id) }
            throw StoreFailure("what a key was kept with cannot be opened")
        case .finished(.unknown): throw StoreFailure("a key was kept as finished and unknown")
        }
    }

    /// How a request ended.
    public enum Ending: Sendable {
        case made(String)
        case failed(String)
        case unknown
        /// As if the key had never come.
        case forgotten
    }

    /// Notes how the request of a key ended, unless another request took the key over meanwhile. Where that cannot be written down, the key stays taken until the request's
    /// time is over, and then the next request with it looks for the client.
    public func end(_ ticket: Ticket, _ ending: Ending) async {
        let (key, holder) = (ticket.key, ticket.holder)
        do throws(StoreFailure) {
            switch ending {
            case .made(let id):
                try await store.finish(key, holder: holder, .made(vault.seal(id, beside: key.bytes)))
            case .failed(let code): try await store.finish(key, holder: holder, .failed(code))
            case .unknown: try await store.finish(key, holder: holder, .unknown)
            case .forgotten: try await store.forget(key, holder: holder)
            }
        } catch {}
    }

    // MARK: The journal of creates

    /// Who a create is about.
    public struct Person: Sendable {
        fileprivate let marks: PersonMarks
    }

    /// - Parameters:
    ///   - cpf: nil where there is none, or none that identifies anybody.
    ///   - line: the same for every spelling of one line.
    ///   - name: the same for every spelling of one name.
    public func person(cpf: String?, line: String, name: String) -> Person {
        Person(marks: PersonMarks(cpf: cpf.map { mark("cpf", [$0]) }, line: mark("line", [line, name])))
    }

    /// A create that was written down.
    public struct Entry: Sendable {
        fileprivate let id: JournalEntry.ID
    }

    /// What earlier creates of a person have left.
    public struct Earlier: Sendable {
        /// Creates of which nobody knows what became.
        public var open: [Entry] = []
        /// Seconds until all of those have settled; nil when they have, or there is none.
        public var unsettled: Int?
        /// The client that the latest one made.
        public var made: String?
        fileprivate var latest: JournalEntry.ID = 0
    }

    public func earlier(of person: Person) async throws(StoreFailure) -> Earlier {
        let now = now()
        var earlier = Earlier()
        let journal = try await store.creates(of: person.marks, now: now)
        earlier.latest = journal.latest
        for entry in journal.entries {
            if let sealed = entry.made {
                if earlier.made == nil { earlier.made = vault.open(sealed, beside: seal(of: entry.id)) }
            } else {
                earlier.open.append(Entry(id: entry.id))
                if entry.settles > now {
                    earlier.unsettled = max(earlier.unsettled ?? 0, now.seconds(until: entry.settles))
                }
            }
        }
        return earlier
    }

    /// Writes down that a create is about to be sent.
    /// - Parameters:
    ///   - earlier: what was known of the person when it was decided to send it.
    ///   - settling: how long it may take until the clinic's system shows what came of it.
    /// - Returns: nil, and nothing is written down, where another create of the person began since, here or in another
    ///   process: what was known is known no more.
    public func began(
        _ person: Person, after earlier: Earlier, settling: Duration
    ) async throws(StoreFailure) -> Entry? {
        let now = now()
        let id = try await store.createBegan(
            person.marks, after: earlier.latest, settles: now + settling, expires: now + max(keepFor, settling),
            now: now)
        return id.map { Entry(id: $0) }
    }

    /// Notes that a create made a client, or that its client was found.
    /// - Parameter visibleAfter: how long the system's reads may not show it; only so long it is remembered.
    public func made(_ id: String, by entry: Entry, visibleAfter: Duration) async {
        do throws(StoreFailure) {
            guard visibleAfter > .zero else { return try await store.createSettled(entry.id, .over) }
            try await store.createSettled(
                entry.id, .made(vault.seal(id, beside: seal(of: entry.id)), until: now() + visibleAfter))
        } catch {
            // It stays as one that nobody knows of: the next create of this person looks first.
        }
    }

    /// Notes that nothing came of a create.
    public func nothingCame(of entry: Entry) async { try? await store.createSettled(entry.id, .over) }

    /// What the id of a create's client is sealed beside: an entry that was moved to another tenant does not open.
    private func seal(of entry: JournalEntry.ID) -> [UInt8] { mark("create", [String(entry)]).bytes }
}
