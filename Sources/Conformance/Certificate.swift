/// The parts of the kit.
public enum CheckGroup: String, Sendable, CaseIterable {
    case list, search, windows, get, create, update, fields, refusals, faults, limits, credentials
}

/// One check and how it went.
public struct CheckResult: Sendable {
    public enum Outcome: Sendable, Equatable {
        case passed
        /// What was expected and what came instead, without anybody's data.
        case failed(expected: String, came: String)
        /// Nothing to be held to, and why.
        case notApplicable(String)
    }

    public let group: CheckGroup
    /// Unique within the group.
    public let name: String
    /// What holds when the check passes.
    public let claim: String
    public let outcome: Outcome

    /// `group/name`
    public var id: String { "\(group.rawValue)/\(name)" }

    public var failed: Bool {
        if case .failed = outcome { return true }
        return false
    }
}

/// What the kit found out about one subject.
public struct Certificate: Sendable {
    public let subject: String
    /// In the order of the kit.
    public let results: [CheckResult]
    /// The capability table, Markdown.
    public let table: String

    public var failures: [CheckResult] { results.filter(\.failed) }
    public var passed: Int { results.count { $0.outcome == .passed } }
    public var notApplicable: Int { results.count - passed - failures.count }
    /// True when at least one check passed and none failed.
    public var isGood: Bool { passed > 0 && failures.isEmpty }

    /// One line: the name, the verdict and the numbers behind it.
    public var verdict: String {
        "\(subject): \(isGood ? "certified" : "NOT certified"): \(passed) passed, \(failures.count) failed, "
            + "\(notApplicable) not applicable"
    }

    /// One line for each check, failures with what was expected and what came.
    public var lines: [String] { results.map(\.line) }
}

extension CheckResult {
    public var line: String {
        switch outcome {
        case .passed: "ok    \(id): \(claim)"
        case .failed(let expected, let came):
            "FAIL  \(id): \(claim)\n        expected: \(expected)\n        came: \(came)"
        case .notApplicable(let reason): "n/a   \(id): \(reason)"
        }
    }
}
