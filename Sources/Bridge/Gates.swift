import ClientContract
import UpstreamDriver

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

    private struct Waiter {
        let keys: Set<Key>
        let turn: Settled<Void>
    }

    private var held: Set<Key> = []
    private var waiting: [Waiter] = []

    /// - Returns: false when the turn did not come before the deadline; then there is nothing to leave.
    func enter(_ keys: Set<Key>, until deadline: ContinuousClock.Instant) async -> Bool {
        if held.isDisjoint(with: keys), waiting.allSatisfy({ $0.keys.isDisjoint(with: keys) }) {
            held.formUnion(keys)
            return true
        }
        let turn = Settled<Void>()
        waiting.append(Waiter(keys: keys, turn: turn))
        if await turn.value(until: deadline) != nil { return true }
        guard let place = waiting.firstIndex(where: { $0.turn === turn }) else {
            // The turn came between the deadline and here.
            leave(keys)
            return false
        }
        waiting.remove(at: place)
        // Others may have waited for this one only.
        letIn()
        return false
    }

    func leave(_ keys: Set<Key>) {
        held.subtract(keys)
        letIn()
    }

    private func letIn() {
        var still: [Waiter] = []
        var blocked: Set<Key> = []
        for waiter in waiting {
            if held.isDisjoint(with: waiter.keys), blocked.isDisjoint(with: waiter.keys) {
                held.formUnion(waiter.keys)
                waiter.turn.settle(())
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
    /// - Throws: `.deadline` when its turn did not come in time: nothing was sent.
    func alone<Value: Sendable>(
        _ keys: Set<Gates.Key>, _ context: CallContext, _ write: () async throws(ContractError) -> Value
    ) async throws(ContractError) -> Value {
        guard await writes.gates.enter(keys, until: context.deadline) else {
            throw ContractError(
                .deadline, "Another write of the same client was still under way; this one was not sent")
        }
        do {
            let value = try await write()
            await writes.gates.leave(keys)
            return value
        } catch {
            await writes.gates.leave(keys)
            throw error
        }
    }
}
