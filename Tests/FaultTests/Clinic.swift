import JSONBytes
import MockUpstream
import Testing

/// What is asked of Ponte while its system has a fault.
enum Asked: String, Sendable, CaseIterable {
    case list, search, get, create, change
    /// A list without a limit, which is streamed.
    case wholeList
    /// The same, and the fault strikes when its first page is on its way.
    case secondPage
    /// A create of somebody on record: the search for them is what is struck.
    case createExisting
    /// One client when the token has run out: the login is struck.
    case login

    /// The system's operation that is struck, and whose calls are counted.
    var operation: MockOperation {
        switch self {
        case .list, .wholeList, .secondPage: .list
        case .search, .createExisting: .search
        case .get: .get
        case .create: .create
        case .change: .update
        case .login: .login
        }
    }

    func expected(_ row: FaultRow) -> Outcome {
        switch self {
        case .create: row.create
        case .change: row.change
        // There is nothing in a login that another charset would spell otherwise.
        case .login where row.fault.hasPrefix("latin1"): .served
        // A page has less time than the list, and it passes while the system is given the time that it asks for.
        case .wholeList where row.asksToWait: .late
        default: row.read
        }
    }

    /// How often the system may be asked. A read may be tried again, a create never.
    func calls(_ row: FaultRow, round: Int) -> ClosedRange<Int> {
        let isServed = expected(row) == .served
        // Requests of such a row get through on connections of before only, and none to a create.
        let least = row.strikesAll ? 0 : 1
        let most = row.isRetried ? 4 : 1
        // Each round makes one patient more before it lists them, unless nobody can know.
        let made = row.create == .unknown ? 0 : round
        let pages = (Clinic.patients + made + PonteProcess.pageSize - 1) / PonteProcess.pageSize
        switch self {
        case .create: return least...least
        // A login is not repeated.
        case .login: return least...1
        // Libcurl sends it again when a kept connection dies.
        case .change: return row.read == .served ? 1...1 : least...2
        case .wholeList: return isServed ? pages...pages : least...most
        case .secondPage: return isServed ? pages...pages : least + 1...most + 1
        default: return isServed ? 1...1 : least...most
        }
    }
}

/// One clinic whose system has one fault, and who calls Ponte for it.
struct Clinic: Sendable {
    static let patients = 25
    /// Within which Ponte serves again when the system does: the time for which a breaker stays open or a login may take
    /// (15 s), and room.
    static let breakerWindow = Duration.seconds(30)

    let row: FaultRow
    let fault: MockFault
    let mock: MockServer
    let caller: Caller
    /// Another clinic, whose system is well.
    let neighbour: Caller

    /// Asks for everything once, each with the fault and then without.
    func play(round: Int) async throws {
        for asked in Asked.allCases where isSensible(asked, round) {
            try await play(asked, round: round)
            let other = await neighbour.call(Self.call(.get, round: round))
            #expect(other.status == 200, "the neighbour of \(row) with \(asked): \(other)")
        }
    }

    private func isSensible(_ asked: Asked, _ round: Int) -> Bool {
        switch asked {
        // What strikes connections cannot wait for a page.
        case .secondPage: !row.strikesAll
        // A login has a time of its own, longer than a call's: those that wait for it are waited for once.
        case .login: !row.isSlow || round == 1
        default: true
        }
    }

    private func play(_ asked: Asked, round: Int) async throws {
        let what: Comment = "\(row) with \(asked) in round \(round)"
        let call = Self.call(asked, round: round)
        mock.requests.reset()
        if asked == .login { mock.expireTokens() }
        mock.inject(
            fault, operation: row.strikesAll ? nil : asked.operation, after: asked == .secondPage ? 1 : 0)
        let start = ContinuousClock.now
        let answer = await caller.call(call)
        let time = ContinuousClock.now - start
        check(answer, asked, round, asked.expected(row), what)
        if asked.expected(row) == .late { #expect(time < PonteProcess.callTimeout * 8, "\(what): \(time)") }
        let count = mock.requests.count(asked.operation)
        #expect(asked.calls(row, round: round).contains(count), "\(what): \(count) calls")
        if asked == .createExisting { #expect(mock.requests.count(.create) == 0, what) }

        mock.clearFaults()
        let isInDoubt = asked == .create && row.create == .unknown
        let after = try await recovered(call, asked)
        check(after, asked, round, isInDoubt ? .unknown : .served, "after \(what)")
        if asked == .create {
            // What may have been made is not sent again before it would have appeared.
            if isInDoubt { #expect(after.retryAfter != nil && mock.requests.count(.create) == 1, what) }
            let phone = Self.phone(round)
            let found = await caller.call(Caller.Call(path: "/clients/search?term=\(phone)"))
            #expect(found.ids.count == (isInDoubt ? 0 : 1), "\(what) made \(found.ids.count)")
        }
    }

    /// The answer once the system is well: at once, or when Ponte says that it is worth trying again.
    private func recovered(_ call: Caller.Call, _ asked: Asked) async throws -> Caller.Answer {
        let end = ContinuousClock.now + Self.breakerWindow
        while true {
            let answer = await caller.call(call)
            // A login is under way, or waits until the system allows it.
            if asked == .login, answer.status == 504, ContinuousClock.now < end { continue }
            guard [429, 503].contains(answer.status), let seconds = answer.retryAfter, ContinuousClock.now < end else {
                return answer
            }
            try await Task.sleep(for: .seconds(seconds))
        }
    }

    // MARK: The breaker

    /// Reads until Ponte leaves the system alone, if it does; then the system is well again, and so is Ponte.
    func breakAndComeBack() async {
        let call = Self.call(.get, round: 1)
        #expect(await caller.call(call).status == 200, "\(row)")
        mock.inject(fault, operation: row.strikesAll ? nil : .get)
        var open: Caller.Answer?
        // Eight failures in a row open it.
        for _ in 0...8 where open == nil {
            let before = mock.requests.count(.get)
            let answer = await caller.call(call)
            if answer.code == "circuit_open" {
                open = answer
                // Ponte itself answers, unless the system told it to wait.
                #expect(mock.requests.count(.get) == before || row.asksToWait, "\(row)")
                #expect((1...6).contains(answer.retryAfter ?? 0), "\(row): \(answer)")
            } else {
                check(answer, .get, 1, row.read, "\(row) before the breaker opens")
            }
        }
        #expect(open != nil || !row.opensBreaker, "\(row)")
        mock.clearFaults()
        let start = ContinuousClock.now
        let back = try? await recovered(call, .get)
        #expect(back?.status == 200, "\(row): \(String(describing: back))")
        #expect(ContinuousClock.now - start < Self.breakerWindow, "\(row)")
        #expect(await neighbour.call(call).status == 200, "the neighbour of \(row)")
    }

    // MARK: Calls and answers

    static func phone(_ round: Int) -> String { "551197\(1_000_000 + round)" }
    private static func email(_ round: Int) -> String { "celia.\(round)@example.test" }

    private static func call(_ asked: Asked, round: Int) -> Caller.Call {
        switch asked {
        case .list: Caller.Call(path: "/clients?limit=5")
        case .search: Caller.Call(path: "/clients/search?term=5521999999999")
        case .get, .login: Caller.Call(path: "/clients/1001")
        case .wholeList, .secondPage: Caller.Call(path: "/clients")
        case .create:
            Caller.Call(
                method: "POST", path: "/clients", body: #"{"name":"Rita Teste Nova","phone":"\#(phone(round))"}"#)
        case .createExisting:
            Caller.Call(method: "POST", path: "/clients", body: #"{"name":"João Silva","phone":"5521999999999"}"#)
        case .change: Caller.Call(method: "PATCH", path: "/clients/1018", body: #"{"email":"\#(email(round))"}"#)
        }
    }

    private func check(
        _ answer: Caller.Answer, _ asked: Asked, _ round: Int, _ expected: Outcome, _ what: Comment
    ) {
        guard case .problem(let status, let code) = expected else {
            #expect(Self.isRight(answer, asked, round), "\(what): \(answer)")
            return
        }
        if asked == .secondPage {
            // Its status had gone out: the list breaks off.
            #expect(answer.failure != nil, "\(what): \(answer)")
        } else {
            #expect(answer.status == status && answer.code == code, "\(what): \(answer)")
        }
    }

    /// Whether it is what a system that is well leads to.
    private static func isRight(_ answer: Caller.Answer, _ asked: Asked, _ round: Int) -> Bool {
        guard answer.status == 200, let json = answer.json else { return false }
        let joao = json["id"]?.string == "1001" && json["name"]?.string == "João Silva"
        switch asked {
        case .list: return answer.ids == (1001...1005).map(String.init)
        case .search: return answer.ids == ["1001"] && json.elements.first?["name"]?.string == "João Silva"
        case .get, .login, .createExisting: return joao
        case .create: return json["id"]?.string != nil && json["phone"]?.string == phone(round)
        case .change: return json["id"]?.string == "1018" && json["email"]?.string == email(round)
        case .wholeList, .secondPage:
            return answer.ids.count >= patients && Set(answer.ids).count == answer.ids.count
        }
    }
}
