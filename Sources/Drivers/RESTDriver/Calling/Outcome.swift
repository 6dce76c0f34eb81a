import ClientContract
import JSONBytes

/// What an answer means.
enum OutcomeKind: String, Sendable, CaseIterable {
    case ok, empty, notFound, conflict, refused, unauthorised, rateLimited, failure
}

/// What a call is for: it decides what a bare status means.
enum CallRole: Sendable {
    case login, read, get, create, update

    var isWrite: Bool { self == .create || self == .update }
}

/// One rule of a profile: when an answer looks like this, it means that.
struct OutcomeRule: Sendable {
    enum BodyTest: Sendable {
        /// The value is this scalar.
        case equals([[UInt8]])
        case present(Bool)
        /// Missing, null, false, "", [] or {}.
        case empty(Bool)
        /// A string that contains this, without case.
        case contains(String)
    }

    var statuses: [ClosedRange<Int>] = []
    var contentType: String?
    var body: [(pointer: JSONPointer, test: BodyTest)] = []
    /// Texts that all stand somewhere in the body, without case.
    var texts: [String] = []
    let kind: OutcomeKind
    /// Where the vendor's reasons stand.
    var reasons: [JSONPointer] = []
    /// Where objects stand whose members are named after the faulty members of what was sent.
    var members: [JSONPointer] = []

    func matches(
        status: Int, contentType answered: String, document: JSONDocument?, bytes: [UInt8], foldCase: Bool
    ) -> Bool {
        if !statuses.isEmpty, !statuses.contains(where: { $0.contains(status) }) { return false }
        if let contentType, !answered.hasPrefix(contentType) { return false }
        if !body.isEmpty {
            guard let root = document?.root else { return false }
            for (pointer, test) in body where !OutcomeRule.holds(test, root.at(pointer, foldCase: foldCase)) {
                return false
            }
        }
        if !texts.isEmpty {
            let content = OutcomeRule.readable(String(decoding: bytes.prefix(65_536), as: UTF8.self)).lowercased()
            if !texts.allSatisfy({ content.contains($0.lowercased()) }) { return false }
        }
        return true
    }

    private static func holds(_ test: BodyTest, _ value: JSONValue?) -> Bool {
        switch test {
        case .equals(let choices):
            value.map { value in
                value.document.withView { view in choices.contains { view.isScalar(value.index, $0) } }
            } ?? false
        case .present(let wanted): (value != nil) == wanted
        case .empty(let wanted): isEmpty(value) == wanted
        case .contains(let text): value?.string?.lowercased().contains(text.lowercased()) ?? false
        }
    }

    /// Whether it says that something is not there, of any answer. A web page says nothing about a client, and means so
    /// only where the rule is about its type or its text.
    var needsData: Bool { (kind == .empty || kind == .notFound) && contentType == nil && texts.isEmpty }

    static func isEmpty(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        switch value.kind {
        case .null, .false: return true
        case .string: return value.string?.isEmpty ?? true
        case .array, .object: return value.document.withView { $0.childCount(value.index) } == 0
        default: return false
        }
    }

    /// The text with JSON's `\uXXXX` decoded: many systems escape every letter beyond ASCII.
    private static func readable(_ text: String) -> String {
        guard text.contains("\\u") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.firstRange(of: "\\u") {
            result += rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
            if let scalar = UInt32(rest.prefix(4), radix: 16).flatMap({ Unicode.Scalar($0) }), rest.prefix(4).count == 4
            {
                result.unicodeScalars.append(scalar)
                rest = rest.dropFirst(4)
            } else {
                result += "\\u"
            }
        }
        return result + rest
    }

    /// What a status means where no rule of the profile speaks. Nil for a success, whose body decides.
    static func byStatus(_ status: Int, _ role: CallRole) -> OutcomeKind? {
        switch (status, role) {
        case (200...299, _): nil
        case (401, _), (403, _): .unauthorised
        case (404, .get), (410, .get), (404, .update), (410, .update): .notFound
        case (409, .create), (409, .update), (412, .update): .conflict
        case (400, .create), (400, .update), (422, .create), (422, .update): .refused
        case (429, _): .rateLimited
        default: .failure
        }
    }
}
