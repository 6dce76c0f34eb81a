import ClientContract

/// Tryton's own words about a refusal, safe to hand on. It likes to name the person and the value that it refuses:
/// `The Brazillian National Identifier "529.982.247-26" for party "Teste, Ana" is not valid.`
enum SystemWords {
    /// Removes what was sent and what is on record, e-mail addresses, and runs of four digits and more.
    static func clean(_ texts: [String], hiding hidden: [String]) -> [String] {
        // The longer ones first: a short one may be a part of them.
        let hidden = Set(hidden).filter { $0.count >= 2 }.sorted { ($0.count, $0) > ($1.count, $1) }
        var cleaned: [String] = []
        for text in texts.prefix(10) {
            var text = String(text.prefix(4000))
            for word in hidden { text = replacing(word, in: text) }
            text = text.split(whereSeparator: \.isWhitespace).map { $0.contains("@") ? "…" : String($0) }
                .joined(separator: " ")
            text = maskingDigits(text)
            text.unicodeScalars.removeAll { $0.value < 0x20 || $0.value == 0x7F }
            // Cut only then: half of a hidden text would be recognised by nothing.
            text = String(text.prefix(300))
            if !text.isEmpty, !cleaned.contains(text) { cleaned.append(text) }
        }
        return cleaned
    }

    /// A name as the system may spell it: whole, its words, and family name first.
    static func spellings(ofName name: String, keeping given: String? = nil) -> [String] {
        let split = PersonNames.split(name, keeping: given)
        let words = name.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.count >= 3 }
        return [name, split.given] + (split.family.map { [$0, "\($0), \(split.given)"] } ?? []) + words
    }

    static func spellings(of draft: ClientDraft) -> [String] {
        spellings(ofName: draft.name) + [draft.phone.digits, draft.phone.national, draft.email].compactMap { $0 }
            + (draft.cpf.map { [$0.digits, $0.punctuated] } ?? []) + [draft.birthday?.iso].compactMap { $0 }
    }

    static func spellings(of patch: ClientPatch, keeping given: String) -> [String] {
        (patch.name.map { spellings(ofName: $0, keeping: given) } ?? []) + [patch.email].compactMap { $0 }
            + (patch.cpf.map { [$0.digits, $0.punctuated] } ?? []) + [patch.birthday?.iso].compactMap { $0 }
    }

    /// Wherever it stands as a word or words of its own, in any case.
    private static func replacing(_ word: String, in text: String) -> String {
        let wanted = Array(word.lowercased())
        let all = Array(text)
        let lower = all.map { $0.lowercased() }
        var result = ""
        var index = 0
        while index < all.count {
            let end = index + wanted.count
            let isHit =
                end <= all.count && zip(lower[index..<end], wanted).allSatisfy { $0 == String($1) }
                && !(index > 0 && all[index - 1].isLetter && all[index].isLetter)
                && !(end < all.count && all[end].isLetter && all[end - 1].isLetter)
            if isHit {
                result += "…"
                index = end
            } else {
                result.append(all[index])
                index += 1
            }
        }
        return result
    }

    /// Punctuation and single blanks between the digits included.
    private static func maskingDigits(_ text: String) -> String {
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
