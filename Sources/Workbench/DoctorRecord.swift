import ClientContract
import UpstreamDriver

/// One record, and an id that nobody has.
extension Doctor {
    /// - Parameter whom: where the client comes from, for people.
    func get(_ row: Client?, _ whom: String) async -> (finding: Finding, client: Client?) {
        let name = "get"
        if let lacking = lacking(name) { return (lacking, nil) }
        guard let row else {
            return (Finding(name, .skipped, "no client is known to ask for"), nil)
        }
        let start = ContinuousClock.now
        do throws(UpstreamError) {
            let client = try await driver.client(row.id, context)
            let took = ContinuousClock.now - start
            let members = Members([client])
            let seen = "\(whom), with: \(members.text)"
            if let wrong = Self.difference(row, client) {
                return (Finding(name, .bad, wrong, advice: Self.identity, took: took), nil)
            }
            let lost = ClientField.allCases.filter { row.has($0) && !client.has($0) }.map(\.wireName)
            // Before anything milder: with such a call a change would be made to somebody else.
            let wrong = await absent(like: row.id)
            if let wrong, wrong.verdict == .bad {
                return (Finding(name, .bad, wrong.seen, advice: wrong.advice, took: took, members: members), client)
            }
            guard lost.isEmpty else {
                return (
                    Finding(
                        name, .doubtful, seen,
                        advice: "The row shows more than the record: look at the record's places for "
                            + lost.joined(separator: ", ") + ".", took: took, members: members), client
                )
            }
            if let wrong {
                return (
                    Finding(
                        name, wrong.verdict, "\(whom) is shown; \(wrong.seen)", advice: wrong.advice, took: took,
                        members: members), client
                )
            }
            return (timed(name, seen + "; and nobody by an id that nobody has", took, members: members), client)
        } catch {
            return (failed(name, error, ContinuousClock.now - start), nil)
        }
    }

    private static let identity =
        "Look at \"id\" of the profile, and at this call's path and query: rows and records must show the same one, and the id "
        + "must be what the system looks by."

    /// Why a record is not the row's: by its id, and by what it says of the person, since a record that carries no id is
    /// given the one that was asked for. Nil where it is the same one, or where nothing tells.
    static func difference(_ row: Client, _ record: Client) -> String? {
        guard record.id == row.id else { return "another client came than the one asked for" }
        if let asked = row.cpf, let came = record.cpf, asked != came {
            return "another client came than the one asked for: the CPF is not the row's"
        }
        guard !row.name.isEmpty, !record.name.isEmpty, !SearchTerm.name(row.name).matches(record) else { return nil }
        // A name may be cut short, or be a social one: then something else is the same.
        let isSame =
            (row.cpf != nil && row.cpf == record.cpf) || row.allPhones.contains { record.reaches($0) }
            || row.email.map { SearchTerm.email($0).matches(record) } == true
        return isSame ? nil : "another client came than the one asked for: the name is not the row's"
    }

    /// What is wrong when somebody is asked for who cannot be there; nil where nothing is.
    private func absent(like id: ClientID) async -> Finding? {
        let name = "get"
        do throws(UpstreamError) {
            // Whatever its id: where records carry none, it is the one asked for.
            _ = try await driver.client(Self.nobody(like: id), context)
            return Finding(name, .bad, "a client comes for an id that nobody has", advice: Self.identity)
        } catch .notFound {
            return nil
        } catch {
            return Finding(
                name, .doubtful, "for an id that nobody has: \(error)", advice: Advice.absent(plan))
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
}
