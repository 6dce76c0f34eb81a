import JSONBytes

/// Imitates the Patient endpoints of FHIR R4 servers, with the ways in which they differ. `docs/mock.md` is its reference.
struct FHIRDialect: Dialect {
    let flavour: FHIRFlavour
    var basePath: String { flavour.basePath }

    private let user: String
    private let password: String
    private let accessToken: String
    private let tokenLifetime: Int
    private var tokens: [String: Double] = [:]
    private var tokensGiven = 0
    private let generator: PersonGenerator
    var count: Int
    /// What was written, by row; the rest is generated.
    var written: [Int: (bytes: [UInt8], version: Int)] = [:]
    /// Rows that searches found, by what was asked, and when.
    var cache: [String: (rows: [Int], at: Double)] = [:]
    /// For how many seconds searches do not show a write.
    private let lag: Double
    /// The mock's clock at the request that is answered.
    var clock = 0.0
    /// Rows whose last write searches do not show yet: what they show instead, nothing of a new one, and how long.
    var unindexed: [Int: (bytes: [UInt8]?, until: Double)] = [:]
    /// Searches whose pages are still to be fetched.
    var searches: [String: [Int]] = [:]

    private(set) var strangers = 0
    /// CPFs of the records that are no clients: of one that is inactive, and of one that another replaced.
    static let strangersCPFs = ["98765432100", "98765432109"]

    init(_ options: MockOptions, _ flavour: FHIRFlavour) {
        self.flavour = flavour
        user = options.user
        password = options.password
        accessToken = options.accessToken
        tokenLifetime = options.tokenLifetime
        lag = flavour.indexesLate ? Double(options.staleReads) : 0
        generator = PersonGenerator(options)
        count = options.rows
        guard options.strangers else { return }
        for (place, cpf) in Self.strangersCPFs.enumerated() {
            var person = generator.person(0)
            person.cpf = cpf
            let ending = place == 0 ? "" : #","link":[{"other":{"reference":"Patient/1"},"type":"replaced-by"}]"#
            let bytes = FHIRPatient.resource(person, row: count, flavour, isActive: place != 0, ending: ending)
            written[count] = (bytes, 1)
            count += 1
            strangers += 1
        }
    }

    mutating func expireTokens() { tokens = [:] }

    mutating func releaseReads() {
        cache = [:]
        unindexed = [:]
    }

    func id(ofRow row: Int) -> String { flavour.id(ofRow: row) }

    /// The extension and the clinic's own number, which an update of anything else leaves alone.
    func keepsakes(ofRow row: Int) -> [UInt8]? {
        guard (0..<count).contains(row), let root = try? JSONDocument(bytes(row)).root else { return nil }
        return (root["extension"]?.source ?? []) + (root["identifier"]?.elements.first?.source ?? [])
    }

    // MARK: Routes

    private enum Route {
        case token, metadata, patients, search, other
        /// Nilo's: makes and changes by identifier.
        case upsert
        /// A page of a search that is kept.
        case kept(String)
        case patient(String)
    }

    private func route(_ request: MockRequest) -> Route {
        if flavour.signIn == .token, request.path == "/oauth2/v2.0/token" { return .token }
        let base = flavour == .nilo ? "/fhir" : basePath
        if flavour == .nilo, request.path == "/fhir/resources/Patient" { return .upsert }
        guard request.path.hasPrefix(base) else { return .other }
        let path = request.path.dropFirst(base.count)
        if path.isEmpty || path == "/", let kept = request.parameter("_getpages") { return .kept(kept) }
        switch path {
        case "/metadata": return .metadata
        case "/Patient", "/Patient/": return .patients
        case "/Patient/_search": return .search
        default:
            let parts = path.split(separator: "/").map(String.init)
            return parts.count == 2 && parts[0] == "Patient" ? .patient(parts[1]) : .other
        }
    }

    func operation(of request: MockRequest) -> MockOperation {
        switch (request.method, route(request)) {
        case ("POST", .token): .login
        case ("GET", .patients): filters(fields(of: request)).isEmpty ? .list : .search
        case ("POST", .search): .search
        case ("GET", .kept): .list
        case ("POST", .patients): .create
        case ("POST", .upsert): upsertRow(request) == nil ? .create : .update
        case ("GET", .patient): .get
        case ("PUT", .patient), ("PATCH", .patient): .update
        default: .unknown
        }
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        clock = now
        unindexed = unindexed.filter { $0.value.until > now }
        let route = route(request)
        if case .token = route { return login(request, now) }
        if case .metadata = route, flavour.hasMetadata { return metadata }
        if let refusal = refusal(of: request, now) { return refusal }
        switch (request.method, route) {
        case ("GET", .patients), ("POST", .search): return search(request, now)
        case ("GET", .kept(let key)): return keptPage(key, request)
        case ("POST", .patients) where flavour != .nilo: return create(request)
        case ("POST", .upsert): return upsert(request)
        case ("GET", .patient(let id)):
            return flavour.row(ofID: id, count: count).map { shown($0, 200, whole: true) } ?? notFound
        case ("PUT", .patient(let id)) where flavour != .nilo: return replace(id, request)
        case ("PATCH", .patient(let id)) where flavour.hasPatch: return patch(id, request)
        case (_, .other), (_, .metadata): return outcome(404, "not-found", "Unknown resource type")
        default: return outcome(405, "not-supported", "Operation not supported")
        }
    }

    // MARK: Signing in

    mutating func login(_ request: MockRequest, _ now: Double) -> MockAnswer {
        let form = MockRequest.parameters(of: String(decoding: request.body, as: UTF8.self))
        func field(_ name: String) -> String? { form.last { $0.name == name }?.value }
        guard field("grant_type") == "client_credentials", field("client_id") == user,
            field("client_secret") == password
        else { return MockAnswer(401, #"{"error":"invalid_client"}"#) }
        tokensGiven += 1
        let token = "fhir.\(tokensGiven)"
        tokens[token] = now + Double(tokenLifetime)
        return MockAnswer(200, #"{"access_token":"\#(token)","token_type":"Bearer","expires_in":\#(tokenLifetime)}"#)
    }

    func refusal(of request: MockRequest, _ now: Double) -> MockAnswer? {
        let header = request.values(ofHeader: "Authorization").last ?? ""
        let isKnown: Bool
        switch flavour.signIn {
        case .none: isKnown = true
        case .basic: isKnown = header == "Basic " + Text.base64(Array("\(user):\(password)".utf8))
        case .bearer: isKnown = header == "Bearer " + accessToken
        case .apiKey: isKnown = request.values(ofHeader: "x-api-key").last == accessToken
        case .token: isKnown = (tokens[String(header.dropFirst("Bearer ".count))] ?? -1) > now
        }
        return isKnown ? nil : outcome(401, "login", "Authentication failed")
    }

    var metadata: MockAnswer {
        var json = JSONWriter(capacity: 1024)
        json.raw(#"{"resourceType":"CapabilityStatement","status":"active","fhirVersion":"4.0.1","kind":"instance","#)
        json.raw(#""format":["json"],"rest":[{"mode":"server","resource":[{"type":"Patient","interaction":["#)
        var interactions = ["read", "search-type", "create", "update"]
        if flavour.hasPatch { interactions.append("patch") }
        for code in interactions {
            json.comma()
            json.raw(#"{"code":"#)
            json.string(code)
            json.raw("}")
        }
        json.raw(#"],"versioning":"#)
        json.string(flavour.hasVersions ? "versioned" : "no-version")
        json.raw(#","conditionalCreate":"#)
        json.bool(flavour.hasConditionalCreate)
        json.raw(#","searchParam":["#)
        for name in flavour.parameters {
            json.comma()
            json.raw(#"{"name":"#)
            json.string(name)
            json.raw(#","type":"string"}"#)
        }
        json.raw("]}]}]}")
        return answer(200, json.finish())
    }

    // MARK: Records

    func bytes(_ row: Int) -> [UInt8] {
        written[row]?.bytes ?? FHIRPatient.resource(generator.person(row), row: row, flavour)
    }

    func version(_ row: Int) -> Int { written[row]?.version ?? 1 }

    /// A resource as it is shown: with its version.
    func resource(_ row: Int) -> [UInt8] {
        guard flavour.hasVersions else { return bytes(row) }
        let meta = #","meta":{"versionId":"\#(version(row))"}}"#
        return Array(bytes(row).dropLast()) + Array(meta.utf8)
    }

    func shown(_ row: Int, _ status: Int, whole: Bool) -> MockAnswer {
        var shown = answer(status, whole ? resource(row) : [])
        if flavour.hasVersions { shown.headers.append(("ETag", "W/\"\(version(row))\"")) }
        return shown
    }

    func keys(_ row: Int) -> FHIRPatient.Keys? { keys(bytes(row)) }

    /// What searches know of a row; nil where they do not know it yet.
    func indexedKeys(_ row: Int) -> FHIRPatient.Keys? { unindexed[row].map { $0.bytes.flatMap(keys) } ?? keys(row) }

    private func keys(_ bytes: [UInt8]) -> FHIRPatient.Keys? {
        (try? JSONDocument(bytes)).map { FHIRPatient.Keys($0.root) }
    }

    /// Searches go on showing what they showed of a row, for a while.
    mutating func delayIndex(of row: Int, isNew: Bool) {
        guard lag > 0 else { return }
        let shown = unindexed[row].map { $0.bytes } ?? (isNew ? nil : bytes(row))
        unindexed[row] = (shown, clock + lag)
    }

    // MARK: Answers

    var notFound: MockAnswer { outcome(404, "not-found", "Resource is not known") }

    func answer(_ status: Int, _ body: [UInt8]) -> MockAnswer {
        var answer = MockAnswer(status, body)
        answer.contentType = "application/fhir+json; charset=utf-8"
        return answer
    }

    func outcome(_ status: Int, _ code: String, _ text: String, at place: String? = nil) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"#)
        json.string(code)
        json.raw(#","diagnostics":"#)
        json.string(text)
        if let place {
            json.raw(#","expression":["#)
            json.string(place)
            json.raw("]")
        }
        json.raw("}]}")
        return answer(status, json.finish())
    }
}
