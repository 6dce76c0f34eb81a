import Bridge
import ClientContract
public import Tenancy
import Transport
import UpstreamDriver

/// How Ponte understood a tenant's file, defaults filled in and secrets masked: what `ponte explain` prints.
public struct Explanation: Sendable {
    public struct Section: Sendable {
        public let title: String
        public let lines: [(name: String, value: String)]
    }

    public let sections: [Section]

    /// - Parameter moment: when it is read, in seconds since 1970-01-01 UTC: keys may be over then.
    public init(_ plan: TenantPlan, at moment: Int = CalendarDay.now) {
        let capabilities = plan.driver.capabilities
        sections = [
            Self.tenant(plan), Self.inbound(plan, moment), Self.upstream(plan), Self.limits(plan), Self.clients(plan),
            Self.calls(plan, capabilities), Self.searches(plan, capabilities), Self.writes(plan, capabilities),
        ]
    }

    /// Plain text, names in one column.
    public var text: String {
        sections.map { section in
            let width = section.lines.map(\.name.count).max() ?? 0
            let lines = section.lines.map { line in
                "  " + line.name + String(repeating: " ", count: width - line.name.count + 2) + line.value
            }
            return ([section.title] + lines).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    // MARK: Sections

    private static func tenant(_ plan: TenantPlan) -> Section {
        Section(
            title: "Tenant",
            lines: [("id", plan.id), ("name", plan.name), ("served", plan.isDisabled ? "no (disabled)" : "yes")])
    }

    private static func inbound(_ plan: TenantPlan, _ moment: Int) -> Section {
        let keys = plan.keys.map { ("key \($0.name)", "SHA-256 \($0.digest.hex.prefix(8))…, \(good($0, moment))") }
        let networks = plan.allow.map { $0.map(\.description).joined(separator: ", ") }
        return Section(
            title: "Who may call",
            lines: keys + [
                ("from", networks ?? "any address"),
                ("in a minute", plan.requestsPerMinute.map { "at most \($0) requests by one key" } ?? "no limit"),
                ("path", "/clients, or /t/\(plan.id)/clients"),
            ])
    }

    /// For how long a key opens anything.
    private static func good(_ key: InboundKey, _ moment: Int) -> String {
        guard let expires = key.expires else { return "for ever" }
        return expires.isOver(at: moment)
            ? "EXPIRED after \(expires): every call with it is refused" : "until \(expires), the end of that day in UTC"
    }

    private static func upstream(_ plan: TenantPlan) -> Section {
        let facts = plan.upstream
        let channel = plan.channel
        var lines = [("system", plan.driver.capabilities.system), ("driver", facts.driver)]
        if let profile = facts.profile { lines.append(("profile", profile)) }
        lines.append(("address", facts.baseURL ?? "none"))
        lines += facts.credentials.map { ("credential \($0)", "••••") }
        lines += facts.settings.map { ("setting \($0.name)", $0.value) }
        lines.append(("HTTP", channel.http2 ? "2 where the system offers it, else 1.1" : "1.1"))
        lines.append(("trusts", channel.caFile.map { "the authorities of \($0)" } ?? "the machine's authorities"))
        if let file = channel.clientCertificateFile { lines.append(("shows", "the certificate of \(file)")) }
        if !facts.addresses.isEmpty {
            lines.append(("may be in", "public networks, and " + facts.addresses.joined(separator: ", ")))
        }
        return Section(title: "The clinic's system", lines: lines)
    }

    private static func limits(_ plan: TenantPlan) -> Section {
        let channel = plan.channel
        let paces = channel.paces.map { "\($0.calls) in \(seconds($0.per))" }
        return Section(
            title: "Times and limits",
            lines: [
                ("one call", "at most \(seconds(plan.callTimeout)), everything included"),
                ("a whole list", "at most \(seconds(plan.listTimeout))"),
                ("connecting", "at most \(seconds(channel.connectTimeout))"),
                ("a connection", "used for at most \(seconds(channel.connectionLifetime))"),
                ("calls at once", String(channel.maxInFlight)),
                ("calls that wait", "at most \(channel.maxQueued), then 503"),
                ("calls in a period", paces.isEmpty ? "no limit" : paces.joined(separator: ", and ")),
                (
                    "a read that failed",
                    channel.retries == 0 ? "is not tried again" : "is tried again, \(again(channel.retries))"
                ),
                (
                    "after failures",
                    "\(channel.breaker.failures) in a row leave the system alone, for \(seconds(channel.breaker.openFor)) at first"
                ),
                ("an answer", "at most \(channel.maxBodyBytes) bytes"),
            ])
    }

    private static func again(_ retries: Int) -> String { retries == 1 ? "once" : "up to \(retries) times" }

    private static func clients(_ plan: TenantPlan) -> Section {
        let options = plan.options
        return Section(
            title: "Choices",
            lines: [
                ("a term is tried as", options.searchBy.map(\.rawValue).joined(separator: ", ")),
                (
                    "numbers without area code",
                    options.rules.phones.areaCode.map { "belong to \($0)" } ?? "are no Brazilian numbers"
                ),
                ("CPF check digits", options.rules.cpfCheckDigits ? "must be right" : "are not looked at"),
                (
                    "a repeated create",
                    plan.driver.capabilities.operations.contains(.create)
                        ? Self.duplicates(options.onDuplicate, plan.driver.capabilities)
                        : "does not arise: there is no create"
                ),
                (
                    "an idempotency key",
                    "is kept for \(seconds(plan.idempotency.keepFor)), "
                        + (plan.idempotency.store == .sqlite ? "in the database" : "in memory, until Ponte ends")
                ),
                (
                    "rows of a list",
                    options.listDetail ? "are completed by a call for each" : "as the system's list shows them"
                ),
            ])
    }

    private static func duplicates(
        _ action: BridgeOptions.DuplicateAction, _ capabilities: Capabilities
    ) -> String {
        switch (action, capabilities.duplicates) {
        case (.returnExisting, _): "answers the client on record"
        case (.reject, _): "is refused (409)"
        case (.create, .creates): "makes another record"
        case (.create, _): "is sent all the same; what the system makes of it stands under Writes"
        }
    }

    private static func calls(_ plan: TenantPlan, _ capabilities: Capabilities) -> Section {
        let operations = capabilities.operations
        func state(_ operation: Capabilities.Operation, _ text: String) -> String {
            operations.contains(operation) ? text : "501: the system has no such call"
        }
        let canSearch = plan.options.searchBy.contains { way(of: $0, plan, capabilities) != .none }
        let paging =
            switch capabilities.listPaging.style {
            case .offset: "pages by offset, up to \(capabilities.listPaging.maximum) rows"
            case .numbered:
                "numbered pages of up to \(capabilities.listPaging.fixed ?? capabilities.listPaging.maximum) rows"
            case .token: "one page after the other, up to \(capabilities.listPaging.maximum) rows"
            case .single: "all rows in one answer"
            }
        return Section(
            title: "The five calls",
            lines: [
                ("GET /clients", state(.list, paging)),
                ("GET /clients/search", canSearch ? "see below" : "501: none of the kinds can be searched by"),
                ("GET /clients/{id}", state(.get, "one call")),
                (
                    "POST /clients",
                    state(
                        .create,
                        plan.options.onDuplicate == .create
                            ? "one call: nobody is looked for" : "looks for the person first, then one call")
                ),
                ("PATCH /clients/{id}", state(.update, "read back and compared")),
            ] + (isNarrowed(plan) ? [("less", "what the server's own CapabilityStatement denies")] : []))
    }

    /// Whether the system itself may say, once it is asked, that it can do less than its profile.
    static func isNarrowed(_ plan: TenantPlan) -> Bool { plan.upstream.driver == "fhir" }

    enum Way: Equatable { case own, scan, none }

    /// How terms of a kind are found, by a system that can do this.
    static func way(of kind: TermKind, _ plan: TenantPlan, _ capabilities: Capabilities) -> Way {
        if capabilities.searches[kind]?.isEmpty == false { return .own }
        return plan.options.scan.allowed && capabilities.operations.contains(.list) ? .scan : .none
    }

    private static func searches(_ plan: TenantPlan, _ capabilities: Capabilities) -> Section {
        let lines = TermKind.allCases.map { kind -> (String, String) in
            guard plan.options.searchBy.contains(kind) else {
                return (kind.rawValue, "not asked for (clients.searchBy)")
            }
            switch way(of: kind, plan, capabilities) {
            case .own:
                let attempts = capabilities.searches[kind] ?? []
                let trust = Set(attempts.map { name($0.trust) }).sorted().joined(separator: ", ")
                return (
                    kind.rawValue,
                    "the system's own search, \(attempts.count) call\(attempts.count == 1 ? "" : "s"), \(trust)"
                )
            case .scan: return (kind.rawValue, "reads all clients, up to \(plan.options.scan.maxRecords)")
            case .none: return (kind.rawValue, "501 when a term can be nothing else")
            }
        }
        return Section(title: "Searches", lines: lines)
    }

    private static func name(_ trust: Capabilities.Trust) -> String {
        switch trust {
        case .exact: "exact"
        case .superset: "finds more, compared"
        case .unproven: "unproven, compared"
        }
    }

    private static func writes(_ plan: TenantPlan, _ capabilities: Capabilities) -> Section {
        let duplicates =
            switch capabilities.duplicates {
            case .reusesSilently: "answers an old record without saying so: what it answers is compared"
            case .refuses: "refuses it"
            case .creates: "makes another record"
            case .unknown: "not known: what it answers is compared"
            }
        let unchangeable = capabilities.unchangeable.map(\.wireName).sorted()
        return Section(
            title: "Writes",
            lines: [
                (
                    "a repeated person, for the system",
                    capabilities.operations.contains(.create) ? duplicates : "no create"
                ),
                (
                    "cannot be changed",
                    !capabilities.operations.contains(.update)
                        ? "anything: no update"
                        : unchangeable.isEmpty ? "nothing" : unchangeable.joined(separator: ", ")
                ),
                (
                    "reads lag writes",
                    capabilities.staleReads == .zero ? "no" : "by up to \(seconds(capabilities.staleReads))"
                ),
            ])
    }

    static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return duration > .zero ? "<1ms" : "0s" }
        if milliseconds % 60_000 == 0 { return "\(milliseconds / 60_000)m" }
        if milliseconds % 1000 == 0 { return "\(milliseconds / 1000)s" }
        return "\(milliseconds)ms"
    }
}
