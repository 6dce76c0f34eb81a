import ClientContract
import DriverSupport
import JSONBytes
import UpstreamDriver

/// A value on its way to a vendor.
enum FieldValue: Sendable, Equatable {
    case text(String)
    case phone(PhoneNumber)
    case cpf(CPF)
    case birthday(Birthday)
}

/// Writes records of the create and update shapes.
struct RecordWriter: Sendable {
    /// How an update treats what the patch does not name.
    enum Style: Sendable {
        /// Only what changes is sent.
        case partial
        /// These fields go along, from a fresh read.
        case partialWithRequired([ProfileField])
        /// The whole record is sent: read, merged, written.
        case full
        /// Each field has a call of its own.
        case perField([ProfileField: String])
    }

    struct Constants: Sendable {
        var create: [(pointer: JSONPointer, json: [UInt8])] = []
        var update: [(pointer: JSONPointer, json: [UInt8])] = []
        /// Members of the read record that an update must not send back.
        var omit: [JSONPointer] = []
    }

    /// The vendor's place cannot hold the value: a foreign number where the area code stands apart, letters in a number.
    struct Unfit: Error {
        let field: ProfileField
    }

    let fields: [ProfileField: FieldLenses]
    let constants: Constants
    let style: Style
    var foldCase = false
    /// How numbers will be read back.
    var phones = PhoneContext()

    // MARK: Create

    /// The record that a create sends.
    func record(for draft: ClientDraft) throws(Unfit) -> [UInt8] {
        var edits = JSONEdits()
        var room = ArrayRoom(source: nil, foldCase: foldCase)
        let values: [(ProfileField, FieldValue?)] = [
            (.name, .text(draft.name)), (.phones, .phone(draft.phone)), (.cpf, draft.cpf.map { .cpf($0) }),
            (.email, draft.email.map { .text($0) }), (.birthday, draft.birthday.map { .birthday($0) }),
            (.healthInsurance, draft.healthInsurance.map { .text($0) }),
            (.location, draft.location.map { .text($0) }),
        ]
        for (field, value) in values {
            guard let lenses = fields[field]?.shapes[.create] else { continue }
            if let value, RecordWriter.mayBeLeftOut.contains(field), !holds(value, field, lenses) {
                for lens in lenses where !lens.readOnly { fill(lens, &edits, &room) }
            } else if let value {
                let used = try write(value, field, lenses, &edits, &room)
                // Each place of a phone is one of its own: the others have nothing.
                if field == .phones, let used {
                    for (index, lens) in lenses.enumerated() where index != used && !lens.readOnly {
                        fill(lens, &edits, &room)
                    }
                }
            } else {
                for lens in lenses where !lens.readOnly { fill(lens, &edits, &room) }
            }
        }
        for field in [ProfileField.description, .image, .id] {
            for lens in fields[field]?.shapes[.create] ?? [] { fill(lens, &edits, &room) }
        }
        for (pointer, json) in constants.create { edits.set(pointer, json) }
        return edits.apply(to: nil)
    }

    /// Whether a draft has nothing for a member that a draft may lack.
    static func lacks(_ field: ProfileField, _ draft: ClientDraft) -> Bool {
        switch field {
        case .cpf: draft.cpf == nil
        case .email: draft.email == nil
        case .birthday: draft.birthday == nil
        default: false
        }
    }

    /// Ids of another system's making that the contract lets an integration ignore: where the vendor's place cannot hold
    /// one, the create goes without it.
    private static let mayBeLeftOut: Set<ProfileField> = [.healthInsurance, .location]

    private func holds(_ value: FieldValue, _ field: ProfileField, _ lenses: [Lens]) -> Bool {
        var edits = JSONEdits()
        var room = ArrayRoom(source: nil, foldCase: foldCase)
        return (try? write(value, field, lenses, &edits, &room)) != nil
    }

    // MARK: Update

    /// Whether an update of these fields must read the record first.
    /// - Parameter canRead: whether it can be read. A name in parts is written without that, too.
    func needsBase(_ patch: ClientPatch, canRead: Bool = true) -> Bool {
        switch style {
        case .full, .partialWithRequired: true
        case .perField: false
        case .partial:
            (canRead && patch.name != nil && partsName)
                || RecordWriter.values(patch).contains { field, _ in
                    (fields[field]?.shapes[.update] ?? []).contains { lens in
                        lens.each != nil || lens.spot.pointers.contains { $0.steps.contains { $0.position != nil } }
                    }
                }
        }
    }

    /// The record that an update sends.
    /// - Parameters:
    ///   - base: the vendor's record as just read, where `needsBase` asked for it.
    ///   - current: the same record as the contract shows it.
    func record(for patch: ClientPatch, id: ClientID, base: JSONValue?, current: Client?) throws(Unfit) -> [UInt8] {
        var edits = JSONEdits(foldCase: foldCase)
        var room = ArrayRoom(source: base, foldCase: foldCase)
        let changes = RecordWriter.values(patch)
        func writes(_ field: ProfileField, _ value: FieldValue) throws(Unfit) {
            _ = try write(value, field, fields[field]?.shapes[.update] ?? [], &edits, &room)
        }
        var written: Set<ProfileField> = []
        for (field, value) in changes {
            // The same value in the vendor's own spelling is left alone; a name in parts is sent as it is parted.
            if case .partial = style, field == .name, partsName {
                try writes(field, value)
                written.insert(field)
                continue
            }
            if base != nil, fields[field]?.updatesInPlace == true, let current,
                RecordWriter.value(field, of: current) == value
            {
                continue
            }
            try writes(field, value)
            written.insert(field)
        }
        switch style {
        case .full:
            guard let current else { break }
            // What is written elsewhere than it is read is carried over.
            for field in ProfileField.allCases where !changes.contains(where: { $0.0 == field }) {
                guard let lenses = fields[field], !lenses.updatesInPlace, lenses.shapes[.update] != nil else {
                    continue
                }
                if field == .phones {
                    try carry(current.allPhones, lenses.shapes[.update] ?? [], &edits, &room)
                } else if let value = RecordWriter.value(field, of: current) {
                    try writes(field, value)
                }
            }
        case .partialWithRequired(let required):
            for field in required where !written.contains(field) {
                if field == .phones, let current {
                    try carry(current.allPhones, fields[field]?.shapes[.update] ?? [], &edits, &room)
                } else if let current, let value = RecordWriter.value(field, of: current) {
                    try writes(field, value)
                }
            }
        case .partial, .perField: break
        }
        if let identity = fields[.id], let lenses = identity.shapes[.update], !identity.updatesInPlace {
            _ = try write(.text(id.text), .id, lenses, &edits, &room)
        }
        for pointer in constants.omit { edits.remove(pointer) }
        for (pointer, json) in constants.update { edits.set(pointer, json) }
        switch style {
        case .full: return edits.apply(to: base)
        case .partial, .partialWithRequired, .perField:
            guard let base, case let merged = edits.apply(to: base), let document = try? JSONDocument(merged) else {
                return edits.apply(to: nil)
            }
            // Whole arrays and objects that the changes reach, so that their other elements survive.
            var writer = JSONWriter(capacity: merged.count)
            writer.raw("{")
            for member in document.root.members where edits.reaches(Array(member.key.utf8)) {
                writer.comma()
                writer.key(member.key)
                writer.raw(member.value.source)
            }
            writer.raw("}")
            return writer.finish()
        }
    }

    /// What a patch changes, by field, in the contract's order.
    static func values(_ patch: ClientPatch) -> [(ProfileField, FieldValue)] {
        var values: [(ProfileField, FieldValue)] = []
        if let name = patch.name { values.append((.name, .text(name))) }
        if let email = patch.email { values.append((.email, .text(email))) }
        if let cpf = patch.cpf { values.append((.cpf, .cpf(cpf))) }
        if let birthday = patch.birthday { values.append((.birthday, .birthday(birthday))) }
        return values
    }

    private static func value(_ field: ProfileField, of client: Client) -> FieldValue? {
        switch field {
        case .id: .text(client.id.text)
        case .name: .text(client.name)
        case .email: client.email.map { .text($0) }
        case .description: client.text(.description).map { .text($0) }
        case .image: client.text(.image).map { .text($0) }
        case .cpf: client.cpf.map { .cpf($0) }
        case .birthday: client.birthday.map { .birthday($0) }
        case .phones: client.phone.map { .phone($0) }
        case .healthInsurance, .location, .active: nil
        }
    }

    // MARK: One value

    /// The value as text, for a call of its own.
    static func text(_ value: FieldValue, _ lens: Lens?) -> String? {
        switch value {
        case .text(let text): return text
        case .phone(let phone):
            if case .phone(let spelling) = lens?.format { return spelling.write(phone) }
            return phone.digits
        case .cpf(let cpf):
            // A number has no leading zeros; reading puts them back.
            if lens?.asNumber ?? false { return String(cpf.number) }
            if case .cpf(let spelling) = lens?.format { return spelling.write(cpf) }
            return cpf.digits
        case .birthday(let birthday):
            if case .date(let pattern) = lens?.format { return pattern.write(birthday) }
            return birthday.iso
        }
    }

    /// Writes all phones to the places that may hold them, one each.
    private func carry(
        _ phones: [PhoneNumber], _ lenses: [Lens], _ edits: inout JSONEdits, _ room: inout ArrayRoom
    ) throws(Unfit) {
        var free = lenses.filter { !$0.readOnly }
        for phone in phones {
            guard let index = free.firstIndex(where: { RecordWriter.fits(phone, $0) }) else { continue }
            _ = try write(.phone(phone), .phones, [free.remove(at: index)], &edits, &room)
        }
    }

    private static func fits(_ phone: PhoneNumber, _ lens: Lens) -> Bool {
        if lens.readOnly { return false }
        if case .areaAndNumber = lens.spot, !phone.isBrazilian { return false }
        return lens.onlyFor == nil || lens.onlyFor == phone.kind || (phone.kind == .other && lens.onlyFor == .mobile)
    }

    /// Writes a value to the first of several places that may hold it, and answers which one that was.
    private func write(
        _ value: FieldValue, _ field: ProfileField, _ lenses: [Lens], _ edits: inout JSONEdits, _ room: inout ArrayRoom
    ) throws(Unfit) -> Int? {
        let chosen: Int?
        if case .phone(let phone) = value {
            chosen = lenses.firstIndex { RecordWriter.fits(phone, $0) }
            // A vendor without any place for phones just has none; one whose places do not fit loses data.
            if chosen == nil, lenses.contains(where: { !$0.readOnly }) { throw Unfit(field: field) }
        } else {
            chosen = lenses.firstIndex { !$0.readOnly }
        }
        guard let chosen else { return nil }
        let lens = lenses[chosen]
        let base = room.element(for: lens, &edits)
        func set(_ pointer: JSONPointer, _ text: String) throws(Unfit) {
            // What would be read back as nothing cannot be written.
            guard !lens.asNumber || IDForm.number.allows(text),
                let json = lens.asNumber ? RecordWriter.jsonNumber(text) : RecordWriter.jsonString(text),
                text.isEmpty || !lens.absent.contains(json)
            else { throw Unfit(field: field) }
            edits.set(base.appending(pointer), json)
        }
        switch (lens.spot, value) {
        case (.areaAndNumber(let area, let number, let spelling), .phone(let phone)):
            guard let areaCode = phone.areaCode, let subscriber = phone.subscriber else { throw Unfit(field: field) }
            try set(area, areaCode)
            try set(number, spelling.write(subscriber))
        case (.firstAndRest(let first, let rest, let middle, let blank), .text(let name)):
            let onRecord = nameParts(of: room.source)
            let parts = NameParts(firstAndRestOf: name, like: onRecord)
            try set(first, parts.first)
            if let middle, !onRecord.middle.isEmpty { try set(middle, parts.middle) }
            if !parts.rest.isEmpty {
                try set(rest, parts.rest)
            } else if let json = RecordWriter.jsonString(blank) {
                edits.set(base.appending(rest), json)
            }
        case (.givenAndFamily(let given, let family), .text(let name)):
            let words = name.split(separator: " ").map(String.init)
            let onRecord = nameParts(of: room.source)
            let border = NameBorder.place(in: words, by: .lastWord, first: onRecord.first, rest: onRecord.rest)
            var writer = JSONWriter()
            writer.raw("[")
            for word in words.prefix(border) {
                writer.comma()
                writer.string(word)
            }
            writer.raw("]")
            edits.set(base.appending(given), writer.finish())
            try set(family, words.dropFirst(border).joined(separator: " "))
        case (.value(let pointers), _):
            guard let pointer = pointers.first, var text = RecordWriter.text(value, lens) else {
                throw Unfit(field: field)
            }
            if case .phone(let phone) = value { text = spelled(phone, text, lens) }
            try set(pointer, text)
            for further in lens.also { try set(further, text) }
        default: throw Unfit(field: field)
        }
        for (pointer, json) in lens.constants { edits.set(base.appending(pointer), json) }
        return chosen
    }

    /// A foreign number goes without its `+` where the vendor wants it so, unless it would then be read back as
    /// another number, such as one of a Brazilian area code.
    private func spelled(_ phone: PhoneNumber, _ text: String, _ lens: Lens) -> String {
        guard !phone.isBrazilian, lens.foreign == .digits || !text.hasPrefix("+") else { return text }
        return PhoneNumber(phone.digits, context: phones) == phone ? phone.digits : "+" + phone.digits
    }

    private func fill(_ lens: Lens, _ edits: inout JSONEdits, _ room: inout ArrayRoom) {
        guard !lens.fillers.isEmpty else { return }
        let base = room.element(for: lens, &edits)
        for (pointer, json) in lens.fillers { edits.set(base.appending(pointer), json) }
    }

    static func jsonString(_ text: String) -> [UInt8]? {
        var writer = JSONWriter(capacity: text.utf8.count + 16)
        writer.string(text)
        return writer.finish()
    }

    /// The text as a JSON number, digit for digit; nil when it is none.
    static func jsonNumber(_ text: String) -> [UInt8]? {
        guard let document = try? JSONDocument(Array(text.utf8)), document.root.kind == .number,
            document.root.source.count == text.utf8.count
        else { return nil }
        return document.bytes
    }
}

/// Which element of an array a write goes to: the one that the lens's conditions choose, else a new one at the end.
struct ArrayRoom {
    let source: JSONValue?
    let foldCase: Bool
    private var ends: [JSONPointer: Int] = [:]
    private var chosen: [JSONPointer: Set<Int>] = [:]

    init(source: JSONValue?, foldCase: Bool) {
        self.source = source
        self.foldCase = foldCase
    }

    /// The pointer of the element, or the record itself for a lens without `each`.
    mutating func element(for lens: Lens, _ edits: inout JSONEdits) -> JSONPointer {
        guard let each = lens.each else { return .root }
        let elements = source?.at(each.array, foldCase: foldCase)?.elements ?? []
        let match = elements.indices.first { index in
            !(chosen[each.array]?.contains(index) ?? false)
                && each.conditions.allSatisfy { condition in
                    elements[index].document.withView {
                        RecordReader.holds($0, elements[index].index, condition.pointer, condition.json, foldCase)
                    }
                }
        }
        if let match {
            chosen[each.array, default: []].insert(match)
            return each.array.appending(match)
        }
        let end = ends[each.array] ?? elements.count
        ends[each.array] = end + 1
        let base = each.array.appending(end)
        for condition in each.conditions { edits.set(base.appending(condition.pointer), condition.json) }
        return base
    }
}
