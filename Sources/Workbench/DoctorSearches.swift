import Bridge
import ClientContract
import UpstreamDriver

/// One search of each kind.
extension Doctor {
    /// Searches for somebody who cannot be there, then for some who are: for these as Ponte does for a caller, page by
    /// page and by full records where rows do not show enough.
    /// - Parameters:
    ///   - people: whom the list and the record showed.
    ///   - unfiltered: ids of the list's first page.
    /// - Returns: one of those who were found as well.
    func search(_ kind: TermKind, _ people: [Client], unfiltered: [ClientID]) async -> (Finding, Client?) {
        let name = Self.name(kind)
        if let lacking = lacking(name) { return (lacking, nil) }
        let attempts = driver.capabilities.searches[kind] ?? []
        let (start, before) = (ContinuousClock.now, probe.asked)
        do throws(UpstreamError) {
            var strangers: [[ClientID]] = []
            var areExpected = true
            for attempt in attempts.indices {
                let page = try await candidates(Self.nobody(kind), attempt, attempts[attempt])
                guard !page.clients.isEmpty else { continue }
                strangers.append(page.clients.map(\.id))
                if attempts[attempt].trust != .superset { areExpected = false }
            }
            if strangers.contains(where: { Self.isSame($0, unfiltered) }) {
                return (ignored(name, "its whole list", took: .now - start), nil)
            }
            let others = strangers.map(\.count).max() ?? 0
            let told = known.first { $0.kind == kind }
            let terms = told.map { [$0] } ?? Self.sample(kind, of: people)
            guard !terms.isEmpty else {
                let whom = "nobody who is there was known to look for"
                let advice = "Name somebody who is on record, best a made-up patient: --known \(kind.rawValue)=…."
                let seen =
                    others == 0
                    ? "finds nobody who cannot be there; \(whom)" : "\(Self.shows(others)); \(whom)"
                let more = others == 0 || areExpected ? "" : " " + Self.unfit
                return (Finding(name, .doubtful, seen, advice: advice + more, took: .now - start), nil)
            }
            let tally = try await look(for: terms)
            let took = ContinuousClock.now - start
            if tally.firstPages.contains(where: { page in strangers.contains { Self.isSame($0, page) } }) {
                return (ignored(name, "the same clients as to whoever is there", took: took), tally.client)
            }
            var finding = judged(name, kind, tally, isTold: told != nil, took: took)
            if let wrong = finding {
                return (wrong, tally.client)
            }
            let calls = probe.asked - before
            let found = "finds \(tally.whom(isTold: told != nil))"
            if others == 0 {
                finding = timed(
                    name, found + ", and nobody who cannot be there (\(calls) calls)", took, calls: calls)
            } else if areExpected {
                finding = timed(
                    name, found + "; \(Self.shows(others)), as the profile says of it (\(calls) calls)", took,
                    calls: calls)
            } else {
                finding = Finding(
                    name, .doubtful, found + "; \(Self.shows(others))", advice: Self.unfit, took: took)
            }
            finding?.isProved = true
            return (finding ?? Finding(name, .doubtful, found, took: took), tally.client)
        } catch {
            return (failed(name, error, ContinuousClock.now - start), nil)
        }
    }

    // MARK: People who are there

    /// What came of looking for some who are there.
    private struct Tally {
        var found = 0
        /// Not found, though all was looked at.
        var absent = 0
        /// Not found among as many as Ponte looks at.
        var open = 0
        /// Not asked for: the system has no form for the term, and callers are told so (501).
        var uncarried = 0
        /// Clients that searches answered in place of those.
        var others = 0
        var client: Client?
        var firstPages: [[ClientID]] = []

        var asked: Int { found + absent + open }

        func whom(isTold: Bool) -> String {
            isTold ? "the client that you named" : asked == 1 ? "a client of the list" : "\(asked) clients of the list"
        }
    }

    private func look(for terms: [SearchTerm]) async throws(UpstreamError) -> Tally {
        var tally = Tally()
        for term in terms {
            let watched = WatchedDriver(driver)
            let bridge = Bridge(driver: watched, options: plan.options)
            do throws(ContractError) {
                if let client = try await bridge.first(term, context) {
                    tally.found += 1
                    tally.client = tally.client ?? client
                } else {
                    tally.absent += 1
                    tally.others += watched.candidates
                }
            } catch {
                switch Self.cause(error, watched) {
                case nil: tally.open += 1
                case .unsupported? where tally.uncarried + 1 < terms.count: tally.uncarried += 1
                case let failure?: throw failure
                }
            }
            tally.firstPages += watched.firstPages
        }
        return tally
    }

    /// What the driver said, or what Bridge makes of it; nil where an answer held more than Ponte looks at.
    private static func cause(_ error: ContractError, _ watched: WatchedDriver) -> UpstreamError? {
        if let failure = watched.failure { return failure }
        let detail = error.detail ?? error.code.rawValue
        if error.code == .deadline { return .timeout }
        if error.code == .unsupported { return .unsupported(detail) }
        return detail.contains(Bridge.ignored) ? nil : .malformed(detail)
    }

    /// What is wrong with a search that did not find everybody; nil where it did.
    private func judged(
        _ name: String, _ kind: TermKind, _ tally: Tally, isTold: Bool, took: Duration
    ) -> Finding? {
        let (asked, found) = (tally.asked, tally.found)
        if tally.absent > 0 {
            let whom =
                isTold
                ? "the client that you named is not found by this \(kind.rawValue)"
                : asked == 1
                    ? "a client of the list is not found by its own \(kind.rawValue)"
                    : "\(found) of \(asked) clients of the list are found by their own \(kind.rawValue)"
            return Finding(
                name, .bad, whom + (tally.others == 0 ? "" : ", but \(tally.others) others"),
                advice: (isTold && tally.others == 0 ? "Is somebody with it on record? If so: " : "")
                    + Advice.spellings(plan, some: found > 0), took: took)
        }
        guard tally.open > 0 else { return nil }
        var finding = Finding(
            name, .doubtful,
            (found > 0
                ? "finds \(found) of \(asked) clients of the list; for the others"
                : "for \(tally.whom(isTold: isTold))")
                + " the system shows more candidates than Ponte looks through",
            advice:
                "Such a search answers an error (502). Ponte looks through \(Bridge.mostCandidates) candidates, and "
                + "\(Bridge.mostComparisons) where only the full record shows what is compared; where the profile calls a search "
                + "\"exact\", no page may hold others only. If the name is a common one it may be meant; else check the "
                + "parameter's name, \"spellings\" and \"trust\" of the profile's search.", took: took)
        finding.isProved = found > 0
        return finding
    }

    // MARK: People who are not

    private static func shows(_ others: Int) -> String {
        "asked for somebody who cannot be there, the system shows \(others == 1 ? "another" : "\(others) others")"
    }

    private static let unfit =
        "It finds parts of values, or ignores the filter. Ponte compares every candidate and answers none of these, but looks "
        + "through more of them: check the parameter's name in the profile's search, and say \"trust\": \"superset\" if parts "
        + "are what it finds."

    /// Whether two answers begin with the same clients in the same order: then what was asked made no difference.
    private static func isSame(_ one: [ClientID], _ other: [ClientID]) -> Bool {
        let shared = min(one.count, other.count)
        return shared > 1 && one.prefix(shared).elementsEqual(other.prefix(shared))
    }

    private func ignored(_ name: String, _ what: String, took: Duration) -> Finding {
        Finding(
            name, .bad,
            "the filter is ignored: asked for somebody who cannot be there, the system shows \(what)",
            advice:
                "Check the parameter's name in the profile's search against the vendor's documentation. Until then every "
                + "search reads the whole clinic.", took: took)
    }

    func candidates(
        _ term: SearchTerm, _ attempt: Int, _ way: Capabilities.Attempt
    ) async throws(UpstreamError) -> ClientPage {
        let size = way.paging.fixed ?? min(way.paging.maximum, 50)
        return try await driver.candidates(for: term, attempt: attempt, PageRequest(.offset(0), size: size), context)
    }

    /// A term that no patient has: reserved domains (RFC 2606), a number of a range that Brazil's plan does not give out
    /// and nobody types for a blank, a CPF that passes its check and belongs to nobody.
    static func nobody(_ kind: TermKind) -> SearchTerm {
        switch kind {
        case .phone: SearchTerm("5597900517206", as: .phone) ?? .name(stranger)
        case .cpf: SearchTerm("00000000191", as: .cpf) ?? .name(stranger)
        case .email: .email("ninguem-\(stranger.lowercased())@ponte.invalid")
        case .name: .name("Ninguém \(stranger)")
        }
    }

    private static let stranger = "Qxzwvk"

    /// How many clients of the list are searched for, by each kind.
    static let sampleSize = 5

    /// Whom to look for: some of each shape that the list shows, and for the rest some of its whole length. What one is
    /// found by need not find the next: people type phones in many ways, and what the list shows does not say how.
    static func sample(_ kind: TermKind, of people: [Client]) -> [SearchTerm] {
        var known: Set<SearchTerm> = []
        let terms = people.compactMap { term(kind, of: $0) }.filter { known.insert($0).inserted }
        guard terms.count > sampleSize else { return terms }
        var shapes: Set<String> = []
        let unlike = terms.filter { shapes.insert(shape($0)).inserted }.prefix(sampleSize)
        let rest = terms.filter { !unlike.contains($0) }
        let places = sampleSize - unlike.count
        let spread = (0..<places).map { place in
            rest[places == 1 ? rest.count - 1 : place * (rest.count - 1) / (places - 1)]
        }
        return Array(unlike) + spread
    }

    /// What tells values apart that a system may treat in different ways.
    private static func shape(_ term: SearchTerm) -> String {
        switch term {
        case .phone(let phone): "\(phone.kind)"
        case .cpf: ""
        case .email(let email): email == email.lowercased() ? "small" : "mixed"
        case .name(let name): name.utf8.allSatisfy { $0 < 0x80 } ? "plain" : "accents"
        }
    }

    private static func term(_ kind: TermKind, of client: Client) -> SearchTerm? {
        switch kind {
        case .phone: client.phone.map { .phone($0) }
        // Many may have one that stands for none.
        case .cpf: client.cpf.flatMap { $0.isPlaceholder ? nil : .cpf($0) }
        case .email: client.email.map { .email($0) }
        case .name: client.name.isEmpty ? nil : .name(client.name)
        }
    }
}
