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

    /// A name as a system may spell it: whole, in two parts wherever it may be parted, family name first, without blanks,
    /// and word by word.
    package static func words(of name: String) -> [String] {
        let words = name.split(whereSeparator: \.isWhitespace).map(String.init)
        func joined(_ words: ArraySlice<String>) -> String { words.joined(separator: " ") }
        let parted = words.indices.dropFirst().prefix(16).flatMap { border in
            let (given, family) = (joined(words[..<border]), joined(words[border...]))
            return [given, family, "\(family), \(given)"]
        }
        return [name, joined(words[...]), words.joined()] + parted + words.filter { $0.count >= 3 }
    }

    /// How many reasons are passed on.
    package static let most = 10
    /// How many characters of one are read, and how many are passed on.
    private static let (longest, passed) = (4000, 300)

    /// Removes secrets wherever they stand, in any case.
    package static func hide(_ secrets: [String], in reason: String) -> String {
        cover(secrets, in: String(reason.prefix(longest)), insideWords: true)
    }

    /// Removes what was sent and what is on record, e-mail addresses, and runs of four digits and more (with punctuation
    /// between them). Words that only hold a name stay readable: "Banana" is not "Ana".
    package static func clean(_ reasons: [String], hiding sent: [String]) -> [String] {
        var cleaned: [String] = []
        for reason in reasons.prefix(most) {
            var text = cover(sent, in: String(reason.prefix(longest)), insideWords: false)
            text = text.split(whereSeparator: \.isWhitespace).map { $0.contains("@") ? "…" : String($0) }
                .joined(separator: " ")
            text = maskDigits(text)
            text.unicodeScalars.removeAll { $0.value < 0x20 || $0.value == 0x7F }
            // Cut only then: half of a hidden text would be recognised by nothing.
            text = String(text.prefix(passed))
            if !text.isEmpty, !cleaned.contains(text) { cleaned.append(text) }
        }
        return cleaned
    }

    /// Puts "…" where any of the texts stands, in any case; one for those that overlap. Single letters stay: they say
    /// nothing.
    /// - Parameter insideWords: also where letters stand right before or behind.
    private static func cover(_ texts: [String], in reason: String, insideWords: Bool) -> String {
        let characters = Array(reason)
        let folded = characters.map { $0.lowercased() }
        var isCovered = [Bool](repeating: false, count: characters.count)
        /// Whether a word goes on from the character before this place to the one at it.
        func isInsideWord(_ place: Int) -> Bool {
            place > 0 && place < characters.count && characters[place - 1].isLetter && characters[place].isLetter
        }
        for text in Set(texts) where text.count >= 2 && text.count <= characters.count {
            let wanted = text.map { $0.lowercased() }
            for start in 0...(folded.count - wanted.count) where folded[start] == wanted[0] {
                let end = start + wanted.count
                guard folded[start..<end].elementsEqual(wanted),
                    insideWords || !(isInsideWord(start) || isInsideWord(end))
                else { continue }
                for place in start..<end { isCovered[place] = true }
            }
        }
        var result = ""
        for (place, character) in characters.enumerated() {
            if !isCovered[place] {
                result.append(character)
            } else if place == 0 || !isCovered[place - 1] {
                result += "…"
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
