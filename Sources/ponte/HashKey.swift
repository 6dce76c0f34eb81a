import ArgumentParser
import Tenancy

struct HashKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash-key",
        abstract: "Print the SHA-256 that a tenant file holds in place of a key.",
        discussion: """
            The key is read from standard input, one line; never from the arguments, which other users of the machine \
            can see:
              printf %s "$KEY" | ponte hash-key
            With --generate a new key is made: give it to the caller and keep only its SHA-256.
            """)

    @Flag(help: "Make a random key (32 bytes, base64url) and print it with its SHA-256.")
    var generate = false

    func run() throws {
        if generate {
            let key = Self.newKey()
            Terminal.print("key:    \(key)")
            Terminal.print("sha256: \(KeyDigest(of: key).hex)")
            return
        }
        if Terminal.isInteractive { Terminal.error("Type the key, then Enter:") }
        guard let key = readLine(strippingNewline: true), !key.isEmpty else {
            throw ValidationError("No key came on standard input.")
        }
        guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ValidationError("A key travels in a header: printable ASCII without spaces only.")
        }
        Terminal.print(KeyDigest(of: key).hex)
    }

    /// 32 bytes from the system's generator, base64url without padding (RFC 4648, section 5).
    static func newKey() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0...group.count { text.append(letters[bits >> (18 - 6 * place) & 63]) }
        }
        return text
    }
}
