import JSONBytes

/// Where two JSON documents differ, by pointer; the order of an object's members says nothing.
enum JSONDifference {
    /// One line a difference: `/dados/0/nome: want "Ana", got "Bia"`.
    static func lines(want: JSONValue, got: JSONValue, at pointer: String = "") -> [String] {
        switch (want.kind, got.kind) {
        case (.object, .object):
            var lines: [String] = []
            for (key, value) in want.members {
                let place = pointer + "/" + escaped(key)
                if let other = got[key] {
                    lines += self.lines(want: value, got: other, at: place)
                } else {
                    lines.append("\(place): want \(text(value)), got nothing")
                }
            }
            for (key, value) in got.members where want[key] == nil {
                lines.append("\(pointer)/\(escaped(key)): want nothing, got \(text(value))")
            }
            return lines
        case (.array, .array):
            let (wanted, given) = (want.elements, got.elements)
            var lines: [String] = []
            for index in 0..<max(wanted.count, given.count) {
                let place = "\(pointer)/\(index)"
                if index >= given.count {
                    lines.append("\(place): want \(text(wanted[index])), got nothing")
                } else if index >= wanted.count {
                    lines.append("\(place): want nothing, got \(text(given[index]))")
                } else {
                    lines += self.lines(want: wanted[index], got: given[index], at: place)
                }
            }
            return lines
        default:
            let same =
                want.kind == got.kind
                && (want.string ?? want.scalarText ?? text(want)) == (got.string ?? got.scalarText ?? text(got))
            return same ? [] : ["\(pointer.isEmpty ? "(root)" : pointer): want \(text(want)), got \(text(got))"]
        }
    }

    /// A value as it stands in its document.
    static func text(_ value: JSONValue) -> String {
        let text = String(decoding: value.source, as: UTF8.self)
        return text.count <= 120 ? text : text.prefix(117) + "…"
    }

    /// RFC 6901, section 3.
    private static func escaped(_ key: String) -> String {
        var text = ""
        for character in key {
            switch character {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.append(character)
            }
        }
        return text
    }
}
