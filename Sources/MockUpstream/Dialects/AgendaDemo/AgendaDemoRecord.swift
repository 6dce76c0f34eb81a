import JSONBytes

/// A patient as the agenda-demo system keeps it: as generated, or as it was last written, unknown members included.
enum AgendaDemoRecord: PatientRecord {
    case generated(Person, row: Int)
    /// The record's members without `codigo`, each as JSON; the keys; the moment of creation.
    case written(members: [UInt8], keys: SearchKeys, createdAt: String)

    init(_ person: Person, row: Int) { self = .generated(person, row: row) }

    var keys: SearchKeys {
        switch self {
        case .written(_, let keys, _): keys
        case .generated(let person, _):
            SearchKeys(
                phones: person.phones.map(\.digits), cpf: person.cpf,
                emails: person.email.map { [Text.folded($0)] } ?? [], name: Text.folded(person.name))
        }
    }

    var createdAt: String {
        switch self {
        case .written(_, _, let createdAt): createdAt
        case .generated(_, let row): Self.creation(ofRow: row)
        }
    }

    /// A moment that depends on the row only.
    static func creation(ofRow row: Int) -> String {
        let minutes = row % 1_440
        let (year, day) = (2020 + row / 1_440 / 28 % 6, 1 + row / 1_440 % 28)
        return "\(year)-06-\(Text.padded(day, to: 2))T\(Text.padded(minutes / 60, to: 2)):"
            + "\(Text.padded(minutes % 60, to: 2)):00-03:00"
    }

    func json(code: Int) -> [UInt8] {
        var json = JSONWriter(capacity: 640)
        json.raw(#"{"codigo":"#)
        json.number(code)
        switch self {
        case .written(let members, _, _): json.raw(members)
        case .generated(let person, let row): Self.write(person, row: row, createdAt: createdAt, into: &json)
        }
        json.raw("}")
        return json.finish()
    }

    /// The members that no name of the contract stands for, as one object.
    func keepsakes(code: Int) -> [UInt8] {
        let shown = [
            "codigo", "nomeCompleto", "dataNascimento", "documento", "contatos", "observacoes", "fotoUrl", "convenioId",
            "unidadeId",
        ]
        var keepsakes = JSONWriter()
        keepsakes.raw("{")
        for (name, value) in (try? JSONDocument(json(code: code)))?.root.members ?? [] where !shown.contains(name) {
            keepsakes.comma()
            keepsakes.key(name)
            keepsakes.raw(value.source)
        }
        keepsakes.raw("}")
        return keepsakes.finish()
    }

    /// Absent values are null in even rows and "" in odd ones, as in systems that grew over the years.
    private static func write(_ person: Person, row: Int, createdAt: String, into json: inout JSONWriter) {
        func text(_ value: String?) {
            if let value { json.string(value) } else { json.raw(row % 2 == 0 ? "null" : "\"\"") }
        }
        let mobile = person.phones.first.flatMap { $0.kind == .landline ? nil : $0 }
        json.raw(#","nomeCompleto":"#)
        json.string(person.name)
        json.raw(#","dataNascimento":"#)
        text(person.birthday?.dayFirst("/"))
        json.raw(#","documento":{"cpf":"#)
        text(person.cpf.map(CPF.punctuated))
        json.raw(#"},"contatos":{"celular":"#)
        text(mobile?.punctuated())
        json.raw(#","telefones":["#)
        for phone in person.phones.dropFirst(mobile == nil ? 0 : 1) {
            json.comma()
            json.raw(phone.kind == .landline ? #"{"tipo":"residencial","numero":"# : #"{"tipo":"celular","numero":"#)
            json.string(phone.punctuated())
            json.raw("}")
        }
        json.raw(#"],"email":"#)
        text(person.email)
        json.raw(#"},"observacoes":"#)
        text(person.notes)
        json.raw(#","fotoUrl":"#)
        text(person.photo)
        json.raw(#","convenioId":"#)
        text(row % 3 == 0 ? nil : "conv\(row % 3)")
        json.raw(#","unidadeId":"#)
        text("unid\(row % 2 + 1)")
        json.raw(
            row % 97 == 96 ? #","ativo":false,"prontuario":{"numero":"# : #","ativo":true,"prontuario":{"numero":"#)
        json.string("P-\(row + 1)")
        json.raw(#","alergias":[]},"tags":"#)
        json.raw(row % 5 == 0 ? #"["vip"]"# : "[]")
        json.raw(#","criadoEm":"#)
        json.string(createdAt)
    }

    // MARK: Writing

    /// The record after a change by the clinic's own people: everything else stays.
    func changed(_ change: MockChange, code: Int, row: Int) -> AgendaDemoRecord? {
        let path =
            switch change {
            case .name: ["nomeCompleto"]
            case .email: ["contatos", "email"]
            case .birthday: ["dataNascimento"]
            case .phone: ["contatos", "celular"]
            }
        let made = AgendaDemoRecord(change.person, row: row).json(code: code)
        guard let old = try? JSONDocument(json(code: code)).root, let new = try? JSONDocument(made).root,
            let value = path.reduce(new as JSONValue?, { $0?[$1] }),
            let root = try? JSONDocument(JSONTree(old).setting(path, to: JSONTree(value)).bytes).root
        else { return nil }
        var members = JSONWriter(capacity: 640)
        for (name, value) in root.members where name != "codigo" { Self.write(name, value, into: &members) }
        var form = AgendaDemoForm(root)
        form.check(code: nil)
        return .written(members: members.finish(), keys: form.keys, createdAt: createdAt)
    }

    enum Refusal: Error {
        case mediaType, notAnObject
        case fields([(field: String, message: String)])
    }

    private static let known = [
        "nomeCompleto", "dataNascimento", "documento", "contatos", "observacoes", "fotoUrl", "convenioId", "unidadeId",
        "ativo",
    ]

    /// Reads what a caller wants written. It becomes the whole record: known members that it lacks are null, unknown
    /// ones that it lacks are gone. `codigo` and `criadoEm` are the system's own.
    static func read(_ request: MockRequest, code: Int?, createdAt: String) -> Result<AgendaDemoRecord, Refusal> {
        let type = request.values(ofHeader: "Content-Type").last ?? ""
        guard type.lowercased().hasPrefix("application/json") else { return .failure(.mediaType) }
        guard let body = try? JSONDocument(request.body).root, body.kind == .object else {
            return .failure(.notAnObject)
        }
        var form = AgendaDemoForm(body)
        form.check(code: code)
        guard form.faults.isEmpty else { return .failure(.fields(form.faults)) }
        var members = JSONWriter(capacity: request.body.count + 128)
        for name in known { write(name, body[name], into: &members) }
        for (name, value) in body.members where !known.contains(name) && name != "codigo" && name != "criadoEm" {
            write(name, value, into: &members)
        }
        members.raw(#","criadoEm":"#)
        members.string(createdAt)
        return .success(.written(members: members.finish(), keys: form.keys, createdAt: createdAt))
    }

    private static func write(_ name: String, _ value: JSONValue?, into json: inout JSONWriter) {
        json.raw(UInt8(ascii: ","))
        json.key(name)
        if let value { json.raw(value.source) } else { json.null() }
    }
}

/// The checks that the agenda-demo system makes of a record, and what it then searches by.
struct AgendaDemoForm {
    private let body: JSONValue
    private(set) var faults: [(field: String, message: String)] = []
    private(set) var keys = SearchKeys()

    init(_ body: JSONValue) { self.body = body }

    mutating func check(code: Int?) {
        if let given = body["codigo"], let code, given.int != code {
            faults.append(("codigo", "Não pode ser alterado"))
        }
        let name = text(body["nomeCompleto"], "nomeCompleto") ?? ""
        if name.allSatisfy(\.isWhitespace) { faults.append(("nomeCompleto", "Campo obrigatório")) }
        keys.name = Text.folded(name)
        if let date = text(body["dataNascimento"], "dataNascimento"), CivilDate(dayFirst: date, separator: "/") == nil {
            faults.append(("dataNascimento", "Use dd/MM/aaaa"))
        }
        let document = object("documento")
        if let cpf = text(document?["cpf"], "documento.cpf") {
            keys.cpf = Text.digits(cpf)
            if keys.cpf?.count != 11 || cpf != keys.cpf && cpf != CPF.punctuated(Text.digits(cpf)) {
                faults.append(("documento.cpf", "CPF inválido"))
            }
        }
        checkContacts(object("contatos"))
        for name in ["observacoes", "fotoUrl", "convenioId", "unidadeId"] { _ = text(body[name], name) }
    }

    private mutating func checkContacts(_ contacts: JSONValue?) {
        phone(contacts?["celular"], "contatos.celular")
        if let list = contacts?["telefones"], !list.isNull {
            if list.kind != .array { faults.append(("contatos.telefones", "Deve ser uma lista")) }
            for (index, item) in list.elements.enumerated() {
                let field = "contatos.telefones[\(index)].numero"
                guard item.kind == .object, let number = item["numero"] else {
                    faults.append((field, "Campo obrigatório"))
                    continue
                }
                phone(number, field)
            }
        }
        if let email = text(contacts?["email"], "contatos.email") {
            let parts = email.split(separator: "@", omittingEmptySubsequences: false)
            if parts.count != 2 || parts.contains(where: \.isEmpty) || email.contains(" ") {
                faults.append(("contatos.email", "E-mail inválido"))
            }
            keys.emails = [Text.folded(email)]
        }
    }

    private mutating func phone(_ value: JSONValue?, _ field: String) {
        guard let number = text(value, field) else { return }
        let digits = Text.digits(number)
        let allowed = number.allSatisfy { $0.isASCII && ($0.isNumber || " ()+-.".contains($0)) }
        if !allowed || !(8...15).contains(digits.count) { faults.append((field, "Telefone inválido")) }
        keys.phones.append(digits)
    }

    /// A member's text; nil if it is absent, null or "".
    private mutating func text(_ value: JSONValue?, _ field: String) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.string else {
            faults.append((field, "Deve ser um texto"))
            return nil
        }
        return text.isEmpty ? nil : text
    }

    private mutating func object(_ name: String) -> JSONValue? {
        guard let value = body[name], !value.isNull else { return nil }
        guard value.kind == .object else {
            faults.append((name, "Deve ser um objeto"))
            return nil
        }
        return value
    }
}
