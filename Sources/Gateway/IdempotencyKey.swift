import ClientContract
import HTTPTypes

/// The caller's name for one request (draft-ietf-httpapi-idempotency-key-header-07).
enum IdempotencyKey {
    static let field = HTTPField.Name("Idempotency-Key")
    /// Longest key, in characters.
    static let most = 255

    /// The key of a request; nil when it has none.
    ///
    /// A String as RFC 8941, section 3.3.3, writes it (`"8e03978e-40d5"`); without its quotes too, as many callers send
    /// it. Both spellings are one key.
    /// - Throws: `.invalidInput` for anything else: a key that was half understood would protect nobody.
    static func read(_ headers: HTTPFields) throws(ContractError) -> String? {
        guard let field else { return nil }
        let values = headers[values: field]
        guard let value = values.first else { return nil }
        guard values.count == 1 else { throw fault("is given more than once") }
        let text = value.utf8.drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
        let bytes = Array(text)
        guard !bytes.isEmpty, bytes != Array(#""""#.utf8) else { throw fault("is empty") }
        guard let key = bytes[0] == UInt8(ascii: "\"") ? quoted(bytes) : bare(bytes) else {
            throw fault("is neither a string in quotes nor a plain word")
        }
        guard key.count <= most else { throw fault("is longer than \(most) characters") }
        return String(decoding: key, as: UTF8.self)
    }

    private static func fault(_ message: String) -> ContractError {
        .invalidInput([.init(header: "Idempotency-Key", message)])
    }

    /// RFC 8941, section 4.2.5, without parameters behind it.
    private static func quoted(_ bytes: [UInt8]) -> [UInt8]? {
        var key: [UInt8] = []
        var rest = bytes.dropFirst()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return rest.isEmpty ? key : nil
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\")
                else { return nil }
                key.append(escaped)
            case 0x20...0x7E: key.append(byte)
            default: return nil
            }
        }
        return nil
    }

    private static func bare(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.allSatisfy { 0x21...0x7E ~= $0 && !"\",;\\".utf8.contains($0) } ? bytes : nil
    }
}
