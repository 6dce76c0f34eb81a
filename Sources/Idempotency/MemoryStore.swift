import Synchronization

/// Keeps marks for as long as the process lives, and only so many.
public final class MemoryStore: IdempotencyStore {
    fileprivate struct Key {
        let holder: KeyHolder
        let fingerprint: Mark
        var lease: Moment
        var expires: Moment
        /// Nil while it is running.
        var result: KeyResult?
    }

    fileprivate struct Create {
        let person: PersonMarks
        var settles: Moment
        var expires: Moment
        var made: [UInt8]?
        /// Nothing is to be remembered of it but that it was.
        var isOver = false
    }

    fileprivate struct State {
        var keys: [Mark: Key] = [:]
        var creates: [JournalEntry.ID: Create] = [:]
        /// By the marks of the persons.
        var places: [Mark: Set<JournalEntry.ID>] = [:]
        var lastID: JournalEntry.ID = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: most keys, and most creates. Beyond it those go that would expire first; what is under
    ///   way stays.
    public init(capacity: Int = 10_000) { self.capacity = max(1, capacity) }

    public func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState {
        state.withLock { state in
            if let known = state.keys[key], known.expires > now {
                guard known.fingerprint == fingerprint else { return .mismatch }
                switch known.result {
                case nil where known.lease > now: return .running(until: known.lease)
                case nil, .unknown: break
                case .some(let result): return .finished(result)
                }
            }
            state.keys[key] = Key(holder: holder, fingerprint: fingerprint, lease: lease, expires: expires)
            if state.keys.count > capacity { state.dropKeys(downTo: capacity, now) }
            return .fresh
        }
    }

    public func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) {
        state.withLock { state in
            if state.keys[key]?.holder == holder { state.keys[key]?.result = result }
        }
    }

    public func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) {
        state.withLock { state in
            if state.keys[key]?.holder == holder { state.keys[key] = nil }
        }
    }

    public func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal {
        state.withLock { state in
            let entries = state.ids(of: person).sorted(by: >).compactMap { id -> JournalEntry? in
                guard let create = state.creates[id], create.person.isSamePerson(as: person) else { return nil }
                guard create.expires > now else {
                    state.remove(id)
                    return nil
                }
                return create.isOver ? nil : JournalEntry(id: id, settles: create.settles, made: create.made)
            }
            return Journal(entries: entries, latest: state.lastID)
        }
    }

    public func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? {
        state.withLock { state in
            let others = state.ids(of: person).filter { $0 > latest }
            guard others.allSatisfy({ state.creates[$0]?.person.isSamePerson(as: person) != true }) else { return nil }
            state.lastID += 1
            let id = state.lastID
            state.creates[id] = Create(person: person, settles: settles, expires: expires)
            for mark in [person.line, person.cpf].compactMap({ $0 }) { state.places[mark, default: []].insert(id) }
            if state.creates.count > capacity { state.dropCreates(downTo: capacity, now) }
            return id
        }
    }

    public func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        state.withLock { state in
            guard var settled = state.creates[create], !settled.isOver else { return }
            switch settlement {
            case .over:
                settled.isOver = true
                settled.expires = min(settled.expires, settled.settles)
            case .made(let id, let until):
                settled.made = id
                settled.expires = until
            }
            state.creates[create] = settled
        }
    }
}

extension MemoryStore.State {
    /// A tenth more than must go does, so that not every call has to sort.
    fileprivate mutating func dropKeys(downTo capacity: Int, _ now: Moment) {
        let idle = keys.filter { $0.value.result != nil || $0.value.lease <= now }
        let least = keys.count - capacity + capacity / 10
        for (key, _) in idle.sorted(by: { $0.value.expires < $1.value.expires }).prefix(least) { keys[key] = nil }
    }

    /// Of creates that may be a person.
    fileprivate func ids(of person: PersonMarks) -> Set<JournalEntry.ID> {
        let ids = places[person.line] ?? []
        return person.cpf.flatMap { places[$0] }.map { ids.union($0) } ?? ids
    }

    /// What has settled goes first.
    fileprivate mutating func dropCreates(downTo capacity: Int, _ now: Moment) {
        let idle = creates.filter { $0.value.made != nil || $0.value.isOver || $0.value.settles <= now }
        let least = creates.count - capacity + capacity / 10
        for (id, _) in idle.sorted(by: { $0.value.expires < $1.value.expires }).prefix(least) { remove(id) }
    }

    fileprivate mutating func remove(_ id: JournalEntry.ID) {
        guard let create = creates.removeValue(forKey: id) else { return }
        for mark in [create.person.line, create.person.cpf].compactMap({ $0 }) {
            places[mark]?.remove(id)
            if places[mark]?.isEmpty == true { places[mark] = nil }
        }
    }
}
