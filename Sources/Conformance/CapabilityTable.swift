import ClientContract
import UpstreamDriver

/// What a system can do, as a Markdown table for people.
struct CapabilityTable {
    private let capabilities: Capabilities
    private let gaps: [Gap: String]

    init(_ subject: Subject) {
        capabilities = subject.capabilities
        gaps = subject.gaps
    }

    var markdown: String {
        (["| | |", "| --- | --- |"] + rows.map { "| \($0.0) | \($0.1) |" }).joined(separator: "\n") + "\n"
    }

    private var rows: [(String, String)] {
        var rows = [
            (
                "operations",
                Self.list(Capabilities.Operation.allCases.filter(capabilities.operations.contains).map(\.rawValue))
            )
        ]
        let missing = Capabilities.Operation.allCases.filter { !capabilities.operations.contains($0) }
        if !missing.isEmpty { rows.append(("no such operation", Self.list(missing.map(\.rawValue)))) }
        if capabilities.operations.contains(.list) {
            rows.append(("pages of a list", Self.paging(capabilities.listPaging)))
        }
        for kind in TermKind.allCases {
            let attempts = capabilities.searches[kind] ?? []
            rows.append(("search by \(kind.rawValue)", attempts.isEmpty ? "no" : Self.search(attempts)))
        }
        rows.append(
            (
                "only in the full record",
                Self.list(ClientField.allCases.filter(capabilities.needsDetail.contains).map(\.wireName))
            ))
        if capabilities.operations.contains(.create) {
            rows.append(("a create that repeats a record", Self.duplicates(capabilities.duplicates)))
            let members = capabilities.draftMembers.map(\.rawValue).sorted()
            rows.append(("members of a create beside the client's", Self.list(members)))
        }
        if capabilities.operations.contains(.update) {
            let fixed = ClientField.allCases.filter(capabilities.unchangeable.contains).map(\.wireName)
            rows.append(("cannot be changed", Self.list(fixed)))
        }
        let stale = capabilities.staleReads
        rows.append(("reads show writes", stale == .zero ? "at once" : "after at most \(stale.components.seconds) s"))
        if capabilities.skipsRows { rows.append(("rows passed over", "inactive records")) }
        rows += gapRows
        return rows
    }

    /// By title; members that share a gap and its reason share a row.
    private var gapRows: [(String, String)] {
        var rows: [(title: String, reason: String)] = []
        let unprotected = ClientField.allCases.filter { gaps[.changingAtOnce($0)] != nil }
        for field in unprotected {
            guard let reason = gaps[.changingAtOnce(field)] else { continue }
            if let row = rows.firstIndex(where: { $0.reason == reason }) {
                rows[row].title += ", `\(field.wireName)`"
            } else {
                rows.append((Gap.changingAtOnce(field).title, reason))
            }
        }
        let others = gaps.filter { gap, _ in !unprotected.contains { gap == .changingAtOnce($0) } }
        return (rows + others.map { ($0.key.title, $0.value) }).sorted { $0.0 < $1.0 }
    }

    private static func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    private static func paging(_ paging: Capabilities.Paging) -> String {
        let size = paging.fixed.map { "always \($0) rows" } ?? "at most \(paging.maximum) rows"
        return switch paging.style {
        case .offset: "from any offset, \(size)"
        case .numbered: "numbered, \(size)"
        case .token: "one after the other, by a token, \(size)"
        case .single: "one with everybody"
        }
    }

    private static func search(_ attempts: [Capabilities.Attempt]) -> String {
        let trusts = attempts.map { attempt in
            switch attempt.trust {
            case .exact: "exact"
            case .superset: "superset"
            case .unproven: "unproven"
            }
        }
        let kinds = Set(trusts).sorted().joined(separator: ", ")
        var samples: [String] = []
        for sample in attempts.flatMap(\.samples) where !samples.contains(sample) { samples.append(sample) }
        let asked = samples.isEmpty ? "" : ": as " + samples.map { "`\($0)`" }.joined(separator: ", ")
        return "\(kinds), \(attempts.count) attempt\(attempts.count == 1 ? "" : "s")\(asked)"
    }

    private static func duplicates(_ policy: Capabilities.DuplicatePolicy) -> String {
        switch policy {
        case .reusesSilently: "answers the record that is there, silently"
        case .refuses: "is refused"
        case .creates: "creates another record"
        case .unknown: "unknown"
        }
    }
}
