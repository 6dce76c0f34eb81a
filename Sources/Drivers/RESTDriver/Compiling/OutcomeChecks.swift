import JSONBytes
import StrictConfig

/// Outcome rules that could run and would do harm: one by which an outage means nobody, one that no answer reaches.
enum OutcomeChecks {
    // MARK: Nobody

    /// Whoever is taken for nobody is looked for in vain, and made a second time. So what an outage, an error inside or
    /// a refused key answers, too, is not enough: the rule must hold something that the vendor says of nobody.
    static func nobody(_ rule: OutcomeRule, _ when: ConfigNode) {
        guard rule.kind == .empty || rule.kind == .notFound, !rule.texts.contains(where: { !$0.isEmpty }),
            !rule.body.contains(where: { speaks($0.test, of: $0.pointer) })
        else { return }
        // Every answer of the system may be of the type of its data; another type is a word of its own, in a success.
        let isOtherType = rule.contentType.map { !$0.contains("json") && !"application/json".hasPrefix($0) } ?? false
        let statuses = rule.statuses.isEmpty ? [100...599] : rule.statuses
        let unsure = statuses.joined().first { status in
            !saysNobody(status) && !(isOtherType && (200...299).contains(status))
        }
        guard let unsure else { return }
        let absence = rule.body.isEmpty ? "" : " What is missing is missing from an error, too."
        when.fault(
            "covers \(unsure), which alone says nothing of nobody: an outage, an error inside or a refused key would make "
                + "the clinic look empty.\(absence) Test \"body\" or \"text\" for what the vendor says of nobody")
    }

    /// Whether a status alone can mean it: no content, or a fault of the request that is not about credentials, time or
    /// pace.
    private static func saysNobody(_ status: Int) -> Bool {
        status == 204 || ((400...499).contains(status) && ![401, 403, 407, 408, 429].contains(status))
    }

    /// Whether a test asks for something that is there. The whole answer may be empty; no error is.
    private static func speaks(_ test: OutcomeRule.BodyTest, of pointer: JSONPointer) -> Bool {
        let isWhole = pointer.steps.isEmpty
        return switch test {
        case .equals, .contains: true
        case .present(let wanted): wanted && !isWhole
        case .empty(let wanted): wanted == isWhole
        }
    }

    // MARK: Order

    /// Rules of one list that never decide, since one above them fits whatever they fit.
    static func order(_ rules: [(rule: OutcomeRule, node: ConfigNode)]) {
        for (index, later) in rules.enumerated() {
            guard let first = rules[..<index].first(where: { covers($0.rule, later.rule) }) else { continue }
            later.node.fault(
                "is never reached: whatever fits it fits the rule at \(first.node.pointer), too. Put the narrower one first"
            )
        }
    }

    private static func covers(_ earlier: OutcomeRule, _ later: OutcomeRule) -> Bool {
        // Web pages pass it by.
        if earlier.needsData, !later.needsData { return false }
        let statuses =
            earlier.statuses.isEmpty
            || (!later.statuses.isEmpty
                && later.statuses.allSatisfy { range in
                    earlier.statuses.contains { $0.contains(range.lowerBound) && $0.contains(range.upperBound) }
                })
        guard statuses, earlier.contentType.map({ later.contentType?.hasPrefix($0) ?? false }) ?? true else {
            return false
        }
        return earlier.texts.allSatisfy { text in
            later.texts.contains { $0.lowercased().contains(text.lowercased()) }
        }
            && earlier.body.allSatisfy { test in
                later.body.contains { $0.pointer == test.pointer && implies($0.test, test.test) }
            }
    }

    /// Whether whatever passes the one test passes the other at the same place.
    private static func implies(_ test: OutcomeRule.BodyTest, _ other: OutcomeRule.BodyTest) -> Bool {
        switch (test, other) {
        case (.equals(let some), .equals(let all)): some.allSatisfy { all.contains($0) }
        case (.equals(let values), .empty(let wanted)): values.allSatisfy { blanks.contains($0) == wanted }
        case (.contains(let longer), .contains(let text)): longer.lowercased().contains(text.lowercased())
        case (.present(let one), .present(let another)): one == another
        case (.empty(let one), .empty(let another)): one == another
        case (.equals, .present(true)), (.contains, .present(true)), (.empty(false), .present(true)): true
        case (.contains, .empty(false)), (.present(false), .empty(true)): true
        default: false
        }
    }

    private static let blanks: [[UInt8]] = ["null", "false", "\"\""].map { Array($0.utf8) }
}

extension Profile {
    /// What the profile leaves open and its author may know, a sentence each: no faults.
    package var remarks: [String] {
        let rules = (plan.operations.values.flatMap(\.outcomes) + (plan.login?.login.operation.outcomes ?? [])).filter {
            $0.statuses.isEmpty || $0.statuses.contains { $0.overlaps(200...299) }
        }
        guard rules.contains(where: { $0.kind == .failure }), !rules.contains(where: { $0.kind == .unauthorised })
        else {
            return []
        }
        return [
            "a rule finds failures inside a 2xx, and none says which of them are about the credentials: with a wrong key the "
                + "system is called on and on, which locks accounts. Where its words or a code tell, a rule with \"then\": "
                + "\"unauthorised\" before it says so."
        ]
    }
}
