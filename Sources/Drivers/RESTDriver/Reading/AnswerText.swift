import JSONBytes

/// The body of an answer as text, and as JSON where it is that. `docs/legacy-answers.md` says which bytes mean what.
struct AnswerText: Sendable {
    /// UTF-8 without byte order mark, unless nobody knows what the bytes mean: then as they came.
    let bytes: [UInt8]
    let document: JSONDocument?
    /// A web page: a proxy's, a login form, a wrong address. Whatever its status, it says nothing about a client.
    let isPage: Bool
    /// A few words in plain text, as proxies say that there is nothing behind them.
    let isPlainWords: Bool

    /// - Parameters:
    ///   - contentType: in lower case.
    ///   - forced: the encoding that the profile names; it outranks everything that the answer says of itself.
    init(_ body: [UInt8], contentType: String, forced: Charset?) {
        // Clean UTF-8, which nearly all answers are, is read where it lies.
        if AnswerText.isReadAsItIs(body, forced), let document = AnswerText.document(body) {
            self.init(body, document, contentType)
            return
        }
        guard let text = AnswerText.decoded(body, contentType, forced) else {
            self.init(body, nil, contentType)
            return
        }
        self.init(text, AnswerText.document(text), contentType)
    }

    private init(_ bytes: [UInt8], _ document: JSONDocument?, _ contentType: String) {
        let isHTML = contentType.hasPrefix("text/html")
        // A text such as 404 or "not found" is JSON by its form only.
        let isScalar = document.map { $0.root.kind != .object && $0.root.kind != .array } ?? true
        self.bytes = bytes
        self.document = document
        isPlainWords =
            contentType.hasPrefix("text/plain") && isScalar && bytes.contains { $0 > 0x20 }
        isPage = isHTML ? isScalar : bytes.first { $0 > 0x20 } == UInt8(ascii: "<")
    }

    private static func document(_ bytes: [UInt8]) -> JSONDocument? {
        bytes.isEmpty ? nil : try? JSONDocument(bytes, limits: JSONLimits(depth: 64))
    }

    private static func isReadAsItIs(_ body: [UInt8], _ forced: Charset?) -> Bool {
        switch forced {
        case nil, .utf8: true
        // What is ASCII is the same in all of them.
        default: body.allSatisfy { $0 < 0x80 }
        }
    }

    /// The body in UTF-8; nil where its bytes are no text that can be told.
    private static func decoded(_ body: [UInt8], _ contentType: String, _ forced: Charset?) -> [UInt8]? {
        // A mark is never anything but a mark, so it says more than a header, which a proxy may have made up.
        if body.starts(with: [0xFF, 0xFE]) { return Charset.utf16(bigEndian: false).utf8(body.dropFirst(2)) }
        if body.starts(with: [0xFE, 0xFF]) { return Charset.utf16(bigEndian: true).utf8(body.dropFirst(2)) }
        let content = withoutMarks(body)
        let isMarked = content.count < body.count
        if let forced, !(isMarked && Charset.isUTF8(content)) { return forced.utf8(content) }
        // What is sound UTF-8 is that, whatever the header says: text of an older encoding never looks like it.
        if Charset.isUTF8(content) {
            let label = Charset.label(inContentType: contentType).flatMap(Charset.init(label:))
            // ASCII with zero bytes between is UTF-16 without its mark.
            if case .utf16 = label, content.contains(0), let text = label?.utf8(content) { return text }
            return Array(content)
        }
        if let label = Charset.label(inContentType: contentType) { return Charset(label: label)?.utf8(content) }
        return Charset.looksLikeWindows1252(content) ? Charset.windows1252.utf8(content) : nil
    }

    /// Without the UTF-8 marks in front: a program put together from files that have one sends several, with blank
    /// lines between.
    private static func withoutMarks(_ body: [UInt8]) -> ArraySlice<UInt8> {
        var rest = body[...]
        var content = rest
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            guard rest.starts(with: [0xEF, 0xBB, 0xBF]) else { return content }
            rest = rest.dropFirst(3)
            content = rest
        }
    }
}
