import JSONBytes

/// What a server says went wrong (FHIR R4, OperationOutcome). Its words are not yet cleaned of people.
struct OperationOutcome: Sendable {
    struct Issue: Sendable {
        let severity: String
        let code: String
        /// The server's words, with the place that they are about.
        let text: String?
    }

    let issues: [Issue]

    /// Most issues that are read.
    private static let most = 20

    init(_ resource: JSONValue) {
        issues = (resource["issue"]?.elements ?? []).prefix(OperationOutcome.most).map { issue in
            let words = issue["details"]?["text"]?.string ?? issue["diagnostics"]?.string
            let place = (issue["expression"] ?? issue["location"])?.elements.first?.string
            return Issue(
                severity: issue["severity"]?.string ?? "error", code: issue["code"]?.string ?? "",
                text: words.map { text in place.map { "\($0): \(text)" } ?? text } ?? place)
        }
    }

    /// Nil where the document is another resource.
    init?(_ document: JSONDocument?) {
        guard let root = document?.root, root["resourceType"]?.string == "OperationOutcome" else { return nil }
        self.init(root)
    }

    /// Whether any issue says that the call failed; warnings and information do not.
    var isFailure: Bool { issues.contains { $0.severity == "error" || $0.severity == "fatal" } }

    /// The reasons of a refusal.
    var reasons: [String] {
        issues.filter { $0.severity != "information" && $0.severity != "success" }.compactMap { issue in
            issue.text ?? (issue.code.isEmpty ? nil : issue.code)
        }
    }

    /// The kinds of its failures, from the standard's own list: safe to show, unlike its words.
    var codes: String {
        let codes = issues.filter { $0.severity == "error" || $0.severity == "fatal" }.map(\.code)
        return codes.filter { code in !code.isEmpty && code.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 == 0x2D } }
            .prefix(3).joined(separator: ", ")
    }
}
