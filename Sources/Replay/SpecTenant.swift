import JSONBytes
import MockUpstream
import StrictConfig
import Tenancy

/// The files that a spec's tenant, profile and server are written to, and what stands in them.
struct WorldFiles: Sendable {
    let server: [UInt8]
    let tenant: [UInt8]
    let profile: [UInt8]
    /// What the tenant's references to secrets lead to, by the name of the environment variable.
    let secrets: [String: String]
}

extension SpecTenant {
    static let members = [
        "profile", "profileChanges", "credentials", "settings", "timeouts", "limits", "retries", "breaker",
        "maxBodyBytes",
        "clients",
    ]
    static let defaultProfile = "agenda-demo"
    static let id = "spec"
    static let key = "spec-key-not-for-production"

    /// Reports what is no member; what the members hold is checked by those who read tenants and profiles.
    static func check(_ node: ConfigNode) {
        guard let object = node.object(members) else { return }
        for name in members {
            guard let member = object.optional(name) else { continue }
            let kinds: [JSONKind] =
                switch name {
                case "profile": [.string, .object]
                case "maxBodyBytes", "retries": [.number]
                default: [.object]
                }
            if !kinds.contains(member.kind) {
                member.expected(
                    name == "profile" ? "a profile's name or a profile" : kinds == [.number] ? "a number" : "an object")
            }
        }
        for (_, credential) in object.optional("credentials")?.entries() ?? [] { _ = credential.string() }
    }

    /// A fault in what a spec says of its tenant.
    struct Fault: Error { let message: String }

    /// - Parameters:
    ///   - drivers: the folder of profiles that can be named.
    ///   - server: what the spec says of the server's file.
    func files(drivers: String, server: JSONValue?) throws(Fault) -> WorldFiles {
        let bytes = try profile(drivers)
        guard let profile = try? JSONDocument(bytes).root else { throw Fault(message: "the profile is not JSON") }
        let given = members?["credentials"]
        let names =
            profile["credentials"].map { node in
                node.kind == .array ? node.elements.compactMap(\.string) : node.members.map(\.key)
            } ?? []
        var secrets: [String: String] = [:]
        var writer = JSONWriter()
        writer.raw("{\"id\":\"spec\",\"inbound\":{\"keys\":[{\"name\":\"spec\",\"sha256\":")
        writer.string(KeyDigest(of: Self.key).hex)
        writer.raw("}]},\"upstream\":{\"driver\":\"rest\",\"profile\":\"spec\",\"credentials\":{")
        let all = names + (given?.members.map(\.key).filter { !names.contains($0) } ?? [])
        for (index, credential) in all.filter({ $0 != "$comment" }).enumerated() {
            let variable = "SPEC_\(index)"
            secrets[variable] = given?[credential]?.string ?? Self.known[credential] ?? "secret-\(credential)"
            writer.comma()
            writer.key(credential)
            writer.raw("{\"env\":")
            writer.string(variable)
            writer.raw("}")
        }
        writer.raw("}")
        for member in ["settings", "timeouts", "limits", "breaker", "maxBodyBytes"] { copy(member, to: &writer) }
        // Each step states the requests that it causes: tries after a failure are asked for.
        if members?["retries"] == nil { writer.raw(",\"retries\":0") } else { copy("retries", to: &writer) }
        writer.raw("}")
        copy("clients", to: &writer)
        writer.raw("}")
        return WorldFiles(
            server: server?.source ?? Array("{}".utf8), tenant: writer.finish(), profile: bytes, secrets: secrets)
    }

    /// What the mock's dialects accept unless told otherwise.
    private static let known: [String: String] = {
        let options = MockOptions()
        return ["user": options.user, "password": options.password, "token": options.accessToken]
    }()

    private func copy(_ name: String, to writer: inout JSONWriter) {
        guard let value = members?[name] else { return }
        writer.raw(",")
        writer.key(name)
        writer.raw(value.source)
    }

    private func profile(_ drivers: String) throws(Fault) -> [UInt8] {
        let given = members?["profile"]
        let changes = members?["profileChanges"]
        var base: JSONValue
        if let given, given.kind == .object {
            base = given
        } else {
            let name = given?.string ?? Self.defaultProfile
            let names = (try? Files.jsonNames(in: drivers).map { String($0.dropLast(".json".count)) }) ?? []
            guard names.contains(name) else {
                throw Fault(message: NearestName.unknown("profile", name, names))
            }
            let bytes: [UInt8]
            do {
                bytes = try Files.read(Files.join(drivers, name + ".json"))
            } catch {
                throw Fault(message: "the profile \"\(name)\" \(error.message)")
            }
            guard let document = try? JSONDocument(bytes) else { throw Fault(message: "the profile is not JSON") }
            base = document.root
        }
        if let changes { base = base.merging(changes) }
        return base.source
    }

    /// Whether the system's login is that of the default profile, which need not be stated.
    var hasKnownLogin: Bool {
        let profile = members?["profile"]
        return (profile == nil || profile?.string == Self.defaultProfile)
            && members?["profileChanges"]?["login"] == nil
    }
}
