import ClientContract

/// A driver reads a record, somebody at the clinic changes another member of it, and the driver writes: her change must
/// stand. What a change does not send along cannot be lost; the rest takes a condition of the system's, or a `Gap`.
extension Check {
    static let colleague: [Check] = [
        updates("colleague", "what somebody else changes between reading and writing stands") { stage in
            var turn = 0
            for hers in try stage.membersOfColleagues() {
                try await stage.confirmShown(.of(hers, 40))
                var isLost = false
                for ours in stage.membersToChange(beside: hers) {
                    turn += 1
                    let (stands, _) = try await stage.meet([.of(hers, turn)], ClientPatch.of(ours, turn))
                    if !stands, !stage.has(.changingAtOnce(hers)) {
                        throw Mismatch(
                            expected: "her change of \(hers.wireName) under ours of \(ours.wireName)",
                            came: "it was overwritten")
                    }
                    if !stands { isLost = true }
                }
                try expect(
                    isLost || !stage.has(.changingAtOnce(hers)), "a lost \(hers.wireName), as is said of the system",
                    "every change of it stood")
            }
            try stage.requireProtection()
        },
        updates("insistentColleague", "who changes a record before every try stops a driver, or is not in its way") {
            stage in
            try stage.requireProtection()
            var turn = 0
            for hers in try stage.membersOfColleagues() where !stage.has(.changingAtOnce(hers)) {
                for ours in stage.membersToChange(beside: hers) {
                    turn += 1
                    let changes = (1...40).map { ColleagueChange.of(hers, $0) }
                    let (stands, calls) = try await stage.meet(changes, ClientPatch.of(ours, turn))
                    try expect(calls <= 10, "at most 10 tries to change \(ours.wireName)", "\(calls)")
                    try expect(stands, "her last change of \(hers.wireName)", "it was overwritten")
                }
            }
        },
    ]
}

extension Stage {
    /// The members that somebody else may change and that can be seen.
    fileprivate func membersOfColleagues() throws -> [ClientField] {
        let fields = ColleagueChange.fields.filter { !has(.member($0)) && !membersToChange(beside: $0).isEmpty }
        if fields.isEmpty { throw Inapplicable(reason: "no member is shown beside those that can be changed") }
        return fields
    }

    /// The members that the contract's update changes here, but for one.
    fileprivate func membersToChange(beside other: ClientField) -> [ClientField] {
        ClientPatch.changes.map(\.field).filter {
            $0 != other && !has(.member($0)) && !subject.capabilities.unchangeable.contains($0)
        }
    }

    /// Not applicable where nothing is protected.
    fileprivate func requireProtection() throws {
        let fields = try membersOfColleagues()
        let reasons = fields.compactMap { subject.gaps[.changingAtOnce($0)] }
        if reasons.count == fields.count, let reason = reasons.first { throw Inapplicable(reason: reason) }
    }

    /// Holds if a colleague's change is shown when nobody else changes anything.
    fileprivate func confirmShown(_ change: ColleagueChange) async throws {
        let id = try id(.complete)
        guard await world.colleague([change], of: id, before: .get) else {
            throw Inapplicable(reason: "nobody changes records in this world")
        }
        // It is made when the first of these comes, and may be seen by the second only.
        _ = try await read(id)
        try expect(change.stands(in: try await read(id)), "her \(change.field.wireName)", "the old one, or none")
    }

    /// Changes somebody while a colleague changes the same person before each of the driver's writes. Ours holds if the call
    /// succeeds, and nothing of it if it fails.
    /// - Returns: whether her last change stands, and how many writes there were.
    fileprivate func meet(
        _ hers: [ColleagueChange], _ ours: ClientPatch
    ) async throws -> (stands: Bool, calls: Int) {
        let id = try id(.complete)
        let before = await world.count(.update)
        guard await world.colleague(hers, of: id, before: .update) else {
            throw Inapplicable(reason: "nobody changes records in this world")
        }
        var failure: ContractError?
        do {
            _ = try await update(.complete, ours)
        } catch let error as ContractError {
            failure = error
        }
        let calls = await world.count(.update) - before
        _ = await world.colleague([], of: id, before: .update)
        try expect(calls > 0, "an update at the system", failure.map { "the error \($0.code.rawValue)" } ?? "none")
        let client = try await read(id)
        if let failure {
            try expect(
                Codes.interrupted.contains(failure.code.rawValue),
                "a success, or an error: " + Codes.interrupted.joined(separator: " or "),
                "the error \(failure.code.rawValue)")
            try expect((try? confirm(client, shows: ours)) == nil, "nothing of a change that failed", "the change")
        } else {
            try confirm(client, shows: ours)
        }
        return (hers[min(calls, hers.count) - 1].stands(in: client), calls)
    }
}

extension ColleagueChange {
    fileprivate static let fields: [ClientField] = [.name, .phone, .email, .birthday]

    /// The change of a member that is made in one of up to 40 turns: each sets another value.
    fileprivate static func of(_ field: ClientField, _ turn: Int) -> ColleagueChange {
        switch field {
        case .email: .email("colega.\(turn)@example.test")
        case .birthday: .birthday(.on(1950 + turn, 8, 17))
        case .phone: .phone(.br("31", "9766600\(turn + 10)"))
        default: .name("Ana Exemplo Colega \(word(turn))")
        }
    }

    fileprivate var field: ClientField {
        switch self {
        case .name: .name
        case .email: .email
        case .birthday: .birthday
        case .phone: .phone
        }
    }

    fileprivate func stands(in client: Client) -> Bool {
        switch self {
        case .name(let name): client.name == name
        case .email(let address): client.email == address
        case .birthday(let day): client.birthday == day
        case .phone(let number): client.phone == number
        }
    }

    /// A turn as a word of two letters.
    fileprivate static func word(_ turn: Int) -> String {
        let letters = Array("abcdefghij")
        return "N\(letters[turn / 10 % 10])\(letters[turn % 10])"
    }
}

extension ClientPatch {
    /// Our change of a member in a turn: each sets another value.
    fileprivate static func of(_ field: ClientField, _ turn: Int) -> ClientPatch {
        switch field {
        case .email: ClientPatch(email: "nova.\(turn)@example.test")
        case .birthday: ClientPatch(birthday: .on(1950 + turn, 2, 11))
        case .cpf: ClientPatch(cpf: .checked(700_000_000 + UInt64(turn)))
        default: ClientPatch(name: "Ana Exemplo Nova \(ColleagueChange.word(turn))")
        }
    }
}
