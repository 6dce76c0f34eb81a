import ClientContract
import JSONBytes
public import RESTDriver
import StrictConfig
import Transport
import UpstreamDriver

/// Answers of a system and what a profile must make of them, kept as files: `NAME.in.json` is what the system says (or
/// `.in.html`, `.in.txt`), `NAME.out.json` beside it is the call and what must come of it.
///
/// Members of the latter:
/// - `call`: `list`, `search`, `get`, `create` or `update`;
/// - `status` (200 unless given), `contentType`, `headers`: the rest of the system's answer;
/// - `id`: the client that is asked for; `by` (or `kind`) and `term`: what is searched; the sample patient's unless given;
/// - `draft`, `patch`: bodies of the contract that are sent; a sample patient's unless given;
/// - `record`: what the system answers to the read before an update, or `reads`: the pair whose answer that is
///   (`detail-full` unless named);
/// - `gives`: what the contract shows, or `fails` with the failure's name, `reasons` and `retryAfter`;
/// - `sends`: the JSON body that must have been sent.
public struct GoldenPair: Sendable {
    public let name: String
    let input: [UInt8]
    let expected: [UInt8]
    let inputType: String
    /// The answers of the pairs beside this one, by name.
    var others: [String: [UInt8]] = [:]

    /// - Parameter inputType: the ending of the answer's file: `json`, `html` or `txt`.
    public init(name: String, input: [UInt8], inputType: String, expected: [UInt8]) {
        self.name = name
        self.input = input
        self.inputType = inputType
        self.expected = expected
    }

    /// The differences between what must come and what came, a line each; none when the pair holds.
    public func differences(_ profile: Profile, login: [UInt8]? = nil) async -> [String] {
        let document: JSONDocument
        do {
            document = try JSONDocument(expected)
        } catch {
            return ["\(name).out.json is no JSON: \(error)"]
        }
        guard document.root.kind == .object else { return ["\(name).out.json is not a JSON object"] }
        if inputType == "json", !input.isEmpty, (try? JSONDocument(input)) == nil, document.root["fails"] == nil {
            return ["\(name).in.json is no JSON: an answer that is none ends in .in.txt or .in.html"]
        }
        do {
            return try await differences(profile, document.root, login: login)
        } catch {
            return [error.message]
        }
    }

    /// The pair itself makes no sense.
    private struct Fault: Error { let message: String }

    private func differences(
        _ profile: Profile, _ want: JSONValue, login: [UInt8]?
    ) async throws(Fault) -> [String] {
        let known = [
            "$comment", "call", "status", "contentType", "headers", "id", "by", "kind", "term", "draft", "patch",
            "record", "reads", "gives", "fails", "reasons", "retryAfter", "sends",
        ]
        if let stranger = want.members.first(where: { !known.contains($0.key) }) {
            throw Fault(message: NearestName.unknown("member", stranger.key, known))
        }
        guard let call = want["call"]?.string.flatMap(Call.init(rawValue:)) else {
            throw Fault(
                message: "\"call\" must be one of \(Call.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard (want["gives"] == nil) != (want["fails"] == nil) else {
            throw Fault(message: "must have either \"gives\" or \"fails\"")
        }
        if let name = want["reads"]?.string, others[name] == nil {
            throw Fault(message: "\"reads\": " + NearestName.unknown("pair", name, Array(others.keys)))
        }
        let http = CannedHTTP(system(want, call, login: profile.logsIn ? login ?? [] : nil))
        let driver = Self.driver(profile, http)
        let asked = try self.asked(call, want)
        var differences: [String] = []
        do throws(UpstreamError) {
            let got = try await run(asked, driver)
            if let gives = want["gives"] {
                guard let document = try? JSONDocument(Array(got.utf8)) else { throw .malformed("no JSON") }
                differences += JSONDifference.lines(want: gives, got: document.root)
            } else {
                differences.append("want \(want["fails"]?.string ?? "a failure"), got \(got)")
            }
        } catch {
            differences += Self.differences(error, want)
            if !differences.isEmpty, let hint = hint(error, want, call) { differences.append("→ " + hint) }
        }
        if let sends = want["sends"] {
            let sent = http.requests.last { $0.body?.isEmpty == false }?.body
            if let sent, let document = try? JSONDocument(sent) {
                differences += JSONDifference.lines(want: sends, got: document.root).map { "sent \($0)" }
            } else {
                differences.append("sent: want \(JSONDifference.text(sends)), got no JSON body")
            }
        }
        return differences
    }

    enum Call: String, CaseIterable { case list, search, get, create, update }

    /// What the system answers: to a login, to the read before an update, and to the call itself.
    private func system(_ want: JSONValue, _ call: Call, login: [UInt8]?) -> CannedHTTP.Answer {
        let type =
            want["contentType"]?.string
            ?? (inputType == "html" ? "text/html" : inputType == "txt" ? "text/plain" : "application/json")
        let headers =
            [("Content-Type", type)] + (want["headers"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }
        let answer = UpstreamAnswer(status: want["status"]?.int ?? 200, headers: headers, body: input)
        let read = others[want["reads"]?.string ?? "detail-full"]
        let record = (want["record"]?.source ?? read).map { UpstreamAnswer.json($0) }
        return { request, index in
            if let login, index == 0 { return .json(login) }
            if call == .update, let record, request.repeatability == .safe { return record }
            return answer
        }
    }

    private static func driver(_ profile: Profile, _ http: CannedHTTP) -> RESTDriver {
        let settings = profile.settings.filter { $0.isGiven && $0.fallback == nil }
        return RESTDriver(
            profile: profile,
            tenant: RESTTenant(
                baseURL: "https://system.example.test/v1",
                credentials: Dictionary(uniqueKeysWithValues: profile.credentials.map { ($0, Secret("s-\($0)")) }),
                settings: Dictionary(uniqueKeysWithValues: settings.map { ($0.name, "s-\($0.name)") }),
                phones: PhoneContext(areaCode: 31)),
            http: http)
    }

    /// A call as the pair asks for it.
    private enum Asked {
        case list
        case search(SearchTerm)
        case get(ClientID)
        case create(ClientDraft)
        case update(ClientID, ClientPatch)
    }

    private func asked(_ call: Call, _ want: JSONValue) throws(Fault) -> Asked {
        let id = ClientID(want["id"]?.string ?? "1")
        switch call {
        case .list: return .list
        case .search:
            let kinds = TermKind.allCases.map(\.rawValue).joined(separator: ", ")
            guard let kind = (want["by"] ?? want["kind"])?.string.flatMap(TermKind.init(rawValue:)) else {
                throw Fault(message: "\"by\" must say what is searched by: \(kinds)")
            }
            let text = want["term"]?.string ?? Self.terms[kind] ?? ""
            guard let term = SearchTerm(text, as: kind) else {
                throw Fault(message: "\"term\": \"\(text)\" cannot be a \(kind.rawValue)")
            }
            return .search(term)
        case .get: return .get(id)
        case .create:
            do {
                return .create(try ClientDraft(body: want["draft"]?.source ?? Array(Self.draft.utf8)))
            } catch {
                throw Fault(message: "\"draft\" is no body that Clinia would send: \(error)")
            }
        case .update:
            do {
                return .update(id, try ClientPatch(body: want["patch"]?.source ?? Array(Self.patch.utf8)))
            } catch {
                throw Fault(message: "\"patch\" is no body that Clinia would send: \(error)")
            }
        }
    }

    /// Makes the call. The contract's JSON, or an id alone.
    private func run(_ asked: Asked, _ driver: RESTDriver) async throws(UpstreamError) -> String {
        let context = CallContext(deadline: .now + .seconds(60), requestID: "golden-pair")
        let page = PageRequest(.offset(0), size: 10)
        switch asked {
        case .list: return Self.text(try await driver.page(page, context))
        case .search(let term): return Self.text(try await driver.candidates(for: term, attempt: 0, page, context))
        case .get(let id): return String(decoding: try await driver.client(id, context).wire, as: UTF8.self)
        case .create(let draft): return Self.text(try await driver.create(draft, context))
        case .update(let id, let patch): return Self.text(try await driver.update(id, patch, context))
        }
    }

    /// What to change in the profile, where the failure alone does not say it.
    private func hint(_ error: UpstreamError, _ want: JSONValue, _ call: Call) -> String? {
        let isEmptyList = want["gives"]?.kind == .array && want["gives"]?.elements.isEmpty == true
        switch error {
        case .failed(let status?, _) where isEmptyList:
            return "no rule says that \(status) means nobody: give the operation an outcome rule, "
                + #"{ "when": { "status": \#(status) }, "then": "empty" }"#
        case .malformed(let detail) where isEmptyList && !detail.contains("web page"):
            return "no rule says that this answer means nobody: see \"items\", \"tolerate\", and the outcome \"empty\""
        case .failed(let status?, _):
            return
                "without a rule the status decides: an outcome rule on \(status), or on what the body holds, says what it means"
        case .credentialsRejected where call == .create || call == .get || want["status"]?.int == 403:
            return "without a rule 401 and 403 are about the credentials: an outcome rule can say otherwise"
        default: return nil
        }
    }

    /// Fictional, as all sample patients are.
    static let draft =
        #"{"name":"Ana Teste","phone":"5531988880001","email":"ana@example.test","cpf":"20000000108","birthday":"1990-03-07"}"#
    static let patch = #"{"name":"Carla Modelo"}"#
    private static let terms: [TermKind: String] = [
        .phone: "5531988880001", .cpf: "20000000108", .email: "ana@example.test", .name: "Ana Teste",
    ]

    private static func text(_ page: ClientPage) -> String {
        "[" + page.clients.map { String(decoding: $0.wire, as: UTF8.self) }.joined(separator: ",") + "]"
    }

    private static func text(_ answer: WriteAnswer) -> String {
        switch answer {
        case .record(let client): return String(decoding: client.wire, as: UTF8.self)
        case .id(let id):
            var writer = JSONWriter()
            writer.raw(#"{"id":"#)
            writer.string(id.text)
            writer.raw("}")
            return String(decoding: writer.finish(), as: UTF8.self)
        }
    }

    private static func differences(_ error: UpstreamError, _ want: JSONValue) -> [String] {
        let got = error.description.prefix { $0 != ":" && $0 != "(" }
        let name = String(got.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard let fails = want["fails"]?.string else {
            return ["want \(want["gives"].map(JSONDifference.text) ?? "an answer"), got: \(error)"]
        }
        // The counts of reasons are no part of the name.
        let matches = name == fails || name.hasPrefix(fails + " with")
        var lines = matches ? [] : ["want \(fails), got: \(error)"]
        if let reasons = want["reasons"]?.elements.compactMap(\.string) {
            let told: [String] =
                switch error {
                case .refused(let reasons), .conflict(let reasons): reasons
                default: []
                }
            if told != reasons { lines.append("reasons: want \(reasons), got \(told)") }
        }
        if let seconds = want["retryAfter"]?.int, case .rateLimited(let told) = error, told != seconds {
            lines.append("retryAfter: want \(seconds), got \(told.map(String.init) ?? "none")")
        }
        return lines
    }
}

extension UpstreamAnswer {
    fileprivate static func json(_ body: [UInt8]) -> UpstreamAnswer {
        UpstreamAnswer(status: 200, headers: [("Content-Type", "application/json")], body: body)
    }
}
