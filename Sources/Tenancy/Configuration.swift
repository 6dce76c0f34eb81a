public import RESTDriver
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

    public let server: ServerSettings
    /// The tenants whose files are sound, disabled ones included.
    public let tenants: [TenantPlan]
    /// Profiles that compiled, by name.
    public let profiles: [String]
    /// A profile that compiled.
    public func profile(_ name: String) -> Profile? { compiled[name] }
    private let compiled: [String: Profile]
    /// Every fault of every file, in the order of the files.
    public let faults: [ConfigFault]
    /// How many files were read.
    public let files: Int
    /// Whether `tenants` is all that there is: false when `server.json` has faults or a folder could not be listed, so
    /// that a tenant that is not here may yet have a file.
    let isComplete: Bool
    /// Tenant files that have faults, by name.
    let faultyTenantFiles: Set<String>
    public let serverFile: String
    let options: Options

    /// Reads all files. Faults are gathered in `faults`; nothing is thrown, so that `check` can print all of them and
    /// the sound tenants can be served.
    public init(serverFile: String, options: Options = Options()) {
        self.serverFile = serverFile
        self.options = options
        var files = 0
        var faults: [ConfigFault] = []

        func bytes(_ path: String) -> [UInt8]? {
            files += 1
            do {
                return try Files.read(path)
            } catch {
                faults.append(ConfigFault(file: path, message: error.message))
                return nil
            }
        }
        var isComplete = true
        func names(_ folder: String) -> [String] {
            do {
                return try Files.jsonNames(in: folder)
            } catch {
                faults.append(ConfigFault(file: folder, message: error.message))
                isComplete = false
                return []
            }
        }

        var server = ServerSettings()
        let report = ConfigReport(file: serverFile)
        if let content = bytes(serverFile), let root = report.root(content) { server = ServerSettings(root) }
        faults += report.faults
        self.server = server
        serverIsSound = faults.isEmpty
        stampWhenRead = Self.stamp(server)

        var profiles: [String: LoadedProfile?] = [:]
        for name in serverIsSound ? names(server.drivers) : [] {
            let path = Files.join(server.drivers, name)
            let profile = String(name.dropLast(".json".count))
            profiles[profile] = .some(nil)
            guard let content = bytes(path) else { continue }
            do {
                let compiled = try Profile(content, file: path)
                profiles[profile] = LoadedProfile(profile: compiled, bytes: content)
            } catch {
                faults += error.faults
            }
        }
        compiled = profiles.compactMapValues { $0?.profile }
        self.profiles = compiled.keys.sorted()

        let reader = TenantReader(profiles: profiles, secrets: options.secrets, baseURLs: options.baseURLs)
        var tenants: [TenantPlan] = []
        var faulty: Set<String> = []
        for name in serverIsSound ? names(server.tenants) : [] {
            let path = Files.join(server.tenants, name)
            guard let content = bytes(path) else {
                faulty.insert(name)
                continue
            }
            do {
                let plan = try reader.read(content, file: path)
                let clash = Self.clash(of: plan, with: tenants, file: path)
                if clash.isEmpty { tenants.append(plan) } else { faulty.insert(name) }
                faults += clash
            } catch {
                faulty.insert(name)
                faults += error.faults
            }
        }
        self.tenants = tenants
        self.isComplete = serverIsSound && isComplete
        faultyTenantFiles = faulty
        self.faults = faults
        self.files = files
    }

    /// Whether `server.json` has no faults; without it nothing else is read.
    public let serverIsSound: Bool

    /// The same files, read again.
    public func readAgain() -> Configuration { Configuration(serverFile: serverFile, options: options) }

    /// What `stamp()` was just before the files were read.
    public let stampWhenRead: String

    /// Changes whenever a tenant or driver file does.
    public func stamp() -> String { Self.stamp(server) }

    private static func stamp(_ server: ServerSettings) -> String {
        [server.tenants, server.drivers].map { folder in
            let names = (try? Files.jsonNames(in: folder)) ?? []
            return names.map { "\($0) \(Files.stamp(Files.join(folder, $0)))" }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// Two tenants cannot share a key: it is what tells them apart.
    static func clash(of plan: TenantPlan, with others: [TenantPlan], file: String) -> [ConfigFault] {
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
