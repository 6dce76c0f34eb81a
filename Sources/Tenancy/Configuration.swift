public import StrictConfig

/// Everything that the configuration files say: `server.json`, and the folders of tenants and drivers beside it.
public struct Configuration: Sendable {
    public struct Options: Sendable {
        public var secrets: SecretSource
        /// Addresses to call in place of those in the tenant files, by tenant id: for trying a tenant out against a
        /// pretend system.
        public var baseURLs: [String: String]

        public init(secrets: SecretSource = SecretSource(), baseURLs: [String: String] = [:]) {
            self.secrets = secrets
            self.baseURLs = baseURLs
        }
    }

    /// What the server's file says; of a later reading, what it said at the first one.
    public let server: ServerSettings
    /// What the server's file holds, where that is something else than at the first reading: it takes a restart.
    public let changedServerFile: KeyDigest?
    /// The tenants whose files are sound, disabled ones included.
    public let tenants: [TenantPlan]
    /// Profiles that compiled, by name; those of a driver with a folder of its own behind its name and a slash.
    public let profiles: [String]
    /// Every fault of every file, in the order of the files.
    public let faults: [ConfigFault]
    /// What works and may not be meant, in the order of the files.
    public let warnings: [ConfigFault]
    /// How many files were read.
    public let files: Int
    /// Every file that was read and every folder that was listed, in that order; also those of disabled tenants.
    public let places: [String]
    /// False when the folder of the tenants could not be listed, so that a tenant that is not here may yet have a file.
    let listsTenants: Bool
    /// What tenant files that have faults take away even so, by their names.
    let faultyTenantFiles: [String: Withdrawals]
    public let serverFile: String
    let options: Options

    /// Reads all files. Faults are gathered in `faults`; nothing is thrown, so that `check` can print all of them and
    /// the sound tenants can be served.
    public init(serverFile: String, options: Options = Options()) {
        self.init(serverFile: serverFile, options, since: nil)
    }

    /// The server's file at the first reading.
    private struct Start: Sendable {
        let settings: ServerSettings
        let content: KeyDigest?
    }

    /// Nil until a server's file was sound.
    private let start: Start?

    private init(serverFile: String, _ options: Options, since earlier: Start?) {
        self.serverFile = serverFile
        self.options = options
        var files = 0
        var places: [String] = []
        var faults: [ConfigFault] = []

        func bytes(_ path: String) -> [UInt8]? {
            files += 1
            places.append(path)
            do {
                return try Files.read(path)
            } catch {
                faults.append(ConfigFault(file: path, message: error.message))
                return nil
            }
        }
        /// Nil, with a fault, when the folder cannot be listed.
        func names(_ folder: String) -> [String]? {
            places.append(folder)
            do {
                return try Files.jsonNames(in: folder)
            } catch {
                faults.append(ConfigFault(file: folder, message: error.message))
                return nil
            }
        }

        var server = ServerSettings()
        let report = ConfigReport(file: serverFile)
        let content = bytes(serverFile)
        if let content, let root = report.root(content) {
            server = ServerSettings(root, secrets: options.secrets)
        }
        faults += report.faults
        serverIsSound = faults.isEmpty
        // Half of what it says could only change with a restart, so all of it does: folders and rules for secrets too.
        let digest = content.map { KeyDigest(of: $0) }
        let start = earlier ?? (serverIsSound ? Start(settings: server, content: digest) : nil)
        self.start = start
        changedServerFile = earlier == nil || digest == start?.content ? nil : digest
        server = start?.settings ?? server
        self.server = server
        stampWhenRead = Self.stamp(server)

        var profiles: [String: [String: LoadedProfile?]] = [:]
        for entry in start == nil ? [] : DriverTable.entries {
            guard let files = entry.profiles else { continue }
            let folder = Self.folder(of: files, server)
            // A driver that no tenant uses needs no folder.
            guard files.folder.isEmpty || !Files.stamp(folder).isEmpty else { continue }
            for name in names(folder) ?? [] {
                let path = Files.join(folder, name)
                let profile = String(name.dropLast(".json".count))
                profiles[entry.name, default: [:]][profile] = .some(nil)
                guard let content = bytes(path) else { continue }
                do throws(ConfigError) {
                    let compiled = try files.compile(content, path)
                    profiles[entry.name, default: [:]][profile] = LoadedProfile(content: compiled, bytes: content)
                } catch {
                    faults += error.faults
                }
            }
        }
        self.profiles = DriverTable.entries.flatMap { entry in
            (profiles[entry.name] ?? [:]).filter { $0.value != nil }.keys.sorted().map {
                Files.join(entry.profiles?.folder ?? "", $0)
            }
        }

        var secrets = options.secrets
        secrets.allowsOpenFiles = server.allowsOpenSecretFiles
        let reader = TenantReader(
            profiles: profiles, secrets: secrets, baseURLs: options.baseURLs,
            hasDatabase: server.database != nil)
        var tenants: [TenantPlan] = []
        var faulty: [String: Withdrawals] = [:]
        var warnings: [ConfigFault] = []
        let tenantNames = start == nil ? nil : names(server.tenants)
        for name in tenantNames ?? [] {
            let path = Files.join(server.tenants, name)
            guard let content = bytes(path) else {
                faulty[name] = Withdrawals.nothing
                continue
            }
            do {
                let plan = try reader.read(content, file: path)
                let clash = Self.clash(of: plan, with: tenants.map { (id: $0.id, keys: $0.keys) }, file: path)
                if clash.isEmpty { tenants.append(plan) } else { faulty[name] = Withdrawals(of: plan) }
                warnings += Self.warnings(about: plan, file: path) + Self.duplicateWarnings(about: plan, file: path)
                faults += clash
            } catch {
                faulty[name] = Withdrawals(ofFaulty: content, named: name)
                faults += error.faults
            }
        }
        self.tenants = tenants
        warnings += Self.warnings(about: tenants, server, file: serverFile)
        listsTenants = tenantNames != nil
        faultyTenantFiles = faulty
        self.warnings = warnings
        self.faults = faults
        self.files = files
        self.places = places
    }

    /// Whether `server.json` has no faults; until it once had none, nothing else is read.
    public let serverIsSound: Bool

    /// The same files, read again, by the settings of the server's file at the first reading: faults that it has by now
    /// are reported, and change nothing.
    public func readAgain() -> Configuration { Configuration(serverFile: serverFile, options, since: start) }

    /// What `stamp()` was just before the files were read.
    public let stampWhenRead: String

    /// Changes whenever a tenant or driver file does.
    public func stamp() -> String { Self.stamp(server) }

    private static func stamp(_ server: ServerSettings) -> String {
        ([server.tenants] + DriverTable.entries.compactMap(\.profiles).map { folder(of: $0, server) }).map { folder in
            let names = (try? Files.jsonNames(in: folder)) ?? []
            return names.map { "\($0) \(Files.stamp(Files.join(folder, $0)))" }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    private static func folder(of files: ProfileFiles, _ server: ServerSettings) -> String {
        files.folder.isEmpty ? server.drivers : Files.join(server.drivers, files.folder)
    }

    /// Where reads lag, only what is remembered of a create tells that it was made.
    private static func warnings(about plan: TenantPlan, file: String) -> [ConfigFault] {
        let capabilities = plan.driver.capabilities
        guard capabilities.staleReads > .zero, plan.idempotency.store == .memory else { return [] }
        return [
            ConfigFault(
                file: file, pointer: "/idempotency/store",
                message: "\(capabilities.system) shows new clients only after "
                    + "\(capabilities.staleReads.components.seconds) s, and what is remembered of them in memory is lost "
                    + "when the server stops: with \"sqlite\" it is not")
        ]
    }

    /// The engine's places are shared: where all tenants together may want more, they wait for each other.
    private static func warnings(
        about tenants: [TenantPlan], _ server: ServerSettings, file: String
    ) -> [ConfigFault] {
        let wanted = tenants.filter { !$0.isDisabled }.reduce(0) { $0 + $1.channel.maxInFlight }
        guard wanted > server.maxInFlight else { return [] }
        return [
            ConfigFault(
                file: file, pointer: "/engine/maxInFlight",
                message: "is \(server.maxInFlight), and the tenants may have \(wanted) calls at once (the sum of their "
                    + "limits.concurrent): when all have, some wait. Raise it, or lower theirs")
        ]
    }

    /// Two tenants cannot share a key: it is what tells them apart.
    static func clash(
        of plan: TenantPlan, with others: [(id: String, keys: [InboundKey])], file: String
    ) -> [ConfigFault] {
        others.flatMap { other in
            plan.keys.enumerated().filter { _, key in other.keys.contains { $0.digest == key.digest } }.map {
                index, _ in
                ConfigFault(
                    file: file, pointer: "/inbound/keys/\(index)/sha256",
                    message: "is also a key of the tenant \"\(other.id)\"")
            }
        }
    }
}
