import Bridge
import ClientContract
import UpstreamDriver

/// What the doctor asks once the list is known: one record, and one search of each kind.
extension Doctor {
    func get(_ row: Client?) async -> (Finding, Client?) {
        let name = "get"
        guard driver.capabilities.operations.contains(.get) else {
            return (Finding(name, .skipped, "the system cannot show one client: GET /clients/{id} answers 501"), nil)
        }
        guard let row else { return (Finding(name, .skipped, "no client is known to ask for"), nil) }
        let start = ContinuousClock.now
        do throws(UpstreamError) {
            let client = try await driver.client(row.id, context)
            let took = ContinuousClock.now - start
            guard client.id == row.id else {
                return (
                    Finding(
                        name, .bad, "another client came than the one asked for",
                        advice: "Look at \"id\" of the profile: rows and records must show the same one.", took: took),
                    nil
                )
            }
            let lost = ClientField.allCases.filter { row.has($0) && !client.has($0) }.map(\.wireName)
            let members = Members([client])
            let seen = "the first client of the list, with: \(members.text)"
            guard lost.isEmpty else {
                return (
                    Finding(
                        name, .doubtful, seen,
                        advice: "The row shows more than the record: look at the record's places for "
                            + lost.joined(separator: ", ") + ".", took: took, members: members), client
                )
            }
            if let wrong = await absent(like: row.id) {
                return (
                    Finding(
                        name, wrong.verdict, wrong.seen, advice: wrong.advice, took: took, members: members), client
                )
            }
            return (timed(name, seen + "; and nobody by an id that nobody has", took, members: members), client)
        } catch {
            return (failed(name, error, ContinuousClock.now - start), nil)
        }
    }

    /// What is wrong when somebody is asked for who cannot be there; nil where nothing is.
    private func absent(like id: ClientID) async -> Finding? {
        let name = "get"
        let nobody = Self.nobody(like: id)
        do throws(UpstreamError) {
            guard try await driver.client(nobody, context).id != nobody else { return nil }
            return Finding(
                name, .bad, "a client comes for an id that nobody has",
                advice: "The id is not what the system looks by: check this call's path and query in the profile.")
        } catch .notFound {
            return nil
        } catch {
            return Finding(
                name, .doubtful, "the first client of the list is shown; for an id that nobody has: \(error)",
                advice: Advice.absent(plan))
        }
    }

    /// An id that looks like the system's and that nobody has.
    static func nobody(like id: ClientID) -> ClientID {
        let text = id.text
        let isNumber = text.utf8.allSatisfy { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") }
        // The last but one of those that systems with numbers of 32 bits can hold.
        if isNumber { return ClientID("2147483646") }
        let isHex = text.allSatisfy { $0.isHexDigit || $0 == "-" }
        guard isHex, text.count == 36 || text.count == 24 else { return ClientID("ponte-ninguem") }
        // A UUID of version 4 (RFC 9562), or 24 digits as some databases make them.
        return ClientID(text.count == 36 ? "ffffffff-ffff-4fff-bfff-fffffffffffe" : String(repeating: "f", count: 24))
    }

    /// Searches for somebody who cannot be there, then for some who are.
    /// - Parameters:
    ///   - people: whom the list and the record showed.
    ///   - unfiltered: ids of the list's first page.
    func search(_ kind: TermKind, _ people: [Client], unfiltered: [ClientID]) async -> Finding {
        let name = Self.name(kind)
        let attempts = driver.capabilities.searches[kind] ?? []
        guard !attempts.isEmpty else {
            let scans = Explanation.way(of: kind, plan, driver.capabilities) == .scan
            return Finding(
                name, .skipped,
                scans ? "no search of its own: Ponte reads all clients" : "the system cannot: such a term answers 501")
        }
        let (start, before) = (ContinuousClock.now, probe.asked)
        do throws(UpstreamError) {
            var strangers: [ClientID] = []
            for attempt in attempts.indices {
                let page = try await candidates(Self.nobody(kind), attempt, attempts[attempt])
                if page.clients.count > strangers.count { strangers = page.clients.map(\.id) }
            }
            if !strangers.isEmpty {
                return strange(name, strangers, unfiltered, took: .now - start)
            }
            let told = known.first { $0.kind == kind }
            let terms = told.map { [$0] } ?? Self.sample(kind, of: people)
            guard !terms.isEmpty else {
                return Finding(
                    name, .doubtful, "finds nobody who cannot be there; nobody who is there was known to look for",
                    advice: "Name somebody who is on record, best a made-up patient: --known \(kind.rawValue)=….",
                    took: .now - start)
            }
            var (found, others, uncarried) = (0, 0, 0)
            for term in terms {
                var shown: [Client] = []
                do throws(UpstreamError) {
                    for attempt in attempts.indices where !shown.contains(where: { Self.shows($0, term, people) }) {
                        shown += try await candidates(term, attempt, attempts[attempt]).clients
                    }
                } catch .unsupported where uncarried + 1 < terms.count {
                    // It has no form for this one, and callers are told so (501).
                    uncarried += 1
                    continue
                }
                if shown.contains(where: { Self.shows($0, term, people) }) { found += 1 } else { others += shown.count }
            }
            let asked = terms.count - uncarried
            let took = ContinuousClock.now - start
            guard found == asked else {
                let whom =
                    told != nil
                    ? "the client that you named is not found by this \(kind.rawValue)"
                    : asked == 1
                        ? "a client of the list is not found by its own \(kind.rawValue)"
                        : "\(found) of \(asked) clients of the list are found by their own \(kind.rawValue)"
                return Finding(
                    name, .bad, whom + (others == 0 ? "" : ", but \(others) others"),
                    advice: (told != nil && others == 0 ? "Is somebody with it on record? If so: " : "")
                        + Advice.spellings(plan, some: found > 0), took: took)
            }
            let calls = probe.asked - before
            let whom =
                told != nil
                ? "the client that you named"
                : asked == 1 ? "a client of the list" : "\(asked) clients of the list"
            var finding = timed(
                name, "finds \(whom), and nobody who cannot be there (\(calls) calls)", took, calls: calls)
            finding.isProved = true
            return finding
        } catch {
            return failed(name, error, ContinuousClock.now - start)
        }
    }

    /// A search for somebody who cannot be there found people.
    private func strange(
        _ name: String, _ strangers: [ClientID], _ unfiltered: [ClientID], took: Duration
    ) -> Finding {
        let shared = min(strangers.count, unfiltered.count)
        if shared > 1, strangers.prefix(shared).elementsEqual(unfiltered.prefix(shared)) {
            return Finding(
                name, .bad,
                "the filter is ignored: asked for somebody who cannot be there, the system shows its whole list",
                advice:
                    "Check the parameter's name in the profile's search against the vendor's documentation. Until then every "
                    + "search reads the whole clinic.", took: took)
        }
        return Finding(
            name, .doubtful,
            "asked for somebody who cannot be there, the system shows \(strangers.count == 1 ? "another" : "\(strangers.count) others")",
            advice:
                "It finds parts of values, or ignores the filter. Ponte compares every candidate and answers none of these, but "
                + "looks through more of them: check the parameter's name in the profile's search.", took: took)
    }

    func candidates(
        _ term: SearchTerm, _ attempt: Int, _ way: Capabilities.Attempt
    ) async throws(UpstreamError) -> ClientPage {
        let size = way.paging.fixed ?? min(way.paging.maximum, 50)
        return try await driver.candidates(for: term, attempt: attempt, PageRequest(.offset(0), size: size), context)
    }

    /// Whether a candidate is the one looked for: by id where the person is known, else by what rows show of the term.
    private static func shows(_ candidate: Client, _ term: SearchTerm, _ people: [Client]) -> Bool {
        if people.contains(where: { $0.id == candidate.id && self.term(term.kind, of: $0) == term }) { return true }
        return switch term {
        case .phone(let phone): candidate.reaches(phone)
        case .cpf(let cpf): candidate.cpf == cpf
        case .email(let email): candidate.email?.lowercased() == email.lowercased()
        case .name(let name): candidate.name.lowercased() == name.lowercased()
        }
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
