import JSONBytes

/// A believable Brazilian clinic system of our own: Portuguese names, an envelope, page numbers, punctuated national
/// phones, day-first dates, and a login for a token that runs out. `docs/mock.md` is its reference.
struct AgendaDemoDialect: Dialect {
    let basePath = ""

    private let user: String
    private let password: String
    private let tokenLifetime: Int
    private let seed: UInt64
    private var table: PatientTable<AgendaDemoRecord>
    /// Most rows of a page.
    private var most = 100
    /// When each token runs out, in seconds of the mock's clock.
    private var tokens: [String: Double] = [:]
    private var tokensGiven = 0

    init(_ options: MockOptions) {
        user = options.user
        password = options.password
        tokenLifetime = options.tokenLifetime
        seed = options.seed
        table = PatientTable(options, shapes: 1)
    }

    func operation(of request: MockRequest) -> MockOperation {
        switch (request.method, Route(request.path)) {
        case ("POST", .login): .login
        case ("GET", .patients): filter(of: request) == nil ? .list : .search
        case ("POST", .patients): .create
        case ("GET", .patient): .get
        case ("PUT", .patient): .update
        default: .unknown
        }
    }

    private enum Route {
        case login, patients, other
        case patient(String)

        init(_ path: String) {
            switch path {
            case "/auth/login": self = .login
            case "/api/pacientes": self = .patients
            default:
                let prefix = "/api/pacientes/"
                let id = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : ""
                self = id.isEmpty || id.contains("/") ? .other : .patient(id)
            }
        }
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        let route = Route(request.path)
        if case .login = route { return request.method == "POST" ? login(request, now) : notAllowed("POST") }
        if let refusal = refusal(of: request, now) { return refusal }
        switch (request.method, route) {
        case ("GET", .patients): return page(request)
        case ("POST", .patients): return create(request)
        case ("GET", .patient(let id)): return row(id).map { shown($0) } ?? notFound
        case ("PUT", .patient(let id)): return replace(id, request)
        case (_, .patients): return notAllowed("GET, POST")
        case (_, .patient): return notAllowed("GET, PUT")
        default: return failure(404, "Rota não encontrada")
        }
    }

    mutating func expireTokens() { tokens = [:] }
    mutating func releaseReads() {}
    mutating func limitPages(to rows: Int) -> Bool {
        most = min(most, rows)
        return true
    }

    func keepsakes(ofRow row: Int) -> [UInt8]? {
        guard row < table.count else { return nil }
        return table[row].keepsakes(code: PatientTable<AgendaDemoRecord>.id(ofRow: row))
    }

    // MARK: Login

    private mutating func login(_ request: MockRequest, _ now: Double) -> MockAnswer {
        guard let body = try? JSONDocument(request.body).root, body.kind == .object else { return badBody }
        guard body["usuario"]?.string == user, body["senha"]?.string == password else {
            return failure(401, "Usuário ou senha inválidos")
        }
        tokensGiven += 1
        var dice = Dice(seed ^ 0x70CE, UInt64(tokensGiven))
        let random = (0..<4).map { _ in Text.padded(dice.roll(100_000_000), to: 8) }.joined()
        let token = "demo.\(tokensGiven).\(random)"
        tokens = tokens.filter { $0.value > now }
        tokens[token] = now + Double(tokenLifetime)
        return MockAnswer(200, #"{"token":"\#(token)","expiraEm":\#(tokenLifetime)}"#)
    }

    private func refusal(of request: MockRequest, _ now: Double) -> MockAnswer? {
        guard let header = request.values(ofHeader: "Authorization").first, header.lowercased().hasPrefix("bearer ")
        else {
            return failure(401, "Token não informado")
        }
        guard let end = tokens[String(header.dropFirst("bearer ".count))], end > now else {
            return failure(401, "Token expirado")
        }
        return nil
    }

    // MARK: Reading

    /// The first filter of a request, in the order in which this system looks at them.
    private func filter(of request: MockRequest) -> (name: String, value: String)? {
        guard !request.query.isEmpty else { return nil }
        let parameters = request.parameters
        for name in ["cpf", "telefone", "email", "nome"] {
            if let given = parameters.last(where: { $0.name == name }), !given.value.isEmpty { return given }
        }
        return nil
    }

    private mutating func page(_ request: MockRequest) -> MockAnswer {
        let number = request.parameter("pagina").map { Int($0) } ?? 1
        let asked = request.parameter("porPagina").map { Int($0) } ?? 50
        guard let number, number >= 1 else { return invalid([("pagina", "Deve ser um número a partir de 1")]) }
        guard let asked, asked >= 1 else { return invalid([("porPagina", "Deve ser um número a partir de 1")]) }
        let size = min(asked, most)
        let found = filter(of: request).map { rows(matching: $0) }
        let total = found?.count ?? table.count
        let pages = (total + size - 1) / size
        let range = number <= pages ? (number - 1) * size..<min(number * size, total) : 0..<0
        var json = JSONWriter(capacity: 512 * range.count + 128)
        json.raw(#"{"sucesso":true,"dados":{"itens":["#)
        for index in range {
            if index > range.lowerBound { json.raw(UInt8(ascii: ",")) }
            json.raw(bytes(found?[index] ?? index))
        }
        json.raw(#"],"total":"#)
        json.number(total)
        json.raw(#","pagina":"#)
        json.number(number)
        json.raw(#","paginas":"#)
        json.number(pages)
        json.raw("}}")
        return MockAnswer(200, json.finish())
    }

    private func rows(matching filter: (name: String, value: String)) -> [Int] {
        switch filter.name {
        case "cpf": table.rows(cpf: Text.digits(filter.value))
        case "telefone": table.rows(phoneContaining: Text.digits(filter.value))
        case "email": table.rows(emailContaining: filter.value)
        default: table.rows(nameContaining: filter.value)
        }
    }

    private func row(_ id: String) -> Int? {
        guard id.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(id) else { return nil }
        return table.row(ofID: number)
    }

    private mutating func bytes(_ row: Int) -> [UInt8] {
        table.bytes(row, shape: 0) { $0.json(code: PatientTable<AgendaDemoRecord>.id(ofRow: row)) }
    }

    private mutating func shown(_ row: Int) -> MockAnswer {
        MockAnswer(200, Array(#"{"sucesso":true,"dados":"#.utf8) + bytes(row) + Array("}".utf8))
    }

    // MARK: Writing

    private mutating func create(_ request: MockRequest) -> MockAnswer {
        switch AgendaDemoRecord.read(request, code: nil, createdAt: AgendaDemoRecord.creation(ofRow: table.count)) {
        case .failure(let refusal): return answer(refusal)
        case .success(let record):
            table.append(record)
            let id = PatientTable<AgendaDemoRecord>.id(ofRow: table.count - 1)
            return MockAnswer(201, #"{"sucesso":true,"dados":{"codigo":\#(id)}}"#)
        }
    }

    private mutating func replace(_ id: String, _ request: MockRequest) -> MockAnswer {
        guard let row = row(id) else { return notFound }
        let code = PatientTable<AgendaDemoRecord>.id(ofRow: row)
        switch AgendaDemoRecord.read(request, code: code, createdAt: table[row].createdAt) {
        case .failure(let refusal): return answer(refusal)
        case .success(let record):
            table.replace(row, with: record)
            return shown(row)
        }
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        let code = PatientTable<AgendaDemoRecord>.id(ofRow: row)
        guard row < table.count, let changed = table[row].changed(change, code: code, row: row) else { return }
        table.replace(row, with: changed)
    }

    // MARK: Refusals

    private var notFound: MockAnswer { failure(404, "Paciente não encontrado") }
    private var badBody: MockAnswer { failure(400, "Corpo inválido") }

    private func answer(_ refusal: AgendaDemoRecord.Refusal) -> MockAnswer {
        switch refusal {
        case .mediaType: failure(415, "Envie application/json")
        case .notAnObject: badBody
        case .fields(let faults): invalid(faults)
        }
    }

    private func notAllowed(_ methods: String) -> MockAnswer {
        var answer = failure(405, "Método não permitido")
        answer.headers = [("Allow", methods)]
        return answer
    }

    private func failure(_ status: Int, _ message: String) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"sucesso":false,"mensagem":"#)
        json.string(message)
        json.raw("}")
        return MockAnswer(status, json.finish())
    }

    private func invalid(_ faults: [(field: String, message: String)]) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"sucesso":false,"erros":["#)
        for fault in faults {
            json.comma()
            json.raw(#"{"campo":"#)
            json.string(fault.field)
            json.raw(#","mensagem":"#)
            json.string(fault.message)
            json.raw("}")
        }
        json.raw("]}")
        return MockAnswer(422, json.finish())
    }
}
