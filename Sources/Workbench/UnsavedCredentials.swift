import Synchronization
public import Tenancy

/// Hears of credentials that a vendor replaced and that could not be written back to their files. A command that ends
/// takes them along: it must say so.
public final class UnsavedCredentials: Sendable {
    private struct Note {
        let tenant: String
        let credential: String
        let reason: String
    }

    private let notes = Mutex<[Note]>([])

    public init() {}

    /// A source of secrets that tells this of each credential that is not saved.
    public func watching(_ source: SecretSource) -> SecretSource {
        var watched = source
        watched.onUnsaved = { [self] tenant, credential, reason in
            notes.withLock { $0.append(Note(tenant: tenant, credential: credential, reason: reason)) }
        }
        return watched
    }

    /// What was lost of a tenant's, as findings.
    func findings(of tenant: String) -> [Doctor.Finding] {
        notes.withLock { $0.filter { $0.tenant == tenant } }.map { note in
            Doctor.Finding(
                Self.name, .bad,
                "the vendor replaced \(note.credential), and its file does not hold the new one: it \(note.reason)",
                advice:
                    "What the file holds is used up, and the new one ends with this command: see to the file's folder (space, "
                    + "owner, mode), ask the vendor for another one, and write it there.")
        }
    }

    /// Before a login that would use a credential up.
    static func untried(_ credential: String, _ reason: String) -> Doctor.Finding {
        Doctor.Finding(
            name, .bad, "the file of \(credential) \(reason)",
            advice:
                "Each login uses this credential up, and the vendor's new one could not be kept: nothing was sent. See to the "
                + "file's folder (space, owner, mode), and run this again.")
    }

    static let name = "credential file"
}
