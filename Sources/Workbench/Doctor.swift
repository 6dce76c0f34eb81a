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
        /// Whether a search found whom it should, and nobody else; slow ones too.
        public internal(set) var isProved = false

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

    /// - Parameter known: terms of clients who are on record, made-up ones if possible. They are sent and not shown.
    public init(_ plan: TenantPlan, engine: CurlEngine, known: [SearchTerm] = []) {
        self.plan = plan
        self.known = known
        probe = Probe(engine.channel(plan.channel))
        driver = plan.driver.make(probe)
    }

    /// Everything, in order. `report` hears of each finding as it is made.
    ///
    /// What cannot tell anything new is not tried: calls behind a connection that failed, and calls with credentials
    /// that were just rejected, for which some systems lock an account.
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
        let rest = ["list", "get"] + plan.options.searchBy.map(Self.name)
        func skip(_ names: [String], _ why: String) -> [Finding] {
            for name in names { add(Finding(name, .skipped, why)) }
            return findings
        }
        add(Network(plan.upstream).lookUp())
        if findings.last?.verdict == .bad {
            return skip(["connection", "credentials"] + rest, "the host is not known")
        }
        let first = await firstCall()
        add(connection(first))
        if findings.last?.verdict == .bad { return skip(["credentials"] + rest, "there is no connection") }
        add(credentials(first))
        if findings.last?.verdict == .bad {
            return skip(rest, "the credentials were rejected: trying on could lock the account")
        }
        let (listed, rows) = list(first)
        add(listed)
        let (got, client) = await get(rows.first)
        add(got)
        let people = (client.map { [$0] } ?? []) + rows
        for kind in plan.options.searchBy { add(await search(kind, people, unfiltered: rows.map(\.id))) }
        return findings
    }

    /// The way to the system and the credentials, by one call that reads: what `ponte check --live` does.
    public func verify() async -> [Finding] {
        var findings = [Network(plan.upstream).lookUp()]
        guard findings[0].verdict != .bad else { return findings }
        let first = await firstCall()
        findings.append(connection(first))
        guard findings[1].verdict != .bad else { return findings }
        findings.append(credentials(first))
        if findings[2].verdict == .skipped, case .failure(let error) = first.result {
            findings.append(failed(first.name, error, first.took))
        }
        return findings
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
        guard first.name == name else {
            return (Finding(name, .skipped, "the system has no list: GET /clients answers 501"), [])
        }
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
