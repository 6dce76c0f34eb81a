public import Bridge
import ClientContract
import StrictConfig
public import Transport
import UpstreamDriver

/// One inbound key: its name for logs, its digest, and until when it is good.
public struct InboundKey: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let digest: KeyDigest
    /// The last day on which the key is good, in UTC; nil for ever.
    public let expires: CalendarDay?

    public init(name: String, digest: KeyDigest, expires: CalendarDay? = nil) {
        self.name = name
        self.digest = digest
        self.expires = expires
    }

    public var description: String { "key \(name)" }
}

/// One tenant file, read and checked. Prints masked.
public struct TenantPlan: Sendable, CustomStringConvertible {
    public let id: String
    public let name: String
    public let isDisabled: Bool
    public let keys: [InboundKey]
    /// Where calls may come from; nil for anywhere.
    public let allow: [AddressRange]?
    /// Most requests in a minute for each key; nil for any number.
    public let requestsPerMinute: Int?
    /// Longest wait for one call, and for one page of a list.
    public let callTimeout: Duration
    /// Longest time for a whole list without a limit.
    public let listTimeout: Duration
    public let options: BridgeOptions
    public let channel: ChannelSettings
    public let driver: PreparedDriver
    package let idempotency: IdempotencyPlan
    /// Whose clients they are.
    let clinic: ClinicIdentity
    /// Equal for two readings that call the same system.
    let target: [UInt8]
    public let upstream: UpstreamFacts
    /// The file's name without its folder.
    let fileName: String
    /// Equal for two readings that make the same tenant: file, profile, secrets and certificates.
    let fingerprint: KeyDigest

    public var description: String { "tenant \(id)" }
}

/// What tells a tenant's clinic from another one that comes to have its id: what is remembered of creates is the
/// clinic's, and not the id's.
struct ClinicIdentity: Sendable {
    /// Driver, profile, address and settings: with another system it is another clinic.
    let system: KeyDigest
    /// The credentials and the callers' keys. On one system, which may have many clinics, it is the same clinic while
    /// one of them stays: credentials are rotated, and so are keys, but not all in one step.
    var traits: [KeyDigest] { fixed + (replaced.map { [$0] } ?? []) }
    /// All but the credential that the vendor replaces at each login.
    let fixed: [KeyDigest]
    /// That one: the tenant tells its successors to what remembers the clinic.
    let replaced: KeyDigest?

    static func trait(ofReplaced credential: Secret) -> KeyDigest { KeyDigest(of: ["replaced", credential.reveal()]) }
}

/// How a tenant's creates are remembered.
package struct IdempotencyPlan: Sendable {
    package enum Store: String, CaseIterable, Sendable { case memory, sqlite }

    package var store = Store.memory
    /// For how long.
    package var keepFor = Duration.seconds(86_400)
}

/// Reads tenant files.
struct TenantReader {
    /// By driver and name; nil for one that has faults.
    let profiles: [String: [String: LoadedProfile?]]
    let secrets: SecretSource
    /// Addresses in place of those in the files, by tenant id.
    let baseURLs: [String: String]
    /// Whether `server.json` names a database.
    let hasDatabase: Bool

    static let members = ["id", "name", "disabled", "inbound", "upstream", "clients", "idempotency"]
    static let upstreamMembers = [
        "driver", "baseURL", "addresses", "credentials", "settings", "timeouts", "limits", "retries", "breaker", "tls",
        "http2",
        "maxBodyBytes",
    ]
    static let clientsMembers = [
        "searchBy", "country", "defaultAreaCode", "cpfCheckDigits", "onDuplicate", "listDetail", "scan",
    ]

    /// - Throws: every fault of the file, with its place.
    func read(_ bytes: [UInt8], file: String) throws(ConfigError) -> TenantPlan {
        let report = ConfigReport(file: file)
        let plan = report.root(bytes).flatMap { checked($0, bytes: bytes) }
        try report.check()
        guard let plan else { throw ConfigError([ConfigFault(file: file, message: "cannot be read")]) }
        return plan
    }

    /// Nil only with a fault in the report.
    private func checked(_ root: ConfigNode, bytes: [UInt8]) -> TenantPlan? {
        guard let object = root.object(Self.members) else { return nil }
        let fileName = root.report.file.split(separator: "/").last.map(String.init) ?? root.report.file
        let id = object.required("id").flatMap { identifier($0, fileName: fileName) }
        let name = object.optional("name").flatMap { $0.string() }
        let disabled = object.optional("disabled")?.bool() ?? false
        let inbound = object.required("inbound").map(inbound)
        var searches: [(kind: TermKind, node: ConfigNode)] = []
        var options = object.optional("clients").map { clients($0, &searches) } ?? BridgeOptions()
        let idempotency = object.optional("idempotency").map(idempotency) ?? IdempotencyPlan()
        guard let upstream = object.required("upstream"),
            let outbound = outbound(upstream, root: root.value, id: id, options)
        else { return nil }
        checkSearches(searches, options, outbound.driver.capabilities)
        options.settling = max(options.settling, outbound.call * 2)
        guard let id, let inbound else { return nil }
        return TenantPlan(
            id: id, name: name ?? id, isDisabled: disabled, keys: inbound.keys, allow: inbound.allow,
            requestsPerMinute: inbound.perMinute, callTimeout: outbound.call,
            listTimeout: outbound.list, options: options, channel: outbound.channel, driver: outbound.driver,
            idempotency: idempotency,
            clinic: ClinicIdentity(
                system: outbound.system, fixed: outbound.account + inbound.keys.map(\.digest),
                replaced: outbound.replaced),
            target: outbound.target, upstream: outbound.facts, fileName: fileName,
            fingerprint: KeyDigest(of: bytes + outbound.surroundings))
    }

    /// A tenant whose terms could never be searched by would answer 501 to every search. Where some of its kinds can,
    /// the others answer 501 when they come.
    private func checkSearches(
        _ searches: [(kind: TermKind, node: ConfigNode)], _ options: BridgeOptions, _ capabilities: Capabilities
    ) {
        if options.scan.allowed, capabilities.operations.contains(.list) { return }
        if searches.contains(where: { capabilities.searches[$0.kind] != nil }) { return }
        for (kind, node) in searches where capabilities.searches[kind] == nil {
            let known = TermKind.allCases.filter { capabilities.searches[$0] != nil }.map(\.rawValue)
            node.fault(
                "is a kind that \(capabilities.system) cannot search by; it can by: "
                    + (known.isEmpty ? "nothing" : known.joined(separator: ", "))
                    + ". Take it out, or allow a scan (clients.scan)")
        }
    }

    /// Lower-case letters, digits and hyphens, at most 63; the file is called the same.
    private func identifier(_ node: ConfigNode, fileName: String) -> String? {
        guard let id = node.string("a tenant's id") else { return nil }
        let letters = id.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D }
        guard letters, id.utf8.count <= 63, !id.hasPrefix("-") else {
            node.fault("must be lower-case letters, digits and hyphens, at most 63, not beginning with a hyphen")
            return nil
        }
        guard fileName == id + ".json" else {
            node.fault("must be the file's name without .json")
            return nil
        }
        return id
    }

    private struct Inbound {
        var keys: [InboundKey] = []
        var allow: [AddressRange]?
        var perMinute: Int?
    }

    private func inbound(_ node: ConfigNode) -> Inbound {
        var inbound = Inbound()
        guard let object = node.object(["keys", "allow", "perMinute"]) else { return inbound }
        inbound.keys = object.required("keys").map(keys) ?? []
        if let list = object.optional("allow") {
            let entries = list.elements("an array of addresses and networks")
            if list.kind == .array, entries.isEmpty {
                list.fault("must name at least one network: with none nobody could call")
            }
            inbound.allow = entries.compactMap(Networks.read)
        }
        inbound.perMinute = object.optional("perMinute")?.int(1...1_000_000)
        return inbound
    }

    private func keys(_ list: ConfigNode) -> [InboundKey] {
        let entries = list.elements("an array of keys")
        if list.kind == .array, entries.isEmpty { list.fault("must hold at least one key") }
        var names: Set<String> = []
        var digests: Set<KeyDigest> = []
        return entries.compactMap { entry in
            guard let object = entry.object(["name", "sha256", "expires"]) else { return nil }
            let nameNode = object.required("name")
            let name = nameNode?.string("the key's name, for logs")
            if let name, let nameNode {
                let fits = name.utf8.allSatisfy {
                    ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                }
                if !fits || name.utf8.count > 63 {
                    nameNode.fault("must be letters, digits and - . _, at most 63")
                } else if !names.insert(name).inserted {
                    nameNode.fault("is the name of another key of this tenant")
                }
            }
            guard let node = object.required("sha256"),
                let text = node.string("the key's SHA-256 in 64 hexadecimal digits")
            else { return nil }
            guard let digest = KeyDigest(hex: text) else {
                node.fault("must be the key's SHA-256 in 64 hexadecimal digits: `ponte hash-key` makes one")
                return nil
            }
            if !digests.insert(digest).inserted { node.fault("is the same key as another one of this tenant") }
            let expires = object.optional("expires").flatMap { node -> CalendarDay? in
                guard let text = node.string("the last day on which the key is good, such as \"2027-01-31\"") else {
                    return nil
                }
                let day = CalendarDay(text)
                if day == nil { node.fault("must be a day that exists, such as \"2027-01-31\"") }
                return day
            }
            return name.map { InboundKey(name: $0, digest: digest, expires: expires) }
        }
    }

    private func idempotency(_ node: ConfigNode) -> IdempotencyPlan {
        var plan = IdempotencyPlan()
        guard let object = node.object(["store", "keepFor"]) else { return plan }
        if let store = object.optional("store"), let choice = store.choice(IdempotencyPlan.Store.self) {
            plan.store = choice
            if choice == .sqlite, !hasDatabase {
                store.fault(
                    "needs a database: name its file in server.json, as \"idempotency\": { \"database\": … }; "
                        + "a running server opens it when it is started again")
            }
        }
        if let time = object.optional("keepFor")?.duration(.seconds(60)...Duration.seconds(30 * 86_400)) {
            plan.keepFor = time
        }
        return plan
    }

    private func clients(
        _ node: ConfigNode, _ searches: inout [(kind: TermKind, node: ConfigNode)]
    ) -> BridgeOptions {
        var options = BridgeOptions()
        guard let object = node.object(Self.clientsMembers) else { return options }
        if let list = object.optional("searchBy") {
            var kinds: [TermKind] = []
            let elements = list.elements("an array of kinds of term")
            if list.kind == .array, elements.isEmpty { list.fault("must name at least one kind of term") }
            for element in elements {
                guard let kind = element.choice(TermKind.self) else { continue }
                if kinds.contains(kind) { element.fault("is named twice") } else { kinds.append(kind) }
                searches.append((kind, element))
            }
            options.searchBy = kinds
        }
        // Brazil is the only country whose numbering is known: numbers of others are taken as they stand.
        _ = object.optional("country")?.choice(["BR": true])
        if let code = object.optional("defaultAreaCode")?.int(11...99) { options.rules.phones.areaCode = code }
        if let check = object.optional("cpfCheckDigits")?.bool() { options.rules.cpfCheckDigits = check }
        if let action = object.optional("onDuplicate")?.choice(BridgeOptions.DuplicateAction.self) {
            options.onDuplicate = action
        }
        if let detail = object.optional("listDetail")?.bool() { options.listDetail = detail }
        if let scan = object.optional("scan")?.object(["allowed", "maxRecords"]) {
            if let allowed = scan.optional("allowed")?.bool() { options.scan.allowed = allowed }
            if let most = scan.optional("maxRecords")?.int(1...10_000_000) { options.scan.maxRecords = most }
        }
        return options
    }
}
