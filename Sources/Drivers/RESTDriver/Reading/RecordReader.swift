import ClientContract
import Glibc
import JSONBytes

/// Reads records of one shape: finds the places of all lenses in one walk and writes the contract's members.
struct RecordReader: Sendable {
    /// A lens whose places were given slots. A class, so that going through them copies no lens.
    final class SlottedLens: Sendable {
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

    final class FieldReader: Sendable {
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
    let phones: PhoneContext
    let foldCase: Bool
    let idForm: IDForm
    /// Where the id stands, if its form is to be checked and it stands in one place of its own; else -1.
    private let idSlot: Int
    let readsID: Bool

    /// - Parameters:
    ///   - fields: the lenses of this shape, by field.
    ///   - idForm: what every id read must look like.
    init(_ fields: [ProfileField: [Lens]], phones: PhoneContext, foldCase: Bool, idForm: IDForm = .text) {
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
        self.idForm = idForm
        let identity = steps.first { values[$0.field].field == .id }
        idSlot = idForm == .text ? -1 : identity?.plain.map { Int($0.slot) } ?? -1
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
        if idSlot >= 0 { try checkID(view, slots[idSlot]) }
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

    /// Reads one record alone; nil when it does not count.
    func record(_ document: JSONDocument, _ index: Int, id: String?) -> Result<Client?, Fault> {
        document.withView { view in
            var builder = ClientBuilder()
            var fault: Fault?
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, slotCount)) { room in
                room.initialize(repeating: -1)
                let slots = UnsafeMutableBufferPointer(rebasing: room[0..<slotCount])
                do throws(Fault) {
                    _ = try read(view, index, id: id, slots: slots, into: &builder)
                } catch {
                    fault = error
                }
            }
            if let fault { return .failure(fault) }
            return .success(builder.finish().first)
        }
    }

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
        case .areaAndNumber(let a, let b, _), .givenAndFamily(let a, let b): [a, b]
        case .firstAndRest(let first, let rest, let middle, _): [first, rest] + (middle.map { [$0] } ?? [])
        }
    }
}
