import ClientContract

/// Lets one write at a time through for each person: two that could meet in one record never run at once.
///
/// Creates hold the phone's line and the CPF, so that the second finds what the first made; updates hold the record,
/// so that of two that read, merge and write neither undoes the other. All keys of a write are taken together, in
/// the order of arrival, so writes cannot lock each other out.
actor Gates {
    enum Key: Hashable {
        case line(PhoneNumber)
        case cpf(CPF)
        case record(ClientID)
    }

    private var held: Set<Key> = []
    private var waiting: [(keys: Set<Key>, turn: CheckedContinuation<Void, Never>)] = []

    func enter(_ keys: Set<Key>) async {
        if held.isDisjoint(with: keys), waiting.allSatisfy({ $0.keys.isDisjoint(with: keys) }) {
            held.formUnion(keys)
            return
        }
        await withCheckedContinuation { waiting.append((keys, $0)) }
    }

    func leave(_ keys: Set<Key>) {
        held.subtract(keys)
        var still: [(keys: Set<Key>, turn: CheckedContinuation<Void, Never>)] = []
        var blocked: Set<Key> = []
        for waiter in waiting {
            if held.isDisjoint(with: waiter.keys), blocked.isDisjoint(with: waiter.keys) {
                held.formUnion(waiter.keys)
                waiter.turn.resume()
            } else {
                blocked.formUnion(waiter.keys)
                still.append(waiter)
            }
        }
        waiting = still
    }
}

extension Bridge {
    /// Runs a write alone among those that share a key.
    func alone<Value: Sendable>(
        _ keys: Set<Gates.Key>, _ write: () async throws(ContractError) -> Value
    ) async throws(ContractError) -> Value {
        await gates.enter(keys)
        do {
            let value = try await write()
            await gates.leave(keys)
            return value
        } catch {
            await gates.leave(keys)
            throw error
        }
    }
}
