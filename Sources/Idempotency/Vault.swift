import Crypto
import Foundation

/// The secret behind marks and seals. What it makes of a text tells nobody without the secret anything about the text.
/// Prints masked.
public struct Vault: Sendable, CustomStringConvertible {
    private let marking: SymmetricKey
    private let sealing: SymmetricKey

    /// Bytes that a secret has at least.
    public static let shortest = 16

    public var description: String { "vault(…)" }

    /// - Parameter secret: hard to guess; the same secret knows again what it marked and opens what it sealed.
    public init(secret: [UInt8]) {
        func key(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: secret), info: Data("ponte idempotency \(purpose)".utf8),
                outputByteCount: 32)
        }
        marking = key("marks")
        sealing = key("seals")
    }

    /// A secret of this process alone.
    public static func random() -> Vault { Vault(secret: randomSecret()) }

    /// 32 bytes drawn by lot.
    static func randomSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// The mark of some texts in their order. Texts that are absent, empty, or cut elsewhere make another mark.
    public func mark(_ texts: [String?]) -> Mark {
        var hash = HMAC<SHA256>(key: marking)
        for text in texts {
            guard let text else {
                hash.update(data: [0] as [UInt8])
                continue
            }
            let bytes = Array(text.utf8)
            hash.update(data: [1] + (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) })
            hash.update(data: bytes)
        }
        return Mark(bytes: Array(hash.finalize()))
    }

    /// Seals a text (AES-256-GCM) so that it opens only beside what it belongs to.
    /// - Throws: `StoreFailure`, which does not come about with a sound system.
    public func seal(_ text: String, beside context: [UInt8]) throws(StoreFailure) -> [UInt8] {
        guard let box = try? AES.GCM.seal(Array(text.utf8), using: sealing, authenticating: context),
            let bytes = box.combined
        else { throw StoreFailure("an id cannot be sealed") }
        return Array(bytes)
    }

    /// - Returns: nil for what was sealed with another secret or beside something else, and for what was changed since.
    public func open(_ bytes: [UInt8], beside context: [UInt8]) -> String? {
        guard let box = try? AES.GCM.SealedBox(combined: bytes),
            let text = try? AES.GCM.open(box, using: sealing, authenticating: context)
        else { return nil }
        return String(validating: text, as: UTF8.self)
    }
}
