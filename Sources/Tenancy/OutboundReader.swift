import Bridge
import ClientContract
import JSONBytes
import StrictConfig
import Transport
import UpstreamDriver

/// What "upstream" of a tenant file says.
struct Outbound {
    var driver: PreparedDriver
    var channel: ChannelSettings
    var call: Duration
    var list: Duration
    /// The address, or the profile that has it.
    var target: [UInt8]
    /// Equal for two readings with the same driver, profile, address and settings.
    var system: KeyDigest
    /// Equal for two readings with the same credentials.
    /// Digest of the credentials that stay; none where there are no such ones.
    var account: [KeyDigest]
    /// Digest of the credential that the vendor replaces.
    var replaced: KeyDigest?
    var facts: UpstreamFacts
    /// What the file refers to: profile, secrets, certificates.
    var surroundings: [UInt8]
}

extension TenantReader {
    /// Nil only with a fault in the report.
    /// - Parameter root: the whole file.
    func outbound(_ node: ConfigNode, root: JSONValue, id: String?, _ options: BridgeOptions) -> Outbound? {
        let members = Self.upstreamMembers + Set(DriverTable.entries.flatMap(\.members)).sorted()
        guard let object = node.object(members) else { return nil }
        let entry = object.required("driver").flatMap { driverEntry($0, object) }

        var channel = ChannelSettings()
        var call = Duration.seconds(10)
        var list = Duration.seconds(120)
        if let timeouts = object.optional("timeouts")?.object(["connect", "call", "list", "connectionLifetime"]) {
            let short = Duration.milliseconds(1)...Duration.seconds(300)
            if let connect = timeouts.optional("connect")?.duration(short) { channel.connectTimeout = connect }
            if let limit = timeouts.optional("call")?.duration(short) { call = limit }
            if let limit = timeouts.optional("list")?.duration(.milliseconds(1)...Duration.seconds(3600)) {
                list = limit
            }
            if let life = timeouts.optional("connectionLifetime")?.duration(.seconds(1)...Duration.seconds(86_400)) {
                channel.connectionLifetime = life
            }
        }
        let limits = object.optional("limits")?.object(["concurrent", "queued", "perSecond"])
        let limit = limits?.optional("concurrent")
        if let calls = limits?.optional("perSecond")?.int(1...10_000) {
            channel.paces = [Pace(calls: calls, per: .seconds(1))]
        }
        if let concurrent = limit?.int(1...1000) { channel.maxInFlight = concurrent }
        let queued = limits?.optional("queued")?.int(0...100_000)
        if let retries = object.optional("retries")?.int(0...5) { channel.retries = retries }
        if let breaker = object.optional("breaker")?.object(["failures", "openFor"]) {
            let failures = breaker.optional("failures")?.int(1...100_000)
            let openFor = breaker.optional("openFor")?.duration(.milliseconds(1)...Duration.seconds(300))
            let usual = BreakerSettings()
            channel.breaker = BreakerSettings(
                failures: failures ?? usual.failures, openFor: openFor ?? usual.openFor)
        }
        if let http2 = object.optional("http2")?.bool() { channel.http2 = http2 }
        if let most = object.optional("maxBodyBytes")?.int(1024...(256 << 20)) { channel.maxBodyBytes = most }
        var surroundings = certificates(object.optional("tls"), &channel)

        let baseURL = id.flatMap { baseURLs[$0] } ?? object.optional("baseURL").flatMap(UpstreamAddress.read)
        channel.addresses = addresses(object.optional("addresses")).naming(hostOf: baseURL ?? "")
        if let literal = baseURL.flatMap(IPAddress.init(hostOf:)), !channel.addresses.allows(literal) {
            object.optional("baseURL")?.fault(
                "has an address of a kind that no clinic's system has; if this one has it, name it in \"addresses\"")
        }
        let credentialNodes = object.optional("credentials")?.entries("an object of references to secrets") ?? []
        var credentials: [String: Secret] = [:]
        for (name, node) in credentialNodes {
            guard let secret = secrets.secret(node) else { continue }
            credentials[name] = secret
        }
        let settingNodes = object.optional("settings")?.entries("an object of texts") ?? []
        var settings: [String: String] = [:]
        for (name, node) in settingNodes {
            guard let text = node.string(allowEmpty: true) else { continue }
            if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { node.fault("holds control characters") }
            settings[name] = text
        }
        let around = DriverSurroundings(
            profiles: entry.flatMap { profiles[$0.name] } ?? [:], baseURL: baseURL,
            hasBaseURL: baseURL != nil || object.optional("baseURL") != nil,
            credentials: credentials, credentialNodes: credentialNodes, settings: settings, settingNodes: settingNodes,
            phones: options.rules.phones, repeatsRecords: options.onDuplicate == .create, secrets: secrets.forTenant(id)
        )
        guard let entry, let driver = entry.prepare(object, around) else { return nil }
        for (name, _) in credentialNodes where name != driver.replacedCredential {
            surroundings += Array((credentials[name]?.reveal() ?? "").utf8) + [0]
        }
        if limit == nil, let concurrent = driver.concurrent { channel.maxInFlight = concurrent }
        channel.maxQueued = queued ?? ChannelSettings.usualQueue(channel.maxInFlight)
        if let pace = driver.pace { channel.paces.append(pace) }
        surroundings += Array((baseURL ?? "").utf8) + [0] + driver.surroundings
        let facts = UpstreamFacts(
            driver: entry.name, profile: object.optional("profile")?.value.string,
            baseURL: baseURL ?? driver.baseURL,
            calls: (baseURL.map { [UpstreamFacts.Call("upstream.baseURL", $0)] } ?? []) + driver.calls,
            credentials: credentials.keys.sorted(),
            settings: settings.sorted { $0.key < $1.key }.map { UpstreamFacts.Setting(name: $0.key, value: $0.value) },
            secretFiles: (credentialNodes.map { SecretSource.file($0.node) } + [channel.clientKeyFile]).compactMap {
                $0
            },
            doubtfulVariables: credentialNodes.filter { SecretSource.isDoubtful($0.node) }.map(\.name),
            addresses: object.optional("addresses")?.value.elements.compactMap(\.string) ?? [],
            saysCallTimeout: object.optional("timeouts")?.value["call"] != nil,
            boundsScan: root["clients"]?["scan"]?["maxRecords"] != nil)
        let staying = credentials.filter { $0.key != driver.replacedCredential }.sorted { $0.key < $1.key }
        let system = [
            entry.name, facts.profile ?? "", object.optional("database")?.value.string ?? "", facts.baseURL ?? "",
        ]
        return Outbound(
            driver: driver, channel: channel, call: call, list: list,
            target: baseURL.map { Array($0.utf8) } ?? driver.surroundings,
            system: KeyDigest(of: system + facts.settings.flatMap { [$0.name, $0.value] }),
            account: staying.isEmpty && driver.replacedCredential != nil
                ? [] : [KeyDigest(of: ["account"] + staying.flatMap { [$0.key, $0.value.reveal()] })],
            replaced: driver.replacedCredential.flatMap { credentials[$0] }.map(ClinicIdentity.trait(ofReplaced:)),
            facts: facts, surroundings: surroundings)
    }

    /// The driver that a tenant names; members that only other drivers have are faults.
    private func driverEntry(_ node: ConfigNode, _ upstream: ConfigObject) -> DriverEntry? {
        guard let name = node.string("a driver's name") else { return nil }
        guard let entry = DriverTable.entry(name) else {
            node.fault(NearestName.unknown("driver", name, DriverTable.entries.map(\.name)))
            return nil
        }
        for member in Set(DriverTable.entries.flatMap(\.members)).subtracting(entry.members) {
            upstream.optional(member)?.fault("is not a member of the driver \"\(name)\"")
        }
        return entry
    }

    /// Reads "addresses": what calls may lead to beside public addresses.
    private func addresses(_ node: ConfigNode?) -> AddressPolicy {
        var classes: Set<AddressPolicy.Class> = []
        var ranges: [AddressRange] = []
        for element in node?.elements("an array of networks") ?? [] {
            guard
                let text = element.string("\"private\", \"loopback\", an address or a network such as \"10.1.0.0/16\"")
            else { continue }
            if let named = [AddressPolicy.Class.private, .loopback].first(where: { $0.rawValue == text }) {
                classes.insert(named)
            } else if let range = AddressRange(text) {
                ranges.append(range)
            } else {
                element.fault(
                    "must be \"private\", \"loopback\", an address, or a network such as 10.1.0.0/16 without bits behind "
                        + "its length")
            }
        }
        return AddressPolicy(naming: classes, ranges: ranges)
    }

    /// Reads "tls". Relative paths begin at the tenant file's folder.
    /// - Returns: the content of the files.
    private func certificates(_ node: ConfigNode?, _ channel: inout ChannelSettings) -> [UInt8] {
        guard let node, let object = node.object(["caFile", "clientCertificateFile", "clientKeyFile"]) else {
            return []
        }
        var content: [UInt8] = []
        func path(_ name: String, isSecret: Bool = false) -> String? {
            guard let node = object.optional(name), let text = node.string("the path of a PEM file") else { return nil }
            guard !text.utf8.contains(0) else {
                node.fault("is not a path")
                return nil
            }
            let path = Files.resolve(text, beside: node.report.file)
            guard secrets.resolves else { return path }
            do {
                content +=
                    try
                    (isSecret
                    ? Files.readSecret(path, allowsOpen: secrets.allowsOpenFiles) : Files.read(path)) + [0]
            } catch {
                node.fault("this file \(error.message)")
            }
            return path
        }
        channel.caFile = path("caFile")
        channel.clientCertificateFile = path("clientCertificateFile")
        channel.clientKeyFile = path("clientKeyFile", isSecret: true)
        if object.optional("clientCertificateFile") != nil, object.optional("clientKeyFile") == nil {
            node.fault("lacks the member \"clientKeyFile\", which belongs to \"clientCertificateFile\"")
        }
        if object.optional("clientKeyFile") != nil, object.optional("clientCertificateFile") == nil {
            node.fault("lacks the member \"clientCertificateFile\", which belongs to \"clientKeyFile\"")
        }
        return content
    }
}
