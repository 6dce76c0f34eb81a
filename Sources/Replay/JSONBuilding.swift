import JSONBytes

extension JSONValue {
    /// Reads what was just written.
    static func read(_ bytes: [UInt8]) -> JSONValue? { (try? JSONDocument(bytes))?.root }

    /// An object of texts; a name that stands several times has an array of them.
    static func texts(_ pairs: [(name: String, value: String)]) -> JSONValue? {
        var writer = JSONWriter()
        var written: Set<String> = []
        writer.raw("{")
        for pair in pairs where written.insert(pair.name).inserted {
            let values = pairs.filter { $0.name == pair.name }.map(\.value)
            writer.comma()
            writer.key(pair.name)
            guard values.count > 1 else {
                writer.string(pair.value)
                continue
            }
            writer.raw("[")
            for value in values {
                writer.comma()
                writer.string(value)
            }
            writer.raw("]")
        }
        writer.raw("}")
        return read(writer.finish())
    }

    static func text(_ text: String) -> JSONValue? {
        var writer = JSONWriter()
        writer.string(text)
        return read(writer.finish())
    }

    /// This value after a merge patch (RFC 7396, section 2).
    func merging(_ patch: JSONValue) -> JSONValue {
        var writer = JSONWriter()
        Self.merge(self, patch, &writer)
        return Self.read(writer.finish()) ?? self
    }

    private static func merge(_ target: JSONValue?, _ patch: JSONValue, _ writer: inout JSONWriter) {
        guard patch.kind == .object else { return writer.raw(patch.source) }
        writer.raw("{")
        var isFirst = true
        func next(_ name: String, _ writer: inout JSONWriter) {
            if !isFirst { writer.raw(",") }
            isFirst = false
            writer.key(name)
        }
        for member in target?.members ?? [] where patch[member.key] == nil {
            next(member.key, &writer)
            writer.raw(member.value.source)
        }
        for member in patch.members where !member.value.isNull {
            next(member.key, &writer)
            merge(target?[member.key], member.value, &writer)
        }
        writer.raw("}")
    }
}

/// RFC 4648, section 4, with padding and nothing else.
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let input = Array(text.utf8)
        guard input.count % 4 == 0 else { return nil }
        let padding = input.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        for (index, letter) in input.dropLast(padding).enumerated() {
            guard let value = letters.firstIndex(of: letter) else { return nil }
            bits = bits << 6 | UInt32(value)
            // 6, 12, 18, 24 bits: a byte whenever eight of them are whole.
            if index % 4 > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * UInt32(index % 4)))) }
        }
        return bytes
    }
}
