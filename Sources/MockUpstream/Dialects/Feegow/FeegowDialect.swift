import JSONBytes

/// Imitates Feegow's patient calls as public material describes them: two shapes of one patient with two date formats,
/// 409 for "no such patient", a create that answers only an id and silently gives back an existing one, filters that
/// are ignored when misspelt, and reads that lag. `docs/mock.md` is its reference.
struct FeegowDialect: Dialect {
    private static let path = "/v1/api"

    let basePath = FeegowDialect.path

    private let accessToken: String
    private let lag: Double
    private let isLiteral: Bool
    /// Most rows of a page; no limit is documented.
    private var most = Int.max
    /// What reads see.
    private var table: PatientTable<FeegowPatient>
    /// What was written and is not seen yet, oldest first.
    private var pending: [(row: Int, patient: FeegowPatient, due: Double)] = []

    private typealias Table = PatientTable<FeegowPatient>
    private enum Shape { static let list = 0, detail = 1, detailWithoutPhoto = 2 }

    init(_ options: MockOptions) {
        accessToken = options.accessToken
        lag = Double(options.staleReads)
        isLiteral = options.literalPhones
        table = PatientTable(options, shapes: 3)
    }

    func operation(of request: MockRequest) -> MockOperation {
        switch (request.method, Self.route(request.path)) {
        case ("GET", "list"): filter(of: request) == nil ? .list : .search
        case ("GET", "search"): .get
        case ("POST", "create"): .create
        case ("POST", "edit"): .update
        default: .unknown
        }
    }

    private static func route(_ path: String) -> String? {
        let prefix = Self.path + "/patient/"
        guard path.hasPrefix(prefix) else { return nil }
        let name = String(path.dropFirst(prefix.count))
        return ["list", "search", "create", "edit"].contains(name) ? name : nil
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        release(until: now)
        guard Self.route(request.path) != nil else { return Self.notFoundPage }
        switch request.values(ofHeader: "x-access-token").last {
        case accessToken: break
        case "inactive": return text(403, false, "Token inativo")
        case nil: return text(401, false, "Token não informado")
        default: return text(401, false, "Token inválido")
        }
        switch operation(of: request) {
        case .list, .search: return page(request)
        case .get: return detail(request)
        case .create: return create(request, now)
        case .update: return edit(request, now)
        // The route exists, the method does not: Feegow says so by an empty message.
        case .login, .unknown: return MockAnswer(422, #"{"success":false,"cod_erro":1,"message":""}"#)
        }
    }

    /// The key of this dialect is not given out by a login and does not run out.
    mutating func expireTokens() {}
    mutating func releaseReads() { release(until: .infinity) }
    mutating func limitPages(to rows: Int) -> Bool {
        most = min(most, rows)
        return true
    }

    func keepsakes(ofRow row: Int) -> [UInt8]? { latest(row)?.keepsakes }

    private static let notFoundPage = MockAnswer(
        404, "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>",
        contentType: "text/html; charset=UTF-8")

    // MARK: Reading

    private func filter(of request: MockRequest) -> (name: String, value: String)? {
        guard !request.query.isEmpty else { return nil }
        let parameters = request.parameters
        for name in ["cpf", "telefone"] {
            if let given = parameters.last(where: { $0.name == name }), !given.value.isEmpty { return given }
        }
        return nil
    }

    private mutating func page(_ request: MockRequest) -> MockAnswer {
        let offset = request.parameter("offset").map { Int($0) } ?? 0
        let limit = request.parameter("limit").map { Int($0) } ?? 50
        guard let offset, offset >= 0 else { return invalid([("offset", "O campo offset deve ser um número.")]) }
        guard let limit = limit.map({ min($0, most) }), limit >= 0 else {
            return invalid([("limit", "O campo limit deve ser um número.")])
        }
        let found = filter(of: request).map { filter in
            let digits = Text.digits(filter.value)
            if filter.name == "cpf" { return table.rows(cpf: digits) }
            return isLiteral
                ? (0..<table.count).filter { table[$0].holds(filter.value) } : table.rows(phoneContaining: digits)
        }
        let total = found?.count ?? table.count
        let first = min(offset, total)
        let range = first..<first + min(limit, total - first)
        var json = JSONWriter(capacity: 256 * range.count + 64)
        json.raw(#"{"success":true,"total":"#)
        json.number(total)
        json.raw(#","content":["#)
        for index in range {
            if index > range.lowerBound { json.raw(UInt8(ascii: ",")) }
            let row = found?[index] ?? index
            json.raw(table.bytes(row, shape: Shape.list) { $0.listRow(id: Table.id(ofRow: row)) })
        }
        json.raw("]}")
        return MockAnswer(200, json.finish())
    }

    private mutating func detail(_ request: MockRequest) -> MockAnswer {
        let row: Int?
        if let id = request.parameter("paciente_id") {
            row = Int(id).flatMap { table.row(ofID: $0) }
        } else if let cpf = request.parameter("paciente_cpf") {
            row = table.rows(cpf: Text.digits(cpf)).first
        } else {
            return invalid([("paciente_id", "O campo paciente_id é obrigatório.")])
        }
        guard let row else { return text(409, false, "Paciente não encontrado") }
        let photo = request.parameter("photo") != "false"
        let shape = photo ? Shape.detail : Shape.detailWithoutPhoto
        return MockAnswer(200, table.bytes(row, shape: shape) { $0.detail(photo: photo) })
    }

    // MARK: Writing; it sees what reads do not see yet.

    private mutating func create(_ request: MockRequest, _ now: Double) -> MockAnswer {
        guard var form = form(request) else { return text(422, false, "JSON inválido") }
        // The one by its documentation, the other by what integrators met.
        form.require("nome_completo")
        form.require("nome_paciente")
        form.requireOne(of: ["cpf", "celular", "data_nascimento", "email"])
        guard form.faults.isEmpty else { return invalid(form.faults) }
        if let row = existing(form) { return created(row) }
        let row = max(table.count, (pending.map(\.row).max() ?? -1) + 1)
        var patient = FeegowPatient(name: form.text("nome_completo") ?? "", row: row)
        patient.hidesDDD = false
        form.apply(to: &patient)
        write(row, patient, now)
        return created(row)
    }

    private func created(_ row: Int) -> MockAnswer {
        MockAnswer(200, #"{"success":true,"content":{"paciente_id":\#(Table.id(ofRow: row))}}"#)
    }

    /// The patient that Feegow takes for the same: of the same CPF; without a CPF, of the same name and the same
    /// mobile, e-mail or birth date.
    private func existing(_ form: FeegowForm) -> Int? {
        let cpf = form.text("cpf")
        let name = form.text("nome_completo").map(Text.folded) ?? ""
        let rows = cpf.map { table.rows(cpf: $0) } ?? table.rows(name: name)
        return Set(rows + pending.map(\.row)).sorted().first { row in
            guard let patient = latest(row) else { return false }
            if let cpf { return patient.cpf == cpf }
            guard Text.folded(patient.name) == name else { return false }
            if let mobile = form.text("celular"), patient.keys.phones.contains(mobile) { return true }
            if let birthday = form.birthday, patient.birthday == birthday { return true }
            guard let email = form.text("email").map(Text.folded) else { return false }
            return patient.keys.emails.contains(email)
        }
    }

    private mutating func edit(_ request: MockRequest, _ now: Double) -> MockAnswer {
        guard var form = form(request) else { return text(422, false, "JSON inválido") }
        form.require("paciente_id")
        guard form.faults.isEmpty else { return invalid(form.faults) }
        let id = form.text("paciente_id").flatMap { Int($0) } ?? 0
        let row = max(id, Table.firstID - 1) - Table.firstID
        guard var patient = latest(row) else { return text(200, false, "Paciente não atualizado") }
        if let cpf = form.text("cpf"), let other = table.rows(cpf: cpf).first, other != row {
            // Whose it is, as systems like to say.
            return text(200, false, "O CPF já é do paciente \(table[other].name)")
        }
        form.apply(to: &patient)
        patient.changedAt = "2026-01-01 09:00:00"
        write(row, patient, now)
        return text(200, true, "Paciente atualizado com sucesso")
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        guard var patient = latest(row) else { return }
        switch change {
        case .name(let name): patient.name = name
        case .email(let address): patient.emails[0] = address
        case .birthday(let day): patient.birthday = CivilDate(iso: day)
        case .phone(let digits): patient.mobiles[0] = Phone(international: digits).punctuated()
        }
        patient.changedAt = "2026-01-01 09:00:00"
        write(row, patient, now)
    }

    private func form(_ request: MockRequest) -> FeegowForm? {
        guard let body = try? JSONDocument(request.body).root, body.kind == .object else { return nil }
        return FeegowForm(body)
    }

    private func latest(_ row: Int) -> FeegowPatient? {
        if let written = pending.last(where: { $0.row == row }) { return written.patient }
        return row >= 0 && row < table.count ? table[row] : nil
    }

    private mutating func write(_ row: Int, _ patient: FeegowPatient, _ now: Double) {
        guard lag > 0 else { return show(row, patient) }
        pending.append((row, patient, now + lag))
    }

    private mutating func release(until now: Double) {
        while let first = pending.first, first.due <= now {
            pending.removeFirst()
            show(first.row, first.patient)
        }
    }

    private mutating func show(_ row: Int, _ patient: FeegowPatient) {
        if row < table.count { table.replace(row, with: patient) } else { table.append(patient) }
    }

    // MARK: Envelopes

    private func text(_ status: Int, _ success: Bool, _ content: String) -> MockAnswer {
        var json = JSONWriter()
        json.raw(success ? #"{"success":true,"content":"# : #"{"success":false,"content":"#)
        json.string(content)
        json.raw("}")
        return MockAnswer(status, json.finish())
    }

    /// A bare map of field to messages, without an envelope.
    private func invalid(_ faults: [(field: String, message: String)]) -> MockAnswer {
        var json = JSONWriter()
        json.raw("{")
        for (index, fault) in faults.enumerated() where !faults[..<index].contains(where: { $0.field == fault.field }) {
            json.comma()
            json.key(fault.field)
            json.raw("[")
            for other in faults where other.field == fault.field {
                json.comma()
                json.string(other.message)
            }
            json.raw("]")
        }
        json.raw("}")
        return MockAnswer(422, json.finish())
    }
}
