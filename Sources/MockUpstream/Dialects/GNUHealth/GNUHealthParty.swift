import JSONBytes

/// A person as GNU Health keeps one: a party with contact mechanisms, identifiers and an official name.
struct GNUHealthParty: Sendable {
    struct Mechanism: Sendable {
        var id: Int
        /// `phone`, `mobile`, `email` and others.
        var type: String
        var value: String
    }

    struct Identifier: Sendable {
        var id: Int
        var type: String
        var code: String
    }

    let id: Int
    var name: String
    var lastname: String?
    var birthday: CivilDate?
    var mechanisms: [Mechanism] = []
    var identifiers: [Identifier] = []
    /// The family name of the official name, which the system keeps beside the other.
    var officialFamily: String?
    /// PNG in base64.
    var photo: String?
    var isPatient = true
    /// Grows with every write.
    var version = 1

    init(id: Int, name: String, lastname: String?) {
        self.id = id
        self.name = name
        self.lastname = lastname
        officialFamily = lastname
    }

    /// - Parameter row: decides how a clinic without number checking spelled this record's numbers.
    init(_ person: Person, row: Int, id: Int) {
        let words = person.name.split(separator: " ", maxSplits: 1).map(String.init)
        self.init(id: id, name: words[0], lastname: words.count > 1 ? words[1] : nil)
        birthday = person.birthday
        let asTyped = row % 4 == 3 && !person.isPlain
        for phone in person.phones {
            let type = phone.kind == .landline ? "phone" : "mobile"
            mechanisms.append(
                Mechanism(
                    id: id * 10 + mechanisms.count, type: type,
                    value: asTyped ? phone.punctuated() : phone.checked()))
        }
        if let email = person.email {
            mechanisms.append(Mechanism(id: id * 10 + mechanisms.count, type: "email", value: email))
        }
        if let cpf = person.cpf {
            identifiers = [
                Identifier(id: id * 10, type: "br_cpf", code: row % 2 == 0 ? cpf : CPF.punctuated(cpf))
            ]
        }
        if person.photo != nil { photo = GNUHealthParty.samplePhoto }
    }

    /// Two by two black pixels.
    private static let samplePhoto =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EA\nAAAASUVORK5CYII=\n"

    /// "Family, Given": what its messages call a person.
    var recordName: String { lastname.map { "\($0), \(name)" } ?? name }

    /// What a change through the contract has no name for.
    var keepsakes: [UInt8] {
        let others = mechanisms.filter { $0.type != "email" }.map { "\($0.id) \($0.type) \($0.value)" }
        return Array((others + [photo ?? ""]).joined(separator: "\n").utf8)
    }

    // MARK: As the server writes it

    /// The fields that a call asks for; those of sub-records, such as `identifiers.code`, come as lists under
    /// `identifiers.`. Nil, with the field's name, for one that there is not.
    func json(_ fields: [String]) -> Result<[UInt8], UnknownField> {
        var json = JSONWriter(capacity: 384)
        json.raw(#"{"id":"#)
        json.number(id)
        var nested: [(name: String, fields: [String])] = []
        for field in fields where field != "id" {
            if let dot = field.firstIndex(of: ".") {
                let (list, part) = (String(field[..<dot]), String(field[field.index(after: dot)...]))
                if let place = nested.firstIndex(where: { $0.name == list }) {
                    nested[place].fields.append(part)
                } else {
                    nested.append((list, [part]))
                }
                continue
            }
            json.comma()
            json.key(field)
            switch field {
            case "name": json.ascii(name)
            case "lastname": json.ascii(lastname)
            case "_timestamp": json.string(stamp)
            case "dob":
                if let birthday {
                    json.raw(
                        Array(
                            #"{"__class__":"date","year":\#(birthday.year),"month":\#(birthday.month),"day":\#(birthday.day)}"#
                                .utf8))
                } else {
                    json.null()
                }
            case "photo":
                if let photo {
                    json.raw(#"{"__class__":"bytes","base64":"#)
                    json.ascii(photo)
                    json.raw("}")
                } else {
                    json.null()
                }
            default: return .failure(UnknownField(name: field))
            }
        }
        for (name, parts) in nested {
            json.comma()
            json.key(name + ".")
            json.raw("[")
            for (index, record) in subrecords(name).enumerated() {
                if index > 0 { json.raw(",") }
                json.raw("{")
                for part in parts where part != "id" {
                    guard let value = record.texts[part] else { return .failure(UnknownField(name: part)) }
                    json.comma()
                    json.key(part)
                    json.ascii(value)
                }
                json.comma()
                json.raw(#""id":"#)
                json.number(record.id)
                json.raw("}")
            }
            json.raw("]")
        }
        json.raw("}")
        return .success(json.finish())
    }

    struct UnknownField: Error { let name: String }

    var stamp: String { "\(1_700_000_000 + version).\(id)" }

    /// The records that hang on this one, each with its texts by field.
    func subrecords(_ field: String) -> [(id: Int, texts: [String: String?])] {
        switch field {
        case "contact_mechanisms":
            mechanisms.map { mechanism in
                let isPhone = mechanism.type == "phone" || mechanism.type == "mobile"
                let isChecked = isPhone && mechanism.value.hasPrefix("+")
                let compact = isChecked ? "+" + Text.digits(mechanism.value) : mechanism.value
                return (mechanism.id, ["type": mechanism.type, "value": mechanism.value, "value_compact": compact])
            }
        case "identifiers": identifiers.map { ($0.id, ["type": $0.type, "code": $0.code]) }
        case "person_names": [(id, ["use": "official", "family": officialFamily])]
        default: []
        }
    }
}

extension Phone {
    /// `+55 11 99999-9999`: how Tryton shows a number that it has checked.
    func checked() -> String {
        if kind == .foreign { return punctuated() }
        return "+55 \(digits.prefix(2)) \(digits.dropFirst(2).dropLast(4))-\(digits.suffix(4))"
    }
}

extension JSONWriter {
    /// A string as Python's `json` writes it: everything beyond ASCII as `\uXXXX`.
    mutating func ascii(_ text: String?) {
        guard let text else { return null() }
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return string(text) }
        raw("\"")
        for unit in text.utf16 {
            if unit < 0x80 {
                [UInt8(truncatingIfNeeded: unit)].withUnsafeBufferPointer { escaped($0) }
            } else {
                let digits = String(unit, radix: 16)
                raw(Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8))
            }
        }
        raw("\"")
    }
}
