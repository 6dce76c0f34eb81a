import Bridge
import Idempotency
import Synchronization

/// What is known of creates, by tenant: it outlives every reading of the files.
final class CreateMemories: Sendable {
    private struct Known {
        var writes: [String: WritesUnderWay] = [:]
        var stores: [String: MemoryStore] = [:]
    }

    private struct Database {
        let store: any IdempotencyStore
        let vault: Vault
    }

    private let known = Mutex(Known())
    private let database: Result<Database, StoreFailure>?
    /// For what is kept in memory.
    private let vault = Vault.random()

    /// Opens the database, where there is to be one.
    init(_ settings: ServerSettings) {
        guard let path = settings.database else {
            database = nil
            return
        }
        do throws(StoreFailure) {
            let secret: [UInt8]
            if let given = settings.databaseSecret {
                secret = Array(given.reveal().utf8)
            } else {
                secret = try SecretFile.secret(at: path + ".secret")
            }
            database = .success(Database(store: try SQLiteStore(path: path), vault: Vault(secret: secret)))
        } catch {
            database = .failure(error)
        }
    }

    var failure: StoreFailure? {
        if case .failure(let failure) = database { failure } else { nil }
    }

    func canHold(_ plan: TenantPlan) -> Bool { plan.idempotency.store == .memory || database != nil }

    func writes(of tenant: String) -> WritesUnderWay {
        known.withLock { known in
            let writes = known.writes[tenant] ?? WritesUnderWay()
            known.writes[tenant] = writes
            return writes
        }
    }

    func memory(of plan: TenantPlan) -> CreateMemory {
        let keepFor = plan.idempotency.keepFor
        switch plan.idempotency.store {
        case .memory:
            let store = known.withLock { known in
                let store = known.stores[plan.id] ?? MemoryStore()
                known.stores[plan.id] = store
                return store
            }
            return CreateMemory(store: store, vault: vault, tenant: plan.id, keepFor: keepFor)
        case .sqlite:
            switch database {
            case .success(let database):
                return CreateMemory(store: database.store, vault: database.vault, tenant: plan.id, keepFor: keepFor)
            case .failure(let failure):
                return CreateMemory(store: FailedStore(failure: failure), vault: vault, tenant: plan.id)
            case nil:
                return CreateMemory(
                    store: FailedStore(failure: StoreFailure("there is no database")), vault: vault, tenant: plan.id)
            }
        }
    }
}

/// In place of a store that could not be opened.
private struct FailedStore: IdempotencyStore {
    let failure: StoreFailure

    func begin(
        _ key: Mark, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState { throw failure }
    func finish(_ key: Mark, _ result: KeyResult) async throws(StoreFailure) { throw failure }
    func forget(_ key: Mark) async throws(StoreFailure) { throw failure }
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> [JournalEntry] { throw failure }
    func createBegan(
        _ person: PersonMarks, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID { throw failure }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) {
        throw failure
    }
}
