import JSONBytes

extension JSONView {
    /// Whether a value is the scalar that `json` spells. Texts are compared decoded: many systems escape every letter
    /// beyond ASCII.
    func isScalar(_ index: Int, _ json: [UInt8]) -> Bool {
        if source(index).elementsEqual(json) { return true }
        guard kind(index) == .string, json.first == UInt8(ascii: "\""),
            isEscaped(index) || json.contains(UInt8(ascii: "\\")),
            let other = try? JSONDocument(json)
        else { return false }
        let text = decoded(index)
        return other.withView { $0.kind(0) == .string && $0.decoded(0) == text }
    }
}

extension JSONValue {
    /// A truth value as old systems write it, too: 1 and 0, and texts of them or of `true` and `false`.
    var truth: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default:
            switch scalarText?.lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: nil
            }
        }
    }

    /// The value that a pointer names below this one, member names in any case where the profile says so.
    func at(_ pointer: JSONPointer, foldCase: Bool) -> JSONValue? {
        document.withView { $0.find(pointer, from: index, foldCase: foldCase) }.map {
            JSONValue(document: document, index: $0)
        }
    }
}
