import ClientContract
import Synchronization
import Testing
import UpstreamDriver

@testable import Bridge

/// How much a search asks the system for, and that nothing of it shows in the answer.
@Suite(.timeLimit(.minutes(1))) struct SearchWorkTests {
    private func bridge(
        _ driver: any UpstreamDriver, by kinds: [TermKind] = [.phone], scan: Int? = nil, atOnce: Int = 8
    ) -> Bridge {
        Bridge(
            driver: driver,
            options: BridgeOptions(
                searchBy: kinds, scan: .init(allowed: scan != nil, maxRecords: scan ?? 0), concurrentDetails: atOnce))
    }

    // MARK: Filters that are ignored

    @Test("the system's own total shows at once that it ignores the filter", arguments: [1, 4])
    func announced(_ attempts: Int) async throws {
        let clinic = ModelClinic(WindowTests.people(5_000), .model(attempts: attempts))
        clinic.set {
            $0.found = SearchTests.everybody
            $0.searchPaging.endSign = .total
        }
        let error = await failure { try await bridge(clinic, atOnce: 1).ids("5511999990000") }
        #expect(error?.code == .upstreamMalformed)
        #expect(clinic.calls.count == 1)
    }

    @Test("attempts that ignore the filter make at most 21 calls each, as many together as may run at once")
    func silent() async throws {
        for atOnce in [1, 3] {
            let clinic = ModelClinic(WindowTests.people(5_000), .model(attempts: 6))
            clinic.set { $0.found = SearchTests.everybody }
            let error = await failure { try await bridge(clinic, atOnce: atOnce).ids("5511999990000") }
            #expect(error?.code == .upstreamMalformed)
            #expect(clinic.calls.count <= 21 * atOnce)
        }
    }

    @Test("2,000 rows of one attempt are a search, one more is not", arguments: [2_000, 2_001])
    func mostCandidates(_ count: Int) async throws {
        let clinic = ModelClinic(WindowTests.people(count), .model())
        clinic.set {
            $0.found = SearchTests.everybody
            $0.searchPaging.endSign = .flag
        }
        let error = await failure { try await bridge(clinic).ids("5511999990000") }
        #expect((error == nil) == (count == Bridge.mostCandidates))
    }

    @Test("a search declared exact that begins with ten strangers, more to come, is not believed")
    func exactButNot() async throws {
        func calls(
            _ count: Int, _ trust: Capabilities.Trust, lacks: Set<ClientField> = [], matching: Int? = nil
        ) async throws -> (code: ContractError.Code?, calls: Int) {
            var people = WindowTests.people(count)
            if let matching { people[matching].phones = [try phone("5511999990000")] }
            let clinic = ModelClinic(people, .model(trust: trust, needsDetail: lacks))
            clinic.set { $0.found = SearchTests.everybody }
            let error = await failure { try await bridge(clinic).ids("5511999990000") }
            return (error?.code, clinic.calls.count)
        }
        #expect(try await calls(500, .exact) == (.upstreamMalformed, 1))
        // All there is, a match among them, too few to tell, or nothing promised: compared as ever.
        #expect(try await calls(99, .exact) == (nil, 1))
        #expect(try await calls(500, .exact, matching: 99) == (nil, 6))
        #expect(try await calls(500, .superset) == (nil, 6))
        #expect(try await calls(500, .unproven) == (nil, 6))
        // Rows that do not show the phone are no strangers yet.
        #expect(try await calls(60, .exact, lacks: [.phone]) == (nil, 1 + 60))
        #expect(try await calls(101, .exact, lacks: [.phone]) == (.upstreamMalformed, 2))
    }

    // MARK: No more than it takes

    @Test("reading all clients ends with the window; without a limit it goes to the end or the bound")
    func scanEnds() async throws {
        let clinic = ModelClinic(
            (0..<1_000).map { Person(id: "p\($0)", name: $0 % 10 == 0 ? "Bruno Exemplo" : "Ana Teste") },
            .model(searches: []))
        func calls(_ window: Window, most: Int = 10_000) async -> (count: Int?, calls: Int) {
            clinic.set { $0.calls = [] }
            let found = try? await bridge(clinic, by: [.name], scan: most).ids("Bruno Exemplo", window)
            return (found?.count, clinic.calls.count)
        }
        #expect(await calls(Window(limit: 1)) == (1, 1))
        #expect(await calls(Window(limit: 10)) == (10, 1))
        #expect(await calls(Window(limit: 11)) == (11, 2))
        #expect(await calls(Window(limit: 5, offset: 20)) == (5, 3))
        #expect(await calls(Window(limit: 0)) == (0, 0))
        #expect(await calls(Window(offset: 95)) == (5, 11))
        #expect(await calls(Window(limit: .max, offset: .max)) == (0, 11))
        // The bound counts what is read, not what there is.
        #expect(await calls(Window(limit: 10), most: 500) == (10, 1))
        #expect(await calls(Window(), most: 500) == (nil, 6))
    }

    @Test("an attempt ends when it has as many matches as the window needs")
    func attemptEnds() async throws {
        let line = try phone("5511999990000")
        let clinic = ModelClinic((0..<450).map { Person(id: "p\($0)", phones: [line]) }, .model(attempts: 2))
        #expect(try await bridge(clinic).ids(line.digits, Window(limit: 10, offset: 100)).first == "p100")
        #expect(clinic.calls.count == 2 * 2)
    }

    @Test("a window is the slice of the whole answer, whatever attempts find and rows hide")
    func slices() async throws {
        var generator = Seeded(41)
        let number = try #require(CPF("11987654321"))
        let line = try phone("5511987654321")
        var compared = 0
        for _ in 0..<150 {
            let people = (0..<Int.random(in: 0...50, using: &generator)).map { index in
                Person(
                    id: "p\(index)", phones: Bool.random(using: &generator) ? [line] : [],
                    cpf: Bool.random(using: &generator) ? number : nil)
            }
            let seed = generator.next()
            let lacks: Set<ClientField> = [[], [.cpf], [.phone], [.cpf, .phone]][
                Int.random(in: 0..<4, using: &generator)]
            let searches: [TermKind] = [[.phone, .cpf], [.phone], []][
                lacks.isEmpty ? Int.random(in: 0..<3, using: &generator) : 0]
            let clinic = ModelClinic(people, .model(searches: searches, attempts: 3, needsDetail: lacks))
            clinic.set { state in
                state.searchPaging.cap = 7
                state.searchPaging.endSign = .flag
                state.found = { term, attempt, person in
                    var hasher = Seeded(seed ^ UInt64(attempt) ^ UInt64(person.id.utf8.reduce(0) { $0 * 31 + Int($1) }))
                    return hasher.next() % 2 == 0 || (attempt == 2 && term.matches(person.client()))
                }
            }
            let bridge = bridge(clinic, by: [.phone, .cpf], scan: 10_000)
            let all = try await bridge.ids("11987654321")
            let matching = people.filter { $0.cpf == number || $0.phones == [line] }.map(\.id)
            #expect(Set(all) == Set(matching) && all.count == matching.count)
            for _ in 0..<4 {
                let window = WindowTests.window(&generator, upTo: 40)
                compared += 1
                #expect(try await bridge.ids("11987654321", window) == WindowTests.slice(all, window))
            }
        }
        #expect(compared == 600)
    }

    @Test("no question is put twice: not for a term, nor for two readings of one term")
    func questions() async throws {
        let (short, long) = (try phone("551188887777"), try phone("5521977776666"))
        let people = [Person(id: "ana", phones: [long]), Person(id: "bruno", phones: [short])]
        for lacks: Set<ClientField> in [[], [.phone]] {
            let clinic = ModelClinic(people, .model(attempts: 4, needsDetail: lacks))
            clinic.set {
                $0.found = SearchTests.everybody
                // Three attempts: nothing to ask, the same for both terms, and one of its own; the last repeats the first.
                $0.question = { term, attempt in
                    switch attempt {
                    case 0, 3: SearchQuestion(["same"])
                    case 1: nil
                    default: SearchQuestion(term, attempt: attempt)
                    }
                }
            }
            let found = try await bridge(clinic).find([.phone(short), .phone(long)], soon())
            #expect(found.map(\.client.id.text) == ["ana", "bruno"])
            let searches = clinic.calls.filter { if case .candidates = $0 { true } else { false } }
            #expect(searches.count == 3)
            #expect(searches.count { $0 == .candidates(.phone, 0) } == 1)
        }
        #expect("\(SearchQuestion(["5511988887777"]))".contains("5511") == false)
    }

    @Test("kinds that come to one question share its answer, and what one of them needs compared is compared")
    func sharedByKinds() async throws {
        let people = [
            Person(id: "phone", phones: [try phone("5511987654321")]), Person(id: "none"),
            Person(id: "cpf", cpf: try #require(CPF("11987654321") as CPF?)),
        ]
        let clinic = ModelClinic(people, .model(needsDetail: [.cpf]))
        clinic.set {
            $0.found = SearchTests.everybody
            $0.question = { _, _ in SearchQuestion(["q", "11987654321"]) }
        }
        let found = try await bridge(clinic, by: [.phone, .cpf]).find(
            [.phone(try phone("5511987654321")), .cpf(try #require(CPF("11987654321")))], soon())
        #expect(found.map(\.client.id.text) == ["phone", "cpf"])
        #expect(clinic.calls == [.candidates(.phone, 0), .client("none"), .client("cpf")])
    }

    // MARK: Together

    /// Answers searches in an order that the test gives, each only when all are under way.
    private final class Conducted: UpstreamDriver {
        private let clinic: ModelClinic
        private let order: [Int]
        private let turn = Mutex((waiting: [Int: CheckedContinuation<Void, Never>](), finished: 0, most: 0))

        init(_ clinic: ModelClinic, _ order: [Int]) { (self.clinic, self.order) = (clinic, order) }

        var capabilities: Capabilities { clinic.capabilities }
        var most: Int { turn.withLock { $0.most } }

        func candidates(
            for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
        ) async throws(UpstreamError) -> ClientPage {
            await withCheckedContinuation { waiter in
                turn.withLock { turn in
                    turn.waiting[attempt] = waiter
                    turn.most = max(turn.most, turn.waiting.count)
                }
                release(whenAllAreThere: true)
            }
            defer {
                turn.withLock { $0.finished += 1 }
                release(whenAllAreThere: false)
            }
            return try await clinic.candidates(for: term, attempt: attempt, request, context)
        }

        private func release(whenAllAreThere: Bool) {
            turn.withLock { turn in
                guard !whenAllAreThere || turn.waiting.count == order.count, order.indices.contains(turn.finished)
                else {
                    return
                }
                turn.waiting.removeValue(forKey: order[turn.finished])?.resume()
            }
        }

        func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
            try await clinic.page(request, context)
        }
        func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
            try await clinic.client(id, context)
        }
        func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
            try await clinic.create(draft, context)
        }
        func update(
            _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
        ) async throws(UpstreamError) -> WriteAnswer { try await clinic.update(id, patch, context) }
    }

    @Test(
        "the order is the same, whichever answer comes first",
        arguments: [
            [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0],
        ])
    func stableOrder(_ order: [Int]) async throws {
        let line = try phone("5511999990000")
        let clinic = ModelClinic((0..<9).map { Person(id: "p\($0)", phones: [line]) }, .model(attempts: 3))
        clinic.set { state in
            state.found = { _, attempt, person in
                ["p5 p0 p7", "p7 p1 p2", "p0 p3 p1 p8"][attempt].split(separator: " ").contains { $0 == person.id }
            }
        }
        let driver = Conducted(clinic, order)
        #expect(try await bridge(driver).ids(line.digits) == ["p0", "p5", "p7", "p1", "p2", "p3", "p8"])
        #expect(driver.most == 3)
    }

    @Test("one attempt of several that fails is an error, never a shorter answer", arguments: 0..<3)
    func partialFailure(_ failing: Int) async throws {
        let line = try phone("5511999990000")
        for wanted in [nil, 1] {
            let clinic = ModelClinic([Person(id: "ana", phones: [line])], .model(attempts: 3))
            clinic.set { $0.failures = [failing: .failed(status: 500, "the search")] }
            let error = await failure {
                try await bridge(clinic, atOnce: 1).ids(line.digits, Window(limit: wanted))
            }
            #expect(error?.code == .upstreamFailed)
        }
    }
}
