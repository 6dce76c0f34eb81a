package import ClientContract
import UpstreamDriver

extension Profile {
    /// A tenant for trying the profile without a system: it gives everything that must be given.
    /// - Parameters:
    ///   - baseURL: nil for the profile's own.
    ///   - value: what stands for a variable such as `setting.unit`; one that a body writes as a number is `101`.
    package func trialTenant(
        baseURL: String?, phones: PhoneContext, value: (_ variable: String) -> String
    ) -> RESTTenant {
        let numbers = plan.numbers
        func sample(_ variable: String) -> String { numbers.contains(variable) ? "101" : value(variable) }
        var credentials: [String: Secret] = [:]
        for name in self.credentials { credentials[name] = Secret(sample("credential.\(name)")) }
        var given: [String: String] = [:]
        for setting in settings {
            if let derived = setting.derived, numbers.contains("setting.\(setting.name)") {
                credentials[derived.credential] = Secret(
                    value("credential.\(derived.credential)") + "\(derived.afterLast)101")
            } else if setting.isGiven, setting.fallback == nil {
                given[setting.name] = sample("setting.\(setting.name)")
            }
        }
        return RESTTenant(baseURL: baseURL, credentials: credentials, settings: given, phones: phones)
    }
}

extension ProfilePlan {
    /// Variables that a body writes as a number.
    fileprivate var numbers: Set<String> {
        let steps = [login?.login, login?.refresh].compactMap { $0?.operation }
        return (operations.values + steps).reduce(into: []) { names, operation in
            if case .json(let node) = operation.body { names.formUnion(node.numbers) }
        }
    }
}

extension BodyTemplate.JSONNode {
    fileprivate var numbers: Set<String> {
        switch self {
        case .number(let name): [name]
        case .object(let members, _): members.reduce(into: []) { $0.formUnion($1.node.numbers) }
        case .array(let nodes): nodes.reduce(into: []) { $0.formUnion($1.numbers) }
        case .literal, .text, .variable, .record: []
        }
    }
}
