import Bridge
public import ClientContract
public import Tenancy
public import Transport
public import UpstreamDriver

/// Looks at a clinic's system without writing anything, and says in plain words what is wrong and what to change: what
/// `ponte doctor` prints. No value of any patient is in what it says.
public struct Doctor: Sendable {
    /// One thing that was tried.
    public struct Finding: Sendable {
        public enum Verdict: String, Sendable { case good = "ok", doubtful = "look", bad = "FAIL", skipped = "skip" }

        public let name: String
        public let verdict: Verdict
        /// What was seen.
        public let seen: String
        /// What to do; empty where nothing is.
        public let advice: String
        /// How long it took; nil where nothing was sent.
        public let took: Duration?
        /// Of how many clients each member was there; for the list and the one record.
        public var members: Members?
        /// What the system could do as far as its driver knew then: a server's own statement may leave less than the
        /// profile says. Nil where nobody noted it.
        public internal(set) var capabilities: Capabilities?
        /// Whether a search found whom it should; slow ones, and such as find others as well, too.
        public internal(set) var isProved = false
        /// False for what the system does not have, so that there is nothing to try.
        public internal(set) var applies = true

        init(
            _ name: String, _ verdict: Verdict, _ seen: String, advice: String = "", took: Duration? = nil,
            members: Members? = nil
        ) {
            self.name = name
            self.verdict = verdict
            self.seen = seen
            self.advice = advice
            self.took = took
            self.members = members
        }

        func advised(_ advice: String) -> Finding {
            var finding = Finding(name, verdict, seen, advice: advice, took: took, members: members)
            finding.isProved = isProved
            finding.applies = applies
            return finding
        }
    }

    /// Which members clients showed, never their values.
    public struct Members: Sendable, Equatable {
        public let clients: Int
        public let shown: [ClientField: Int]

        init(_ clients: [Client]) {
            self.clients = clients.count
            shown = Dictionary(
                uniqueKeysWithValues: ClientField.allCases.map { field in (field, clients.count { $0.has(field) }) })
        }

        var text: String {
            ClientField.allCases.compactMap { field in
                guard let count = shown[field], count > 0 else { return nil }
                return count == clients ? field.wireName : "\(field.wireName) (\(count) of \(clients))"
            }.joined(separator: ", ")
        }
    }

    let plan: TenantPlan
    let driver: any UpstreamDriver
    let probe: Probe
    /// Clients that are there, told by whoever runs it: for systems that show no list.
    let known: [SearchTerm]
    private let unsaved: UnsavedCredentials?

    /// - Parameters:
    ///   - known: terms of clients who are on record, made-up ones if possible. They are sent and not shown.
    ///   - unsaved: what the plan's secrets tell of credentials that could not be written back.
    public init(
        _ plan: TenantPlan, engine: CurlEngine, known: [SearchTerm] = [], unsaved: UnsavedCredentials? = nil
    ) {
        self.plan = plan
        self.known = known
        self.unsaved = unsaved
        probe = Probe(engine.channel(plan.channel))
        driver = plan.driver.make(probe)
    }

    /// Everything, in order. `report` hears of each finding as it is made.
    ///
    /// What cannot tell anything new is not tried: calls behind a connection that failed, and calls with credentials
    /// that were just rejected, or may have been, for which some systems lock an account.
    @discardableResult
    public func examine(_ report: (Finding) -> Void = { _ in }) async -> [Finding] {
        var findings: [Finding] = []
        func add(_ finding: Finding) {
            // The same advice is said once.
            let earlier = findings.first { !$0.advice.isEmpty && $0.verdict == .bad && $0.advice == finding.advice }
            var said = earlier.map { finding.advised("As for \"\($0.name)\".") } ?? finding
            said.capabilities = driver.capabilities
            findings.append(said)
            report(said)
        }
        var toldOf = 0
        func addUnsaved() {
            let lost = unsaved?.findings(of: plan.id) ?? []
            for finding in lost.dropFirst(toldOf) { add(finding) }
            toldOf = lost.count
        }
        let searches = plan.options.searchBy
        let rest = ["list", "get"] + searches.map(Self.name)
        func skip(_ names: [String], _ why: String) -> [Finding] {
            for name in names { add(lacking(name) ?? Finding(name, .skipped, why)) }
            return findings
        }
        add(Network(plan.upstream).lookUp())
        if findings.last?.verdict == .bad {
            return skip(["connection", "credentials"] + rest, "the host is not known")
        }
        if let untried {
            add(untried)
            return skip(["connection", "credentials"] + rest, "a login would use the credential up")
        }
        let first = await firstCall()
        addUnsaved()
        add(connection(first))
        if findings.last?.verdict == .bad { return skip(["credentials"] + rest, "there is no connection") }
        add(credentials(first))
        if findings.last?.verdict == .bad {
            return skip(rest, "the credentials were rejected: trying on could lock the account")
        }
        let (listed, rows) = list(first)
        add(listed)
        if case .failure(let error) = first.result, Self.maySpeakOfTheKey(error) {
            if first.name != "list" { add(failed(first.name, error, first.took)) }
            return skip(
                rest.filter { $0 != "list" && $0 != first.name },
                "the first call failed and may say that the credentials are wrong: trying on could lock the account")
        }
        var people = rows
        if let row = rows.first {
            let (got, client) = await get(row, "the first client of the list")
            add(got)
            people.insert(contentsOf: client.map { [$0] } ?? [], at: 0)
        }
        var found: Client?
        for kind in searches {
            let (finding, client) = await search(kind, people, unfiltered: rows.map(\.id))
            add(finding)
            found = found ?? client
        }
        // Where no list shows anybody, whom a search found.
        if rows.isEmpty { add(await get(found, "a client that a search found").finding) }
        addUnsaved()
        return findings
    }

    /// The way to the system and the credentials, by one call that reads: what `ponte check --live` does.
    public func verify() async -> [Finding] {
        var findings = [Network(plan.upstream).lookUp()]
        guard findings[0].verdict != .bad else { return findings }
        if let untried { return findings + [untried] }
        let first = await firstCall()
        findings.append(connection(first))
        if findings[1].verdict != .bad {
            findings.append(credentials(first))
            if findings[2].verdict == .skipped, case .failure(let error) = first.result {
                findings.append(failed(first.name, error, first.took))
            }
        }
        return findings + (unsaved?.findings(of: plan.id) ?? [])
    }

    /// Why nothing may be sent: a login would use up a credential whose successor could not be kept.
    private var untried: Finding? {
        guard let credential = plan.usedUpCredential, let reason = plan.complaintAboutCredentialFile() else {
            return nil
        }
        return UnsavedCredentials.untried(credential, reason)
    }

    /// Whether a failure may be what the system says to wrong credentials, in a way that no outcome rule knows: an error
    /// inside a success, or a refusal of a call that gives nothing to refuse.
    private static func maySpeakOfTheKey(_ error: UpstreamError) -> Bool {
        switch error {
        case .refused: true
        case .failed(let status?, _): (200..<300).contains(status) || status == 400
        default: false
        }
    }

    /// What there is to say of a thing that the system does not have; nil for one that can be tried.
    func lacking(_ name: String) -> Finding? {
        let capabilities = driver.capabilities
        let seen: String
        switch name {
        case "list" where !capabilities.operations.contains(.list):
            seen = "the system has no list: GET /clients answers 501"
        case "get" where !capabilities.operations.contains(.get):
            seen = "the system cannot show one client: GET /clients/{id} answers 501"
        default:
            let kind = TermKind.allCases.first { Self.name($0) == name }
            guard let kind, capabilities.searches[kind]?.isEmpty ?? true else { return nil }
            seen =
                Explanation.way(of: kind, plan, capabilities) == .scan
                ? "no search of its own: Ponte reads all clients" : "the system cannot: such a term answers 501"
        }
        var finding = Finding(name, .skipped, seen)
        finding.applies = false
        return finding
    }

    var context: CallContext { CallContext(deadline: .now + plan.callTimeout, requestID: "ponte-doctor") }

    static func name(_ kind: TermKind) -> String { "search by \(kind.rawValue)" }

    // MARK: The first call

    /// The call that shows the way and the credentials: one page of the list; where there is none, a search for somebody
    /// who cannot be there, or such an id.
    struct FirstCall {
        let name: String
        let result: Result<ClientPage?, UpstreamError>
        let took: Duration
    }

    private func firstCall() async -> FirstCall {
        let start = ContinuousClock.now
        let capabilities = driver.capabilities
        let kind = plan.options.searchBy.first { capabilities.searches[$0]?.isEmpty == false }
        let name = capabilities.operations.contains(.list) ? "list" : kind.map(Self.name) ?? "get"
        let result: Result<ClientPage?, UpstreamError>
        do throws(UpstreamError) {
            if name == "list" {
                let paging = capabilities.listPaging
                let size = paging.fixed ?? min(paging.maximum, 10)
                result = .success(try await driver.page(PageRequest(.offset(0), size: size), context))
            } else if let kind, let attempt = capabilities.searches[kind]?.first {
                result = .success(try await candidates(Self.nobody(kind), 0, attempt))
            } else {
                _ = try await driver.client(ClientID("0"), context)
                result = .success(nil)
            }
        } catch .notFound where name == "get" {
            result = .success(nil)
        } catch {
            result = .failure(error)
        }
        return FirstCall(name: name, result: result, took: .now - start)
    }

    /// What the first request showed of the way there.
    private func connection(_ first: FirstCall) -> Finding {
        let name = "connection"
        switch probe.first {
        case .success(let timings)?:
            let isOpen = timings.tls == .zero && !Network(plan.upstream).isLoopback
            return Finding(
                name, isOpen ? .doubtful : .good,
                "name \(Explanation.seconds(timings.nameLookup)), connected after "
                    + "\(Explanation.seconds(timings.connect))"
                    + (timings.tls > .zero ? ", TLS after \(Explanation.seconds(timings.tls))" : ", no TLS")
                    + ", first byte after \(Explanation.seconds(timings.firstByte))",
                advice: isOpen
                    ? "Patients' data travels in clear: write https in baseURL, unless the system stands in the clinic's own "
                        + "network and has no TLS."
                    : "", took: timings.total)
        case .failure(let error)?:
            return Finding(
                name, .bad, error.detail, advice: Advice.transport(error, plan), took: probe.elapsed)
        case nil where probe.asked > 0:
            return Finding(
                name, .bad, "the request went out, and no answer came within \(Explanation.seconds(plan.callTimeout))",
                advice: Advice.silence(plan), took: probe.elapsed)
        case nil:
            guard case .failure(let error) = first.result else {
                return Finding(name, .skipped, "nothing was sent: no call of this system can be tried without writing")
            }
            return Finding(name, .bad, "nothing was sent: \(error)", advice: Advice.upstream(error, plan))
        }
    }

    private func credentials(_ first: FirstCall) -> Finding {
        let name = "credentials"
        let login = probe.logins
        switch first.result {
        case .failure(.credentialsRejected(let detail)):
            return Finding(name, .bad, "rejected: \(detail)", advice: Advice.credentials(plan), took: first.took)
        case .failure(let error):
            return Finding(name, .skipped, "not known: \(first.name) failed otherwise (\(error))")
        case .success where plan.upstream.credentials.isEmpty:
            return Finding(name, .good, "none are configured, and none were asked for")
        case .success:
            return Finding(
                name, .good, login == nil ? "accepted" : "accepted, by a login of their own", took: login)
        }
    }

    private func list(_ first: FirstCall) -> (Finding, [Client]) {
        let name = "list"
        if let lacking = lacking(name) { return (lacking, []) }
        let took = first.took - (probe.beforeLast ?? .zero)
        switch first.result {
        case .failure(let error): return (failed(name, error, took), [])
        case .success(let page):
            guard let page, !page.clients.isEmpty else {
                let rows = page?.rows ?? 0
                return (
                    Finding(
                        name, .doubtful, "nobody: \(rows) rows",
                        advice: rows > 0
                            ? "The profile's \"active\" passes over every row: look at its place and values."
                            : "Right only if the clinic has no patients yet: register a made-up one and run this again. If "
                                + "it has some, look at \"items\" and the outcome rules of the profile's list.",
                        took: took), []
                )
            }
            let total = page.total.map { " of \($0)" } ?? ""
            let members = Members(page.clients)
            let isSlow = took > plan.callTimeout / 4
            return (
                Finding(
                    name, isSlow ? .doubtful : .good, "\(page.clients.count) clients\(total), with: \(members.text)",
                    advice: isSlow ? Advice.slow(plan) : "", took: took, members: members), page.clients
            )
        }
    }

    // MARK: Words

    func failed(_ name: String, _ error: UpstreamError, _ took: Duration) -> Finding {
        Finding(name, .bad, "\(error)", advice: Advice.upstream(error, plan), took: took)
    }

    /// Good, or doubtful because one call took more than a quarter of the time that a caller has.
    func timed(
        _ name: String, _ seen: String, _ took: Duration, calls: Int = 1, members: Members? = nil
    ) -> Finding {
        let isSlow = took / max(1, calls) > plan.callTimeout / 4
        return Finding(
            name, isSlow ? .doubtful : .good, seen, advice: isSlow ? Advice.slow(plan) : "", took: took,
            members: members)
    }
}
