import Bridge
import ClientContract
import Synchronization
public import Tenancy
public import Transport
import UpstreamDriver

/// Looks at a clinic's system without writing anything, and says in plain words what is wrong and what to change: what
/// `ponte doctor` prints. No value of any patient is in what it says.
public struct Doctor: Sendable {
    /// One thing that was tried.
    public struct Finding: Sendable, Equatable {
        public enum Verdict: String, Sendable { case good = "ok", doubtful = "look", bad = "FAIL", skipped = "skip" }

        public let name: String
        public let verdict: Verdict
        /// What was seen.
        public let seen: String
        /// What to do; empty where nothing is.
        public let advice: String
        /// How long it took; nil where nothing was sent.
        public let took: Duration?
    }

    private let plan: TenantPlan
    private let driver: any UpstreamDriver
    private let probe: Probe

    public init(_ plan: TenantPlan, engine: CurlEngine) {
        self.plan = plan
        let channel = engine.channel(plan.channel)
        probe = Probe(channel)
        driver = plan.driver.make(probe)
    }

    /// Everything, in order. `report` hears of each finding as it is made.
    @discardableResult
    public func examine(_ report: (Finding) -> Void = { _ in }) async -> [Finding] {
        var findings: [Finding] = []
        func add(_ finding: Finding) {
            findings.append(finding)
            report(finding)
        }
        let network = Network(plan.upstream.baseURL ?? "", settings: plan.upstream.settings)
        add(network.lookUp())
        if findings.last?.verdict == .bad {
            for name in ["connection", "list", "get"] + plan.options.searchBy.map({ "search by \($0.rawValue)" }) {
                add(Finding(name: name, verdict: .skipped, seen: "the host is not known", advice: "", took: nil))
            }
            return findings
        }
        let (listed, row) = await list()
        add(connection())
        add(listed)
        add(await get(row))
        for kind in plan.options.searchBy { add(await search(kind, row)) }
        return findings
    }

    private var context: CallContext {
        CallContext(deadline: .now + plan.callTimeout, requestID: "ponte-doctor")
    }

    // MARK: What is tried

    /// What the first call showed of the way there.
    private func connection() -> Finding {
        guard let first = probe.first else {
            return Finding(
                name: "connection", verdict: .skipped, seen: "nothing was sent", advice: "", took: nil)
        }
        switch first {
        case .success(let timings):
            return Finding(
                name: "connection", verdict: .good,
                seen: "name \(Explanation.seconds(timings.nameLookup)), connected after "
                    + "\(Explanation.seconds(timings.connect))"
                    + (timings.tls > .zero ? ", TLS after \(Explanation.seconds(timings.tls))" : ", no TLS")
                    + ", first byte after \(Explanation.seconds(timings.firstByte))",
                advice: timings.tls > .zero || Network.isLoopback(plan.upstream.baseURL ?? "")
                    ? "" : "Patients' data travels in clear: use https where the system has it.",
                took: timings.total)
        case .failure(let error):
            return Finding(
                name: "connection", verdict: .bad, seen: error.description, advice: Advice.transport(error), took: nil)
        }
    }

    private func list() async -> (Finding, Client?) {
        let name = "list"
        guard driver.capabilities.operations.contains(.list) else {
            return (
                Finding(
                    name: name, verdict: .skipped, seen: "the system has no list: GET /clients answers 501", advice: "",
                    took: nil), nil
            )
        }
        let start = ContinuousClock.now
        do throws(UpstreamError) {
            let size = min(driver.capabilities.listPaging.maximum, 10)
            let page = try await driver.page(
                PageRequest(.offset(0), size: driver.capabilities.listPaging.fixed ?? size), context)
            let took = ContinuousClock.now - start
            guard let row = page.clients.first else {
                return (
                    Finding(
                        name: name, verdict: .doubtful, seen: "nobody: \(page.rows) rows",
                        advice: "Right only if the clinic has no patients yet. Else look at \"items\" in the profile.",
                        took: took), nil
                )
            }
            let total = page.total.map { " of \($0)" } ?? ""
            return (
                Finding(
                    name: name, verdict: slow(took) ? .doubtful : .good,
                    seen: "\(page.clients.count) clients\(total), with: \(Self.members(page.clients))",
                    advice: slow(took) ? Advice.slow(plan) : "", took: took), row
            )
        } catch {
            return (failed(name, error, ContinuousClock.now - start), nil)
        }
    }

    private func get(_ row: Client?) async -> Finding {
        let name = "get"
        guard driver.capabilities.operations.contains(.get) else {
            return Finding(
                name: name, verdict: .skipped, seen: "the system cannot show one client: 501", advice: "", took: nil)
        }
        guard let row else {
            return Finding(name: name, verdict: .skipped, seen: "no client is known", advice: "", took: nil)
        }
        let start = ContinuousClock.now
        do throws(UpstreamError) {
            let client = try await driver.client(row.id, context)
            let took = ContinuousClock.now - start
            guard client.id == row.id else {
                return Finding(
                    name: name, verdict: .bad, seen: "another client came than the one asked for",
                    advice: "Look at \"id\" of the profile: rows and records must show the same one.", took: took)
            }
            let lost = ClientField.allCases.filter { row.has($0) && !client.has($0) }.map(\.wireName)
            return Finding(
                name: name, verdict: lost.isEmpty ? .good : .doubtful,
                seen: "the first client of the list, with: \(Self.members([client]))",
                advice: lost.isEmpty
                    ? ""
                    : "The row shows more than the record: look at the record's places for \(lost.joined(separator: ", ")).",
                took: took)
        } catch {
            return failed(name, error, ContinuousClock.now - start)
        }
    }

    /// Searches for somebody who cannot be there, then for the first client of the list.
    private func search(_ kind: TermKind, _ row: Client?) async -> Finding {
        let name = "search by \(kind.rawValue)"
        let attempts = driver.capabilities.searches[kind] ?? []
        guard !attempts.isEmpty else {
            let scans = plan.options.scan.allowed && driver.capabilities.operations.contains(.list)
            return Finding(
                name: name, verdict: .skipped,
                seen: scans ? "no search of its own: Ponte reads all clients" : "the system cannot: 501",
                advice: "", took: nil)
        }
        let start = ContinuousClock.now
        do throws(UpstreamError) {
            var strangers = 0
            for attempt in attempts.indices {
                let page = try await candidates(Self.nobody(kind), attempt, attempts[attempt])
                strangers = max(strangers, page.clients.count)
            }
            let took = ContinuousClock.now - start
            if strangers > 0 {
                return Finding(
                    name: name, verdict: .doubtful,
                    seen: "somebody who cannot be there found \(strangers) others",
                    advice:
                        "The filter is ignored, or finds parts of values. Ponte compares every candidate, but looks "
                        + "through more of them: check the parameter's name in the profile's search.",
                    took: took)
            }
            guard let term = row.flatMap({ Self.term(kind, of: $0) }) else {
                return Finding(
                    name: name, verdict: .good, seen: "nobody found who cannot be there; no value to look for",
                    advice: "", took: took)
            }
            var found = false
            for attempt in attempts.indices where !found {
                let page = try await candidates(term, attempt, attempts[attempt])
                found = page.clients.contains { $0.id == row?.id }
            }
            return Finding(
                name: name, verdict: found ? .good : .bad,
                seen: found
                    ? "the first client of the list is found, nobody else who cannot be there"
                    : "the first client of the list is not found by its own \(kind.rawValue)",
                advice: found
                    ? ""
                    : "The system wants another spelling, or searches other fields: try \"spellings\" in the profile.",
                took: ContinuousClock.now - start)
        } catch {
            return failed(name, error, ContinuousClock.now - start)
        }
    }

    private func candidates(
        _ term: SearchTerm, _ attempt: Int, _ known: Capabilities.Attempt
    ) async throws(UpstreamError) -> ClientPage {
        let size = known.paging.fixed ?? min(known.paging.maximum, 50)
        return try await driver.candidates(for: term, attempt: attempt, PageRequest(.offset(0), size: size), context)
    }

    // MARK: Words

    private func slow(_ took: Duration) -> Bool { took > plan.callTimeout / 4 }

    private func failed(_ name: String, _ error: UpstreamError, _ took: Duration) -> Finding {
        Finding(name: name, verdict: .bad, seen: error.description, advice: Advice.upstream(error), took: took)
    }

    /// The names of the members that clients show, never their values.
    private static func members(_ clients: [Client]) -> String {
        let count = clients.count
        return ClientField.allCases.compactMap { field in
            let shown = clients.count { $0.has(field) }
            if shown == 0 { return nil }
            return shown == count ? field.wireName : "\(field.wireName) (\(shown) of \(count))"
        }.joined(separator: ", ")
    }

    /// A term that no patient has: reserved domains (RFC 2606), a number that Brazil's plan does not give out, a CPF that
    /// passes its check and belongs to nobody.
    private static func nobody(_ kind: TermKind) -> SearchTerm {
        switch kind {
        case .phone: SearchTerm("5511900000000", as: .phone) ?? .name(stranger)
        case .cpf: SearchTerm("00000000191", as: .cpf) ?? .name(stranger)
        case .email: .email("ninguem-\(stranger.lowercased())@ponte.invalid")
        case .name: .name("Ninguém \(stranger)")
        }
    }

    private static let stranger = "Qxzwvk"

    private static func term(_ kind: TermKind, of client: Client) -> SearchTerm? {
        switch kind {
        case .phone: client.phone.map { .phone($0) }
        case .cpf: client.cpf.map { .cpf($0) }
        case .email: client.email.map { .email($0) }
        case .name: client.name.isEmpty ? nil : .name(client.name)
        }
    }
}

/// Watches what goes out: writes are not let through, and the first answer's times are kept.
private final class Probe: HTTPSending {
    private let channel: HTTPChannel
    private let seen = Mutex<Result<CallTimings, TransportError>?>(nil)

    init(_ channel: HTTPChannel) { self.channel = channel }

    var first: Result<CallTimings, TransportError>? { seen.withLock { $0 } }

    func send(_ request: OutboundRequest, deadline: ContinuousClock.Instant) async throws(TransportError)
        -> UpstreamAnswer
    {
        do throws(TransportError) {
            let answer = try await channel.send(request, deadline: deadline)
            seen.withLock { if $0 == nil { $0 = .success(answer.timings) } }
            return answer
        } catch {
            seen.withLock { if $0 == nil { $0 = .failure(error) } }
            throw error
        }
    }
}
