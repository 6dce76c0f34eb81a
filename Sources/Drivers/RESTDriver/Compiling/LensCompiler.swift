import ClientContract
import JSONBytes
import StrictConfig

/// Compiles the `fields` of a profile.
enum LensCompiler {
    static func fields(_ node: ConfigNode) -> [ProfileField: FieldLenses] {
        guard let object = node.object(ProfileField.allCases.map(\.rawValue)) else { return [:] }
        var fields: [ProfileField: FieldLenses] = [:]
        for field in ProfileField.allCases {
            if let node = object.optional(field.rawValue) { fields[field] = lenses(field, node) }
        }
        return fields
    }

    /// What the profile says of ids.
    static func idForm(_ node: ConfigNode?) -> IDForm {
        let id = node?.value["id"]
        if contains(id, IDForm.number.rawValue) { return .number }
        return contains(id, IDForm.digits.rawValue) ? .digits : .text
    }

    private static func contains(_ value: JSONValue?, _ format: String) -> Bool {
        guard let value else { return false }
        if value["format"]?.string == format { return true }
        return value.members.contains { Members.shapes.contains($0.key) && contains($0.value, format) }
    }

    private static func lenses(_ field: ProfileField, _ node: ConfigNode) -> FieldLenses {
        let shaped = node.kind == .object && node.value.members.contains { Members.shapes.contains($0.key) }
        guard shaped else {
            let places = ["at", "each", "parts"]
            if node.kind == .object, !node.value.members.contains(where: { places.contains($0.key) }) {
                // Neither a lens nor shapes: a name of either may have been meant.
                _ = node.object(Members.lens + Members.shapes)
                node.fault("lacks the member \"at\": where the value stands")
                return FieldLenses()
            }
            let lenses = alternatives(field, node)
            var result = FieldLenses()
            switch field {
            case .active:
                result.shapes = [.row: lenses, .detail: lenses]
            case .healthInsurance, .location:
                result.shapes = [.create: lenses]
            case .id:
                result.shapes = [.row: lenses, .detail: lenses]
                result.updatesInPlace = true
            default:
                for shape in Shape.allCases { result.shapes[shape] = lenses }
                result.updatesInPlace = true
            }
            return result
        }
        guard let object = node.object(Members.shapes) else { return FieldLenses() }
        var result = FieldLenses()
        func read(_ name: String) -> [Lens]? {
            guard let member = object.optional(name), !member.value.isNull else { return nil }
            return alternatives(field, member)
        }
        result.shapes[.row] = read("row")
        result.shapes[.detail] = read("detail")
        let write = read("write")
        result.shapes[.create] = read("create") ?? write
        result.shapes[.update] = read("update") ?? write
        result.needsDetail = object.optional("needsDetail")?.bool() ?? false
        if let write = object.optional("write"), object.optional("create") != nil, object.optional("update") != nil {
            write.fault("is never used beside \"create\" and \"update\"")
        }
        let useless: [String] =
            switch field {
            case .active: ["write", "create", "update", "needsDetail"]
            case .healthInsurance, .location: ["row", "detail", "update", "needsDetail"]
            case .description, .image: ["update"]
            default: []
            }
        for name in useless {
            object.optional(name)?.fault("says nothing: Ponte never uses \(field.rawValue) so")
        }
        return result
    }

    private static func alternatives(_ field: ProfileField, _ node: ConfigNode) -> [Lens] {
        let nodes = node.oneOrMore()
        if nodes.isEmpty { node.fault("must name at least one place") }
        let lenses = nodes.compactMap { lens(field, $0) }
        // Phones are places of their own; of other fields the first place that holds something is read.
        if field != .phones, lenses.count == nodes.count, let writable = lenses.firstIndex(where: { !$0.readOnly }),
            writable > 0
        {
            nodes[writable].fault("is written, but read after a read-only place: name it first")
        }
        return lenses
    }

    private static func lens(_ field: ProfileField, _ node: ConfigNode) -> Lens? {
        guard let object = node.object(Members.lens) else { return nil }
        guard let spot = spot(field, node, object) else { return nil }
        var lens = Lens(spot: spot, format: format(field, object))
        if let each = object.optional("each"), let array = each.jsonPointer() {
            lens.each = Lens.Each(array: array, conditions: constants(object.optional("where")))
        } else if let condition = object.optional("where") {
            condition.fault("chooses an element of an array: name the array with \"each\"")
        }
        lens.absent =
            object.optional("absent")?.elements("an array of values that mean nothing").map(\.value.source) ?? []
        // Read as nothing, whoever wrote it.
        if case .firstAndRest(_, _, _, let blank) = spot, !blank.isEmpty {
            lens.absent += [RecordWriter.jsonString(blank)].compactMap { $0 }
        }
        lens.also = object.optional("also").map(pointers) ?? []
        lens.constants = constants(object.optional("set"))
        lens.fallback = object.optional("default")?.string()
        if let filler = object.optional("filler") {
            let places = spot.pointers.prefix(1) + lens.also
            lens.fillers =
                filler.kind == .object
                ? constants(filler) : places.map { (pointer: $0, json: filler.value.source) }
        }
        lens.asNumber = object.optional("as")?.choice(["string": false, "number": true]) ?? false
        if lens.asNumber, let fault = notANumber(field, lens) { object.optional("as")?.fault(fault) }
        lens.strict = object.optional("invalid")?.choice(["drop": false, "fail": true]) ?? false
        lens.readOnly =
            object.optional("readOnly")?.bool() ?? (field == .description || field == .image || isHTML(lens.format))
        if let only = object.optional("only") {
            if field != .phones { only.fault("belongs to phones") }
            lens.onlyFor = only.choice(["mobile": PhoneNumber.Kind.mobile, "landline": .landline])
        }
        if let foreign = object.optional("foreign") {
            switch (lens.spot, lens.format) {
            case (.value, .phone(.national)), (.value, .phone(.masked)): break
            default: foreign.fault("belongs to phones in one place whose format is \"national\" or \"masked\"")
            }
            lens.foreign = foreign.choice(ForeignSpelling.self) ?? .plus
        }
        return lens
    }

    /// Why a field cannot be written as a JSON number; nil when it can.
    private static func notANumber(_ field: ProfileField, _ lens: Lens) -> String? {
        switch (field, lens.format) {
        case (.id, _), (.healthInsurance, _), (.location, _), (.cpf, .cpf(.digits)), (.phones, .phone(.national)),
            (.phones, .phone(.international)):
            if case .areaAndNumber(_, _, .masked) = lens.spot { return "needs digits, but the spelling is \"masked\"" }
            return nil
        case (.birthday, .date(let pattern)) where pattern.isNumber: return nil
        default: return "cannot be \"number\" here: the value is not written with digits alone, or begins with zeros"
        }
    }

    private static func isHTML(_ format: Lens.Format) -> Bool { if case .html = format { true } else { false } }

    private static func spot(_ field: ProfileField, _ node: ConfigNode, _ object: ConfigObject) -> Lens.Spot? {
        guard let parts = object.optional("parts") else {
            guard let at = object.optional("at") else {
                // An element of an array can be the value itself.
                if object.optional("each") != nil { return .value([.root]) }
                node.fault("lacks the member \"at\": where the value stands")
                return nil
            }
            let places = pointers(at)
            if places.count > 4 { at.fault("names more than four places") }
            return places.isEmpty ? nil : .value(places)
        }
        if object.optional("at") != nil { parts.fault("and \"at\" exclude each other") }
        switch field {
        case .phones:
            guard let pair = parts.object(Members.phoneParts),
                let area = pair.required("areaCode")?.jsonPointer(), let number = pair.required("number")?.jsonPointer()
            else { return nil }
            return .areaAndNumber(area, number, pair.optional("spelling")?.choice(SubscriberSpelling.self) ?? .digits)
        case .name:
            guard let pair = parts.object(Members.nameParts) else { return nil }
            if pair.optional("given") != nil || pair.optional("family") != nil,
                let other = pair.optional("first") ?? pair.optional("rest")
            {
                other.fault("mixes two ways: \"first\" and \"rest\", or \"given\" and \"family\"")
                return nil
            }
            if pair.optional("given") != nil {
                for name in ["blank", "middle"] { pair.optional(name)?.fault("belongs to \"first\" and \"rest\"") }
            }
            if let given = pair.optional("given")?.jsonPointer(), let family = pair.required("family")?.jsonPointer() {
                return .givenAndFamily(given, family)
            }
            guard let first = pair.required("first")?.jsonPointer(), let rest = pair.required("rest")?.jsonPointer()
            else {
                return nil
            }
            return .firstAndRest(
                first, rest, middle: pair.optional("middle")?.jsonPointer(),
                blank: pair.optional("blank")?.string() ?? "")
        default:
            parts.fault("belong to name and phones")
            return nil
        }
    }

    private static func format(_ field: ProfileField, _ object: ConfigObject) -> Lens.Format {
        let node = object.optional("format")
        let onlyImage = ["prefix", "mediaType", "most"]
        if field != .image {
            for name in onlyImage { object.optional(name)?.fault("belongs to image") }
        }
        if field != .active {
            for name in ["is", "isNot"] { object.optional(name)?.fault("belongs to active") }
        }
        switch field {
        case .phones: return .phone(node?.choice(PhoneSpelling.self) ?? .national)
        case .cpf: return .cpf(node?.choice(CPFSpelling.self) ?? .digits)
        case .birthday:
            guard let node, let text = node.string() else {
                return DatePattern("yyyy-MM-dd").map { .date($0) } ?? .text
            }
            guard let pattern = DatePattern(text) else {
                node.fault(
                    "is not a date format: name yyyy (or yy), MM and dd once each, such as \"dd/MM/yyyy\"; end with * for a date-time"
                )
                return .text
            }
            return .date(pattern)
        case .image:
            let isBase64 = node?.choice(["url": false, "base64": true]) ?? false
            if isBase64 {
                return .base64(
                    mediaType: object.optional("mediaType")?.string() ?? "image/jpeg",
                    most: object.optional("most")?.int(1...10_000_000) ?? 200_000)
            }
            return .url(prefix: object.optional("prefix")?.string() ?? "")
        case .active:
            let excluded = object.optional("isNot")
            guard let values = excluded ?? object.required("is") else { return .text }
            if excluded != nil { object.optional("is")?.fault("and \"isNot\" exclude each other") }
            return .flag(values.oneOrMore().map(\.value.source), counts: excluded == nil)
        case .description:
            return node?.choice(["text": Lens.Format.text, "html": .html]) ?? .text
        case .id:
            _ = node?.choice(IDForm.self)
            return .text
        case .name, .email, .healthInsurance, .location:
            _ = node?.choice(["text": true])
            return .text
        }
    }

    /// One pointer or several.
    static func pointers(_ node: ConfigNode) -> [JSONPointer] { node.oneOrMore().compactMap { $0.jsonPointer() } }

    /// An object of pointers and scalars.
    static func constants(_ node: ConfigNode?) -> [(pointer: JSONPointer, json: [UInt8])] {
        guard let node else { return [] }
        return node.entries("an object of JSON pointers and values").compactMap { name, value in
            guard let pointer = JSONPointer(name) else {
                value.fault("stands under a name that is not a JSON pointer (RFC 6901)")
                return nil
            }
            return (pointer, value.value.source)
        }
    }
}
