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
            return (timed(name, seen, took, members: members), client)
        } catch {
            return (failed(name, error, ContinuousClock.now - start), nil)
        }
    }

    /// Searches for somebody who cannot be there, then for one who is.
    /// - Parameters:
    ///   - people: whom the list and the record showed.
    ///   - unfiltered: ids of the list's first page.
    func search(_ kind: TermKind, _ people: [Client], unfiltered: [ClientID]) async -> Finding {
        let name = Self.name(kind)
        let attempts = driver.capabilities.searches[kind] ?? []
        guard !attempts.isEmpty else {
            let scans = Explanation.way(of: kind, plan) == .scan
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
            let term = known.first { $0.kind == kind } ?? people.lazy.compactMap { Self.term(kind, of: $0) }.first
            guard let term else {
                return Finding(
                    name, .doubtful, "finds nobody who cannot be there; nobody who is there was known to look for",
                    advice: "Name somebody who is on record, best a made-up patient: --known \(kind.rawValue)=….",
                    took: .now - start)
            }
            let isTold = known.contains(term)
            var found: [Client] = []
            for attempt in attempts.indices where !found.contains(where: { Self.shows($0, term, people) }) {
                found += try await candidates(term, attempt, attempts[attempt]).clients
            }
            let took = ContinuousClock.now - start
            let whom = isTold ? "the client that you named" : "a client of the list"
            guard found.contains(where: { Self.shows($0, term, people) }) else {
                return Finding(
                    name, .bad,
                    "\(whom) is not found by \(isTold ? "this" : "its own") \(kind.rawValue)"
                        + (found.isEmpty ? "" : ", but \(found.count) others"),
                    advice: isTold && found.isEmpty
                        ? "Is somebody with it on record? If so, the system wants another spelling, or searches other members: "
                            + "look at \"spellings\" and \"query\" of the profile's search."
                        : "The system wants another spelling, or searches other members: look at \"spellings\" and \"query\" of "
                            + "the profile's search.", took: took)
            }
            let calls = probe.asked - before
            return timed(
                name, "finds \(whom), and nobody who cannot be there (\(calls) calls)", took, calls: calls)
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

    private static func term(_ kind: TermKind, of client: Client) -> SearchTerm? {
        switch kind {
        case .phone: client.phone.map { .phone($0) }
        case .cpf: client.cpf.map { .cpf($0) }
        case .email: client.email.map { .email($0) }
        case .name: client.name.isEmpty ? nil : .name(client.name)
        }
    }
}
