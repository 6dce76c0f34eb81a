import ClientContract
import Glibc
import JSONBytes

/// Reads records of one shape: finds the places of all lenses in one walk and writes the contract's members.
struct RecordReader: Sendable {
    /// A lens whose places were given slots. A class, so that going through them copies no lens.
    private final class SlottedLens: Sendable {
        let lens: Lens
        /// Slots of the places, or of the array that `each` looks into.
        let slots: [Int]
        /// Places of their own, not inside an array and not in parts.
        let isPlain: Bool

        init(_ lens: Lens, slots: [Int]) {
            self.lens = lens
            self.slots = slots
            if case .value = lens.spot { isPlain = lens.each == nil } else { isPlain = false }
        }
    }

    private final class FieldReader: Sendable {
        let field: ProfileField
        let target: ClientField?
        let lenses: [SlottedLens]

        init(_ field: ProfileField, _ lenses: [SlottedLens]) {
            self.field = field
            target = field.client
            self.lenses = lenses
        }
    }

    /// A record that the profile cannot read.
    struct Fault: Error {
        let message: String
    }

    /// One thing to read, as trivial data, so that the common cases count no references.
    private struct Step {
        /// One place that holds one plain value.
        struct Plain {
            enum Kind { case text, email, url, cpf, phone, date }
            let kind: Kind
            let target: ClientField
            let slot: Int32
            /// Which date pattern.
            let pattern: Int32
        }

        let plain: Plain?
        /// Which field, and for phones which of its lenses.
        let field: Int
        let lens: Int
    }

    private let index: PlaceIndex
    private let fields: [FieldReader]
    private let steps: [Step]
    private let patterns: [DatePattern]
    private let active: FieldReader?
    private let phones: PhoneContext
    private let foldCase: Bool
    let readsID: Bool

    /// - Parameter fields: the lenses of this shape, by field.
    init(_ fields: [ProfileField: [Lens]], phones: PhoneContext, foldCase: Bool) {
        var pointers: [JSONPointer] = []
        func slot(_ pointer: JSONPointer) -> Int {
            if let known = pointers.firstIndex(of: pointer) { return known }
            pointers.append(pointer)
            return pointers.count - 1
        }
        let readers = ProfileField.allCases.compactMap { field -> FieldReader? in
            guard let lenses = fields[field], !lenses.isEmpty else { return nil }
            return FieldReader(
                field,
                lenses.map { lens in
                    if let each = lens.each { return SlottedLens(lens, slots: [slot(each.array)]) }
                    return SlottedLens(lens, slots: lens.spot.pointers.map(slot))
                })
        }
        let values = readers.filter { $0.field != .active }
        self.fields = values
        var patterns: [DatePattern] = []
        steps = values.enumerated().flatMap { number, reader in
            let places = reader.field == .phones ? reader.lenses.count : 1
            return (0..<places).map { lens in
                let alone = reader.field == .phones || reader.lenses.count == 1
                let plain = alone ? RecordReader.plain(reader, reader.lenses[lens], &patterns) : nil
                return Step(plain: plain, field: number, lens: lens)
            }
        }
        self.patterns = patterns
        active = readers.first { $0.field == .active }
        readsID = fields[.id] != nil
        index = PlaceIndex(pointers, foldCase: foldCase)
        self.phones = phones
        self.foldCase = foldCase
    }

    /// Reads one record into the builder.
    /// - Parameters:
    ///   - id: the id to use where the shape has none.
    ///   - slots: room for `slotCount` tokens.
    /// - Returns: false when the record does not count (it is inactive).
    func read(
        _ view: JSONView, _ record: Int, id: String?, slots: UnsafeMutableBufferPointer<Int32>,
        into builder: inout ClientBuilder
    ) throws(Fault) -> Bool {
        guard view.kind(record) == .object else { throw Fault(message: "a record is not an object") }
        index.locate(view, record, slots)
        if let active, !isActive(view, active, slots) { return false }
        builder.begin()
        if !readsID, let id { builder.set(.id, id) }
        for step in steps {
            if let plain = step.plain {
                if readPlain(view, plain, slots, &builder) { continue }
                // Nothing there, or a text that wants more care.
                if slots[Int(plain.slot)] < 0 { continue }
            }
            try readField(view, fields[step.field], step.lens, slots, &builder)
        }
        guard builder.end() else { throw Fault(message: "a record has no id where the profile expects it") }
        return true
    }

    var slotCount: Int { index.pointers.count }

    // MARK: Plain values

    /// The lens as plain data; nil where reading it takes more than looking at one place.
    private static func plain(
        _ reader: FieldReader, _ slotted: SlottedLens, _ patterns: inout [DatePattern]
    ) -> Step.Plain? {
        let lens = slotted.lens
        guard slotted.isPlain, slotted.slots.count == 1, lens.absent.isEmpty, lens.fallback == nil, !lens.strict,
            let target = reader.target
        else { return nil }
        let kind: Step.Plain.Kind
        switch lens.format {
        case .text: kind = reader.field == .email ? .email : .text
        case .url: kind = .url
        case .cpf: kind = .cpf
        case .phone: kind = .phone
        case .date(let pattern):
            kind = .date
            patterns.append(pattern)
        case .html, .base64, .flag: return nil
        }
        return Step.Plain(
            kind: kind, target: target, slot: Int32(slotted.slots[0]), pattern: Int32(patterns.count - 1))
    }

    /// Reads a value whose text needs no decoding.
    /// - Returns: false, and nothing is set, where it is missing or wants the careful way.
    @inline(__always)
    private func readPlain(
        _ view: JSONView, _ plain: Step.Plain, _ slots: UnsafeMutableBufferPointer<Int32>,
        _ builder: inout ClientBuilder
    ) -> Bool {
        let token = Int(slots[Int(plain.slot)])
        guard token >= 0, !view.isEscaped(token) || plain.kind == .text else { return false }
        let kind = view.kind(token)
        guard kind == .string || kind == .number else { return false }
        let text = view.slice(token)
        guard let first = text.first, let last = text.last, first > 0x20, last > 0x20 else { return false }
        switch plain.kind {
        case .text: builder.set(plain.target, view, token)
        case .email:
            var at = 0
            for byte in text {
                if byte <= 0x20 { return false }
                if byte == UInt8(ascii: "@") { at += 1 }
            }
            guard at == 1, first != UInt8(ascii: "@"), last != UInt8(ascii: "@") else { return false }
            builder.set(plain.target, view, token)
        case .url:
            guard let base = text.baseAddress,
                (text.count > 8 && memcmp(base, "https://", 8) == 0)
                    || (text.count > 7 && memcmp(base, "http://", 7) == 0)
            else { return false }
            builder.set(plain.target, view, token)
        case .cpf:
            guard let cpf = CPF(utf8: text, padding: kind == .number) else { return false }
            builder.set(cpf: cpf)
        case .phone:
            guard !RecordReader.holdsSeveral(text), let phone = PhoneNumber(utf8: text, context: phones) else {
                return false
            }
            builder.add(phone: phone)
        case .date:
            guard let birthday = patterns[Int(plain.pattern)].read(text) else { return false }
            builder.set(birthday: birthday)
        }
        return true
    }

    private func readField(
        _ view: JSONView, _ field: FieldReader, _ lens: Int, _ slots: UnsafeMutableBufferPointer<Int32>,
        _ builder: inout ClientBuilder
    ) throws(Fault) {
        if field.field == .phones {
            try readPhones(view, field.lenses[lens], slots, &builder)
        } else {
            for lens in field.lenses where try readValue(view, field, lens, slots, &builder) { break }
        }
    }

    // MARK: Finding values

    /// Calls `body` with the tokens of a lens's spot, once per element that `each` chooses, until it answers true.
    @inline(__always)
    private func spots(
        _ view: JSONView, _ slotted: SlottedLens, _ slots: UnsafeMutableBufferPointer<Int32>,
        _ body: (InlineArray<4, Int32>) throws(Fault) -> Bool
    ) throws(Fault) -> Bool {
        guard let each = slotted.lens.each else {
            var tokens = InlineArray<4, Int32>(repeating: -1)
            for (index, slot) in slotted.slots.prefix(4).enumerated() { tokens[index] = slots[slot] }
            return try body(tokens)
        }
        let array = Int(slots[slotted.slots[0]])
        guard array >= 0, view.kind(array) == .array else { return false }
        let pointers = slotted.lens.spot.pointers
        let end = view.next(array)
        var element = array + 1
        while element < end {
            defer { element = view.next(element) }
            guard each.conditions.allSatisfy({ RecordReader.holds(view, element, $0.pointer, $0.json, foldCase) })
            else {
                continue
            }
            var tokens = InlineArray<4, Int32>(repeating: -1)
            for (index, pointer) in pointers.prefix(4).enumerated() {
                tokens[index] = Int32(view.find(pointer, from: element, foldCase: foldCase) ?? -1)
            }
            if try body(tokens) { return true }
        }
        return false
    }

    /// Whether a value below `index` is a given scalar.
    static func holds(_ view: JSONView, _ index: Int, _ pointer: JSONPointer, _ json: [UInt8], _ foldCase: Bool) -> Bool
    {
        guard let found = view.find(pointer, from: index, foldCase: foldCase) else { return json == Array("null".utf8) }
        return view.isScalar(found, json)
    }

    /// Whether a token holds nothing: missing, null, blank, or declared to mean so.
    @inline(__always)
    private func isAbsent(_ view: JSONView, _ token: Int32, _ lens: Lens) -> Bool {
        guard token >= 0 else { return true }
        let index = Int(token)
        switch view.kind(index) {
        case .null, .array, .object: return true
        case .string where view.slice(index).allSatisfy({ $0 == 0x20 || $0 == 0x09 }): return true
        case .true, .false:
            if case .flag = lens.format { break }
            return true
        default: break
        }
        for marker in lens.absent where view.isScalar(index, marker) { return true }
        return false
    }

    /// Calls `body` with a token's text: its bytes where they need no decoding.
    @inline(__always)
    private func withText<Result>(_ view: JSONView, _ token: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result)
        -> Result
    {
        if view.isEscaped(token) { return view.decoded(token).withUnsafeBufferPointer(body) }
        return body(view.slice(token))
    }

    private func text(_ view: JSONView, _ token: Int) -> String {
        withText(view, token) { String(decoding: $0, as: UTF8.self) }
    }

    private func isActive(_ view: JSONView, _ field: FieldReader, _ slots: UnsafeMutableBufferPointer<Int32>) -> Bool {
        field.lenses.allSatisfy { slotted in
            guard case .flag(let values) = slotted.lens.format else { return true }
            let token = slotted.slots.first.map { slots[$0] } ?? -1
            guard token >= 0 else { return true }
            return values.contains { view.isScalar(Int(token), $0) }
        }
    }

    // MARK: Reading fields

    private func readValue(
        _ view: JSONView, _ field: FieldReader, _ slotted: SlottedLens, _ slots: UnsafeMutableBufferPointer<Int32>,
        _ builder: inout ClientBuilder
    ) throws(Fault) -> Bool {
        guard let target = field.target else { return false }
        var found: Found = .nothing
        _ = try spots(view, slotted, slots) { (tokens) throws(Fault) -> Bool in
            found = try value(view, field.field, slotted.lens, tokens)
            if case .nothing = found { return false }
            return true
        }
        switch found {
        case .nothing:
            guard let fallback = slotted.lens.fallback else { return false }
            builder.set(target, fallback)
        case .token(let token): builder.set(target, view, token)
        case .text(let text): builder.set(target, text)
        case .cpf(let cpf): builder.set(cpf: cpf)
        case .birthday(let birthday): builder.set(birthday: birthday)
        }
        return true
    }

    private enum Found {
        case nothing
        /// The token's own bytes will do.
        case token(Int)
        case text(String)
        case cpf(CPF)
        case birthday(Birthday)
    }

    @inline(__always)
    private func value(
        _ view: JSONView, _ field: ProfileField, _ lens: Lens, _ tokens: InlineArray<4, Int32>
    ) throws(Fault) -> Found {
        switch lens.spot {
        case .firstAndRest:
            let parts = [tokens[0], tokens[1]].filter { !isAbsent(view, $0, lens) }
                .map { PersonText.trimmed(text(view, Int($0))) }
            return parts.isEmpty ? .nothing : .text(parts.joined(separator: " "))
        case .givenAndFamily:
            var parts: [String] = []
            if tokens[0] >= 0 {
                let given = Int(tokens[0])
                if view.kind(given) == .array {
                    var child = given + 1
                    while child < view.next(given) {
                        if !isAbsent(view, Int32(child), lens) { parts.append(text(view, child)) }
                        child = view.next(child)
                    }
                } else if !isAbsent(view, tokens[0], lens) {
                    parts.append(text(view, given))
                }
            }
            if !isAbsent(view, tokens[1], lens) { parts.append(text(view, Int(tokens[1]))) }
            return parts.isEmpty ? .nothing : .text(parts.map(PersonText.trimmed).joined(separator: " "))
        case .areaAndNumber:
            return .nothing
        case .value(let pointers):
            for place in 0..<min(4, pointers.count) where !isAbsent(view, tokens[place], lens) {
                let found = try scalar(view, field, lens, Int(tokens[place]))
                if case .nothing = found { continue }
                return found
            }
            return .nothing
        }
    }

    @inline(__always)
    private func scalar(
        _ view: JSONView, _ field: ProfileField, _ lens: Lens, _ token: Int
    ) throws(Fault) -> Found {
        switch lens.format {
        case .text:
            switch field {
            case .email:
                let usable = withText(view, token) { bytes in
                    bytes.contains(UInt8(ascii: "@")) && !bytes.contains { $0 <= 0x20 }
                }
                if usable { return .token(token) }
                let trimmed = PersonText.trimmed(text(view, token))
                return PersonText.isEmail(trimmed) ? .text(trimmed) : try unreadable(lens, field)
            default:
                let bytes = view.slice(token)
                guard let first = bytes.first, let last = bytes.last, first > 0x20, last > 0x20 else {
                    return .text(PersonText.trimmed(text(view, token)))
                }
                return .token(token)
            }
        case .html:
            let plain = HTMLText.plain(text(view, token))
            return plain.isEmpty ? .nothing : .text(plain)
        case .cpf:
            let isNumber = view.kind(token) == .number
            guard let cpf = withText(view, token, { CPF(utf8: $0, padding: isNumber) }) else {
                return try unreadable(lens, field)
            }
            return .cpf(cpf)
        case .date(let pattern):
            guard let birthday = withText(view, token, { pattern.read($0) }) else { return try unreadable(lens, field) }
            return .birthday(birthday)
        case .url(let prefix):
            let slice = view.slice(token)
            if let last = slice.last, last > 0x20,
                slice.starts(with: "https://".utf8) || slice.starts(with: "http://".utf8)
            {
                return .token(token)
            }
            let address = PersonText.trimmed(text(view, token))
            if address.hasPrefix("https://") || address.hasPrefix("http://") { return .text(address) }
            guard !prefix.isEmpty, !address.isEmpty else { return try unreadable(lens, field) }
            return .text(
                prefix + (prefix.hasSuffix("/") && address.hasPrefix("/") ? String(address.dropFirst()) : address))
        case .base64(let mediaType, let most):
            guard view.slice(token).count <= most else { return .nothing }
            let image = text(view, token)
            return .text(image.hasPrefix("data:") ? image : "data:\(mediaType);base64,\(image)")
        case .phone, .flag:
            return .nothing
        }
    }

    private func unreadable(_ lens: Lens, _ field: ProfileField) throws(Fault) -> Found {
        if lens.strict { throw Fault(message: "a record's \(field.rawValue) is not written as the profile says") }
        return .nothing
    }

    private func readPhones(
        _ view: JSONView, _ slotted: SlottedLens, _ slots: UnsafeMutableBufferPointer<Int32>,
        _ builder: inout ClientBuilder
    ) throws(Fault) {
        // Gathered first: a closure cannot hold the builder.
        var numbers: [PhoneNumber] = []
        _ = try spots(view, slotted, slots) { (tokens) throws(Fault) -> Bool in
            try gather(view, slotted.lens, tokens, &numbers)
            return false
        }
        for number in numbers { builder.add(phone: number) }
    }

    /// The numbers at one spot: beside their area code, or the first place of several that holds any.
    private func gather(
        _ view: JSONView, _ lens: Lens, _ tokens: InlineArray<4, Int32>, _ numbers: inout [PhoneNumber]
    ) throws(Fault) {
        switch lens.spot {
        case .areaAndNumber:
            guard !isAbsent(view, tokens[1], lens) else { return }
            let area = isAbsent(view, tokens[0], lens) ? nil : Int(text(view, Int(tokens[0])).filter(\.isNumber))
            numbers += PhoneNumber.all(
                in: text(view, Int(tokens[1])), context: PhoneContext(areaCode: area ?? phones.areaCode))
        case .value(let pointers):
            for place in 0..<min(4, pointers.count) where !isAbsent(view, tokens[place], lens) {
                let found = PhoneNumber.all(in: text(view, Int(tokens[place])), context: phones)
                if found.isEmpty, lens.strict { throw Fault(message: "a record's phone is not a phone number") }
                numbers += found
                if !found.isEmpty { break }
            }
        case .firstAndRest, .givenAndFamily: break
        }
    }

    /// Whether a field's text separates several numbers.
    private static func holdsSeveral(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "|"): return true
            default: continue
            }
        }
        return false
    }
}

extension Lens.Spot {
    var pointers: [JSONPointer] {
        switch self {
        case .value(let pointers): pointers
        case .areaAndNumber(let a, let b, _), .firstAndRest(let a, let b), .givenAndFamily(let a, let b): [a, b]
        }
    }
}
