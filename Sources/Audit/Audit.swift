import Bridge
import Glibc
public import Tenancy
import Transport

/// One occurrence of a rule.
public struct AuditFinding: Sendable {
    public let rule: AuditRule
    /// The tenant's id, or nil for the server as a whole.
    public let tenant: String?
    /// Where, by the name of a member, a key or a file; never a secret.
    public let place: String
}

/// Holds numbered rules against a configuration. Files are looked at, nothing is called, no secret is printed.
public struct Audit: Sendable {
    /// The gravest first.
    public let findings: [AuditFinding]

    /// The gravest severity; nil where nothing was found.
    public var worst: AuditRule.Severity? { findings.map(\.rule.severity).max() }

    /// - Parameter now: seconds since 1970-01-01 UTC.
    public init(_ configuration: Configuration, now: Int = CalendarDay.now) {
        var findings = Self.server(configuration)
        for plan in configuration.tenants where !plan.isDisabled { findings += Self.tenant(plan, now) }
        self.findings = findings.enumerated().sorted {
            ($0.element.rule.severity, $1.offset) > ($1.element.rule.severity, $0.offset)
        }.map(\.element)
    }

    private static let demoKey = KeyDigest(of: "demo-key-not-for-production")

    // MARK: Server

    private static func server(_ configuration: Configuration) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func add(_ rule: AuditRule, _ place: String) {
            findings.append(AuditFinding(rule: rule, tenant: nil, place: place))
        }
        let server = configuration.server
        if !configuration.faults.isEmpty { add(.faults, "\(configuration.faults.count) of them") }
        if server.tls == nil, !ServerSettings.isLoopback(server.host) { add(.plainInbound, "listen") }
        if let key = server.tls?.keyFile, let mode = FileMode(key) {
            if mode.isOpenToOthers {
                add(.readableKeyFile, key)
            } else if mode.isOpenToGroup {
                add(.groupReadableSecret, key)
            }
        }
        if server.trustedProxies.contains(where: \.holdsEverybody) { add(.trustsEveryProxy, "listen.trustedProxies") }
        if let listener = server.operatorListener, !ServerSettings.isLoopback(listener.host) {
            add(.openOperatorPage, "operator.listen")
        }
        if ![.trace, .debug, .info].contains(server.logLevel) { add(.quietLog, "log.level") }
        // The folder of profiles holds folders of other drivers' profiles, and may itself hold nothing that is read.
        let places = [configuration.serverFile, server.tenants, server.drivers] + configuration.places
        for place in writable(places + [server.tls?.certificateFile].compactMap { $0 }) {
            add(.writableConfiguration, place)
        }
        return findings
    }

    /// Those of the files and folders that others may write, each once.
    private static func writable(_ places: [String]) -> [String] {
        var seen: Set<String> = []
        return places.filter { seen.insert($0).inserted && FileMode($0)?.isWritableByOthers == true }
    }

    // MARK: Tenants

    private static func tenant(_ plan: TenantPlan, _ now: Int) -> [AuditFinding] {
        inbound(plan, now) + upstream(plan) + clients(plan)
    }

    private static func inbound(_ plan: TenantPlan, _ now: Int) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func add(_ rule: AuditRule, _ place: String) {
            findings.append(AuditFinding(rule: rule, tenant: plan.id, place: place))
        }
        for key in plan.keys {
            if key.digest == demoKey { add(.demoKey, "key \(key.name)") }
            guard let expires = key.expires else {
                add(.keyWithoutExpiry, "key \(key.name)")
                continue
            }
            if expires.isOver(at: now) {
                add(.keyExpired, "key \(key.name), \(expires)")
            } else if expires.daysLeft(at: now) < 30 {
                add(.keyExpiresSoon, "key \(key.name), \(expires)")
            }
        }
        if plan.keys.count == 1 { add(.oneKeyForAll, "inbound.keys") }
        if let allow = plan.allow {
            if allow.contains(where: \.holdsEverybody) { add(.wideAllowList, "inbound.allow") }
        } else {
            add(.noAllowList, "inbound.allow")
        }
        if plan.requestsPerMinute == nil { add(.noKeyPace, "inbound.perMinute") }
        return findings
    }

    private static func upstream(_ plan: TenantPlan) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func add(_ rule: AuditRule, _ place: String) {
            findings.append(AuditFinding(rule: rule, tenant: plan.id, place: place))
        }
        let facts = plan.upstream
        if let address = facts.baseURL, address.hasPrefix("http://"), !AddressPolicy.isLoopback(hostOf: address) {
            add(.plainUpstream, "upstream.baseURL")
        }
        for file in facts.secretFiles {
            guard let mode = FileMode(file) else { continue }
            if mode.isOpenToOthers {
                add(.readableSecret, file)
            } else if mode.isOpenToGroup {
                add(.groupReadableSecret, file)
            }
        }
        // Whom the system may be, and whom Ponte says it is.
        for file in writable([plan.channel.caFile, plan.channel.clientCertificateFile].compactMap { $0 }) {
            add(.writableConfiguration, file)
        }
        if facts.addresses.contains(where: isWide) { add(.wideAddresses, "upstream.addresses") }
        if !facts.saysCallTimeout { add(.noDeadline, "upstream.timeouts.call") }
        if plan.callTimeout > .seconds(60) { add(.longDeadline, "upstream.timeouts.call") }
        return findings
    }

    private static func clients(_ plan: TenantPlan) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func add(_ rule: AuditRule, _ place: String) {
            findings.append(AuditFinding(rule: rule, tenant: plan.id, place: place))
        }
        let options = plan.options
        if options.scan.allowed, !plan.upstream.boundsScan || options.scan.maxRecords > 100_000 {
            add(.unboundedScan, "clients.scan")
        }
        if options.onDuplicate == .create { add(.duplicatesAllowed, "clients.onDuplicate") }
        return findings
    }

    /// A word for many networks, or a network of more than 65,536 addresses of IPv4 or wider than /64 of IPv6.
    private static func isWide(_ text: String) -> Bool {
        guard let slash = text.firstIndex(of: "/") else { return text == "private" }
        guard let length = Int(text[text.index(after: slash)...]) else { return false }
        return length < (text.contains(":") ? 64 : 16)
    }
}

/// Who may do what with a file.
struct FileMode {
    private let mode: mode_t

    /// Nil where there is no such file.
    init?(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        mode = information.st_mode
    }

    /// Others may read it, or its group or others may write it.
    var isOpenToOthers: Bool { mode & (S_IROTH | S_IWOTH | S_IWGRP) != 0 }
    var isOpenToGroup: Bool { mode & S_IRGRP != 0 }
    var isWritableByOthers: Bool { mode & (S_IWOTH | S_IWGRP) != 0 }
}
