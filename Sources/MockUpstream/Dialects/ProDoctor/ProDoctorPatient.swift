import JSONBytes

/// A patient as the prodoctor dialect keeps it: as generated, or as it was last written, unknown members included.
enum ProDoctorPatient: PatientRecord {
    case generated(Person, row: Int)
    /// The record as it was sent, an object without `codigo`: what was not sent is gone. Insurances are written in a form
    /// of their own (`registroConvenio1`…), so `convenios` is gone too.
    case written(members: [UInt8], keys: SearchKeys)

    init(_ person: Person, row: Int) { self = .generated(person, row: row) }

    var keys: SearchKeys {
        switch self {
        case .written(_, let keys): keys
        case .generated(let person, _):
            SearchKeys(
                phones: Self.places(person).map(\.digits), cpf: person.cpf, emails: [],
                name: Text.folded(person.name))
        }
    }

    var name: String {
        switch self {
        case .written(let bytes, _): (try? JSONDocument(bytes))?.root["nome"]?.string ?? ""
        case .generated(let person, _): person.name
        }
    }

    /// Four places; this system has none for numbers of other countries.
    private static func places(_ person: Person) -> [Phone] {
        Array(person.phones.filter { $0.kind != .foreign }.prefix(4))
    }

    // MARK: Shapes

    func row(code: Int) -> [UInt8] { object(code, only: Self.rowMembers).finish() }

    func detail(code: Int) -> [UInt8] {
        var json = object(code, only: nil)
        let names = members.map(\.name)
        // Written records have lost what was not sent.
        if !names.contains("foto") { json.raw(#","foto":null"#) }
        if !names.contains("convenios") { json.raw(#","convenios":[]"#) }
        json.raw("}")
        return json.finish()
    }

    /// What no name of the contract stands for, `foto` and `convenios` included.
    var keepsakes: [UInt8] {
        var json = JSONWriter()
        json.raw("{")
        let members = members
        for (name, value) in members where !Self.shown.contains(name) && !Self.rich.contains(name) {
            json.comma()
            json.key(name)
            json.raw(value)
        }
        for (name, nothing) in zip(Self.rich, ["null", "[]"]) {
            json.comma()
            json.key(name)
            json.raw(members.last { $0.name == name }?.value ?? Array(nothing.utf8))
        }
        json.raw("}")
        return json.finish()
    }

    private static let phones = ["telefone1", "telefone2", "telefone3", "telefone4"]
    private static let rowMembers = ["nome", "nomeCivil", "dataNascimento", "cpf"] + phones
    private static let rich = ["foto", "convenios"]
    private static let shown =
        rowMembers.filter { $0 != "nomeCivil" } + ["correioEletronico", "observacao", "cpfNaoExiste"]

    /// The object with its code and members; open where all members are wanted.
    private func object(_ code: Int, only names: [String]?) -> JSONWriter {
        var json = JSONWriter(capacity: 512)
        json.raw(#"{"codigo":"#)
        json.number(code)
        for (name, value) in members where names?.contains(name) ?? true {
            json.raw(UInt8(ascii: ","))
            json.key(name)
            json.raw(value)
        }
        if names != nil { json.raw("}") }
        return json
    }

    private var members: [(name: String, value: [UInt8])] {
        switch self {
        case .written(let bytes, _):
            guard let root = try? JSONDocument(bytes).root else { return [] }
            return root.members.map { ($0.key, Array($0.value.source)) }
        case .generated(let person, let row): return Self.members(of: person, row: row)
        }
    }

    /// The record after a change by the clinic's own people: everything else stays, insurances too.
    func changed(_ change: MockChange, row: Int) -> ProDoctorPatient? {
        let name =
            switch change {
            case .name: "nome"
            case .email: "correioEletronico"
            case .birthday: "dataNascimento"
            case .phone: "telefone1"
            }
        let new = Self.members(of: change.person, row: row).last { $0.name == name }?.value
        var json = JSONWriter()
        json.raw("{")
        for (member, value) in members {
            json.comma()
            json.key(member)
            json.raw(member == name ? new ?? value : value)
        }
        json.raw("}")
        let bytes = json.finish()
        return (try? JSONDocument(bytes)).map { .written(members: bytes, keys: ProDoctorForm($0.root).keys) }
    }

    private static func members(of person: Person, row: Int) -> [(name: String, value: [UInt8])] {
        func text(_ value: String?) -> [UInt8] {
            var json = JSONWriter()
            if let value { json.string(value) } else { json.null() }
            return json.finish()
        }
        var members = [
            ("nome", text(person.name)), ("nomeCivil", text(row % 4 == 0 ? person.name : nil)),
            ("dataNascimento", text(person.birthday?.dayFirst("/"))), ("cpf", text(person.cpf)),
            ("cpfNaoExiste", Array((person.cpf == nil ? "true" : "false").utf8)),
            ("correioEletronico", text(person.email)), ("observacao", text(person.notes)),
            ("sexo", Array(#"{"codigo":\#(1 + row % 2)}"#.utf8)), ("prontuario", text("P-\(row + 1)")),
        ]
        let insurances = row % 4 == 3 ? #"[{"codigo":\#(1 + row % 3),"nome":"Convênio Exemplo"}]"# : "[]"
        members += [("foto", text(photo(of: person, row: row))), ("convenios", Array(insurances.utf8))]
        let places = Self.places(person)
        for (place, name) in phones.enumerated() {
            members.append((name, place < places.count ? Self.phone(places[place]) : Array("null".utf8)))
        }
        return members
    }

    private static func phone(_ phone: Phone) -> [UInt8] {
        let type = phone.kind == .mobile ? 3 : 1
        return Array(
            #"{"ddd":"\#(phone.digits.prefix(2))","numero":"\#(phone.withoutDDD())","tipo":{"codigo":\#(type)}}"#.utf8)
    }

    /// Base64 in the record: of one patient a million characters.
    private static func photo(of person: Person, row: Int) -> String? {
        if row == 5 { return String(repeating: "ABCD", count: 250_000) }
        return person.photo.map { base64(Array($0.utf8)) }
    }

    /// RFC 4648, section 4.
    private static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : "=")
            }
        }
        return text
    }
}

/// What a caller sends to insert or alter a patient, and what the system has against it.
struct ProDoctorForm {
    private let sent: JSONValue
    private(set) var alerts: [String] = []
    private(set) var keys = SearchKeys()

    init(_ sent: JSONValue) {
        self.sent = sent
        check()
    }

    var name: String { text("nome") ?? "" }

    private func text(_ name: String) -> String? {
        guard let text = sent[name]?.scalarText, !text.allSatisfy(\.isWhitespace) else { return nil }
        return text
    }

    private mutating func check() {
        if name.isEmpty { alerts.append("Informe o nome do paciente") }
        if name.count > 150 { alerts.append("O nome pode ter até 150 caracteres") }
        keys.name = Text.folded(name)
        if let cpf = text("cpf") {
            keys.cpf = cpf
            if cpf.utf8.count != 11 || Text.digits(cpf) != cpf { alerts.append("CPF inválido") }
        } else if sent["cpfNaoExiste"]?.bool != true {
            alerts.append("Informe o CPF, ou que ele não existe")
        }
        if let date = text("dataNascimento"), CivilDate(dayFirst: date, separator: "/") == nil {
            alerts.append("Data inválida")
        }
        if let email = text("correioEletronico"), !email.contains("@") { alerts.append("Correio eletrônico inválido") }
        for place in 1...4 {
            guard let phone = sent["telefone\(place)"], phone.kind == .object else { continue }
            let area = phone["ddd"]?.scalarText ?? ""
            let number = Text.digits(phone["numero"]?.scalarText ?? "")
            if area.isEmpty, number.isEmpty { continue }
            if area.utf8.count != 2 || !(8...9).contains(number.utf8.count) {
                alerts.append("Telefone \(place) inválido")
            }
            if number.utf8.count == 9, phone["tipo"]?["codigo"]?.int == nil {
                alerts.append("Informe o tipo do telefone \(place)")
            }
            keys.phones.append(area + number)
        }
    }

    /// The members that are kept, as one object.
    func members() -> [UInt8] {
        var json = JSONWriter()
        json.raw("{")
        for (name, value) in sent.members where !["codigo", "convenios"].contains(name) {
            json.comma()
            json.key(name)
            json.raw(value.source)
        }
        json.raw("}")
        return json.finish()
    }
}
