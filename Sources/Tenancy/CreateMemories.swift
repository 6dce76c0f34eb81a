import Bridge
import Idempotency
import Synchronization

/// One clinic's name among those whose creates are remembered. A tenant's id may come to be another clinic's, and then
/// that one has another name.
struct ClinicScope: Hashable, Sendable {
    fileprivate let text: String
}

/// What is known of creates, by clinic: it outlives every reading of the files.
final class CreateMemories: Sendable {
    private struct Place: Hashable {
        let tenant: String
        let system: KeyDigest
    }

    private struct Known {
        /// Clinics so far.
        var count = 0
        var clinics: [Place: (scope: ClinicScope, traits: [KeyDigest])] = [:]
        var writes: [ClinicScope: WritesUnderWay] = [:]
        var stores: [ClinicScope: MemoryStore] = [:]
    }

    private struct Database {
        let store: SQLiteStore
        let vault: Vault
    }

    private let known = Mutex(Known())
    private let database: Result<Database, StoreFailure>?
    /// For what is kept in memory.
    private let vault = Vault.random()
    /// What was wrong with the database's files, and is no more.
    let warning: String?

    /// Opens the database, where there is to be one.
    init(_ settings: ServerSettings) {
        guard let path = settings.database else {
            (database, warning) = (nil, nil)
            return
        }
        var closed: [String] = []
        do throws(StoreFailure) {
            let secret: [UInt8]
            if let given = settings.databaseSecret {
                secret = Array(given.reveal().utf8)
            } else {
                let found = try SecretFile.secret(at: path + ".secret")
                secret = found.bytes
                if found.wasOpenToOthers { closed.append("its secret") }
            }
            let store = try SQLiteStore(path: path)
            if store.wasOpenToOthers { closed.append("the database") }
            database = .success(Database(store: store, vault: Vault(secret: secret)))
        } catch {
            database = .failure(error)
        }
        warning =
            closed.isEmpty
            ? nil
            : "others than its owner could read or write \(closed.joined(separator: " and ")); the files are closed to them now"
    }

    var failure: StoreFailure? {
        if case .failure(let failure) = database { failure } else { nil }
    }

    func canHold(_ plan: TenantPlan) -> Bool { plan.idempotency.store == .memory || database != nil }

    /// The scope of a plan's clinic: the one that it had before, also where the tenant was gone meanwhile.
    func scope(of plan: TenantPlan) -> ClinicScope {
        known.withLock { known in
            let place = Place(tenant: plan.id, system: plan.clinic.system)
            let before = known.clinics[place]
            let isSame = before.map { !Set($0.traits).isDisjoint(with: plan.clinic.traits) } ?? false
            let kept = isSame ? before?.scope : nil
            let scope = kept ?? ClinicScope(text: "\(plan.id) \(known.count)")
            if kept == nil { known.count += 1 }
            known.clinics[place] = (scope, plan.clinic.traits)
            return scope
        }
    }

    /// Learns that a credential of a plan's clinic was replaced: by the old one and the new one it is known again.
    func learn(_ plan: TenantPlan, replaced: [KeyDigest]) {
        let traits = plan.clinic.fixed + replaced
        known.withLock { known in
            let place = Place(tenant: plan.id, system: plan.clinic.system)
            // Another clinic may have come in its place.
            guard let before = known.clinics[place], !Set(before.traits).isDisjoint(with: traits) else { return }
            known.clinics[place] = (before.scope, traits)
        }
        // Where that cannot be written down, the callers' keys still tell the clinic; the next create says what is wrong.
        guard plan.idempotency.store == .sqlite, let database = try? database?.get() else { return }
        _ = try? scope(of: plan, traits: traits, in: database)
    }

    private func scope(
        of plan: TenantPlan, traits: [KeyDigest], in database: Database
    ) throws(StoreFailure) -> [UInt8] {
        let vault = database.vault
        return try database.store.scope(
            of: vault.mark(["clinic", plan.id, plan.clinic.system.hex]),
            traits: traits.map { vault.mark(["trait", $0.hex]) })
    }

    func writes(of clinic: ClinicScope) -> WritesUnderWay {
        known.withLock { known in
            let writes = known.writes[clinic] ?? WritesUnderWay()
            known.writes[clinic] = writes
            return writes
        }
    }

    func memory(of plan: TenantPlan, _ clinic: ClinicScope) -> CreateMemory {
        let keepFor = plan.idempotency.keepFor
        switch plan.idempotency.store {
        case .memory:
            let store = known.withLock { known in
                let store = known.stores[clinic] ?? MemoryStore()
                known.stores[clinic] = store
                return store
            }
            return CreateMemory(store: store, vault: vault, scope: clinic.text, keepFor: keepFor)
        case .sqlite:
            do throws(StoreFailure) {
                guard let database = try database?.get() else { throw StoreFailure("there is no database") }
                // What the database knows of the clinic outlives this process, and is the same for those beside it.
                let scope = try scope(of: plan, traits: plan.clinic.traits, in: database)
                return CreateMemory(
                    store: database.store, vault: database.vault, scope: KeyDigest(of: scope).hex, keepFor: keepFor)
            } catch {
                return CreateMemory(store: FailedStore(failure: error), vault: vault)
            }
        }
    }
}

/// In place of a store that could not be opened.
private struct FailedStore: IdempotencyStore {
    let failure: StoreFailure

    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState { throw failure }
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) { throw failure }
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) { throw failure }
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal { throw failure }
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? { throw failure }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        throw failure
    }
}
