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
/// - `sends`: the JSON body that must have been sent;
/// - `credentials`, `settings`: what the tenant gives, by name (`s-NAME` unless given, 101 where a number is sent);
///   `baseURL`: its address (the profile's own unless given).
///
/// A member that would not be heard, by its name, its kind or its call, is a fault.
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
        let report = ConfigReport(file: "\(name).out.json")
        let meaning = report.root(expected).flatMap { PairMeaning($0, profile, pairs: Array(others.keys)) }
        guard report.faults.isEmpty, let meaning else {
            let faults = report.faults.map(\.description)
            return faults.isEmpty ? ["\(name).out.json cannot be understood"] : faults
        }
        if inputType == "json", !input.isEmpty, !isJSON, meaning.fails == nil {
            return ["\(name).in.json is no JSON: an answer that is none ends in .in.txt or .in.html"]
        }
        return await differences(profile, meaning, login: login)
    }

    var isJSON: Bool { (try? JSONDocument(input)) != nil }

    private func differences(_ profile: Profile, _ want: PairMeaning, login: [UInt8]?) async -> [String] {
        let http = CannedHTTP(system(want, login: profile.logsIn ? login ?? [] : nil))
        let driver = Self.driver(profile, want, http)
        var differences: [String] = []
        do throws(UpstreamError) {
            let got = try await run(want.asked, driver)
            if let gives = want.gives {
                guard let document = try? JSONDocument(Array(got.utf8)) else { throw .malformed("no JSON") }
                differences += JSONDifference.lines(want: gives, got: document.root)
            } else {
                differences.append("want \(want.fails ?? "a failure"), got \(got)")
            }
        } catch {
            differences += Self.differences(error, want)
            if !differences.isEmpty, let hint = hint(error, want) { differences.append("→ " + hint) }
        }
        if let sends = want.sends {
            let sent = http.requests.last { $0.body?.isEmpty == false }?.body
            if let sent, let document = try? JSONDocument(sent) {
                differences += JSONDifference.lines(want: sends, got: document.root).map { "sent \($0)" }
            } else {
                differences.append("sent: want \(JSONDifference.text(sends)), got no JSON body")
            }
        }
        return differences
    }

    /// What the system answers: to a login, to the read before an update, and to the call itself.
    private func system(_ want: PairMeaning, login: [UInt8]?) -> CannedHTTP.Answer {
        let type =
            want.contentType
            ?? (inputType == "html" ? "text/html" : inputType == "txt" ? "text/plain" : "application/json")
        let answer = UpstreamAnswer(
            status: want.status, headers: [(name: "Content-Type", value: type)] + want.headers, body: input)
        let record = (want.record ?? others[want.reads ?? "detail-full"]).map { UpstreamAnswer.json($0) }
        let isUpdate = want.call == .update
        return { request, index in
            if let login, index == 0 { return .json(login) }
            if isUpdate, let record, request.repeatability == .safe { return record }
            return answer
        }
    }

    /// The address of a system whose profile has none.
    static let address = "https://system.example.test/v1"

    private static func driver(_ profile: Profile, _ want: PairMeaning, _ http: CannedHTTP) -> RESTDriver {
        var tenant = profile.trialTenant(
            baseURL: want.baseURL ?? (profile.baseURL == nil ? address : nil), phones: PhoneContext(areaCode: 31)
        ) { variable in "s-" + variable.drop { $0 != "." }.dropFirst() }
        for (name, text) in want.credentials { tenant.credentials[name] = Secret(text) }
        for (name, text) in want.settings { tenant.settings[name] = text }
        return RESTDriver(profile: profile, tenant: tenant, http: http)
    }

    /// Makes the call. The contract's JSON, or an id alone.
    private func run(_ asked: PairMeaning.Asked, _ driver: RESTDriver) async throws(UpstreamError) -> String {
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

    private static func differences(_ error: UpstreamError, _ want: PairMeaning) -> [String] {
        let got = error.description.prefix { $0 != ":" && $0 != "(" }
        let name = String(got.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard let fails = want.fails else {
            return ["want \(want.gives.map(JSONDifference.text) ?? "an answer"), got: \(error)"]
        }
        // The counts of reasons are no part of the name.
        let matches = name == fails || name.hasPrefix(fails + " with")
        var lines = matches ? [] : ["want \(fails), got: \(error)"]
        if let reasons = want.reasons {
            let told: [String] =
                switch error {
                case .refused(let reasons), .conflict(let reasons): reasons
                default: []
                }
            if told != reasons { lines.append("reasons: want \(reasons), got \(told)") }
        }
        if let seconds = want.retryAfter {
            let told: Int? =
                switch error {
                case .rateLimited(let told), .circuitOpen(let told, _): told
                default: nil
                }
            if told != seconds { lines.append("retryAfter: want \(seconds), got \(told.map(String.init) ?? "none")") }
        }
        return lines
    }
}

extension UpstreamAnswer {
    fileprivate static func json(_ body: [UInt8]) -> UpstreamAnswer {
        UpstreamAnswer(status: 200, headers: [("Content-Type", "application/json")], body: body)
    }
}
