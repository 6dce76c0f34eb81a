import ClientContract
import JSONBytes
import RESTDriver
import StrictConfig

/// What stands in a pair's `NAME.out.json`, read strictly: a member that would not be heard is a fault.
struct PairMeaning {
    enum Call: String, CaseIterable { case list, search, get, create, update }

    /// A call as the pair asks for it.
    enum Asked {
        case list
        case search(SearchTerm)
        case get(ClientID)
        case create(ClientDraft)
        case update(ClientID, ClientPatch)
    }

    let call: Call
    let asked: Asked
    /// What the contract shows; nil where the call must fail.
    let gives: JSONValue?
    let fails: String?
    let reasons: [String]?
    let retryAfter: Int?
    /// The rest of the system's answer.
    let status: Int
    let contentType: String?
    let headers: [(name: String, value: String)]
    /// What the system answers to the read before an update: itself, or the pair that holds it.
    let record: [UInt8]?
    let reads: String?
    let sends: JSONValue?
    /// What a tenant gives.
    let baseURL: String?
    let credentials: [String: String]
    let settings: [String: String]

    static let members = [
        "call", "status", "contentType", "headers", "id", "by", "kind", "term", "draft", "patch", "record", "reads",
        "gives", "fails", "reasons", "retryAfter", "sends", "baseURL", "credentials", "settings",
    ]

    /// The names of failures.
    static let failures = [
        "not found", "refused", "conflict", "credentials rejected", "rate limited", "failed", "malformed answer",
        "outcome unknown", "unsupported", "circuit open",
    ]

    /// Members that only some calls hear.
    private static let belongs: [(member: String, calls: [Call])] = [
        ("id", [.get, .update]), ("by", [.search]), ("kind", [.search]), ("term", [.search]), ("draft", [.create]),
        ("patch", [.update]), ("record", [.update]), ("reads", [.update]),
    ]

    /// Nil, with the fault where it stands.
    /// - Parameter pairs: the names of the pairs beside this one.
    init?(_ node: ConfigNode, _ profile: Profile, pairs: [String]) {
        guard let object = node.object(Self.members) else { return nil }
        let call = object.required("call")?.choice(Call.self)
        for (member, calls) in Self.belongs {
            guard let call, !calls.contains(call), let node = object.optional(member) else { continue }
            node.fault(
                "is not heard by \(call.rawValue): it belongs to \(calls.map(\.rawValue).joined(separator: ", "))")
        }

        gives = object.optional("gives")?.value
        fails = object.optional("fails").flatMap { Self.failure($0) }
        switch (object.optional("gives"), object.optional("fails")) {
        case (nil, nil): node.fault("must have either \"gives\" or \"fails\"")
        case (_?, let fails?): fails.fault("stands beside \"gives\": a pair has either \"gives\" or \"fails\"")
        default: break
        }
        let failure = fails.map(Self.name(ofFailure:))
        reasons = object.optional("reasons")?.elements("an array of texts").compactMap { $0.string() }
        if let node = object.optional("reasons"), !["refused", "conflict"].contains(failure) {
            node.fault("is heard where the pair \"fails\" with \"refused\" or \"conflict\"")
        }
        retryAfter = object.optional("retryAfter")?.int(0...86_400)
        if let node = object.optional("retryAfter"), !["rate limited", "circuit open"].contains(failure) {
            node.fault("is heard where the pair \"fails\" with \"rate limited\" or \"circuit open\"")
        }

        status = object.optional("status").map { $0.int(100...599) ?? 200 } ?? 200
        contentType = object.optional("contentType")?.string()
        headers = Self.texts(object.optional("headers"), "an object of header names and texts")
        record = object.optional("record")?.value.source
        let read = object.optional("reads")
        reads = read?.string()
        if let reads, !pairs.contains(reads) { read?.fault(NearestName.unknown("pair", reads, pairs)) }
        if record != nil { read?.fault("stands beside \"record\", which is the answer itself") }
        sends = object.optional("sends")?.value

        baseURL = object.optional("baseURL")?.string()
        if let baseURL, !baseURL.hasPrefix("https://"), !baseURL.hasPrefix("http://") {
            object.optional("baseURL")?.fault("must begin with https:// or http://")
        }
        credentials = Self.given(object.optional("credentials"), "credential", profile.credentials)
        settings = Self.given(
            object.optional("settings"), "setting", profile.settings.filter(\.isGiven).map(\.name))

        guard let call, let asked = Self.asked(call, object) else { return nil }
        self.call = call
        self.asked = asked
    }

    /// Whether the vendor is to have said that there is nobody.
    var isNobody: Bool {
        if let gives { return gives.kind == .array && gives.elements.isEmpty }
        return fails == "not found" && (call == .get || call == .update)
    }

    // MARK: Members

    private static func failure(_ node: ConfigNode) -> String? {
        guard let text = node.string() else { return nil }
        let name = self.name(ofFailure: text)
        if !failures.contains(name) { node.fault(NearestName.unknown("failure", name, failures)) }
        return text
    }

    /// Without how many reasons there are.
    private static func name(ofFailure text: String) -> String {
        text.firstRange(of: " with ").map { String(text[..<$0.lowerBound]) } ?? text
    }

    private static func texts(_ node: ConfigNode?, _ what: String) -> [(name: String, value: String)] {
        (node?.entries(what) ?? []).compactMap { name, node in
            node.string(allowEmpty: true).map { (name: name, value: $0) }
        }
    }

    private static func given(_ node: ConfigNode?, _ what: String, _ known: [String]) -> [String: String] {
        var given: [String: String] = [:]
        for (name, entry) in node?.entries("an object of names and texts") ?? [] {
            if !known.contains(name) { entry.fault(NearestName.unknown(what, name, known)) }
            given[name] = entry.string(allowEmpty: true)
        }
        return given
    }

    private static func asked(_ call: Call, _ object: ConfigObject) -> Asked? {
        let id = ClientID(object.optional("id")?.string() ?? "1")
        switch call {
        case .list: return .list
        case .search:
            let kind = object.optional("kind")
            if object.optional("by") != nil { kind?.fault("stands beside \"by\", which says the same") }
            guard let kind = (object.optional("by") ?? kind ?? object.required("by"))?.choice(TermKind.self) else {
                return nil
            }
            let node = object.optional("term")
            let text = node?.string() ?? terms[kind] ?? ""
            guard let term = SearchTerm(text, as: kind) else {
                node?.fault("cannot be a \(kind.rawValue)")
                return nil
            }
            return .search(term)
        case .get: return .get(id)
        case .create:
            let node = object.optional("draft")
            do {
                return .create(try ClientDraft(body: node?.value.source ?? Array(draft.utf8)))
            } catch {
                node?.fault("is no body that Clinia would send: \(error)")
                return nil
            }
        case .update:
            let node = object.optional("patch")
            do {
                return .update(id, try ClientPatch(body: node?.value.source ?? Array(patch.utf8)))
            } catch {
                node?.fault("is no body that Clinia would send: \(error)")
                return nil
            }
        }
    }

    // MARK: The sample patient

    /// Fictional, as all sample patients are.
    private static let draft =
        #"{"name":"Ana Teste","phone":"5531988880001","email":"ana@example.test","cpf":"20000000108","birthday":"1990-03-07"}"#
    private static let patch = #"{"name":"Carla Modelo"}"#
    private static let terms: [TermKind: String] = [
        .phone: "5531988880001", .cpf: "20000000108", .email: "ana@example.test", .name: "Ana Teste",
    ]
}
