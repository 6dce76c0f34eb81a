import Synchronization

/// How often each key is used: so many requests in a minute, a tenth of them at once (GCRA, ITU-T I.371).
final class KeyPaces: Sendable {
    private struct Key: Hashable {
        let tenant: String
        let name: String
    }

    /// When the next request of a key would be due if all came evenly.
    private let due = Mutex<[Key: ContinuousClock.Instant]>([:])

    /// Takes a request.
    /// - Returns: nil when it may go, else after how many seconds one may.
    func take(
        tenant: String, key: String, perMinute: Int, now: ContinuousClock.Instant = .now
    ) -> Int? {
        let each = Duration.seconds(60) / perMinute
        // How far ahead of an even pace a caller may be.
        let tolerance = each * (max(1, perMinute / 10) - 1)
        return due.withLock { due in
            let place = Key(tenant: tenant, name: key)
            let next = max(due[place] ?? now, now)
            if next - now > tolerance {
                let wait = next - now - tolerance
                return max(1, Int((wait + .milliseconds(999)).components.seconds))
            }
            due[place] = next + each
            return nil
        }
    }
}
