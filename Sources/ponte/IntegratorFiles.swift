import ArgumentParser
import Glibc
import RESTDriver
import StrictConfig
import Tenancy
import Workbench

/// Finding and reading what an integrator names on the command line.
enum IntegratorFiles {
    /// The folder of drivers: what the server's file says, or `drivers` beside it.
    static func drivers(_ options: ConfigurationOptions) throws -> String {
        let file = options.config
        guard access(file, F_OK) == 0 else {
            Terminal.error(
                "\(file): there is no such file. Run this where the configuration is, or name its server.json with --config."
            )
            throw ExitCode.failure
        }
        let configuration = Configuration(serverFile: file, options: .init(secrets: SecretSource(resolves: false)))
        guard configuration.serverIsSound else { throw failure(ConfigError(configuration.faults)) }
        return configuration.server.drivers
    }

    /// A profile by name, from the configuration's folder of drivers, or by the path of its file.
    static func profile(_ name: String, _ options: ConfigurationOptions) throws -> (profile: Profile, path: String) {
        let path: String
        if name.hasSuffix(".json") {
            path = name
        } else {
            let folder = try drivers(options)
            path = Files.join(folder, "\(name).json")
            if access(path, F_OK) != 0 {
                let known = ((try? Files.jsonNames(in: folder)) ?? []).map { String($0.dropLast(".json".count)) }
                Terminal.error("\(folder): \(NearestName.unknown("profile", name, known))")
                throw ExitCode.failure
            }
        }
        do throws(ConfigError) {
            let content = try bytes(path)
            do throws(ConfigError) {
                return (try Profile(content, file: path), path)
            } catch {
                // Its faults as a profile of another language would be many, and beside the point.
                guard isFHIR(content) else { throw error }
                throw ConfigError([
                    ConfigFault(
                        file: path,
                        message:
                            "is a profile of the driver \"fhir\"; this command is for those of \"rest\". `ponte check` checks "
                            + "it, `ponte certify` and `ponte doctor` try it")
                ])
            }
        } catch {
            throw failure(error)
        }
    }

    private static func isFHIR(_ content: [UInt8]) -> Bool {
        String(decoding: content, as: UTF8.self).contains("fhir-profile.schema.json")
    }

    /// A tenant of the configuration, by id.
    static func tenant(_ id: String, _ options: ConfigurationOptions, secrets: SecretSource) throws -> TenantPlan {
        let configuration = Configuration(serverFile: options.config, options: .init(secrets: secrets))
        if let plan = configuration.tenants.first(where: { $0.id == id }) { return plan }
        let path = Files.join(configuration.server.tenants, "\(id).json")
        guard configuration.serverIsSound, access(path, F_OK) == 0 else {
            if !configuration.serverIsSound { throw failure(ConfigError(configuration.faults)) }
            let known = ((try? Files.jsonNames(in: configuration.server.tenants)) ?? []).map {
                String($0.dropLast(".json".count))
            }
            Terminal.error("\(configuration.server.tenants): \(NearestName.unknown("tenant", id, known))")
            throw ExitCode.failure
        }
        // Of other files, those that the tenant's own faults speak of: a profile.
        let own = configuration.faults.filter { $0.file == path }
        let profiles = configuration.faults.filter { fault in
            fault.file.hasPrefix(configuration.server.drivers)
                && own.contains { $0.pointer == "/upstream/profile" && $0.message.contains("\"\(stem(fault.file))\"") }
        }
        throw failure(ConfigError(own + profiles))
    }

    private static func stem(_ path: String) -> String {
        String((path.split(separator: "/").last ?? "").dropLast(".json".count))
    }

    static func bytes(_ path: String) throws(ConfigError) -> [UInt8] {
        do {
            return try Files.readInput(path)
        } catch {
            throw ConfigError([ConfigFault(file: path, message: error.message)])
        }
    }

    /// Prints the faults; what ends the program then.
    static func failure(_ error: ConfigError) -> ExitCode {
        for fault in error.faults { Terminal.error(fault.description) }
        return .failure
    }
}
