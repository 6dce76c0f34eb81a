import StrictConfig
public import Transport
import UpstreamDriver

/// `Config/server.json`, every member of which may be left out.
public struct ServerSettings: Sendable {
    public enum LogFormat: String, Sendable, CaseIterable { case json, text }
    /// Where metrics and status are read.
    public struct OperatorListener: Sendable {
        public var host = "127.0.0.1"
        /// 0 takes a free port.
        public var port = 9180
        /// Other machines may read too, in clear.
        public var plainHTTP = false

        public init() {}
    }

    public enum LogLevel: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }

    public var host = "127.0.0.1"
    /// 0 takes a free port.
    public var port = 8080
    /// PEM files of the certificate chain and its key; nil for plain HTTP.
    public var tls: (certificateFile: String, keyFile: String)?
    /// Plain HTTP is meant, also where other machines can reach it: a proxy in front terminates TLS.
    public var plainHTTP = false
    /// Proxies whose `X-Forwarded-For` is believed.
    public var trustedProxies: [AddressRange] = []
    /// Most connections from one address at once, proxies that are trusted excepted; nil for any number.
    public var maxConnectionsPerAddress: Int? = 256
    /// In front of every path but the health checks; empty, or `/` and a path without a slash at its end.
    public var pathPrefix = ""
    /// Longest body of a request, in bytes.
    public var bodyBytes = 1 << 20
    /// Longest search term, in characters (Unicode scalars) after decoding.
    public var termLength = 512
    /// Longest head of a request: its target and its fields, in bytes.
    public var headerBytes = 32 << 10
    /// Most inbound connections at once.
    public var maxConnections = 4096
    /// How long a request's head may take.
    public var headTimeout = Duration.seconds(10)
    /// How long a request's body may take.
    public var bodyTimeout = Duration.seconds(30)
    /// How long a caller may take to read 64 KiB of an answer.
    public var writeTimeout = Duration.seconds(30)
    /// How long a connection may stay without a request.
    public var idleTimeout = Duration.seconds(75)
    /// How long requests that are under way may take when the server stops.
    public var shutdownGrace = Duration.seconds(20)
    /// Time between saying "not ready" and accepting no more connections, for load balancers to notice.
    public var shutdownDelay = Duration.zero
    public var logLevel = LogLevel.info
    public var logFormat = LogFormat.json
    /// Nil where there is none.
    public var operatorListener: OperatorListener?
    /// Most calls to clinic systems at once, over all tenants.
    public var maxInFlight = 256
    /// How often files are looked at for changes; nil for SIGHUP only.
    public var reloadEvery: Duration? = .seconds(5)
    /// Folder of the tenant files.
    public var tenants = "tenants"
    /// Folder of the driver profiles.
    public var drivers = "drivers"
    /// The database of the tenants whose creates are remembered across restarts; nil where there is none.
    public var database: String?
    /// The secret behind what the database holds; nil for one that is drawn by lot and kept beside it.
    var databaseSecret: Secret?
    /// The file of that secret, also of one that is drawn by lot; nil where there is none.
    package private(set) var databaseSecretFile: String?
    /// Whether that secret's variable has a name that may be the secret itself.
    package private(set) var hasDoubtfulVariable = false
    /// Whether the files of secrets may be such that others can read or change them.
    package private(set) var allowsOpenSecretFiles = false

    public init() {}

    static let members = [
        "listen", "pathPrefix", "limits", "timeouts", "shutdown", "log", "engine", "reload", "tenants", "drivers",
        "idempotency", "secrets", "operator",
    ]

    /// Reads the file; what is faulty keeps its default and is reported.
    init(_ root: ConfigNode, secrets: SecretSource = SecretSource()) {
        guard let object = root.object(Self.members) else { return }
        var secrets = secrets
        if let open = object.optional("secrets")?.object(["openFiles"])?.optional("openFiles")?.bool() {
            allowsOpenSecretFiles = open
            secrets.allowsOpenFiles = open
        }
        if let listen = object.optional("listen")?.object(["host", "port", "tls", "plainHTTP", "trustedProxies"]) {
            if let tls = listen.optional("tls")?.object(["certificateFile", "keyFile"]) {
                let certificate = tls.required("certificateFile")?.string("the path of a PEM file")
                let key = tls.required("keyFile")?.string("the path of a PEM file")
                if let certificate, let key {
                    let file = root.report.file
                    let keyFile = Files.resolve(key, beside: file)
                    self.tls = (Files.resolve(certificate, beside: file), keyFile)
                    if secrets.resolves, !allowsOpenSecretFiles,
                        let complaint = Files.complaint(aboutSecretAt: keyFile)
                    {
                        tls.optional("keyFile")?.fault("this file \(complaint)")
                    }
                }
            }
            if let plain = listen.optional("plainHTTP")?.bool() { plainHTTP = plain }
            if let list = listen.optional("trustedProxies") {
                trustedProxies = list.elements("an array of addresses and networks").compactMap(Networks.read)
            }
            if let host = listen.optional("host")?.string("a host name or address") { self.host = host }
            if let port = listen.optional("port")?.int(0...65_535) { self.port = port }
        }
        if let node = object.optional("pathPrefix"), let prefix = Self.prefix(node) { pathPrefix = prefix }
        if let limits = object.optional("limits")?.object([
            "bodyBytes", "termLength", "headerBytes", "connections", "connectionsPerAddress",
        ]) {
            if let bytes = limits.optional("bodyBytes")?.int(1024...(64 << 20)) { bodyBytes = bytes }
            if let length = limits.optional("termLength")?.int(16...8192) { termLength = length }
            if let bytes = limits.optional("headerBytes")?.int(4096...(1 << 20)) { headerBytes = bytes }
            if let most = limits.optional("connections")?.int(1...100_000) { maxConnections = most }
            if let most = limits.optional("connectionsPerAddress")?.int(1...100_000) { maxConnectionsPerAddress = most }
        }
        if let timeouts = object.optional("timeouts")?.object(["head", "body", "write", "idle"]) {
            let range = Duration.seconds(1)...Duration.seconds(600)
            if let head = timeouts.optional("head")?.duration(range) { headTimeout = head }
            if let body = timeouts.optional("body")?.duration(range) { bodyTimeout = body }
            if let write = timeouts.optional("write")?.duration(range) { writeTimeout = write }
            if let idle = timeouts.optional("idle")?.duration(range) { idleTimeout = idle }
        }
        if let shutdown = object.optional("shutdown")?.object(["grace", "delay"]) {
            let range = Duration.zero...Duration.seconds(600)
            if let grace = shutdown.optional("grace")?.duration(range) { shutdownGrace = grace }
            if let delay = shutdown.optional("delay")?.duration(range) { shutdownDelay = delay }
        }
        if let log = object.optional("log")?.object(["level", "format"]) {
            if let level = log.optional("level")?.choice(LogLevel.self) { logLevel = level }
            if let format = log.optional("format")?.choice(LogFormat.self) { logFormat = format }
        }
        if let engine = object.optional("engine")?.object(["maxInFlight"]),
            let most = engine.optional("maxInFlight")?.int(1...10_000)
        {
            maxInFlight = most
        }
        if let reload = object.optional("reload")?.object(["watch", "every"]) {
            if let every = reload.optional("every")?.duration(.seconds(1)...Duration.seconds(86_400)) {
                reloadEvery = every
            }
            if reload.optional("watch")?.bool() == false { reloadEvery = nil }
        }
        if let folder = object.optional("tenants")?.string("a folder") { tenants = folder }
        if let folder = object.optional("drivers")?.string("a folder") { drivers = folder }
        if let idempotency = object.optional("idempotency")?.object(["database", "secret"]) {
            database = idempotency.required("database")?.string("a path").map {
                Files.resolve($0, beside: root.report.file)
            }
            if let node = idempotency.optional("secret") {
                databaseSecret = secrets.secret(node)
                databaseSecretFile = SecretSource.file(node)
                hasDoubtfulVariable = SecretSource.isDoubtful(node)
                if secrets.resolves, let secret = databaseSecret, secret.reveal().utf8.count < 16 {
                    node.fault("leads to a secret of fewer than 16 bytes: `openssl rand -hex 32` makes a good one")
                }
            } else {
                databaseSecretFile = database.map { $0 + ".secret" }
            }
        }
        if let operators = object.optional("operator")?.object(["listen"]) {
            var listener = OperatorListener()
            if let listen = operators.optional("listen")?.object(["host", "port", "plainHTTP"]) {
                if let host = listen.optional("host")?.string("a host name or address") { listener.host = host }
                if let port = listen.optional("port")?.int(0...65_535) { listener.port = port }
                if let plain = listen.optional("plainHTTP")?.bool() { listener.plainHTTP = plain }
            }
            operatorListener = listener
        }
        tenants = Files.resolve(tenants, beside: root.report.file)
        drivers = Files.resolve(drivers, beside: root.report.file)
    }

    /// Whether only this machine can reach the listening socket.
    public static func isLoopback(_ host: String) -> Bool { AddressPolicy.isLoopback(host: host) }

    /// What is wrong with listening at a host without TLS; nil when nothing is.
    public func complaint(aboutListeningAt host: String) -> String? {
        guard tls == nil, !plainHTTP, !Self.isLoopback(host) else { return nil }
        return
            "listening at \(host) without TLS would send keys and patients' data in clear. Give listen.tls, listen at "
            + "127.0.0.1 behind a proxy, or say \"plainHTTP\": true where a proxy in the same container or host network "
            + "terminates TLS"
    }

    /// What is wrong with where metrics and status are read; nil when nothing is.
    public var operatorComplaint: String? {
        guard let listener = operatorListener, !listener.plainHTTP, !Self.isLoopback(listener.host) else { return nil }
        return
            "reading metrics and status at \(listener.host) takes no key: everybody who reaches it sees how each clinic "
            + "is. Let operator.listen be 127.0.0.1, or say \"plainHTTP\": true there, where only your monitoring reaches "
            + "the socket"
    }

    /// `/api/v1`, without a slash at the end; empty for none.
    private static func prefix(_ node: ConfigNode) -> String? {
        guard let text = node.string("a path such as \"/api/v1\"", allowEmpty: true) else { return nil }
        if text.isEmpty { return text }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let plain = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".."
                && segment.utf8.allSatisfy {
                    ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
                        || $0 == 0x7E
                }
        }
        guard text.hasPrefix("/"), plain else {
            node.fault(
                "is not a path prefix: write \"/\" and segments of letters, digits and - . _ ~, "
                    + "without a slash at the end, such as \"/api/v1\"")
            return nil
        }
        return text
    }
}
