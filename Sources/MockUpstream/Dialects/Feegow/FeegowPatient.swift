import JSONBytes

/// A patient as Feegow keeps it, and its two shapes: a row of the list and the answer of the search by id.
struct FeegowPatient: PatientRecord {
    var name: String
    var birthday: CivilDate?
    var cpf: String?
    /// Two places each: mobiles and landlines as digits, and e-mails.
    var mobiles: [String?]
    var landlines: [String?]
    var emails: [String?]
    var photo: String?
    var createdAt: String
    var changedAt: String?
    /// Some records show their numbers without DDD in the detail.
    var hidesDDD: Bool

    init(_ person: Person, row: Int) {
        name = person.name
        birthday = person.birthday
        cpf = person.cpf
        // Integrations write digits, the clinic's people type a mask.
        let isMasked = person.isPlain && row % 2 == 1
        func shown(_ phone: Phone) -> String { isMasked && phone.kind != .foreign ? phone.punctuated() : phone.digits }
        mobiles = Self.places(person.phones.filter { $0.kind != .landline }.map(shown))
        landlines = Self.places(person.phones.filter { $0.kind == .landline }.map(shown))
        emails = [person.email, nil]
        photo = person.photo
        createdAt = Self.creation(ofRow: row)
        hidesDDD = row % 5 == 4 && !person.isPlain && !person.phones.contains { $0.kind == .foreign }
    }

    /// A patient that a caller creates, still without anything.
    init(name: String, row: Int) { self.init(Person(name: name), row: row) }

    private static func places(_ values: [String]) -> [String?] { [values.first, values.dropFirst().first] }

    private static func creation(ofRow row: Int) -> String {
        "\(2020 + row / 336 % 6)-\(Text.padded(1 + row / 28 % 12, to: 2))-\(Text.padded(1 + row % 28, to: 2)) 09:00:00"
    }

    var keys: SearchKeys {
        SearchKeys(
            phones: (mobiles + landlines).compactMap { $0.map { Text.digits($0) } }, cpf: cpf,
            emails: emails.compactMap { $0.map(Text.folded) }, name: Text.folded(name))
    }

    /// Whether a number stands on record in exactly this spelling.
    func holds(_ number: String) -> Bool { (mobiles + landlines).contains(number) }

    /// What a change through the contract has no name for.
    var keepsakes: [UInt8] {
        Array([createdAt, emails[1] ?? "", photo ?? ""].joined(separator: "\n").utf8)
    }

    // MARK: Shapes

    func listRow(id: Int) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.raw(#"{"patient_id":"#)
        json.number(id)
        Self.member("nome", name, &json)
        Self.member("nome_social", nil, &json)
        Self.member("nascimento", birthday?.iso, &json)
        Self.member("email", emails[0], &json)
        Self.member("celular", mobiles[0], &json)
        Self.member("criado_em", createdAt, &json)
        Self.member("alterado_em", changedAt, &json)
        json.raw("}")
        return json.finish()
    }

    func detail(photo includesPhoto: Bool) -> [UInt8] {
        var json = JSONWriter(capacity: 384)
        json.raw(#"{"success":true,"content":{"nome":"#)
        json.string(name)
        Self.member("nascimento", birthday?.dayFirst("-"), &json)
        Self.list("telefones", landlines.map(shown), &json)
        Self.list("celulares", mobiles.map(shown), &json)
        json.raw(#","documentos":{"rg":null,"cpf":"#)
        if let cpf { json.string(cpf) } else { json.null() }
        json.raw("}")
        Self.list("email", emails, &json)
        if includesPhoto { Self.member("foto", photo, &json) }
        json.raw(#","convenios":[]}}"#)
        return json.finish()
    }

    private func shown(_ number: String?) -> String? {
        guard hidesDDD, let number, number.utf8.count == 10 || number.utf8.count == 11 else { return number }
        return Phone(kind: .landline, digits: number).withoutDDD()
    }

    private static func member(_ name: String, _ value: String?, _ json: inout JSONWriter) {
        json.raw(UInt8(ascii: ","))
        json.key(name)
        if let value { json.string(value) } else { json.null() }
    }

    private static func list(_ name: String, _ values: [String?], _ json: inout JSONWriter) {
        json.raw(UInt8(ascii: ","))
        json.key(name)
        json.raw("[")
        for value in values {
            json.comma()
            if let value { json.string(value) } else { json.null() }
        }
        json.raw("]")
    }
}

/// What a caller sends to create or edit. Members that are absent, null or "" are not set.
struct FeegowForm {
    private let body: JSONValue
    private(set) var faults: [(field: String, message: String)] = []

    init(_ body: JSONValue) {
        self.body = body
        check()
    }

    func text(_ name: String) -> String? {
        guard let text = body[name]?.scalarText, !text.allSatisfy(\.isWhitespace) else { return nil }
        return text
    }

    var birthday: CivilDate? {
        (text("data_nascimento") ?? text("nascimento")).flatMap(Self.date)
    }

    private static func date(_ text: String) -> CivilDate? {
        CivilDate(iso: text) ?? CivilDate(dayFirst: text, separator: "-")
    }

    mutating func require(_ name: String) {
        if text(name) == nil { faults.append((name, "O campo \(name) é obrigatório.")) }
    }

    mutating func requireOne(of names: [String]) {
        if names.allSatisfy({ text($0) == nil }) {
            faults.append((names[0], "Informe ao menos um dos campos: \(names.joined(separator: ", "))."))
        }
    }

    private mutating func check() {
        for (name, value) in body.members where [.array, .object].contains(value.kind) && Self.scalars.contains(name) {
            faults.append((name, "O campo \(name) deve ser um texto."))
        }
        if let name = text("nome_completo"), name.count > 200 {
            faults.append(("nome_completo", "O campo nome_completo não pode ter mais de 200 caracteres."))
        }
        if let cpf = text("cpf"), cpf.utf8.count != 11 || Text.digits(cpf) != cpf {
            faults.append(("cpf", "O campo cpf deve ter 11 dígitos."))
        }
        for name in Self.phones {
            if let number = text(name), number.utf8.count > 20 || Text.digits(number) != number {
                faults.append((name, "O campo \(name) deve ter até 20 dígitos."))
            }
        }
        for name in ["data_nascimento", "nascimento"] {
            if let date = text(name), Self.date(date) == nil {
                faults.append((name, "O campo \(name) não é uma data válida."))
            }
        }
        for name in ["email", "email2"] {
            if let email = text(name), !email.contains("@") || email.contains(" ") {
                faults.append((name, "O campo \(name) deve ser um e-mail válido."))
            }
        }
    }

    private static let phones = ["celular", "celular2", "telefone", "telefone2"]
    private static let scalars = Set(
        phones + ["nome_completo", "nome_paciente", "cpf", "email", "email2", "data_nascimento", "nascimento"])

    /// Sets what was sent and leaves the rest.
    func apply(to patient: inout FeegowPatient) {
        if let name = text("nome_completo") { patient.name = name }
        if let cpf = text("cpf") { patient.cpf = cpf }
        if let birthday { patient.birthday = birthday }
        for (place, suffix) in ["", "2"].enumerated() {
            if let mobile = text("celular" + suffix) { patient.mobiles[place] = mobile }
            if let landline = text("telefone" + suffix) { patient.landlines[place] = landline }
            if let email = text("email" + suffix) { patient.emails[place] = email }
        }
        if text("celular") ?? text("telefone") != nil { patient.hidesDDD = false }
    }
}
