import JSONBytes
import StrictConfig

/// Compiles outcome rules.
enum OutcomeCompiler {
    static func rules(_ node: ConfigNode?) -> [OutcomeRule] {
        var rules: [OutcomeRule] = []
        var sound: [(rule: OutcomeRule, node: ConfigNode)] = []
        for node in node?.elements("an array of outcome rules") ?? [] {
            let before = node.report.faults.count
            guard let (rule, when) = rule(node) else { continue }
            rules.append(rule)
            // What a condition with a fault would have meant, nobody knows.
            guard node.report.faults.count == before else { continue }
            OutcomeChecks.nobody(rule, when)
            sound.append((rule, node))
        }
        OutcomeChecks.order(sound)
        return rules
    }

    private static func rule(_ node: ConfigNode) -> (OutcomeRule, when: ConfigNode)? {
        guard let object = node.object(Members.outcome), let when = object.required("when"),
            let kind = object.required("then")?.choice(OutcomeKind.self),
            let conditions = when.object(Members.when)
        else { return nil }
        var rule = OutcomeRule(kind: kind)
        if kind != .refused, kind != .conflict {
            for name in ["reasons", "members"] {
                object.optional(name)?.fault("are heard only where the outcome is \"refused\" or \"conflict\"")
            }
        }
        rule.reasons = object.optional("reasons").map(LensCompiler.pointers) ?? []
        rule.members = object.optional("members").map(LensCompiler.pointers) ?? []
        rule.statuses = conditions.optional("status")?.oneOrMore().compactMap(status) ?? []
        rule.contentType = conditions.optional("contentType")?.string()?.lowercased()
        rule.texts = conditions.optional("text")?.oneOrMore().compactMap { $0.string() } ?? []
        for (name, test) in conditions.optional("body")?.entries("an object of JSON pointers and tests") ?? [] {
            guard let pointer = JSONPointer(name) else {
                test.fault("stands under a name that is not a JSON pointer (RFC 6901)")
                continue
            }
            if let compiled = bodyTest(test) { rule.body.append((pointer, compiled)) }
        }
        if rule.statuses.isEmpty, rule.contentType == nil, rule.texts.isEmpty, rule.body.isEmpty {
            when.fault("names no condition, so the rule would fit every answer")
        }
        return (rule, when)
    }

    /// `404`, or a class such as `"4xx"`.
    private static func status(_ node: ConfigNode) -> ClosedRange<Int>? {
        if node.kind == .number { return node.int(100...599).map { $0...$0 } }
        guard let text = node.string("a status such as 404 or \"4xx\"") else { return nil }
        guard text.count == 3, text.hasSuffix("xx"), let hundreds = text.first?.wholeNumberValue,
            (1...5).contains(hundreds)
        else {
            node.fault("is not a status: write 404 or \"4xx\"")
            return nil
        }
        return (hundreds * 100)...(hundreds * 100 + 99)
    }

    /// A scalar, or an object with one of `equals`, `present`, `empty`, `contains`.
    private static func bodyTest(_ node: ConfigNode) -> OutcomeRule.BodyTest? {
        guard node.kind == .object else {
            if node.kind == .array {
                node.expected("a value, or an object with equals, present, empty or contains")
                return nil
            }
            return .equals([node.value.source])
        }
        guard let object = node.object(Members.bodyTest) else { return nil }
        guard node.value.members.count == 1 else {
            node.fault("must have exactly one of equals, present, empty and contains")
            return nil
        }
        if let equals = object.optional("equals") { return .equals(equals.oneOrMore().map(\.value.source)) }
        if let present = object.optional("present") { return present.bool().map { .present($0) } }
        if let empty = object.optional("empty") { return empty.bool().map { .empty($0) } }
        if let contains = object.optional("contains") { return contains.string().map { .contains($0) } }
        return nil
    }
}
