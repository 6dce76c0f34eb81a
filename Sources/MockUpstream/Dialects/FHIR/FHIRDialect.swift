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
    private var count: Int
    /// What was written, by row; the rest is generated.
    private var written: [Int: (bytes: [UInt8], version: Int)] = [:]
    /// Rows that searches found, by what was asked, and when.
    private var cache: [String: (rows: [Int], at: Double)] = [:]
    /// Searches whose pages are still to be fetched.
    private var searches: [String: [Int]] = [:]

    init(_ options: MockOptions, _ flavour: FHIRFlavour) {
        self.flavour = flavour
        user = options.user
        password = options.password
        accessToken = options.accessToken
        tokenLifetime = options.tokenLifetime
        generator = PersonGenerator(seed: options.seed)
        count = max(0, options.patients)
    }

    mutating func expireTokens() { tokens = [:] }
    mutating func releaseReads() { cache = [:] }

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

    private mutating func login(_ request: MockRequest, _ now: Double) -> MockAnswer {
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

    private func refusal(of request: MockRequest, _ now: Double) -> MockAnswer? {
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

    private var metadata: MockAnswer {
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

    private func bytes(_ row: Int) -> [UInt8] {
        written[row]?.bytes ?? FHIRPatient.resource(generator.person(row), row: row, flavour)
    }

    private func version(_ row: Int) -> Int { written[row]?.version ?? 1 }

    /// A resource as it is shown: with its version.
    private func resource(_ row: Int) -> [UInt8] {
        guard flavour.hasVersions else { return bytes(row) }
        let meta = #","meta":{"versionId":"\#(version(row))"}}"#
        return Array(bytes(row).dropLast()) + Array(meta.utf8)
    }

    private func shown(_ row: Int, _ status: Int, whole: Bool) -> MockAnswer {
        var shown = answer(status, whole ? resource(row) : [])
        if flavour.hasVersions { shown.headers.append(("ETag", "W/\"\(version(row))\"")) }
        return shown
    }

    private func keys(_ row: Int) -> FHIRPatient.Keys? {
        (try? JSONDocument(bytes(row))).map { FHIRPatient.Keys($0.root) }
    }

    // MARK: Searching

    private func fields(of request: MockRequest) -> [(name: String, value: String)] {
        request.method == "POST"
            ? MockRequest.parameters(of: String(decoding: request.body, as: UTF8.self)) : request.parameters
    }

    private func filters(_ fields: [(name: String, value: String)]) -> [(name: String, value: String)] {
        fields.filter { flavour.parameters.contains(String($0.name.prefix { $0 != ":" })) && !$0.value.isEmpty }
    }

    private mutating func search(_ request: MockRequest, _ now: Double) -> MockAnswer {
        let fields = fields(of: request)
        let filters = filters(fields)
        let controls = ["_count", "_sort", "_page_token", "ct", "_getpages", "_getpagesoffset", "_elements"]
        let prefers = request.values(ofHeader: "Prefer").joined(separator: ",")
        let unknown = fields.first { field in
            !controls.contains(field.name) && !filters.contains { $0.name == field.name }
        }
        if let unknown {
            let refuses =
                switch flavour.unknown {
                case .refused: !prefers.contains("handling=lenient")
                case .ignored: prefers.contains("handling=strict")
                case .alwaysIgnored: false
                }
            if refuses { return outcome(400, "invalid", "Unknown search parameter \"\(unknown.name)\"") }
        }
        let asked = filters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let rows: [Int]
        let mayCache = flavour.cachesSearches && request.values(ofHeader: "Cache-Control").last != "no-cache"
        if mayCache, let kept = cache[asked], now - kept.at < 60 {
            rows = kept.rows
        } else {
            rows = (0..<count).filter { row in
                guard !filters.isEmpty, let keys = keys(row) else { return filters.isEmpty }
                return filters.allSatisfy { holds($0, keys) }
            }
            if flavour.cachesSearches { cache[asked] = (rows, now) }
        }
        let wanted = fields.last { $0.name == "_count" }.flatMap { Int($0.value) } ?? flavour.pages.usual
        let size = min(max(1, wanted), flavour.pages.most)
        let token = fields.last { $0.name == "ct" || $0.name == "_page_token" }?.value
        let start = token.flatMap { Int($0.dropFirst("t".count)) } ?? 0
        let kept = filters + fields.filter { ["_count", "_sort"].contains($0.name) }
        return bundle(rows, from: start, size: size, kept, unknown: unknown?.name, request)
    }

    private func keptPage(_ key: String, _ request: MockRequest) -> MockAnswer {
        guard let rows = searches[key] else { return outcome(410, "not-found", "Search ID does not exist") }
        let start = request.parameter("_getpagesoffset").flatMap { Int($0) } ?? 0
        let size = min(request.parameter("_count").flatMap { Int($0) } ?? flavour.pages.usual, flavour.pages.most)
        return page(rows, from: start, size: size, links: links(rows, start, size, key: key, [], request), unknown: nil)
    }

    private func holds(_ filter: (name: String, value: String), _ keys: FHIRPatient.Keys) -> Bool {
        alternatives(filter.value).contains { wanted in
            switch filter.name {
            case "identifier":
                let parts = wanted.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                return keys.identifiers.contains { identifier in
                    parts.count == 2
                        ? (parts[0].isEmpty || identifier.system == parts[0]) && same(identifier.value, parts[1])
                        : same(identifier.value, wanted)
                }
            case "phone": return keys.phones.contains { same($0, wanted) }
            case "email": return keys.emails.contains { same($0, wanted) }
            case "telecom": return (keys.phones + keys.emails).contains { same($0, wanted) }
            // The beginning of any part, without case and accents.
            case "name", "family", "given": return keys.names.contains { $0.hasPrefix(Text.folded(wanted)) }
            default: return false
            }
        }
    }

    private func same(_ stored: String, _ wanted: String) -> Bool {
        flavour.mindsCase ? stored == wanted : stored.lowercased() == wanted.lowercased()
    }

    /// A value's alternatives: split at commas that no backslash escapes.
    private func alternatives(_ text: String) -> [String] {
        var alternatives = [""]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped || (scalar != "\\" && scalar != ",") {
                alternatives[alternatives.count - 1].unicodeScalars.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                alternatives.append("")
            }
        }
        return alternatives
    }

    // MARK: Bundles

    private mutating func bundle(
        _ rows: [Int], from start: Int, size: Int, _ kept: [(name: String, value: String)], unknown: String?,
        _ request: MockRequest
    ) -> MockAnswer {
        let key = "search-\(searches.count + 1)"
        if flavour.links == .getPages, start + size < rows.count { searches[key] = rows }
        return page(
            rows, from: start, size: size, links: links(rows, start, size, key: key, kept, request), unknown: unknown)
    }

    /// The relations and addresses of a page.
    private func links(
        _ rows: [Int], _ start: Int, _ size: Int, key: String, _ kept: [(name: String, value: String)],
        _ request: MockRequest
    ) -> [(relation: String, url: String)] {
        guard flavour.links != .none else { return [] }
        let base = "http://\(request.values(ofHeader: "Host").last ?? "localhost")\(basePath)"
        func query(_ fields: [(name: String, value: String)]) -> String {
            fields.map { "\(Text.encoded($0.name))=\(Text.encoded($0.value))" }.joined(separator: "&")
        }
        let mine = base + "/Patient" + (kept.isEmpty ? "" : "?" + query(kept))
        var links = [(relation: "self", url: mine)]
        guard start + size < rows.count else { return links }
        let next = start + size
        switch flavour.links {
        case .getPages:
            let page = [("_getpages", key), ("_getpagesoffset", String(next)), ("_count", String(size))]
            links.append(("next", base + "?" + query(page.map { (name: $0.0, value: $0.1) })))
        case .continuation: links.append(("next", base + "/Patient?" + query(kept + [("ct", "t\(next)")])))
        case .pageToken: links.append(("next", base + "/Patient/?" + query(kept + [("_page_token", "t\(next)")])))
        case .none: break
        }
        return links
    }

    private func page(
        _ rows: [Int], from start: Int, size: Int, links: [(relation: String, url: String)], unknown: String?
    ) -> MockAnswer {
        let range = start < rows.count ? start..<min(start + size, rows.count) : 0..<0
        var json = JSONWriter(capacity: 1024 * range.count + 512)
        json.raw(#"{"resourceType":"Bundle","type":"searchset""#)
        // Not every server counts.
        if flavour.links != .continuation {
            json.raw(#","total":"#)
            json.number(rows.count)
        }
        json.raw(#","link":["#)
        for link in links {
            json.comma()
            json.raw(#"{"relation":"#)
            json.string(link.relation)
            json.raw(#","url":"#)
            json.string(link.url)
            json.raw("}")
        }
        json.raw("]")
        if !range.isEmpty || unknown != nil {
            json.raw(#","entry":["#)
            if let unknown, flavour == .azure {
                json.raw(#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","#)
                json.raw(#""code":"not-supported","diagnostics":"#)
                json.string("The search parameter '\(unknown)' is not supported")
                json.raw(#"}]},"search":{"mode":"outcome"}}"#)
            }
            for index in range {
                json.comma()
                json.raw(#"{"resource":"#)
                json.raw(resource(rows[index]))
                json.raw(#","search":{"mode":"match"}}"#)
            }
            json.raw("]")
        }
        json.raw("}")
        return answer(200, json.finish())
    }

    // MARK: Writing

    private func body(_ request: MockRequest) -> JSONValue? {
        (try? JSONDocument(request.body)).map(\.root).flatMap { $0["resourceType"]?.string == "Patient" ? $0 : nil }
    }

    /// What the server refuses of a resource.
    private func complaint(about resource: JSONValue) -> String? {
        if let date = resource["birthDate"]?.string, ![4, 7, 10].contains(date.utf8.count) {
            return "Patient.birthDate"
        }
        if (resource["name"]?.elements ?? []).isEmpty { return "Patient.name" }
        switch flavour {
        case .openmrs:
            if (resource["identifier"]?.elements ?? []).isEmpty { return "Patient.identifier" }
            if resource["identifier"]?.elements.allSatisfy({ ($0["extension"]?.elements ?? []).isEmpty }) ?? true {
                return "Patient.identifier.location"
            }
        case .nilo:
            if (resource["identifier"]?.elements ?? []).isEmpty { return "Patient.identifier" }
        default: break
        }
        return nil
    }

    private mutating func store(_ resource: JSONValue, row: Int) {
        var json = JSONWriter(capacity: 1024)
        json.raw(#"{"resourceType":"Patient","id":"#)
        json.string(flavour.id(ofRow: row))
        for member in resource.members where !["resourceType", "id", "meta"].contains(member.key) {
            json.raw(",")
            json.key(member.key)
            json.raw(member.value.source)
        }
        json.raw("}")
        let isNew = row == count
        written[row] = (json.finish(), isNew ? 1 : version(row) + 1)
        if isNew { count += 1 }
    }

    private func wantsWhole(_ request: MockRequest) -> Bool {
        !flavour.answersOnlyWhenAsked
            || request.values(ofHeader: "Prefer").contains { $0.contains("return=representation") }
    }

    private mutating func create(_ request: MockRequest) -> MockAnswer {
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        if let place = complaint(about: body) { return outcome(422, "required", "Is missing or wrong", at: place) }
        if flavour.hasConditionalCreate, let condition = request.values(ofHeader: "If-None-Exist").last {
            let filters = MockRequest.parameters(of: condition)
            guard !filters.isEmpty else { return outcome(400, "invalid", "The condition is empty") }
            let found = (0..<count).filter { row in
                keys(row).map { keys in filters.allSatisfy { holds($0, keys) } } ?? false
            }
            if found.count > 1 { return outcome(412, "multiple-matches", "Several resources match") }
            if let row = found.first { return shown(row, 200, whole: wantsWhole(request)) }
        }
        let row = count
        store(body, row: row)
        var answer = shown(row, 201, whole: wantsWhole(request))
        let base = "http://\(request.values(ofHeader: "Host").last ?? "localhost")\(basePath)"
        answer.headers.append(("Location", "\(base)/Patient/\(flavour.id(ofRow: row))/_history/1"))
        return answer
    }

    private mutating func replace(_ id: String, _ request: MockRequest) -> MockAnswer {
        guard let row = flavour.row(ofID: id, count: count) else { return notFound }
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        guard body["id"]?.string == id else { return outcome(400, "invalid", "The id is not that of the address") }
        if let place = complaint(about: body) { return outcome(422, "required", "Is missing or wrong", at: place) }
        if let refusal = versionRefusal(row, request) { return refusal }
        store(body, row: row)
        return shown(row, 200, whole: wantsWhole(request))
    }

    private mutating func patch(_ id: String, _ request: MockRequest) -> MockAnswer {
        guard let row = flavour.row(ofID: id, count: count) else { return notFound }
        guard request.values(ofHeader: "Content-Type").last?.hasPrefix("application/json-patch+json") ?? false else {
            return outcome(415, "not-supported", "Only JSON Patch is supported")
        }
        if let refusal = versionRefusal(row, request) { return refusal }
        guard let operations = try? JSONDocument(request.body).root, let old = try? JSONDocument(bytes(row)).root else {
            return outcome(400, "structure", "Failed to parse request body")
        }
        do throws(JSONTree.Refused) {
            let bytes = try JSONTree(old).patched(by: operations).bytes
            guard let new = try? JSONDocument(bytes).root else { return outcome(422, "invalid", "Not a Patient") }
            if let place = complaint(about: new) { return outcome(422, "required", "Is missing or wrong", at: place) }
            store(new, row: row)
        } catch {
            return outcome(422, "invalid", error.reason)
        }
        return shown(row, 200, whole: wantsWhole(request))
    }

    private func versionRefusal(_ row: Int, _ request: MockRequest) -> MockAnswer? {
        guard flavour.hasVersions, let tag = request.values(ofHeader: "If-Match").last else { return nil }
        return tag == "W/\"\(version(row))\"" ? nil : outcome(412, "conflict", "The version is not the current one")
    }

    private func upsertRow(_ request: MockRequest) -> Int? {
        guard let body = body(request) else { return nil }
        let wanted = FHIRPatient.Keys(body).identifiers.filter { !$0.system.isEmpty }
        return (0..<count).first { row in
            keys(row)?.identifiers.contains { known in wanted.contains { $0 == known } } ?? false
        }
    }

    private mutating func upsert(_ request: MockRequest) -> MockAnswer {
        guard let body = body(request) else { return outcome(400, "structure", "Failed to parse request body") }
        if let place = complaint(about: body) { return outcome(422, "required", "Is missing or wrong", at: place) }
        let row = upsertRow(request) ?? count
        store(body, row: row)
        return shown(row, 200, whole: true)
    }

    // MARK: Answers

    private var notFound: MockAnswer { outcome(404, "not-found", "Resource is not known") }

    private func answer(_ status: Int, _ body: [UInt8]) -> MockAnswer {
        var answer = MockAnswer(status, body)
        answer.contentType = "application/fhir+json; charset=utf-8"
        return answer
    }

    private func outcome(_ status: Int, _ code: String, _ text: String, at place: String? = nil) -> MockAnswer {
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
