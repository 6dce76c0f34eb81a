import ClientContract
import UpstreamDriver

/// Creates under way: equal ones at the same time are one, however many callers wait for it.
///
/// Whoever waits stays until its own deadline. A create that ran out of its first caller's time is no answer for those
/// who have more: one of them goes on, and looks first. Nothing is kept after the answer: a later create finds the
/// record itself.
actor CreateFlights {
    /// What makes two drafts equal: the same person on the same line, however the name is spelt.
    private struct Key: Hashable {
        let name: String
        let phone: PhoneNumber
        let cpf: CPF?

        init(_ draft: ClientDraft) {
            name = PersonText.nameKey(draft.name)
            phone = draft.phone
            cpf = draft.cpf
        }
    }

    private struct Flight {
        let deadline: ContinuousClock.Instant
        let result = Settled<Result<Client, ContractError>>()
    }

    private var flights: [Key: Flight] = [:]

    func run(
        _ draft: ClientDraft, _ context: CallContext,
        _ create: @escaping @Sendable () async -> Result<Client, ContractError>
    ) async throws(ContractError) -> Client {
        let key = Key(draft)
        while let flight = flights[key] {
            guard let result = await flight.result.value(until: context.deadline) else {
                throw ContractError(.outcomeUnknown, "An equal create was under way, and has not ended in time")
            }
            // A result is there only after the flight has left its place, so that the place is another's or free.
            if case .failure(let error) = result, Self.ranOut(error), context.deadline > flight.deadline { continue }
            return try result.get()
        }
        let flight = Flight(deadline: context.deadline)
        flights[key] = flight
        // In a task of its own: its caller may go, and others still wait for it.
        let result = await Task { await create() }.value
        flights[key] = nil
        flight.result.settle(result)
        return try result.get()
    }

    private static func ranOut(_ error: ContractError) -> Bool {
        error.code == .deadline || error.code == .outcomeUnknown
    }
}
