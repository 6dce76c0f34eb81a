import JSONBytes
import MockUpstream
import StrictConfig

/// Reads spec files: unknown members, matchers that are none and calls that could not be made are faults with their
/// places.
struct SpecReader {
    private var records = Records()

    static let fileMembers = ["title", "tenant", "server", "dialect", "always", "records", "specs"]
    static let worldMembers = ["title", "contract", "rule", "tenant", "server", "dialect", "always", "records"]
    static let stepMembers = ["in", "upstream", "out", "next"]
    static let dialectMembers = ["name", "patients", "staleReads"]
    static let inboundMembers = ["request", "headers", "body", "text", "padding"]
    static let exchangeMembers = ["request", "query", "headers", "body", "text", "answer", "fault", "optional"]
    static let answerMembers = ["status", "headers", "body", "text", "base64"]
    static let callsMembers = ["calls", "faults"]
    static let faultMembers = ["fault", "operation", "times"]
    static let outcomeMembers = ["status", "headers", "body", "text", "problem", "broken"]

    /// - Throws: every fault of the file, with its place.
    static func read(_ bytes: [UInt8], file: String) throws(ConfigError) -> SpecFile {
        let report = ConfigReport(file: file)
        let read = report.root(bytes).flatMap { SpecReader().file($0) }
        try report.check()
        guard let read else { throw ConfigError([ConfigFault(file: file, message: "cannot be read")]) }
        return read
    }

    /// What a file says for all its specs.
    private struct Common {
        var tenant = SpecTenant(members: nil, pointer: .root)
        var server: Placed?
        var dialect: ConfigNode?
        var always: ConfigNode?
        var records = Records()
    }

    private func file(_ root: ConfigNode) -> SpecFile? {
        guard let object = root.object(Self.fileMembers) else { return nil }
        let title = object.required("title").flatMap { $0.string("what the file is about") }
        let common = world(object, Common())
        let list = object.required("specs")
        let nodes = list?.elements("an array of specs") ?? []
        if let list, list.kind == .array, nodes.isEmpty { list.fault("must hold at least one spec") }
        let specs = nodes.compactMap { spec($0, common) }
        return title.map { SpecFile(file: root.report.file, title: $0, specs: specs) }
    }

    private func world(_ object: ConfigObject, _ common: Common) -> Common {
        var world = common
        if let node = object.optional("tenant") {
            SpecTenant.check(node)
            world.tenant = SpecTenant(
                members: common.tenant.members?.merging(node.value) ?? node.value, pointer: node.pointer)
        }
        if let node = object.optional("server") {
            if node.kind != .object { node.expected("an object of members of the server's file") }
            world.server = Placed(value: node.value, pointer: node.pointer)
        }
        if let node = object.optional("dialect") { world.dialect = node.kind == .null ? nil : node }
        if let node = object.optional("always") { world.always = node }
        if let node = object.optional("records") { world.records.add(node) }
        return world
    }

    private func spec(_ node: ConfigNode, _ common: Common) -> Spec? {
        guard let object = node.object(Self.worldMembers + Self.stepMembers) else { return nil }
        let title = object.required("title").flatMap { $0.string("what the spec shows") }
        let sentences = ["contract", "rule"].compactMap { object.optional($0) }
        for sentence in sentences { _ = sentence.string("a sentence") }
        if sentences.isEmpty {
            node.fault("must quote the sentence that it shows: \"contract\" in the contract's own words, or \"rule\"")
        }
        let world = world(object, common)
        var reader = self
        reader.records = world.records
        let system = reader.system(world)
        var steps: [Step] = []
        reader.steps(object, title: nil, system, &steps)
        guard let title, let system else { return nil }
        return Spec(
            title: title, pointer: node.pointer, tenant: world.tenant, server: world.server, system: system,
            steps: steps)
    }

    private func system(_ world: Common) -> Spec.System? {
        if let node = world.dialect {
            guard node.kind == .object else {
                return node.choice(MockOptions.Dialect.self).map { .dialect($0, patients: 18, staleReads: 0) }
            }
            guard let object = node.object(Self.dialectMembers) else { return nil }
            let patients = object.optional("patients")?.int(0...100_000) ?? 18
            let stale = object.optional("staleReads")?.int(0...86_400) ?? 0
            return object.required("name").flatMap { $0.choice(MockOptions.Dialect.self) }
                .map { .dialect($0, patients: patients, staleReads: stale) }
        }
        return .script(always: world.always?.elements("an array of exchanges").compactMap(exchange) ?? [])
    }

    // MARK: Steps

    /// A step and those that follow it.
    private func steps(
        _ object: ConfigObject, title: String?, _ system: Spec.System?, _ steps: inout [Step]
    ) {
        let inbound = object.required("in").flatMap(inbound)
        let upstream = upstream(object.optional("upstream"), system)
        let outcome = object.required("out").flatMap(outcome)
        if let inbound, let outcome {
            steps.append(
                Step(
                    title: title, pointer: object.node.pointer, inbound: inbound, upstream: upstream, outcome: outcome))
        }
        for next in object.optional("next")?.oneOrMore() ?? [] {
            guard let object = next.object(["title"] + Self.stepMembers) else { continue }
            let title = object.optional("title").flatMap { $0.string() }
            self.steps(object, title: title, system, &steps)
        }
    }

    private func inbound(_ node: ConfigNode) -> Inbound? {
        if node.kind == .string {
            return requestLine(node).map { Inbound(method: $0.method, target: $0.target, headers: [], body: nil) }
        }
        guard let object = node.object(Self.inboundMembers) else { return nil }
        let line = object.required("request").flatMap(requestLine)
        let headers: [(String, String?)] =
            object.optional("headers")?.entries().compactMap { name, node in
                if node.kind == .null { return (name, nil) }
                return node.string("a text, or null for a header that is not sent", allowEmpty: true).map { (name, $0) }
            } ?? []
        var body = content(object, ["body", "text"])?.bytes
        if let padding = object.optional("padding")?.int(0...(64 << 20)) {
            body = (body ?? []) + [UInt8](repeating: UInt8(ascii: " "), count: padding)
        }
        return line.map { Inbound(method: $0.method, target: $0.target, headers: headers, body: body) }
    }

    /// `GET /clients?limit=2`
    private func requestLine(_ node: ConfigNode) -> (method: String, target: String)? {
        guard let text = node.string("a method, a space and a path such as \"GET /clients\"") else { return nil }
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy({ $0 &- 0x41 < 26 }),
            parts[1].hasPrefix("/"), parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
        else {
            node.fault("is not a method, a space and a percent-encoded path such as \"GET /clients?limit=2\"")
            return nil
        }
        return (String(parts[0]), String(parts[1]))
    }

    /// The bytes that one of the members gives; at most one of them may stand there.
    private func content(_ object: ConfigObject, _ names: [String]) -> (name: String, bytes: [UInt8])? {
        let given = names.compactMap { name in object.optional(name).map { (name, $0) } }
        if given.count > 1 { object.node.fault("has several of: \(names.joined(separator: ", "))") }
        guard let (name, node) = given.first else { return nil }
        switch name {
        case "body": return records.expanded(node, matchers: false).map { (name, $0.source) }
        case "text": return node.string(allowEmpty: true).map { (name, Array($0.utf8)) }
        default:
            guard let text = node.string("base64", allowEmpty: true) else { return nil }
            guard let bytes = Base64.decode(text) else {
                node.fault("is not base64 (RFC 4648, section 4)")
                return nil
            }
            return (name, bytes)
        }
    }

    // MARK: The clinic's system

    private func upstream(_ node: ConfigNode?, _ system: Spec.System?) -> Step.Upstream {
        if case .dialect = system {
            guard let object = node?.object(Self.callsMembers) else { return .calls([:], faults: []) }
            var calls: [MockOperation: Int] = [:]
            for (name, node) in object.optional("calls")?.entries() ?? [] {
                guard let operation = operation(name, node) else { continue }
                calls[operation] = node.int(0...1_000_000)
            }
            return .calls(calls, faults: object.optional("faults")?.elements().compactMap(faultRule) ?? [])
        }
        let groups = node?.elements("an array of exchanges") ?? []
        return .script(groups.map { group in (group.kind == .array ? group.elements() : [group]).compactMap(exchange) })
    }

    private func operation(_ name: String, _ node: ConfigNode) -> MockOperation? {
        guard let operation = MockOperation(rawValue: name) else {
            node.fault(NearestName.unknown("operation", name, MockOperation.allCases.map(\.rawValue)))
            return nil
        }
        return operation
    }

    private func faultRule(_ node: ConfigNode) -> MockFaultRule? {
        guard let object = node.object(Self.faultMembers) else { return nil }
        let operation = object.optional("operation").flatMap { $0.choice(MockOperation.self) }
        let times = object.optional("times").flatMap { $0.int(1...1_000_000) }
        return object.required("fault").flatMap(fault).map { MockFaultRule($0, operation: operation, times: times) }
    }

    private func fault(_ node: ConfigNode) -> MockFault? {
        guard let text = node.string("a fault of the mock such as \"reset\" or \"status=503\"") else { return nil }
        guard let fault = MockFault(text) else {
            node.fault("is no fault of the mock: docs/mock.md lists them")
            return nil
        }
        return fault
    }

    private func exchange(_ node: ConfigNode) -> Exchange? {
        guard let object = node.object(Self.exchangeMembers) else { return nil }
        let line = object.required("request").flatMap(requestLine)
        let faultNode = object.optional("fault")
        let faults = faultNode?.oneOrMore().compactMap(fault) ?? []
        if faultNode?.value.elements.isEmpty == true, faultNode?.kind == .array {
            faultNode?.fault("must name at least one fault")
        }
        let optional = object.optional("optional")?.bool() ?? false
        if object.optional("body") != nil, object.optional("text") != nil {
            node.fault("has several of: body, text")
        }
        var status = 200
        var headers: [(name: String, value: String)] = []
        var body: (name: String, bytes: [UInt8])?
        if let answer = object.optional("answer")?.object(Self.answerMembers) {
            status = answer.optional("status")?.int(200...599) ?? 200
            headers =
                answer.optional("headers")?.entries().compactMap { name, node in
                    node.string().map { (name, $0) }
                } ?? []
            body = content(answer, ["body", "text", "base64"])
        } else if faults.isEmpty, object.optional("answer") == nil {
            node.fault("lacks the member \"answer\"")
        }
        if let body, !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(
                ("Content-Type", body.name == "body" ? "application/json; charset=utf-8" : "text/plain; charset=utf-8"))
        }
        guard let line else { return nil }
        let parts = line.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count == 2 ? String(parts[1]) : nil
        if query != nil, let node = object.optional("query") {
            node.fault("stands beside a query in \"request\", which is the whole query: use one of them")
        }
        let pairs = query.map(MockRequest.parameters)
        let expected = ExpectedRequest(
            pointer: node.pointer, method: line.method, path: String(parts[0]),
            wholeQuery: pairs.flatMap(JSONValue.texts), query: wanted(object, "query"),
            headers: wanted(object, "headers"), body: wanted(object, "body"), text: wanted(object, "text"))
        return Exchange(
            pointer: node.pointer, expected: expected, status: status, headers: headers, body: body?.bytes ?? [],
            faults: faults, isOptional: optional)
    }

    /// A member that is compared with what comes.
    private func wanted(_ object: ConfigObject, _ name: String) -> Placed? {
        guard let node = object.optional(name) else { return nil }
        if name == "query" || name == "headers" || name == "problem", node.kind != .object {
            node.expected("an object")
        }
        return records.expanded(node, matchers: true).map { Placed(value: $0, pointer: node.pointer) }
    }

    // MARK: Answers

    private func outcome(_ node: ConfigNode) -> Outcome? {
        guard let object = node.object(Self.outcomeMembers) else { return nil }
        let isBroken = object.optional("broken")?.bool() ?? false
        let statusNode = isBroken ? object.optional("status") : object.required("status")
        let status = statusNode?.int(200...599)
        let contents = ["body", "text", "problem"].filter { object.optional($0) != nil }
        if contents.count > 1 { node.fault("has several of: body, text, problem") }
        if isBroken, statusNode != nil || !contents.isEmpty || object.optional("headers") != nil {
            node.fault("of an answer that breaks off nothing else can be stated")
        }
        return Outcome(
            pointer: node.pointer, status: status ?? 0, headers: wanted(object, "headers"),
            body: wanted(object, "body"), text: wanted(object, "text"), problem: wanted(object, "problem"),
            isBroken: isBroken)
    }
}
