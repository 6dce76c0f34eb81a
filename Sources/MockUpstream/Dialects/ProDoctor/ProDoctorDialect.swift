import JSONBytes

/// Imitates ProDoctor's patient calls as public client code uses them: reading by POST with a term and a field code,
/// everything under `payload`, failures inside a 200, phones in four places with the area code apart, a create that is
/// refused by alerts, and a change that replaces the record. `docs/mock.md` is its reference.
struct ProDoctorDialect: Dialect {
    let basePath = ""

    private let key: String
    private let password: String
    private var table: PatientTable<ProDoctorPatient>

    private typealias Table = PatientTable<ProDoctorPatient>
    /// Most rows of a page.
    private var most = ProDoctorDialect.mostRows

    private enum Shape { static let row = 0, detail = 1 }
    private enum Field { static let name = 0, cpf = 1, phone = 2 }

    init(_ options: MockOptions) {
        key = options.accessToken
        password = options.password
        table = PatientTable(options, shapes: 2)
    }

    private static let patients = "/api/v1/Pacientes"

    func operation(of request: MockRequest) -> MockOperation {
        let rest = request.path.hasPrefix(Self.patients) ? String(request.path.dropFirst(Self.patients.count)) : "?"
        switch (request.method, rest) {
        case ("POST", ""): return term(of: request).isEmpty ? .list : .search
        case ("POST", "/Inserir"): return .create
        case ("PUT", "/Alterar"): return .update
        case ("GET", _) where rest.hasPrefix("/Detalhar/"): return .get
        default: return .unknown
        }
    }

    private func term(of request: MockRequest) -> String {
        (try? JSONDocument(request.body))?.root["termo"]?.string ?? ""
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        guard request.values(ofHeader: "X-APIKEY").last == key,
            request.values(ofHeader: "X-APIPASSWORD").last == password
        else { return failure("Chave ou senha inválida", status: 401) }
        guard request.values(ofHeader: "X-APITIMEZONE").last != nil else {
            return failure("Informe o cabeçalho X-APITIMEZONE", status: 400)
        }
        switch operation(of: request) {
        case .list, .search: return page(request)
        case .get: return detail(String(request.path.dropFirst(Self.patients.count + "/Detalhar/".count)))
        case .create: return insert(request)
        case .update: return alter(request)
        case .login, .unknown: return MockAnswer(404, [])
        }
    }

    /// Keys are given out by people and do not run out.
    mutating func expireTokens() {}
    mutating func releaseReads() {}
    mutating func limitPages(to rows: Int) -> Bool {
        most = min(most, rows)
        return true
    }

    func keepsakes(ofRow row: Int) -> [UInt8]? { row < table.count ? table[row].keepsakes : nil }

    // MARK: Reading

    private mutating func page(_ request: MockRequest) -> MockAnswer {
        guard let body = object(request) else { return failure("Corpo inválido", status: 400) }
        let number = body["pagina"].map { $0.int } ?? 1
        let size = body["quantidade"].map { $0.int } ?? Self.mostRows
        guard let number, number >= 1 else { return failure("Página inválida") }
        guard let asked = size, (1...Self.mostRows).contains(asked) else { return failure("Quantidade inválida") }
        let rows = min(asked, most)
        let term = body["termo"]?.string ?? ""
        var found: [Int]?
        if !term.isEmpty {
            switch body["campo"]?.int {
            case Field.name: found = table.rows(nameContaining: term)
            case Field.cpf: found = table.rows(cpf: Text.digits(term))
            case Field.phone: found = table.rows(phoneContaining: Text.digits(term))
            default: return failure("Campo inválido")
            }
        }
        let total = found?.count ?? table.count
        let first = min((number - 1) * rows, total)
        let range = first..<first + min(rows, total - first)
        guard !range.isEmpty else { return success(Array(#"{"pacientes":null}"#.utf8)) }
        var json = JSONWriter(capacity: 320 * range.count + 64)
        json.raw(#"{"pacientes":["#)
        for index in range {
            if index > range.lowerBound { json.raw(UInt8(ascii: ",")) }
            let row = found?[index] ?? index
            json.raw(table.bytes(row, shape: Shape.row) { $0.row(code: Table.id(ofRow: row)) })
        }
        json.raw("]}")
        return success(json.finish())
    }

    private static let mostRows = 5_000

    private mutating func detail(_ code: String) -> MockAnswer {
        guard code.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let row = Int(code).flatMap({ table.row(ofID: $0) }) else {
            return notFound
        }
        let record = table.bytes(row, shape: Shape.detail) { $0.detail(code: Table.id(ofRow: row)) }
        return success(Array(#"{"paciente":"#.utf8) + record + Array("}".utf8))
    }

    // MARK: Writing

    private mutating func insert(_ request: MockRequest) -> MockAnswer {
        guard let sent = object(request)?["paciente"], sent.kind == .object else { return failure("Corpo inválido") }
        let form = ProDoctorForm(sent)
        guard form.alerts.isEmpty else { return failure(form.alerts) }
        // What the real system's `suprimirAlertas` would let pass.
        if let alert = known(form, besides: nil) { return failure(alert) }
        table.append(.written(members: form.members(), keys: form.keys))
        return short(table.count - 1, form)
    }

    private mutating func alter(_ request: MockRequest) -> MockAnswer {
        guard let body = object(request), let sent = body["paciente"], sent.kind == .object else {
            return failure("Corpo inválido")
        }
        guard let row = body["codigo"]?.int.flatMap({ table.row(ofID: $0) }) else { return notFound }
        let form = ProDoctorForm(sent)
        guard form.alerts.isEmpty else { return failure(form.alerts) }
        if let alert = known(form, besides: row) { return failure(alert) }
        table.replace(row, with: .written(members: form.members(), keys: form.keys))
        return short(row, form)
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        guard row < table.count, let changed = table[row].changed(change, row: row) else { return }
        table.replace(row, with: changed)
    }

    /// The alert of a CPF that another patient has. It says who, as such alerts do.
    private func known(_ form: ProDoctorForm, besides row: Int?) -> String? {
        guard let cpf = form.keys.cpf, let other = table.rows(cpf: cpf).first(where: { $0 != row }) else { return nil }
        return "Já existe paciente com este CPF: \(table[other].name)"
    }

    /// What a write answers: code and name only.
    private func short(_ row: Int, _ form: ProDoctorForm) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"paciente":{"codigo":"#)
        json.number(Table.id(ofRow: row))
        json.raw(#","nome":"#)
        json.string(form.name)
        json.raw("}}")
        return success(json.finish())
    }

    private func object(_ request: MockRequest) -> JSONValue? {
        guard let body = try? JSONDocument(request.body).root, body.kind == .object else { return nil }
        return body
    }

    // MARK: Envelopes

    private var notFound: MockAnswer { failure("Paciente não encontrado.") }

    private func success(_ payload: [UInt8]) -> MockAnswer {
        MockAnswer(
            200, Array(#"{"payload":"#.utf8) + payload + Array(#","sucesso":true,"mensagens":[]}"#.utf8))
    }

    private func failure(_ message: String, status: Int = 200) -> MockAnswer { failure([message], status: status) }

    private func failure(_ messages: [String], status: Int = 200) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"payload":null,"sucesso":false,"mensagens":["#)
        for message in messages {
            json.comma()
            json.string(message)
        }
        json.raw("]}")
        return MockAnswer(status, json.finish())
    }
}
