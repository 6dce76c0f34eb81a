import JSONBytes
import Synchronization
import UpstreamDriver

@testable import ClientContract
@testable import Transport

/// A clinic's system that gives the answers of an input, one after the other and round again, whatever it is asked.
final class CannedSystem: HTTPSending {
    static let address = "https://system.example.test/api"

    private let answers: [UpstreamAnswer]
    private let asked = Mutex(0)
    /// Requests must be such that they may be sent: no line break in a header, no other host.
    private let mustBeSound: Bool

    init(_ answers: [UpstreamAnswer], mustBeSound: Bool) {
        self.answers = answers
        self.mustBeSound = mustBeSound
    }

    func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer {
        do throws(TransportError) {
            try request.validate()
        } catch {
            check(!mustBeSound, "a request can be sent: \(error)")
            throw error
        }
        if mustBeSound {
            check(
                (try? Origin(ofURL: request.url)) == (try? Origin(ofURL: Self.address)), "a request keeps to its host")
        }
        let number = asked.withLock { asked in
            asked += 1
            return asked - 1
        }
        // No call of a driver is a loop without end.
        check(number < 500, "calls end")
        guard !answers.isEmpty, number < 500 else {
            throw TransportError(
                kind: .connect, phase: .connecting, mayHaveReachedServer: false, detail: "nothing answers")
        }
        let answer = answers[number % answers.count]
        _ = request.reading?(answer)
        return answer
    }
}

/// Calls everything that a driver has. Whatever its system answers, each call ends with clients whose members read back,
/// or with a typed error.
func exercise(_ driver: any UpstreamDriver, operation: UInt8? = nil) async {
    let context = CallContext(deadline: .now + .seconds(60), requestID: "fuzz-1")
    let abilities = driver.capabilities
    func wants(_ number: UInt8) -> Bool { operation.map { $0 % 5 == number } ?? true }
    if wants(0) {
        await pages(context) { (request) async throws(UpstreamError) in try await driver.page(request, context) }
    }
    if wants(1) {
        for term in terms {
            for attempt in (abilities.searches[term.kind] ?? []).indices {
                _ = driver.question(for: term, attempt: attempt)
                await pages(context) { (request) async throws(UpstreamError) in
                    try await driver.candidates(for: term, attempt: attempt, request, context)
                }
            }
        }
    }
    if wants(2) {
        for id in ["1", "2/..#?é", "7b0e5ef4-5a3c-4c7a-8d0f-5f7b9f1d2a11"] {
            await outcome { () async throws(UpstreamError) in
                let client = try await driver.client(ClientID(id), context)
                check(client.id == ClientID(id), "the client that was asked for came")
                readsBack(client)
            }
        }
    }
    if wants(3) {
        await outcome { () async throws(UpstreamError) in
            written(try await driver.create(draft, context))
        }
    }
    if wants(4) {
        for patch in [ClientPatch(name: "Ana Teste"), ClientPatch(email: "ana@example.test", birthday: draft.birthday)]
        {
            await outcome { () async throws(UpstreamError) in
                written(try await driver.update(ClientID("1"), patch, context))
            }
        }
    }
}

private let draft = ClientDraft(
    name: "Ana \"Teste\" \u{7}<b>ção", phone: PhoneNumber(e164: 5_511_987_654_321),
    email: "ana+x@example.test", birthday: Birthday(year: 1990, month: 2, day: 28), cpf: CPF("12345678900"),
    healthInsurance: "3", location: "a&b=c")

private let terms: [SearchTerm] = [
    "(11) 98765-4321", "12345678900", "ana+x@example.test", "Ana % \"Teste\"\\*_'ção",
].flatMap { text in TermKind.allCases.flatMap { SearchTerm.readings(of: text, as: $0) } }

private func pages(
    _ context: CallContext, _ page: (PageRequest) async throws(UpstreamError) -> ClientPage
) async {
    await outcome { () async throws(UpstreamError) in
        var request = PageRequest(.offset(0), size: 20)
        // A second page by whatever the first one said.
        for _ in 0..<2 {
            let page = try await page(request)
            check(page.rows >= 0 && page.rows >= page.clients.count, "rows are counted")
            check(page.total ?? 0 >= 0, "a total is a number of rows")
            page.clients.forEach(readsBack)
            if let token = page.next {
                request.place = .token(token)
            } else if page.rows > 0 {
                request.place = .offset(page.rows)
            } else {
                break
            }
        }
    }
}

private func outcome(_ call: () async throws(UpstreamError) -> Void) async {
    do throws(UpstreamError) {
        try await call()
    } catch {
        check(!error.description.isEmpty, "an error has a text")
        switch error {
        case .refused(let reasons), .conflict(let reasons):
            check(reasons.count <= 10 && reasons.allSatisfy { $0.count <= 300 }, "reasons are short")
            let clean = reasons.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
            check(clean, "reasons are on one line")
        case .rateLimited(let seconds), .circuitOpen(let seconds, _), .saturated(let seconds):
            check((0...86_400).contains(seconds ?? 0), "a time to wait is one")
        default: break
        }
    }
}

private func written(_ answer: WriteAnswer) {
    switch answer {
    case .record(let client): readsBack(client)
    case .id(let id): check(!id.text.isEmpty, "an id is not empty")
    }
}

/// What goes to the caller is JSON of the contract, and says what the client says of itself.
func readsBack(_ client: Client) {
    guard let root = (try? JSONDocument(client.wire))?.root, root.kind == .object else {
        return check(false, "a client is a JSON object")
    }
    let members = root.members
    let names = ClientField.allCases.map(\.wireName)
    check(members.allSatisfy { names.contains($0.key) }, "a client has the contract's members only")
    check(Set(members.map(\.key)).count == members.count, "a client has each member once")
    for field in ClientField.allCases {
        let value = root[field.wireName]
        check((value != nil) == client.has(field), "a member is there or not")
        if field == .allPhones {
            let phones = value?.elements.map { $0.string ?? "" } ?? []
            check(phones == client.allPhones.map(\.digits), "all phones read back")
        } else if let value {
            check(value.string == client.text(field), "a member reads back")
        }
    }
    check(!client.id.text.isEmpty && root["name"] != nil, "a client has an id and a name")
    check((root["phone"] != nil) == (root["allPhones"] != nil), "one phone and all phones go together")
    if let phone = client.phone { check(client.reaches(phone), "a client is reached by its own phone") }
    check(!client.has(.phone) || client.phone?.digits == client.text(.phone), "a phone is digits")
}
