import ClientContract
import UpstreamDriver

extension Bridge {
    /// Most rows that one attempt of a search may answer before its filter counts as ignored.
    static let mostCandidates = 2_000
    /// Most full records that a search may fetch to find out whether they match.
    static let mostComparisons = 64

    /// A client that matches.
    struct Match {
        var client: Client
        /// Whether it is the full record, not a row.
        var isComplete: Bool
    }

    /// A client that a search answered.
    private struct Candidate {
        let client: Client
        /// Nil where only the full record can tell.
        var matches: Bool?
    }

    /// What one upstream search, or one reading of all clients, looks for.
    private enum Job {
        case attempt(SearchTerm, Int, Capabilities.Paging)
        case scan([SearchTerm])
    }

    /// The clients that match any of the terms exactly, once each, in the order of terms, attempts and rows.
    func find(_ terms: [SearchTerm], _ context: CallContext) async throws(ContractError) -> [Match] {
        let jobs = try self.jobs(terms)
        let answers = try await concurrently(jobs) { [self] (job) async throws(ContractError) -> [Candidate] in
            switch job {
            case .attempt(let term, let attempt, let paging): try await attempted(term, attempt, paging, context)
            case .scan(let terms): try await scanned(terms, context)
            }
        }
        var candidates: [Candidate] = []
        var places: [ClientID: Int] = [:]
        for candidate in answers.joined() {
            if let place = places[candidate.client.id] {
                if candidate.matches == true { candidates[place] = candidate }
            } else {
                places[candidate.client.id] = candidates.count
                candidates.append(candidate)
            }
        }
        let compared = try await compared(candidates.filter { $0.matches == nil }.map(\.client), terms, context)
        return candidates.compactMap { candidate in
            if candidate.matches == true { return Match(client: candidate.client, isComplete: !completesRows) }
            return compared[candidate.client.id].map { Match(client: $0, isComplete: true) }
        }
    }

    /// The full records of matches, in the same order. One that no longer matches, or vanished, is left out. What only
    /// the row shows counts too: it is on record.
    func filled(
        _ matches: [Match], _ terms: [SearchTerm], _ context: CallContext
    ) async throws(ContractError) -> [Client] {
        let rows = matches.filter { !$0.isComplete }.map(\.client)
        if rows.isEmpty { return matches.map(\.client) }
        var full: [ClientID: Client] = [:]
        let shown = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
        for record in try await complete(rows, context) {
            let client = shown[record.id].map(record.supplemented) ?? record
            if terms.contains(where: { $0.matches(client) }) { full[client.id] = client }
        }
        return matches.compactMap { $0.isComplete ? $0.client : full[$0.client.id] }
    }

    /// How each term is looked for. Terms that the system cannot search for share one reading of all clients.
    private func jobs(_ terms: [SearchTerm]) throws(ContractError) -> [Job] {
        var jobs: [Job] = []
        let searches = capabilities.searches
        let others = terms.filter { searches[$0.kind]?.isEmpty ?? true }
        for term in terms {
            if let attempts = searches[term.kind], !attempts.isEmpty {
                jobs += attempts.indices.map { .attempt(term, $0, attempts[$0].paging) }
            } else if term == others.first {
                jobs.append(.scan(others))
            }
        }
        guard others.isEmpty || (options.scan.allowed && capabilities.operations.contains(.list)) else {
            let known = TermKind.allCases.filter { !(searches[$0]?.isEmpty ?? true) }.map(\.rawValue)
            throw ContractError(
                .unsupported,
                "\(capabilities.system) cannot search by \(Self.kinds(others)). "
                    + "It can search by: \(known.isEmpty ? "nothing" : known.joined(separator: ", "))")
        }
        if let hidden = others.first(where: mayHide) {
            throw ContractError(
                .unsupported,
                "\(capabilities.system) can neither search by \(hidden.kind.rawValue) nor show it in its list")
        }
        return jobs
    }

    private static func kinds(_ terms: [SearchTerm]) -> String {
        TermKind.allCases.filter { kind in terms.contains { $0.kind == kind } }.map(\.rawValue).joined(separator: ", ")
    }

    /// Whether a row may lack what a term is compared with.
    private func mayHide(_ term: SearchTerm) -> Bool {
        let lacks = capabilities.needsDetail
        return lacks.contains(term.field) || (term.kind == .phone && lacks.contains(.allPhones))
    }

    /// The clients that one attempt finds, without those that do not match for sure.
    private func attempted(
        _ term: SearchTerm, _ attempt: Int, _ paging: Capabilities.Paging, _ context: CallContext
    ) async throws(ContractError) -> [Candidate] {
        let driver = driver
        var walk = PageWalk(paging, window: Window(), skipsRows: false, mostRows: Bridge.mostCandidates) {
            (request) async throws(UpstreamError) in
            try context.check()
            return try await driver.candidates(for: term, attempt: attempt, request, context)
        }
        let mayHide = mayHide(term)
        var found: [Candidate] = []
        do throws(UpstreamError) {
            while let page = try await walk.next() {
                for client in page {
                    if term.matches(client) {
                        found.append(Candidate(client: client, matches: true))
                    } else if mayHide {
                        found.append(Candidate(client: client, matches: nil))
                    }
                }
            }
        } catch {
            throw failure(error)
        }
        return found
    }

    /// The clients that match any of the terms, found by reading every client.
    private func scanned(_ terms: [SearchTerm], _ context: CallContext) async throws(ContractError) -> [Candidate] {
        var walk = self.walk(Window(), context)
        var found: [Candidate] = []
        do throws(UpstreamError) {
            while let page = try await walk.next() {
                for client in page where terms.contains(where: { $0.matches(client) }) {
                    found.append(Candidate(client: client, matches: true))
                }
                guard walk.rows <= options.scan.maxRecords else {
                    throw .unsupported(
                        "it cannot search by \(Self.kinds(terms)), and it has more clients than the tenant allows to "
                            + "read (\(options.scan.maxRecords))")
                }
            }
        } catch {
            throw failure(error)
        }
        return found
    }

    /// The full records, by id, of those rows that match after all.
    private func compared(
        _ rows: [Client], _ terms: [SearchTerm], _ context: CallContext
    ) async throws(ContractError) -> [ClientID: Client] {
        if rows.isEmpty { return [:] }
        guard completesRows else {
            throw ContractError(
                .unsupported, "\(capabilities.system) shows neither in a search nor otherwise what must be compared")
        }
        guard rows.count <= Bridge.mostComparisons else {
            throw failure(
                .malformed("its search answered more clients than can be compared; its filter seems to be ignored"))
        }
        var matching: [ClientID: Client] = [:]
        for client in try await complete(rows, context) where terms.contains(where: { $0.matches(client) }) {
            matching[client.id] = client
        }
        return matching
    }
}
