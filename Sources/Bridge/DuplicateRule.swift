import ClientContract

/// When a draft and a record are the same person (design, section 6). Families share phones.
struct DuplicateRule {
    let draft: ClientDraft
    /// Whether the draft's name is only its phone, as it comes when nobody told a name.
    let isNameless: Bool

    init(_ draft: ClientDraft, phones: PhoneContext) {
        self.draft = draft
        isNameless = SearchTerm.readings(of: draft.name, as: .phone, context: phones).contains(.phone(draft.phone))
    }

    /// Whether creating the draft would repeat the record.
    func repeats(_ client: Client) -> Bool {
        if let verdict = byCPF(client) { return verdict }
        guard client.reaches(draft.phone) else { return false }
        return isNameless || PersonText.nameKey(draft.name) == PersonText.nameKey(client.name)
    }

    /// Whether a record that a create answered can be the person that was sent. A system may not show everything, and
    /// may write names in its own way; but nothing that it shows may speak against it.
    func canBe(_ client: Client) -> Bool {
        if let verdict = byCPF(client) { return verdict }
        guard client.phone == nil || client.reaches(draft.phone) else { return false }
        if let sent = draft.birthday, let shown = client.birthday, sent != shown { return false }
        return (isNameless && client.phone != nil) || NameSpelling.isKept(draft.name, as: client.name)
    }

    /// Whether a record may be what a create of the draft has made: on its phone, and nothing speaks against it.
    func mayHaveMade(_ client: Client) -> Bool { client.reaches(draft.phone) && canBe(client) }

    /// - Parameter inSystemsSpelling: whether the name may stand there as the system writes it.
    func hasName(_ client: Client, inSystemsSpelling: Bool) -> Bool {
        if inSystemsSpelling { return NameSpelling.isKept(draft.name, as: client.name) }
        return PersonText.nameKey(draft.name) == PersonText.nameKey(client.name)
    }

    /// Whether a record that a create answered is certainly somebody else: its CPF says so, or both its phones and its
    /// name, or its name alone when the first word of the one that was sent is not in it (a relative on the same phone).
    func isStranger(_ client: Client) -> Bool {
        if let verdict = byCPF(client) { return !verdict }
        if NameSpelling.isKept(draft.name, as: client.name) { return false }
        if client.phone != nil, !client.reaches(draft.phone) { return true }
        return !isNameless && !NameSpelling.hasFirstName(of: draft.name, client.name)
    }

    /// What the CPFs say, where both are there. Eleven equal digits are a filler that identifies nobody.
    private func byCPF(_ client: Client) -> Bool? {
        guard let a = draft.cpf, let b = client.cpf, !a.isPlaceholder, !b.isPlaceholder else { return nil }
        return a == b
    }
}

/// How systems spell names that they were sent.
enum NameSpelling {
    /// Whether the first word of the name that was sent stands in the one that is shown: a family's other words tell
    /// nobody apart.
    static func hasFirstName(of sent: String, _ shown: String) -> Bool {
        guard let first = PersonText.nameKey(sent).split(separator: " ").first else { return true }
        return PersonText.nameKey(shown).split { $0 == " " || $0 == "," }.contains {
            isKept(String(first), as: String($0))
        }
    }

    /// Whether a name is the one that was sent, apart from case, spaces, letters beyond ASCII, which some systems
    /// replace (`JOSE` for `José`), and an end that did not fit.
    static func isKept(_ sent: String, as shown: String) -> Bool {
        let sent = Array(PersonText.nameKey(sent))
        let shown = Array(PersonText.nameKey(shown))
        if sent == shown { return true }
        guard sent.count == shown.count || isCut(sent, to: shown.count) else { return false }
        var replaced = 0
        for (a, b) in zip(sent, shown) where a != b {
            guard !a.isASCII, b.isASCII else { return false }
            replaced += 1
        }
        return replaced * 2 <= shown.count
    }

    /// Whether a name may have been cut to a field's length: within a word from 20 characters on. Between words, where
    /// what is left may be a relative's whole name, only where fields of 30 and more end.
    private static func isCut(_ sent: [Character], to length: Int) -> Bool {
        guard length < sent.count, length >= 20 else { return false }
        return sent[length] != " " || length >= 29
    }
}
