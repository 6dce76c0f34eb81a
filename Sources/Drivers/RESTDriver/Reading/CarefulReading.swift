import ClientContract
import JSONBytes

/// Values that take more than looking at one place: alternatives, parts, elements of arrays, texts with escapes or
/// blanks, images, several numbers in one field.
extension RecordReader {
    func readField(
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

    func isActive(_ view: JSONView, _ field: FieldReader, _ slots: UnsafeMutableBufferPointer<Int32>) -> Bool {
        field.lenses.allSatisfy { slotted in
            guard case .flag(let values, let counts) = slotted.lens.format else { return true }
            let token = slotted.slots.first.map { slots[$0] } ?? -1
            if isAbsent(view, token, slotted.lens) { return true }
            return values.contains { view.isScalar(Int(token), $0) } == counts
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
        if field.field == .id { try checkID(view, found) }
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

    // MARK: Ids

    /// An id in one place of its own.
    @inline(__always)
    func checkID(_ view: JSONView, _ token: Int32) throws(Fault) {
        guard token >= 0 else { return }
        let index = Int(token)
        if idForm.allows(view.slice(index)) { return }
        // Missing ids are found by the builder.
        guard view.kind(index) == .string || view.kind(index) == .number else { return }
        let id = PersonText.trimmed(text(view, index))
        if !id.isEmpty { try checkID(id) }
    }

    private func checkID(_ view: JSONView, _ found: Found) throws(Fault) {
        switch found {
        case .token(let token): try checkID(PersonText.trimmed(text(view, token)))
        case .text(let id): try checkID(id)
        case .nothing, .cpf, .birthday: break
        }
    }

    /// A row that the vendor cannot have given this id to is not one of its clients.
    private func checkID(_ id: String) throws(Fault) {
        if !idForm.allows(id) { throw Fault(message: "a record's id is not written as the profile says") }
    }

    // MARK: Scalars

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
        case .firstAndRest(_, _, let middle, _):
            let places = middle == nil ? [tokens[0], tokens[1]] : [tokens[0], tokens[2], tokens[1]]
            let parts = places.filter { !isAbsent(view, $0, lens) }
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
}
