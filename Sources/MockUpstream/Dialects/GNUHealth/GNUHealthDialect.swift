import JSONBytes

/// Imitates GNU Health 5 on Tryton 7.0 and SQLite: one address for all calls, errors inside 200, sub-records under dotted
/// names, dates as objects, a session that a header carries. `docs/mock.md` is its reference;
/// `scripts/test-gnuhealth` runs the driver's tests against the real one.
struct GNUHealthDialect: Dialect {
    let basePath = ""
    static let database = "gh"

    private let user: String
    private let password: String
    /// Values of `Authorization` that are good.
    private var sessions: Set<String> = []
    private var sessionsGiven = 0
    private var failedLogins = 0
    private var parties: [GNUHealthParty] = []
    private var lastSubrecord = 0

    static var firstID: Int { 1_001 }

    init(_ options: MockOptions) {
        user = options.user
        password = options.password
        let generator = PersonGenerator(options)
        parties = (0..<options.rows).map { row in
            GNUHealthParty(generator.person(row), row: row, id: Self.firstID + row)
        }
        lastSubrecord = 1_000_000_000
    }

    /// One call, read.
    private struct Call {
        /// Its `id`, as it was sent.
        let id: [UInt8]
        let method: String
        let parameters: [JSONValue]

        init?(_ request: MockRequest) {
            guard request.method == "POST", request.path == "/\(GNUHealthDialect.database)/",
                let root = try? JSONDocument(request.body).root, let method = root["method"]?.string,
                let parameters = root["params"], parameters.kind == .array,
                Set(root.members.map(\.key)) == ["id", "method", "params"]
            else { return nil }
            id = root["id"]?.source ?? Array("null".utf8)
            self.method = method
            self.parameters = parameters.elements
        }

        func parameter(_ index: Int) -> JSONValue? { parameters.indices.contains(index) ? parameters[index] : nil }
    }

    func operation(of request: MockRequest) -> MockOperation {
        guard let call = Call(request) else { return .unknown }
        switch call.method {
        case "common.db.login": return .login
        case "model.party.party.create": return .create
        case "model.party.party.write": return .update
        case "model.party.party.search_read":
            guard let domain = call.parameter(0) else { return .unknown }
            if Self.isEverybody(domain) { return .list }
            return domain.elements.contains { $0.elements.first?.string == "id" } ? .get : .search
        default: return .unknown
        }
    }

    private static func isEverybody(_ domain: JSONValue) -> Bool {
        domain.elements.count == 1 && domain.elements.first?.elements.first?.string == "is_patient"
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        guard request.path == "/\(Self.database)/" else { return page(404, "Not Found") }
        guard let call = Call(request) else { return page(400, "Bad Request") }
        if call.method == "common.db.login" { return login(call) }
        guard let session = request.values(ofHeader: "Authorization").first, sessions.contains(session) else {
            return MockAnswer(401, "", contentType: "text/plain; charset=utf-8")
        }
        if call.method == "common.db.logout" {
            sessions.remove(session)
            return result(call, "null")
        }
        guard call.parameters.last?.kind == .object else { return error(call, "Missing context argument") }
        switch call.method {
        case "model.party.party.search_read": return search(call)
        case "model.party.party.default_get": return result(call, #"{"fed_country":null}"#)
        case "model.party.party.create": return create(call)
        case "model.party.party.write": return write(call)
        default: return page(403, "Forbidden")
        }
    }

    mutating func expireTokens() { sessions = [] }
    mutating func releaseReads() {}

    func keepsakes(ofRow row: Int) -> [UInt8]? { row < parties.count ? parties[row].keepsakes : nil }

    // MARK: Login

    private mutating func login(_ call: Call) -> MockAnswer {
        guard failedLogins < 5 else { return page(429, "Too Many Requests") }
        guard let given = call.parameter(1)?["password"]?.string else {
            return error(
                call, kind: "LoginException",
                ["password", "Password for \(call.parameter(0)?.string ?? "")", "password"])
        }
        guard call.parameter(0)?.string == user, given == password else {
            failedLogins += 1
            return page(401, "Unauthorized")
        }
        failedLogins = 0
        sessionsGiven += 1
        let token = "mock\(sessionsGiven)"
        sessions.insert("Session " + Self.base64("\(user):1:\(token)"))
        return result(call, #"[1,"\#(token)"]"#)
    }

    private static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = text.utf8.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        let sextets = stride(from: 0, to: bits.count, by: 6).map { start in
            (0..<6).reduce(0) { $0 << 1 | (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }
        }
        return String(sextets.map { alphabet[$0] }) + String(repeating: "=", count: (3 - text.utf8.count % 3) % 3)
    }

    // MARK: Reading

    private func search(_ call: Call) -> MockAnswer {
        guard let domain = call.parameter(0), let offset = call.parameter(1)?.int, offset >= 0,
            let fields = call.parameter(4)?.elements.compactMap(\.string)
        else { return error(call, "invalid literal") }
        let limit = call.parameter(2)?.int ?? .max
        do {
            let found =
                Self.isEverybody(domain) ? parties : try parties.filter { try GNUHealthDomain.holds(domain, $0) }
            let rows = try found.dropFirst(offset).prefix(max(0, limit)).map { try $0.json(fields).get() }
            var json = JSONWriter(capacity: 256 * rows.count + 64)
            json.raw("[")
            for (index, row) in rows.enumerated() {
                if index > 0 { json.raw(",") }
                json.raw(row)
            }
            json.raw("]")
            return result(call, json.finish())
        } catch let fault as GNUHealthDomain.Malformed {
            return error(call, fault.message)
        } catch let fault as GNUHealthParty.UnknownField {
            return error(call, "'\(fault.name)'")
        } catch {
            return self.error(call, "unexpected")
        }
    }

    // MARK: Writing

    private struct Refusal: Error {
        let text: String
    }

    private mutating func create(_ call: Call) -> MockAnswer {
        guard let values = call.parameter(0)?.elements, values.count == 1, let value = values.first else {
            return refuse(call, "The code on party must be unique.")
        }
        guard value["fed_country"] != nil else { return error(call, "'fed_country'") }
        var party = GNUHealthParty(
            id: (parties.last?.id ?? Self.firstID - 1) + 1, name: value["name"]?.string ?? "",
            lastname: value["lastname"]?.string)
        party.isPatient = value["is_patient"]?.bool == true
        guard !party.name.isEmpty else { return refuse(call, "A value is required for field \"Given\".") }
        do {
            try apply(value, to: &party)
        } catch {
            return refuse(call, error.text)
        }
        parties.append(party)
        return result(call, "[\(party.id)]")
    }

    private mutating func write(_ call: Call) -> MockAnswer {
        guard let id = call.parameter(0)?.elements.first?.int, let value = call.parameter(1),
            let place = parties.firstIndex(where: { $0.id == id })
        else { return refuse(call, "You are trying to read records \"0\" of \"Party\" that don't exist.") }
        var party = parties[place]
        if let stamp = call.parameters.last?["_timestamp"]?["party.party,\(id)"]?.string, stamp != party.stamp {
            return error(call, kind: "ConcurrencyException", "Records were modified in the meanwhile")
        }
        do {
            try apply(value, to: &party)
        } catch {
            return refuse(call, error.text)
        }
        party.version += 1
        parties[place] = party
        return result(call, "null")
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        guard parties.indices.contains(row) else { return }
        parties[row].version += 1
        switch change {
        case .name(let name):
            let words = name.split(separator: " ", maxSplits: 1).map(String.init)
            parties[row].name = words.first ?? ""
            parties[row].lastname = words.dropFirst().first
            parties[row].officialFamily = words.dropFirst().first
        case .birthday(let day): parties[row].birthday = CivilDate(iso: day)
        case .email(let address): setMechanism(["email"], address, row)
        case .phone(let digits): setMechanism(["mobile", "phone"], Phone(international: digits).checked(), row)
        }
    }

    /// Sets the first contact of some types, or adds one.
    private mutating func setMechanism(_ types: [String], _ value: String, _ row: Int) {
        if let place = parties[row].mechanisms.firstIndex(where: { types.contains($0.type) }) {
            parties[row].mechanisms[place].value = value
        } else {
            lastSubrecord += 1
            parties[row].mechanisms.append(
                GNUHealthParty.Mechanism(id: lastSubrecord, type: types[0], value: value))
        }
    }

    /// Sets what is sent, sub-records by `[["create", [{…}]], ["write", [ids], {…}], ["delete", [ids]]]`.
    private mutating func apply(_ value: JSONValue, to party: inout GNUHealthParty) throws(Refusal) {
        for (name, value) in value.members {
            switch name {
            case "name":
                party.name = value.string ?? ""
            case "lastname":
                party.lastname = value.string
                // It copies a family name to the official name, but not that there is none any more.
                if let family = value.string { party.officialFamily = family }
            case "dob":
                party.birthday = try birthday(value)
            case "contact_mechanisms": try mechanisms(value, of: &party)
            case "identifiers": try identifiers(value, of: &party)
            case "person_names", "gender", "fed_country", "is_person", "is_patient", "create_target": break
            default: throw Refusal(text: "Unknown field \(name)")
            }
        }
        // After the copy above, whatever order they came in.
        for action in value["person_names"]?.elements ?? [] where action.elements.count == 3 {
            party.officialFamily = action.elements[2]["family"]?.string
        }
    }

    private func birthday(_ value: JSONValue) throws(Refusal) -> CivilDate? {
        if value.isNull { return nil }
        guard let year = value["year"]?.int, let month = value["month"]?.int, let day = value["day"]?.int,
            let date = CivilDate(year: year, month: month, day: day), (1827...2100).contains(year)
        else { throw Refusal(text: "SM-CORE-0001: Wrong date of birth for a living person") }
        return date
    }

    private mutating func mechanisms(_ value: JSONValue, of party: inout GNUHealthParty) throws(Refusal) {
        for action in value.elements {
            let parts = action.elements
            switch parts.first?.string {
            case "create":
                for new in parts.dropFirst().first?.elements ?? [] {
                    lastSubrecord += 1
                    var mechanism = GNUHealthParty.Mechanism(
                        id: lastSubrecord, type: new["type"]?.string ?? "", value: new["value"]?.string ?? "")
                    mechanism.value = try checked(mechanism, of: party)
                    party.mechanisms.append(mechanism)
                }
            case "write":
                let ids = parts.dropFirst().first?.elements.compactMap(\.int) ?? []
                for place in party.mechanisms.indices where ids.contains(party.mechanisms[place].id) {
                    party.mechanisms[place].value = parts.last?["value"]?.string ?? ""
                    party.mechanisms[place].value = try checked(party.mechanisms[place], of: party)
                }
            default: throw Refusal(text: "Unknown action")
            }
        }
    }

    /// Numbers without a country are refused; others get Tryton's spelling.
    private func checked(_ mechanism: GNUHealthParty.Mechanism, of party: GNUHealthParty) throws(Refusal) -> String {
        guard ["phone", "mobile"].contains(mechanism.type) else { return mechanism.value }
        let digits = Text.digits(mechanism.value)
        guard mechanism.value.hasPrefix("+"), (9...15).contains(digits.utf8.count) else {
            throw Refusal(
                text: "The phone number \"\(mechanism.value)\" for party \"\(party.recordName)\" is not valid.")
        }
        if digits.hasPrefix("55") {
            return Phone(kind: .mobile, digits: String(digits.dropFirst(2))).checked()
        }
        return "+\(digits.prefix(3)) \(digits.dropFirst(3))"
    }

    private mutating func identifiers(_ value: JSONValue, of party: inout GNUHealthParty) throws(Refusal) {
        for action in value.elements {
            let parts = action.elements
            switch parts.first?.string {
            case "create":
                for new in parts.dropFirst().first?.elements ?? [] {
                    lastSubrecord += 1
                    let identifier = GNUHealthParty.Identifier(
                        id: lastSubrecord, type: new["type"]?.string ?? "", code: new["code"]?.string ?? "")
                    try check(identifier, of: party)
                    party.identifiers.append(identifier)
                }
            case "write":
                let ids = parts.dropFirst().first?.elements.compactMap(\.int) ?? []
                for place in party.identifiers.indices where ids.contains(party.identifiers[place].id) {
                    party.identifiers[place].code = parts.last?["code"]?.string ?? ""
                    try check(party.identifiers[place], of: party)
                }
            default: throw Refusal(text: "Unknown action")
            }
        }
    }

    private func check(_ identifier: GNUHealthParty.Identifier, of party: GNUHealthParty) throws(Refusal) {
        guard identifier.type == "br_cpf" else { return }
        let digits = Text.digits(identifier.code)
        guard digits.utf8.count == 11, let base = Int(digits.prefix(9)), CPF.withCheckDigits(base) == digits else {
            throw Refusal(
                text: "The Brazillian National Identifier \"\(identifier.code)\" for party \"\(party.recordName)\" "
                    + "is not valid.")
        }
    }

    // MARK: Envelopes

    private func result(_ call: Call, _ json: String) -> MockAnswer { result(call, Array(json.utf8)) }

    private func result(_ call: Call, _ json: [UInt8]) -> MockAnswer { envelope(call, "result", json) }

    private func envelope(_ call: Call, _ member: String, _ json: [UInt8]) -> MockAnswer {
        var answer = MockAnswer(200, Array("{\"id\":".utf8) + call.id + Array(",\"\(member)\":".utf8) + json + [0x7D])
        answer.contentType = "application/json"
        return answer
    }

    /// A refusal with a text for people.
    private func refuse(_ call: Call, _ text: String) -> MockAnswer {
        error(call, kind: "UserError", [text, "", nil])
    }

    /// The text of a Python exception.
    private func error(_ call: Call, _ text: String) -> MockAnswer { error(call, kind: text, "") }

    private func error(_ call: Call, kind: String, _ text: String) -> MockAnswer {
        var json = JSONWriter()
        json.raw("[")
        json.ascii(kind)
        json.raw(",")
        json.ascii(text)
        json.raw("]")
        return envelope(call, "error", json.finish())
    }

    private func error(_ call: Call, kind: String, _ texts: [String?]) -> MockAnswer {
        var json = JSONWriter()
        json.raw("[")
        json.ascii(kind)
        json.raw(",[")
        for text in texts {
            json.comma()
            json.ascii(text)
        }
        json.raw("]]")
        return envelope(call, "error", json.finish())
    }

    /// Werkzeug's pages.
    private func page(_ status: Int, _ title: String) -> MockAnswer {
        MockAnswer(
            status, "<!doctype html>\n<html lang=en>\n<title>\(status) \(title)</title>\n<h1>\(title)</h1>\n",
            contentType: "text/html; charset=utf-8")
    }
}
