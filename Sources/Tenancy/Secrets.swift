import Glibc
import StrictConfig
import UpstreamDriver

/// Where references to secrets lead.
public struct SecretSource: Sendable {
    /// Value of an environment variable; nil when it is not set.
    public var environment: @Sendable (String) -> String?
    /// Off: references are checked for their form only, and every secret is a placeholder.
    public var resolves: Bool
    /// Told when a credential that the vendor replaced could not be written back: the tenant, the credential's name, and
    /// the system's reason.
    public var onUnsaved: (@Sendable (_ tenant: String, _ credential: String, _ reason: String) -> Void)?
    private var tenant = ""
    /// Whether a secret's file may be one that others can read or change.
    var allowsOpenFiles = false

    public init(
        environment: @escaping @Sendable (String) -> String? = SecretSource.processEnvironment, resolves: Bool = true
    ) {
        self.environment = environment
        self.resolves = resolves
    }

    /// The same, for the secrets of one tenant.
    func forTenant(_ id: String?) -> SecretSource {
        var source = self
        source.tenant = id ?? ""
        return source
    }

    var couldNotSave: @Sendable (_ credential: String, _ reason: String) -> Void {
        { [onUnsaved, tenant] credential, reason in onUnsaved?(tenant, credential, reason) }
    }

    /// The environment of this process.
    public static let processEnvironment: @Sendable (String) -> String? = { name in
        getenv(name).map { String(cString: $0) }
    }

    /// Reads `{"env": "NAME"}` or `{"file": "path"}`; anything else is a fault that never quotes what it found: the secret
    /// itself may stand where a name belongs.
    func secret(_ node: ConfigNode) -> Secret? {
        guard node.kind != .string else {
            node.fault(
                "is written out here: a secret may not stand in a configuration file. "
                    + "Refer to it as {\"env\": \"NAME\"} or {\"file\": \"path\"}")
            return nil
        }
        let members = node.value.members.map(\.key)
        guard members.allSatisfy({ ["env", "file", "$comment"].contains($0) }) else {
            node.fault("has a member that is neither \"env\" nor \"file\": a reference to a secret has one of them")
            return nil
        }
        guard let object = node.object(["env", "file"]) else { return nil }
        switch (object.optional("env"), object.optional("file")) {
        case (let variable?, nil): return fromEnvironment(variable)
        case (nil, let path?): return fromFile(path)
        default:
            node.fault("must have either \"env\" or \"file\"")
            return nil
        }
    }

    private func fromEnvironment(_ node: ConfigNode) -> Secret? {
        guard let name = node.string("the name of an environment variable") else { return nil }
        let letters = name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 }
        guard letters, let first = name.utf8.first, first &- 0x30 >= 10 else {
            node.fault("is not the name of an environment variable: letters, digits and _ only")
            return nil
        }
        guard resolves else { return Secret("") }
        guard let value = environment(name) else {
            node.fault(
                "\(Self.variable(name)) is not set; if this is the secret itself, it may not stand in a configuration file"
            )
            return nil
        }
        return usable(value, node, Self.variable(name))
    }

    /// How a fault speaks of a variable. Only what is plainly a name is quoted: words in capitals with `_` between them,
    /// such as `AURORA_USER`, which no secret looks like.
    private static func variable(_ name: String) -> String {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        let isName =
            words.count > 1
            && words.allSatisfy { word in !word.isEmpty && word.utf8.allSatisfy { $0 &- 0x41 < 26 } }
        return "the environment variable " + (isName ? name : "that is named here")
    }

    /// Whether a reference names a variable otherwise than everybody names them, in capitals: it may be the secret itself.
    static func isDoubtful(_ node: ConfigNode) -> Bool {
        guard let name = node.value["env"]?.string else { return false }
        return !name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0 &- 0x30 < 10 || $0 &- 0x41 < 26 }
    }

    /// The file that a reference leads to.
    static func file(_ node: ConfigNode) -> String? {
        node.value["file"]?.string.map { Files.resolve($0, beside: node.report.file) }
    }

    private func fromFile(_ node: ConfigNode) -> Secret? {
        guard let path = node.string("a path") else { return nil }
        guard !path.utf8.contains(0) else {
            node.fault("is not a path")
            return nil
        }
        guard resolves else { return Secret("") }
        let bytes: [UInt8]
        do {
            bytes = try Files.readSecret(
                Files.resolve(path, beside: node.report.file), allowsOpen: allowsOpenFiles)
        } catch {
            node.fault("the file of this secret \(error.message)")
            return nil
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            node.fault("the file of this secret is not UTF-8")
            return nil
        }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return usable(text, node, "the file of this secret")
    }

    private func usable(_ value: String, _ node: ConfigNode, _ what: String) -> Secret? {
        guard !value.isEmpty else {
            node.fault("\(what) is empty")
            return nil
        }
        guard !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            node.fault("\(what) holds control characters")
            return nil
        }
        return Secret(value)
    }
}
