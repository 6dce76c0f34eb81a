import ClientContract

/// Creates under way: equal ones at the same time are one, however many callers wait for it.
///
/// The first caller's deadline counts for all of them. Nothing is kept after the answer: a later create finds the
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

    private var flights: [Key: Task<Result<Client, ContractError>, Never>] = [:]

    func run(
        _ draft: ClientDraft, _ create: @escaping @Sendable () async -> Result<Client, ContractError>
    ) async throws(ContractError) -> Client {
        let key = Key(draft)
        if let flight = flights[key] { return try await flight.value.get() }
        let flight = Task { await create() }
        flights[key] = flight
        let result = await flight.value
        flights[key] = nil
        return try result.get()
    }
}
