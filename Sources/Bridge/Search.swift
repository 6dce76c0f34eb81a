import ClientContract
import UpstreamDriver

extension Bridge {
    /// Most rows that one attempt of a search may answer before its filter counts as ignored.
    package static let mostCandidates = 2_000
    /// Most full records that a search may fetch to find out whether they match.
    package static let mostComparisons = 64
    /// As many rows, none of which matches, and more to come, show that a filter that is known to be exact is ignored.
    static let fewestStrangers = 10

    /// What a failure says where an answer holds more than a filter would let through.
    package static let ignored = "its filter seems to be ignored"

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
        /// Terms for which an attempt asks the same; the first one is sent.
        case attempt(first: SearchTerm, all: [SearchTerm], Int, Capabilities.Attempt)
        case scan([SearchTerm])
    }

    /// The clients that match any of the terms exactly, once each, in the order of terms, attempts and rows, whichever
    /// answer comes first. Several terms may be of one kind.
    /// - Parameter wanted: how many will do; nil for all. Each search ends when it has as many: whoever stands before
    ///   one of its matches in the whole stands before it in its own answer or in an earlier one.
    func find(
        _ terms: [SearchTerm], wanted: Int? = nil, _ context: CallContext
    ) async throws(ContractError) -> [Match] {
        let candidates = try await self.candidates(terms, wanted, context)
        let hidden = candidates.filter { $0.matches == nil }.map(\.client)
        let compared = try await compared(hidden, terms, wanted, context)
        return candidates.compactMap { candidate in
            if candidate.matches == true { return Match(client: candidate.client, isComplete: !completesRows) }
            return compared[candidate.client.id].map { Match(client: $0, isComplete: true) }
        }
    }

    /// Whom the searches for the terms answer, once each, without those that do not match for sure.
    private func candidates(
        _ terms: [SearchTerm], _ wanted: Int?, _ context: CallContext
    ) async throws(ContractError) -> [Candidate] {
        let jobs = try self.jobs(terms)
        let answers = try await concurrently(jobs) { [self] (job) async throws(ContractError) -> [Candidate] in
            switch job {
            case .attempt(let first, let sharing, let number, let attempt):
                try await attempted(first, sharing, number, attempt, among: terms, wanted, context)
            case .scan(let terms): try await scanned(terms, wanted, context)
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
        return candidates
    }

    /// The full records of matches, in the same order. One that no longer matches is left out, and so is one that is
    /// gone (`completeOrGone`). What only the row shows counts too: it is on record.
    /// - Parameter wanted: how many the search was asked for that found them; nil for all.
    func filled(
        _ matches: [Match], _ terms: [SearchTerm], wanted: Int? = nil, _ context: CallContext
    ) async throws(ContractError) -> [Client] {
        let rows = matches.filter { !$0.isComplete }.map(\.client)
        if rows.isEmpty { return matches.map(\.client) }
        var full: [ClientID: Client] = [:]
        let shown = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
        for record in try await completeOrGone(rows, terms, wanted, context) {
            let client = shown[record.id].map(record.supplemented) ?? record
            if terms.contains(where: { $0.matches(client) }) { full[client.id] = client }
        }
        return matches.compactMap { $0.isComplete ? $0.client : full[$0.client.id] }
    }

    /// How each term is looked for. No question is put twice, and terms that the system cannot search for share one
    /// reading of all clients.
    private func jobs(_ terms: [SearchTerm]) throws(ContractError) -> [Job] {
        var jobs: [Job] = []
        var asked: [SearchQuestion: Int] = [:]
        let searches = capabilities.searches
        let others = terms.filter { searches[$0.kind]?.isEmpty ?? true }
        for term in terms {
            guard let attempts = searches[term.kind], !attempts.isEmpty else {
                if term == others.first { jobs.append(.scan(others)) }
                continue
            }
            for (number, attempt) in attempts.enumerated() {
                guard let question = driver.question(for: term, attempt: number) else { continue }
                if let place = asked[question],
                    case .attempt(let first, let sharing, let number, let attempt) = jobs[place]
                {
                    jobs[place] = .attempt(first: first, all: sharing + [term], number, attempt)
                } else {
                    asked[question] = jobs.count
                    jobs.append(.attempt(first: term, all: [term], number, attempt))
                }
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
        _ term: SearchTerm, _ sharing: [SearchTerm], _ number: Int, _ attempt: Capabilities.Attempt,
        among terms: [SearchTerm], _ wanted: Int?, _ context: CallContext
    ) async throws(ContractError) -> [Candidate] {
        let driver = driver
        var walk = PageWalk(attempt.paging, window: Window(), skipsRows: false, mostRows: Bridge.mostCandidates) {
            (request) async throws(UpstreamError) in
            try context.check()
            return try await driver.candidates(for: term, attempt: number, request, context)
        }
        let mayHide = sharing.contains(where: mayHide)
        var found: [Candidate] = []
        var matches = 0
        var strangers = 0
        do throws(UpstreamError) {
            while matches < wanted ?? .max, let page = try await walk.next() {
                for client in page {
                    if terms.contains(where: { $0.matches(client) }) {
                        found.append(Candidate(client: client, matches: true))
                        matches += 1
                    } else if mayHide {
                        found.append(Candidate(client: client, matches: nil))
                    } else {
                        strangers += 1
                    }
                }
                // A search that is known to be exact and begins with strangers only, more to come, does not filter.
                if attempt.trust == .exact, found.isEmpty, strangers >= Bridge.fewestStrangers, !walk.isDone {
                    throw .malformed(Bridge.ignored)
                }
            }
        } catch {
            throw failure(error)
        }
        return found
    }

    /// The clients that match any of the terms, found by reading every client, or as many as it takes.
    private func scanned(
        _ terms: [SearchTerm], _ wanted: Int?, _ context: CallContext
    ) async throws(ContractError) -> [Candidate] {
        var walk = self.walk(Window(), context)
        var found: [Candidate] = []
        do throws(UpstreamError) {
            while found.count < wanted ?? .max, let page = try await walk.next() {
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
        _ rows: [Client], _ terms: [SearchTerm], _ wanted: Int?, _ context: CallContext
    ) async throws(ContractError) -> [ClientID: Client] {
        if rows.isEmpty { return [:] }
        guard completesRows else {
            throw ContractError(
                .unsupported, "\(capabilities.system) shows neither in a search nor otherwise what must be compared")
        }
        guard rows.count <= Bridge.mostComparisons else {
            throw failure(
                .malformed("its search answered more clients than can be compared: \(Bridge.ignored)"))
        }
        var matching: [ClientID: Client] = [:]
        for client in try await completeOrGone(rows, terms, wanted, context)
        where terms.contains(where: { $0.matches(client) }) {
            matching[client.id] = client
        }
        return matching
    }

    /// The full records of rows that a search answered. A row whose record is "not found" is no proof that nobody is
    /// there, neither for a search's answer nor for the duplicate rule: the search is made once more.
    /// - Throws: `.upstreamMalformed` when it still finds one of them. Whoever it finds no more was deleted meanwhile.
    private func completeOrGone(
        _ rows: [Client], _ terms: [SearchTerm], _ wanted: Int?, _ context: CallContext
    ) async throws(ContractError) -> [Client] {
        let full = try await complete(rows, context)
        let missing = Set(zip(rows, full).filter { $0.1 == nil }.map(\.0.id))
        if !missing.isEmpty {
            let again = try await candidates(terms, wanted, context)
            guard again.allSatisfy({ !missing.contains($0.client.id) }) else {
                throw failure(.malformed("its search finds a client of whom it says \"not found\""))
            }
        }
        return full.compactMap { $0 }
    }
}
