package import ClientContract
package import JSONBytes

/// A vendor's own words, safe to hand on: short, and without anything that looks like patient data.
package enum VendorReason {
    /// The texts at a place: a string, an array of them, or an object of field names and messages.
    package static func collect(_ value: JSONValue?, depth: Int = 0) -> [String] {
        guard let value, depth < 4 else { return [] }
        switch value.kind {
        case .string: return value.string.map { [$0] } ?? []
        case .array: return value.elements.prefix(20).flatMap { collect($0, depth: depth + 1) }
        case .object:
            return value.members.prefix(20).flatMap { member in
                collect(member.value, depth: depth + 1).map { "\(member.key): \($0)" }
            }
        default: return []
        }
    }

    /// The names of an object's members, as vendors name what is wrong with them: names alone, since the texts beside
    /// them may speak of another patient.
    package static func members(of value: JSONValue?) -> [String] {
        guard let value, value.kind == .object else { return [] }
        return value.members.prefix(20).map(\.key).filter { name in
            (1...40).contains(name.utf8.count)
                && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-[]".contains($0)) }
        }
    }

    /// A name, and its words: a system may repeat a part of it.
    package static func words(of name: String) -> [String] {
        [name] + name.split(separator: " ").map(String.init).filter { $0.count >= 3 }
    }

    /// How many reasons are passed on.
    package static let most = 10

    /// Removes texts wherever they stand, in any case. Single letters stay: they say nothing.
    package static func hide(_ texts: [String], in reason: String) -> String {
        var text = String(reason.prefix(4000))
        for hidden in texts where hidden.count >= 2 { text = replacing(hidden, in: text) }
        return text
    }

    /// Removes what was sent, e-mail addresses, and runs of four digits and more (with punctuation between them).
    package static func clean(_ reasons: [String], hiding sent: [String]) -> [String] {
        var seen: Set<String> = []
        return reasons.prefix(most).compactMap { reason in
            // Cut only then: half of a hidden text would be recognised by nothing.
            var text = String(hide(sent, in: reason).prefix(300))
            text = text.split(separator: " ", omittingEmptySubsequences: true)
                .map { $0.contains("@") ? "…" : String($0) }.joined(separator: " ")
            text = maskDigits(text)
            text = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
            return !text.isEmpty && seen.insert(text).inserted ? text : nil
        }
    }

    private static func replacing(_ secret: String, in text: String) -> String {
        let lower = Array(secret.lowercased())
        var rest = Array(text)
        var result = ""
        while !rest.isEmpty {
            if rest.count >= lower.count, Array(String(rest.prefix(lower.count)).lowercased()) == lower {
                result += "…"
                rest.removeFirst(lower.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }

    /// Masks runs of four digits and more, punctuation and single blanks between them included.
    private static func maskDigits(_ text: String) -> String {
        var result = ""
        var run = ""
        func flush() {
            result += run.count(where: \.isNumber) >= 4 ? String(run.map { $0.isNumber ? "•" : $0 }) : run
            run = ""
        }
        for character in text {
            if character.isNumber || " ()+-./".contains(character) {
                run.append(character)
            } else {
                flush()
                result.append(character)
            }
        }
        flush()
        return result
    }
}

extension ClientDraft {
    /// The texts that went out, to be hidden in what comes back.
    package var sent: [String] {
        VendorReason.words(of: name)
            + [phone.digits, phone.national, phone.masked, cpf?.digits, cpf?.punctuated, email, birthday?.iso]
            .compactMap { $0 }
    }
}

extension ClientPatch {
    package var sent: [String] {
        (name.map(VendorReason.words) ?? [])
            + [cpf?.digits, cpf?.punctuated, email, birthday?.iso].compactMap { $0 }
    }
}
