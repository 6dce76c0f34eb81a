public import Bridge
public import Metering
public import StrictConfig
import Synchronization
public import Transport

/// One clinic, being served. Prints masked.
public final class Tenant: Sendable, CustomStringConvertible {
    public let id: String
    public let keys: [InboundKey]
    /// Where calls may come from; nil for anywhere.
    public let allow: [AddressRange]?
    /// Most requests in a minute for each key; nil for any number.
    public let requestsPerMinute: Int?
    public let bridge: Bridge
    /// Longest wait for one call, and for one page of a list.
    public let callTimeout: Duration
    /// Longest time for a whole list without a limit.
    public let listTimeout: Duration
    /// What is counted for it, from its first reading to its removal.
    public let meter: TenantMeter
    let plan: TenantPlan?
    /// What is remembered of the clinic's creates is remembered under this name; nil without a plan.
    private let scope: ClinicScope?
    private let channel: HTTPChannel?

    public var description: String { "tenant \(id)" }

    /// How the way to its system is; nil for a tenant without one.
    public var upstream: ChannelReading? { channel?.reading }

    public init(
        id: String, keys: [InboundKey], bridge: Bridge, callTimeout: Duration = .seconds(10),
        listTimeout: Duration = .seconds(120), allow: [AddressRange]? = nil, requestsPerMinute: Int? = nil
    ) {
        self.id = id
        self.keys = keys
        self.allow = allow
        self.requestsPerMinute = requestsPerMinute
        self.bridge = bridge
        self.callTimeout = callTimeout
        self.listTimeout = listTimeout
        meter = TenantMeter()
        plan = nil
        scope = nil
        channel = nil
    }

    /// - Parameter before: the tenant as it was: what was learned of its system stays, if it is still the same system,
    ///   called for the same clinic.
    init(
        _ plan: TenantPlan, engine: CurlEngine, memories: CreateMemories, replacing before: Tenant? = nil,
        _ observer: TenantDirectory.Observer? = nil
    ) {
        id = plan.id
        keys = plan.keys
        allow = plan.allow
        requestsPerMinute = plan.requestsPerMinute
        let id = plan.id
        let told: @Sendable (BreakerTransition) -> Void = { observer?(id, $0) }
        let scope = memories.scope(of: plan)
        self.scope = scope
        plan.driver.credentialFile?.observe { used, successor in
            memories.learn(plan, replaced: [used, successor].map(ClinicIdentity.trait(ofReplaced:)))
        }
        let isSame = before?.plan?.target == plan.target && before?.scope == scope
        let kept = isSame ? before?.channel : nil
        let channel =
            kept.map { $0.continued(plan.channel, observer: told) } ?? engine.channel(plan.channel, observer: told)
        self.channel = channel
        meter = before.flatMap { $0.scope == scope ? $0.meter : nil } ?? TenantMeter()
        bridge = Bridge(
            driver: MeteredDriver(driver: plan.driver.make(channel), meter: meter), options: plan.options,
            memory: memories.memory(of: plan, scope), writes: memories.writes(of: scope))
        callTimeout = plan.callTimeout
        listTimeout = plan.listTimeout
        self.plan = plan
    }

    /// The same tenant with fewer keys.
    init(_ tenant: Tenant, keys: [InboundKey]) {
        id = tenant.id
        self.keys = keys
        allow = tenant.allow
        requestsPerMinute = tenant.requestsPerMinute
        bridge = tenant.bridge
        callTimeout = tenant.callTimeout
        listTimeout = tenant.listTimeout
        meter = tenant.meter
        plan = tenant.plan
        scope = tenant.scope
        channel = tenant.channel
    }
}

/// The tenants being served. What it holds can be swapped while calls are under way: they end on the tenant on which
/// they began.
public final class TenantDirectory: Sendable {
    /// Who a key belongs to.
    public struct Caller: Sendable {
        public let tenant: Tenant
        /// The key's name, for logs.
        public let keyName: String
        public let keyDigest: KeyDigest
        /// The last day on which the key is good.
        public let expires: CalendarDay?
    }

    /// What a reload did, by tenant id.
    public struct Changes: Sendable {
        public var added: [String] = []
        public var replaced: [String] = []
        public var removed: [String] = []
        /// Kept as they were because their files have faults, but for what is withdrawn.
        public var kept: [String] = []
        /// Keys that were taken from those, since their files no longer list them, as `tenant/key`.
        public var withdrawn: [String] = []
        public var faults: [ConfigFault] = []
    }

    /// Told of every change of a tenant's circuit breaker, by the tenant's id.
    public typealias Observer = @Sendable (String, BreakerTransition) -> Void

    /// The tenants being served, for whoever watches.
    public struct Overview: Sendable {
        public let tenants: [Tenant]
        /// Ids of those that go on as they were because their files have faults.
        public let stale: Set<String>
        /// Faults of the configuration as it was last read.
        public let faults: Int
    }

    private struct Snapshot: Sendable {
        var tenants: [Tenant] = []
        var stale: Set<String> = []
        var faults = 0
        var keys: [(digest: KeyDigest, tenant: Int, name: String, expires: CalendarDay?)] = []

        init(_ tenants: [Tenant], stale: [String] = [], faults: Int = 0) {
            self.tenants = tenants
            self.stale = Set(stale)
            self.faults = faults
            for (index, tenant) in tenants.enumerated() {
                keys += tenant.keys.map { ($0.digest, index, $0.name, $0.expires) }
            }
        }
    }

    private let snapshot: Mutex<Snapshot>
    /// Held for the whole of a reload: the next one begins where it ended. Lookups do not wait for it.
    private let reloading = Mutex(())
    private let memories: CreateMemories

    private let observer: Observer?

    public convenience init(_ tenants: [Tenant], observer: Observer? = nil) {
        self.init(tenants, CreateMemories(ServerSettings()), observer)
    }

    private init(
        _ tenants: [Tenant], _ memories: CreateMemories, _ observer: Observer?, faults: Int = 0
    ) {
        snapshot = Mutex(Snapshot(tenants, faults: faults))
        self.memories = memories
        self.observer = observer
    }

    /// The sound, enabled tenants of a configuration. The database that the server's file names is opened now; a
    /// configuration that is read again later does not change that.
    public convenience init(_ configuration: Configuration, engine: CurlEngine, observer: Observer? = nil) {
        let memories = CreateMemories(configuration.server)
        let plans = configuration.tenants.filter { !$0.isDisabled }
        self.init(
            plans.map { Tenant($0, engine: engine, memories: memories, replacing: nil, observer) }, memories, observer,
            faults: configuration.faults.count)
    }

    /// What kept the database from being opened. Creates of the tenants that need it fail.
    public var databaseFailure: String? { memories.failure?.reason }

    /// Files of the database that others than their owner could read or write until now.
    public var databaseWarning: String? { memories.warning }

    public var count: Int { snapshot.withLock { $0.tenants.count } }

    public var overview: Overview {
        let snapshot = snapshot.withLock { $0 }
        return Overview(tenants: snapshot.tenants, stale: snapshot.stale, faults: snapshot.faults)
    }

    /// Finds who a key belongs to. All stored digests are compared, in the same time whichever of them matches.
    public func caller(key: String) -> Caller? {
        let presented = KeyDigest(of: key)
        let snapshot = snapshot.withLock { $0 }
        var found = -1
        for index in snapshot.keys.indices {
            let difference = presented.difference(from: snapshot.keys[index].digest)
            // All ones when the difference is zero, else zero.
            let mask = Int(truncatingIfNeeded: ((difference | (0 &- difference)) >> 63) &- 1)
            found = (found & ~mask) | (index & mask)
        }
        guard found >= 0 else { return nil }
        let key = snapshot.keys[found]
        return Caller(
            tenant: snapshot.tenants[key.tenant], keyName: key.name, keyDigest: key.digest, expires: key.expires)
    }

    /// Puts a new reading of the files in place: unchanged tenants stay the same object, changed ones are made anew,
    /// those with faults stay as they were, those without a file go. When the folder cannot be listed, all stay.
    ///
    /// What a file takes away takes effect even where it has faults: a disabled tenant goes, and one that stays loses the
    /// keys that its file no longer lists.
    public func replace(with configuration: Configuration, engine: CurlEngine) -> Changes {
        reloading.withLock { _ in replaceAlone(configuration, engine) }
    }

    private func replaceAlone(_ configuration: Configuration, _ engine: CurlEngine) -> Changes {
        var changes = Changes()
        changes.faults = configuration.faults
        let old = snapshot.withLock { $0.tenants }
        var tenants: [Tenant] = []
        func keep(_ tenant: Tenant, _ withdrawals: Withdrawals) {
            let left = withdrawals.left(of: tenant.keys)
            for key in tenant.keys where !left.contains(where: { $0.digest == key.digest }) {
                changes.withdrawn.append("\(tenant.id)/\(key.name)")
            }
            changes.kept.append(tenant.id)
            tenants.append(left == tenant.keys ? tenant : Tenant(tenant, keys: left))
        }
        for tenant in old {
            guard let plan = tenant.plan, configuration.listsTenants else {
                keep(tenant, .nothing)
                continue
            }
            guard let withdrawals = configuration.faultyTenantFiles[plan.fileName], !withdrawals.isDisabled else {
                continue
            }
            keep(tenant, withdrawals)
        }
        // No key may open two tenants, nor may the order of the files decide: sound files have no key in common, and
        // whoever is kept below keeps only keys that its own one lists. So those kept above are all that can clash.
        let kept = tenants.map { (id: $0.id, keys: $0.keys) }
        for plan in configuration.tenants where !plan.isDisabled {
            let before = old.first { $0.id == plan.id }
            if let before, before.plan?.fingerprint == plan.fingerprint, before.keys == plan.keys {
                tenants.append(before)
                continue
            }
            let faults =
                memories.canHold(plan)
                ? Configuration.clash(of: plan, with: kept, file: plan.fileName)
                : [
                    ConfigFault(
                        file: plan.fileName, pointer: "/idempotency/store",
                        message: "needs a database, and there was none when the server started: start it again")
                ]
            guard faults.isEmpty else {
                changes.faults += faults
                if let before { keep(before, Withdrawals(of: plan)) }
                continue
            }
            tenants.append(Tenant(plan, engine: engine, memories: memories, replacing: before, observer))
            if before == nil { changes.added.append(plan.id) } else { changes.replaced.append(plan.id) }
        }
        changes.removed = old.map(\.id).filter { id in !tenants.contains { $0.id == id } }
        let next = Snapshot(tenants, stale: changes.kept, faults: changes.faults.count)
        snapshot.withLock { $0 = next }
        return changes
    }
}
