/// A place in a document (RFC 6901): `/telefones/0/numero`. The empty pointer is the whole document.
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    /// One reference token, unescaped.
    public struct Step: Hashable, Sendable {
        /// UTF-8 of the member's name.
        public let name: [UInt8]
        /// The array index that the same token can be: digits without a leading zero.
        public let position: Int?

        public init(_ name: [UInt8]) {
            self.name = name
            let digits = !name.isEmpty && name.allSatisfy { $0 &- 0x30 < 10 }
            position = digits && (name.count == 1 || name[0] != 0x30) ? Int(String(decoding: name, as: UTF8.self)) : nil
        }
    }

    public let steps: [Step]

    public static let root = JSONPointer(steps: [])

    public init(steps: [Step]) { self.steps = steps }

    /// Reads the string form: empty, or `/` before each token, `~0` for `~` and `~1` for `/`.
    /// Nil when the text is no pointer.
    public init?(_ text: String) {
        guard !text.isEmpty else {
            steps = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var steps: [Step] = []
        for part in Array(text.utf8.dropFirst()).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            var name: [UInt8] = []
            var rest = part[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "~") else {
                    name.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "0"): name.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): name.append(UInt8(ascii: "/"))
                default: return nil
                }
            }
            steps.append(Step(name))
        }
        self.steps = steps
    }

    public func appending(_ name: String) -> JSONPointer { JSONPointer(steps: steps + [Step(Array(name.utf8))]) }
    public func appending(_ position: Int) -> JSONPointer { appending(String(position)) }
    public func appending(_ pointer: JSONPointer) -> JSONPointer { JSONPointer(steps: steps + pointer.steps) }

    /// The string form, which `init` reads back.
    public var description: String {
        var text: [UInt8] = []
        for step in steps {
            text.append(UInt8(ascii: "/"))
            for byte in step.name {
                switch byte {
                case UInt8(ascii: "~"): text += [byte, UInt8(ascii: "0")]
                case UInt8(ascii: "/"): text += [UInt8(ascii: "~"), UInt8(ascii: "1")]
                default: text.append(byte)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
