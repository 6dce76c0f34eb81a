import JSONBytes

extension Audit {
    /// For people: a line for each finding and one for what to do.
    public var text: String {
        let lines = findings.map { finding in
            let rule = finding.rule
            let place = finding.tenant.map { "tenant \($0), \(finding.place)" } ?? finding.place
            return "\(rule.id) [\(rule.severity.name)] \(rule.title): \(place)\n       \(rule.advice)"
        }
        let counts = AuditRule.Severity.allCases.reversed().map { severity in
            "\(findings.count { $0.rule.severity == severity }) \(severity.name)"
        }
        return (lines + [counts.joined(separator: ", ")]).joined(separator: "\n")
    }

    /// One JSON object: `worst`, and `findings[]` with `rule`, `severity`, `title`, `tenant`, `place`, `advice`.
    public var json: String {
        var writer = JSONWriter()
        writer.raw(#"{"worst":"#)
        if let worst { writer.string(worst.name) } else { writer.null() }
        writer.raw(#","findings":["#)
        for finding in findings {
            writer.comma()
            writer.raw(#"{"rule":"#)
            writer.string(finding.rule.id)
            writer.raw(#","severity":"#)
            writer.string(finding.rule.severity.name)
            writer.raw(#","title":"#)
            writer.string(finding.rule.title)
            writer.raw(#","tenant":"#)
            if let tenant = finding.tenant { writer.string(tenant) } else { writer.null() }
            writer.raw(#","place":"#)
            writer.string(finding.place)
            writer.raw(#","advice":"#)
            writer.string(finding.rule.advice)
            writer.raw("}")
        }
        writer.raw("]}")
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// What the program ends with: 0 up to `low`, 1 for `medium`, 2 for `high`, 3 for `critical`.
    public var exitStatus: Int32 { Int32(worst?.rawValue ?? 0) }
}
