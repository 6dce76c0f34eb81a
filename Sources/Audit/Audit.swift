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
        // One file or folder may serve the server and several tenants.
        var seen: Set<String> = []
        findings.removeAll { finding in
            finding.rule == .writableConfiguration && !seen.insert(Self.real(finding.place)).inserted
        }
        self.findings = findings.enumerated().sorted {
            ($0.element.rule.severity, $1.offset) > ($1.element.rule.severity, $0.offset)
        }.map(\.element)
    }

    /// Keys that this repository shows to everybody.
    private static let demoKeys: Set<KeyDigest> = [
        KeyDigest(of: "demo-key-not-for-production"), KeyDigest(of: "demo-fhir-key-not-for-production"),
    ]

    // MARK: Server

    private static func server(_ configuration: Configuration) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func add(_ rule: AuditRule, _ place: String) {
            findings.append(AuditFinding(rule: rule, tenant: nil, place: place))
        }
        let server = configuration.server
        if !configuration.faults.isEmpty { add(.faults, "\(configuration.faults.count) of them") }
        if server.tls == nil, !ServerSettings.isLoopback(server.host) { add(.plainInbound, "listen") }
        let secret = server.databaseSecretFile
        if let rule = server.tls.flatMap({ readable($0.keyFile, .readableKeyFile) }) {
            add(rule, server.tls?.keyFile ?? "")
        }
        if let secret, let rule = readable(secret) { add(rule, secret) }
        if server.allowsOpenSecretFiles { add(.openFilesAllowed, "secrets.openFiles") }
        if server.hasDoubtfulVariable { add(.doubtfulVariable, "idempotency.secret") }
        if server.trustedProxies.contains(where: isMuchOfTheInternet) {
            add(.trustsEveryProxy, "listen.trustedProxies")
        } else if server.trustedProxies.contains(where: { $0.isWider(thanIPv4: 24, IPv6: 64) }) {
            add(.trustsManyProxies, "listen.trustedProxies")
        }
        if let listener = server.operatorListener, !ServerSettings.isLoopback(listener.host) {
            add(.openOperatorPage, "operator.listen")
        }
        if ![.trace, .debug, .info].contains(server.logLevel) { add(.quietLog, "log.level") }
        // The folder of profiles holds folders of other drivers' profiles, and may itself hold nothing that is read.
        let places = [configuration.serverFile, server.tenants, server.drivers] + configuration.places
        let certificate = server.tls.map { [$0.certificateFile] } ?? []
        for place in writable(places + certificate) { add(.writableConfiguration, place) }
        let single = [configuration.serverFile, server.tls?.keyFile, secret].compactMap { $0 } + certificate
        for folder in openFolders(of: single) { add(.writableConfiguration, folder) }
        return findings
    }

    // MARK: Files

    /// The rule by which others can read a secret; nil where they cannot, and where there is no such file.
    private static func readable(_ file: String, _ byOthers: AuditRule = .readableSecret) -> AuditRule? {
        guard let mode = FileMode(file) else { return nil }
        return mode.isOpenToOthers ? byOthers : mode.isOpenToGroup ? .groupReadableSecret : nil
    }

    /// Those of the files and folders that others may write, each once.
    private static func writable(_ places: [String]) -> [String] {
        var seen: Set<String> = []
        return places.filter { seen.insert($0).inserted && FileMode($0)?.isWritableByOthers == true }
    }

    /// The folders in which others may put something else in the place of one of the files, or of what it is a link to.
    private static func openFolders(of files: [String]) -> [String] {
        var seen: Set<String> = []
        return files.flatMap { [$0, real($0)] }.map { real(Files.folder(of: $0)) }.filter { folder in
            seen.insert(folder).inserted && FileMode(folder)?.letsOthersReplace == true
        }
    }

    /// Without links and without `..`; as it is where there is no such place.
    private static func real(_ path: String) -> String {
        guard let resolved = realpath(path.isEmpty ? "." : path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
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
            if demoKeys.contains(key.digest) { add(.demoKey, "key \(key.name)") }
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
            if allow.contains(where: isMuchOfTheInternet) { add(.wideAllowList, "inbound.allow") }
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
        for call in facts.calls where call.url.hasPrefix("http://") && !AddressPolicy.isLoopback(hostOf: call.url) {
            add(.plainUpstream, call.member)
        }
        for file in facts.secretFiles {
            if let rule = readable(file) { add(rule, file) }
        }
        for name in facts.doubtfulVariables { add(.doubtfulVariable, "upstream.credentials.\(name)") }
        // Whom the system may be, and whom Ponte says it is.
        let certificates = [plan.channel.caFile, plan.channel.clientCertificateFile].compactMap { $0 }
        for place in writable(certificates) + openFolders(of: certificates + facts.secretFiles) {
            add(.writableConfiguration, place)
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

    /// More than sixteen million addresses of IPv4, or a like part of IPv6: several of them may be everybody, and no
    /// network of one's own is so large.
    private static func isMuchOfTheInternet(_ range: AddressRange) -> Bool { range.isWider(thanIPv4: 8, IPv6: 16) }

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
    /// Of a folder: others may put another file in the place of one. Where it is sticky they may only add files.
    var letsOthersReplace: Bool { isWritableByOthers && mode & S_ISVTX == 0 }
}
