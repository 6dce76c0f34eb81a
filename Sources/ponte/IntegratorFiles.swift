import ArgumentParser
import Glibc
import RESTDriver
import StrictConfig
import Tenancy
import Workbench

/// Finding and reading what an integrator names on the command line.
enum IntegratorFiles {
    /// A profile by name, from the configuration's folder of drivers, or by the path of its file.
    static func profile(_ name: String, _ options: ConfigurationOptions) throws -> (profile: Profile, path: String) {
        let isPath = name.hasSuffix(".json") || name.contains("/")
        let path = isPath ? name : folder(options) + "/drivers/\(name).json"
        do throws(ConfigError) {
            return (try Profile(try bytes(path), file: path), path)
        } catch {
            for fault in error.faults { Terminal.error(fault.description) }
            throw ExitCode.failure
        }
    }

    /// A tenant of the configuration, by id.
    static func tenant(_ id: String, _ options: ConfigurationOptions, secrets: SecretSource) throws -> TenantPlan {
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: secrets))
        if let plan = configuration.tenants.first(where: { $0.id == id }) { return plan }
        let own = configuration.faults.filter { $0.file.hasSuffix("/\(id).json") }
        for fault in own.isEmpty ? configuration.faults : own { Terminal.error(fault.description) }
        Terminal.error(NearestName.unknown("tenant", id, configuration.tenants.map(\.id)))
        throw ExitCode.failure
    }

    static func bytes(_ path: String) throws(ConfigError) -> [UInt8] {
        do {
            return try Files.read(path)
        } catch {
            throw ConfigError([ConfigFault(file: path, message: error.message)])
        }
    }

    /// The folder of the server's file.
    static func folder(_ options: ConfigurationOptions) -> String {
        options.config.lastIndex(of: "/").map { String(options.config[..<$0]) } ?? "."
    }

    /// The pairs of a folder, by name; empty where there is none.
    static func pairs(in folder: String) throws -> (pairs: [GoldenPair], login: [UInt8]?) {
        guard let names = try? Files.names(in: folder) else { return ([], nil) }
        var pairs: [GoldenPair] = []
        for name in names {
            let parts = name.split(separator: ".")
            guard parts.count == 3, parts[1] == "in" else { continue }
            let expected = folder + "/\(parts[0]).out.json"
            do throws(ConfigError) {
                pairs.append(
                    GoldenPair(
                        name: String(parts[0]), input: try bytes(folder + "/" + name), inputType: String(parts[2]),
                        expected: try bytes(expected)))
            } catch {
                for fault in error.faults { Terminal.error(fault.description) }
                throw ExitCode.failure
            }
        }
        return (pairs, names.contains("login.json") ? try? bytes(folder + "/login.json") : nil)
    }
}
