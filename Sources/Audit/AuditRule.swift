/// One thing that a configuration should not do. Numbers are stable and never given twice; docs/audit.md lists them.
public enum AuditRule: Int, Sendable, CaseIterable {
    case faults = 1
    case demoKey = 2
    case plainInbound = 3
    case plainUpstream = 4
    case readableSecret = 5
    case writableConfiguration = 6
    case keyExpired = 7
    case keyWithoutExpiry = 8
    case keyExpiresSoon = 9
    case noAllowList = 10
    case wideAllowList = 11
    case wideAddresses = 12
    case noDeadline = 13
    case longDeadline = 14
    case unboundedScan = 15
    case duplicatesAllowed = 16
    case oneKeyForAll = 17
    case noKeyPace = 18
    case trustsEveryProxy = 19
    case readableKeyFile = 20
    case openOperatorPage = 21
    case groupReadableSecret = 22
    case quietLog = 23
    case openFilesAllowed = 24
    case trustsManyProxies = 25
    case doubtfulVariable = 26

    public enum Severity: Int, Sendable, Comparable, CaseIterable {
        case low, medium, high, critical
        public static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }
        public var name: String {
            switch self {
            case .low: "low"
            case .medium: "medium"
            case .high: "high"
            case .critical: "critical"
            }
        }
    }

    /// `PA-003`
    public var id: String { "PA-" + String(repeating: "0", count: rawValue < 10 ? 2 : 1) + String(rawValue) }

    public var severity: Severity {
        switch self {
        case .demoKey, .readableKeyFile: .critical
        case .faults, .plainInbound, .plainUpstream, .readableSecret, .writableConfiguration, .keyExpired: .high
        case .trustsEveryProxy: .high
        case .openOperatorPage, .quietLog, .openFilesAllowed, .trustsManyProxies, .doubtfulVariable: .medium
        case .keyWithoutExpiry, .wideAllowList, .wideAddresses, .longDeadline, .unboundedScan, .duplicatesAllowed:
            .medium
        case .noAllowList, .noDeadline, .keyExpiresSoon, .oneKeyForAll, .noKeyPace, .groupReadableSecret: .low
        }
    }

    /// What is wrong, for every occurrence.
    public var title: String {
        switch self {
        case .faults: "The configuration has faults"
        case .demoKey: "A key of the demonstrations opens a tenant"
        case .plainInbound: "Callers' keys and patients' data come in clear"
        case .plainUpstream: "Patients' data or credentials leave in clear"
        case .readableSecret: "A secret can be read by others"
        case .writableConfiguration: "A configuration file or a secret can be changed by others"
        case .keyExpired: "A key has expired"
        case .keyWithoutExpiry: "A key never expires"
        case .keyExpiresSoon: "A key expires soon"
        case .noAllowList: "Calls may come from anywhere"
        case .wideAllowList: "The list of callers' networks lets nearly everybody in"
        case .wideAddresses: "Calls may lead to more of the network than the system's own place"
        case .noDeadline: "The time for a call is not said"
        case .longDeadline: "A call may take longer than anybody waits"
        case .unboundedScan: "A search may read the whole clinic"
        case .duplicatesAllowed: "Repeated creates make repeated patients"
        case .oneKeyForAll: "One key serves for everything"
        case .noKeyPace: "A key may be used without limit"
        case .trustsEveryProxy: "Nearly anybody is believed about where a call comes from"
        case .readableKeyFile: "The private key of the server can be read by others"
        case .groupReadableSecret: "A secret can be read by its group"
        case .openOperatorPage: "Metrics and status can be read from other machines"
        case .quietLog: "Requests leave no line in the log"
        case .openFilesAllowed: "Secrets that others can read are taken"
        case .trustsManyProxies: "More than proxies may be believed about where a call comes from"
        case .doubtfulVariable: "A secret may stand where a variable's name belongs"
        }
    }

    /// What to do.
    public var advice: String {
        switch self {
        case .faults: "Run `ponte check` and mend what it says; faulty tenants are not served."
        case .demoKey: "Everybody knows this key: make another with `ponte hash-key --generate`."
        case .plainInbound:
            "Give `listen.tls`, or listen on 127.0.0.1 behind a proxy that terminates TLS."
        case .plainUpstream: "Use https, or lead the way through a tunnel that ends on this machine."
        case .readableSecret: "`chmod 600`, owned by Ponte's user."
        case .writableConfiguration: "`chmod go-w`: whoever writes there chooses where patients' data goes."
        case .keyExpired: "Remove the entry, or give a new key to whoever still uses it."
        case .keyWithoutExpiry: "Add `expires`, a year ahead at most, and rotate before."
        case .keyExpiresSoon: "Add a second key now, let the caller switch, then remove this one."
        case .noAllowList: "Name the callers' networks in `inbound.allow`, where they are known."
        case .wideAllowList: "Name networks that are the caller's own."
        case .wideAddresses: "Name the system's address or the smallest network that holds it."
        case .noDeadline: "Say `upstream.timeouts.call`: the default, 10 s, may not be what this system needs."
        case .longDeadline: "60 s at most: Clinia and the patient are waiting."
        case .unboundedScan: "Say `clients.scan.maxRecords`, or use a kind of term that the system can search by."
        case .duplicatesAllowed: "Leave `clients.onDuplicate` out, unless the clinic really wants a record each time."
        case .oneKeyForAll: "One named key for each caller: then one can be withdrawn, and the log tells them apart."
        case .noKeyPace: "Say `inbound.perMinute`: a stolen key then copies a clinic slowly enough to be seen."
        case .trustsEveryProxy: "Name the proxies' own addresses in `listen.trustedProxies`."
        case .readableKeyFile: "`chmod 600`, owned by Ponte's user; then replace certificate and key."
        case .groupReadableSecret: "Look who is in that group, or `chmod 600`, owned by Ponte's user."
        case .openOperatorPage: "Let `operator.listen.host` be 127.0.0.1, or let a firewall admit your monitoring only."
        case .quietLog:
            "Let `log.level` be `info`: else nobody can say after an incident what was read, and with which key."
        case .openFilesAllowed:
            "Mount the secrets with the mode 0400 or 0440, then leave `secrets.openFiles` out."
        case .trustsManyProxies:
            "Name the proxies' own addresses in `listen.trustedProxies`; where they are a provider's network, let a firewall admit nobody else."
        case .doubtfulVariable:
            "If it is the secret, replace it and refer to it; if it is a name, write it in capitals, digits and _."
        }
    }
}
