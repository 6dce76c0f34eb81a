import ClientContract
import UpstreamDriver

/// The kit that certifies a driver or a profile: every check gets a world of its own, and calls the driver through
/// Bridge, as Ponte does (docs/conformance.md).
public enum Conformance {
    /// Runs the checks, some at a time, and waits for all.
    /// - Parameters:
    ///   - groups: the groups to run; all unless named.
    ///   - concurrency: checks at once.
    public static func run(
        _ subject: Subject, only groups: Set<CheckGroup> = Set(CheckGroup.allCases), concurrency: Int = 4
    ) async -> Certificate {
        let checks = Check.all.filter { groups.contains($0.group) }
        var results: [CheckResult?] = Array(repeating: nil, count: checks.count)
        await withTaskGroup(of: (Int, CheckResult).self) { group in
            var next = 0
            func start() {
                guard next < checks.count else { return }
                let place = next
                next += 1
                group.addTask { (place, await checks[place].run(subject)) }
            }
            for _ in 0..<max(1, concurrency) { start() }
            while let (place, result) = await group.next() {
                results[place] = result
                start()
            }
        }
        return Certificate(
            subject: subject.name, results: results.compactMap { $0 }, table: CapabilityTable(subject).markdown)
    }

    /// The ids of all checks, in order.
    public static var checks: [String] { Check.all.map { "\($0.group.rawValue)/\($0.name)" } }

    /// A subject's capability table, Markdown, without running anything.
    public static func table(_ subject: Subject) -> String { CapabilityTable(subject).markdown }
}

extension Check {
    func run(_ subject: Subject) async -> CheckResult {
        CheckResult(group: group, name: name, claim: claim, outcome: await outcome(subject))
    }

    private func outcome(_ subject: Subject) async -> CheckResult.Outcome {
        let stage: Stage
        do {
            stage = try await Stage(subject, audience)
        } catch {
            return .failed(expected: "a world and a driver", came: "none could be made: \(type(of: error))")
        }
        let outcome = await outcome(on: stage)
        await stage.world.close()
        return outcome
    }

    private func outcome(on stage: Stage) async -> CheckResult.Outcome {
        for need in needs {
            if let reason = need.missing(stage.subject, stage.world) { return .notApplicable(reason) }
        }
        do {
            try await body(stage)
            return .passed
        } catch let mismatch as Mismatch {
            return .failed(expected: mismatch.expected, came: mismatch.came)
        } catch let inapplicable as Inapplicable {
            return .notApplicable(inapplicable.reason)
        } catch {
            return .failed(expected: "a success", came: Self.description(of: error))
        }
    }
}

extension Check {
    /// What an error is, without what it says.
    private static func description(of error: any Error) -> String {
        switch error {
        case let error as ContractError: "the error \(error.code.rawValue)"
        case let error as UpstreamError: "the driver's error \(error.description.prefix { $0 != ":" })"
        default: "an error of the type \(type(of: error))"
        }
    }
}
