import Synchronization
import Tenancy

/// How often each key is used: so many requests in a minute, a tenth of them at once (GCRA, ITU-T I.371). A key is known
/// by its digest: its name, and its tenant's id, may come to another clinic.
final class KeyPaces: Sendable {
    /// When the next request of a key would be due if all came evenly.
    private let due = Mutex<[KeyDigest: ContinuousClock.Instant]>([:])

    /// Takes a request.
    /// - Returns: nil when it may go, else after how many seconds one may.
    func take(_ key: KeyDigest, perMinute: Int, now: ContinuousClock.Instant = .now) -> Int? {
        let each = Duration.seconds(60) / perMinute
        // How far ahead of an even pace a caller may be.
        let tolerance = each * (max(1, perMinute / 10) - 1)
        return due.withLock { due in
            let next = max(due[key] ?? now, now)
            if next - now > tolerance {
                let wait = next - now - tolerance
                return max(1, Int((wait + .milliseconds(999)).components.seconds))
            }
            due[key] = next + each
            return nil
        }
    }
}
