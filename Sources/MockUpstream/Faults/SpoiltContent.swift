import JSONBytes

/// Faults of what an answer says. How it gets over the wire is not their business.
extension MockAnswer {
    /// The answer as a fault spoils it; nil for a fault of the connection.
    func spoilt(by fault: MockFault) -> MockAnswer? {
        var answer = self
        switch fault {
        case .status(let code, let retryAfter):
            answer.status = code
            answer.headers = retryAfter.map { [("Retry-After", String($0))] } ?? []
        case .foreign(let kind): return kind.answer
        case .page(let status):
            let page = "<!DOCTYPE html><html><head><title>Login</title></head><body><form>Entrar</form></body></html>"
            return MockAnswer(status, page, contentType: "text/html; charset=utf-8")
        case .textHTML: answer.contentType = "text/html; charset=utf-8"
        case .empty: return MockAnswer(200, [])
        case .badJSON: answer.body = Array(#"{"sucesso":true,"success":true,"dados":[{"nome": }"#.utf8)
        case .latin1(let announced):
            answer.encode(.latin1, announced ?? "iso-8859-1")
        case .windows1252(let announced):
            answer.encode(.windows1252, announced ?? "windows-1252")
        case .bom: answer.body = [0xEF, 0xBB, 0xBF] + body
        case .duplicateKey: answer.body = Self.repeatingFirstMember(of: body)
        case .numbersAsText: answer.body = Self.quotingNumbers(of: body)
        default: return nil
        }
        return answer
    }

    // MARK: Charsets

    private mutating func encode(_ charset: OneByteCharset, _ announced: String) {
        let type = contentType.prefix { $0 != ";" }
        contentType = announced == "none" ? String(type) : "\(type); charset=\(announced)"
        body = charset.encode(body)
    }

    // MARK: JSON

    /// `{"a":1}` becomes `{"a":null,"a":1}`.
    private static func repeatingFirstMember(of body: [UInt8]) -> [UInt8] {
        guard let root = try? JSONDocument(body).root, root.kind == .object, let first = root.members.first,
            let brace = body.firstIndex(of: UInt8(ascii: "{"))
        else { return body }
        var json = JSONWriter()
        json.string(first.key)
        json.raw(":null,")
        return Array(body[...brace]) + json.finish() + body[(brace + 1)...]
    }

    private static func quotingNumbers(of body: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        var quoted: [UInt8] = []
        quoted.reserveCapacity(body.count * 5 / 4)
        var isInText = false
        var isEscaped = false
        var isInNumber = false
        for byte in body {
            let isNumeric = byte &- 0x30 < 10 || "+-.eE".utf8.contains(byte)
            if isInNumber, !isNumeric {
                quoted.append(quote)
                isInNumber = false
            } else if !isInText, !isInNumber, byte &- 0x30 < 10 || byte == UInt8(ascii: "-") {
                quoted.append(quote)
                isInNumber = true
            }
            if byte == quote, !isEscaped { isInText.toggle() }
            isEscaped = isInText && !isEscaped && byte == UInt8(ascii: "\\")
            quoted.append(byte)
        }
        return isInNumber ? quoted + [quote] : quoted
    }
}

/// A charset of one byte a character.
private enum OneByteCharset {
    case latin1, windows1252

    /// Where Windows-1252 differs from ISO 8859-1: what the bytes from 0x80 to 0x9F stand for (WHATWG Encoding); nil for
    /// those that stand for nothing.
    private static let windowsOnly: [UInt32?] = [
        0x20AC, nil, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, nil,
        0x017D,
        nil, nil, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, nil,
        0x017E, 0x0178,
    ]

    /// JSON in UTF-8 in this charset. Outside ASCII there are texts only, so that the rest can be escaped.
    func encode(_ json: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(json.count)
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if let byte = byte(of: scalar) {
                encoded.append(byte)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                encoded += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            }
        }
        return encoded
    }

    private func byte(of scalar: Unicode.Scalar) -> UInt8? {
        if self == .windows1252, let place = Self.windowsOnly.firstIndex(of: scalar.value) {
            return 0x80 + UInt8(place)
        }
        let isControl = (0x80...0x9F).contains(scalar.value)
        return scalar.value > 0xFF || isControl && self == .windows1252 ? nil : UInt8(scalar.value)
    }
}
