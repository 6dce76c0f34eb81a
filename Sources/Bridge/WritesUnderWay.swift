import ClientContract
import Synchronization

/// The writes of one tenant that are under way, and those that reads may not show yet. It is handed on when the tenant's
/// file is read again, so that of two equal creates around that moment one reaches the clinic's system.
public final class WritesUnderWay: Sendable {
    let flights = CreateFlights()
    let gates = Gates()
    let fresh = FreshRecords()

    public init() {}
}

/// Whose the records are that were just made: where reads lag, an id that a system answers twice cannot be looked at.
final class FreshRecords: Sendable {
    private struct Made {
        let name: String
        let phone: PhoneNumber
        let cpf: CPF?
        let until: ContinuousClock.Instant
    }

    private let records = Mutex<[ClientID: Made]>([:])

    /// Notes that a create made a record.
    /// - Parameter lag: how long reads may not show it.
    func made(_ id: ClientID, _ draft: ClientDraft, lag: Duration) {
        guard lag > .zero else { return }
        let now = ContinuousClock.now
        records.withLock { records in
            records = records.filter { $0.value.until > now }
            records[id] = Made(
                name: PersonText.nameKey(draft.name), phone: draft.phone, cpf: draft.cpf, until: now + lag)
        }
    }

    /// Whether a record was just made for somebody else.
    func isOfAnother(_ id: ClientID, _ draft: ClientDraft) -> Bool {
        records.withLock { records in
            guard let made = records[id], made.until > .now else { return false }
            if let a = made.cpf, let b = draft.cpf, !a.isPlaceholder, !b.isPlaceholder { return a != b }
            return made.name != PersonText.nameKey(draft.name) || made.phone != draft.phone
        }
    }
}
