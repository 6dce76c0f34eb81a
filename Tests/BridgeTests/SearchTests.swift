import Bridge
import ClientContract
import Testing
import UpstreamDriver

@Suite(.timeLimit(.minutes(1))) struct SearchTests {
    /// Answers everybody, whatever is asked.
    static let everybody: @Sendable (SearchTerm, Int, Person) -> Bool = { _, _, _ in true }

    private func people() throws -> [Person] {
        [
            Person(
                id: "ana", name: "Ana  Teste", phones: [try phone("5531988887777"), try phone("551133334444")],
                cpf: try cpf(1), email: "Ana.Teste@Example.test"),
            Person(id: "bruno", name: "BRUNO EXEMPLO", phones: [try phone("553188887777")], cpf: try cpf(2)),
            Person(
                id: "carla", name: "Carla Amostra", phones: [try phone("5521977776666")], email: "carla@example.test"),
            Person(id: "dora", name: "5541966665555", phones: [try phone("5541966665555")]),
        ]
    }

    private func bridge(
        _ clinic: ModelClinic, by kinds: [TermKind] = TermKind.allCases, scan: Bool = false
    ) -> Bridge {
        Bridge(
            driver: clinic,
            options: BridgeOptions(searchBy: kinds, scan: .init(allowed: scan, maxRecords: 1_000), concurrentDetails: 3)
        )
    }

    @Test(
        "what matches a term, though the system answers everybody",
        arguments: [
            ("5531988887777", ["ana", "bruno"]), ("553188887777", ["ana", "bruno"]),
            ("(31) 98888-7777", ["ana", "bruno"]),
            ("031 8888-7777", ["ana", "bruno"]), ("+55 11 3333-4444", ["ana"]), ("551133334445", []),
            ("ana.teste@EXAMPLE.test", ["ana"]), ("teste@example.test", []), ("ana teste", ["ana"]),
            ("  ANA   TESTE ", ["ana"]), ("Ana", []), ("bruno exemplo", ["bruno"]), ("5541966665555", ["dora"]),
        ])
    func exact(_ term: String, _ expected: [String]) async throws {
        let clinic = ModelClinic(try people(), .model())
        clinic.set { $0.found = Self.everybody }
        #expect(try await bridge(clinic).ids(term) == expected)
    }

    @Test("a CPF with and without punctuation")
    func byCPF() async throws {
        let clinic = ModelClinic(try people(), .model())
        clinic.set { $0.found = Self.everybody }
        #expect(try await bridge(clinic).ids(cpf(2).digits) == ["bruno"])
        #expect(try await bridge(clinic).ids(cpf(2).punctuated) == ["bruno"])
    }

    @Test("eleven digits are tried as CPF and as phone; who is both comes once")
    func elevenDigits() async throws {
        let number = try #require(CPF("11987654321"))
        let line = try phone("5511987654321")
        let clinic = ModelClinic(
            [
                Person(id: "phone", phones: [line]), Person(id: "both", phones: [line], cpf: number),
                Person(id: "cpf", cpf: number),
            ], .model())
        #expect(try await bridge(clinic, by: [.phone, .cpf]).ids("11987654321") == ["phone", "both", "cpf"])
        #expect(try await bridge(clinic, by: [.cpf, .phone]).ids("11987654321") == ["both", "cpf", "phone"])
        #expect(try await bridge(clinic, by: [.cpf]).ids("11987654321") == ["both", "cpf"])
        #expect(clinic.calls.count == 5)
    }

    @Test("a number that is another country's mobile and a Brazilian one finds both, the former first")
    func foreignOrBrazilian() async throws {
        let people = [
            Person(id: "porto alegre", phones: [try phone("5551987654321")]),
            Person(id: "peru", phones: [try phone("+51987654321")]),
            Person(id: "other", phones: [try phone("5511987654321")]),
        ]
        let clinic = ModelClinic(people, .model())
        #expect(try await bridge(clinic, by: [.phone]).ids("51987654321") == ["peru", "porto alegre"])
        #expect(try await bridge(clinic, by: [.phone]).ids("5551987654321") == ["porto alegre"])
        #expect(try await bridge(clinic, by: [.phone]).ids("+51987654321") == ["peru"])
        // One reading of all clients serves both.
        let lister = ModelClinic(people, .model(searches: []))
        #expect(try await bridge(lister, by: [.phone], scan: true).ids("51987654321") == ["porto alegre", "peru"])
        #expect(lister.calls.count == 1)
        let error = await failure { try await bridge(lister, by: [.phone]).ids("51987654321") }
        #expect(error?.detail?.contains("cannot search by phone. ") == true)
    }

    @Test("a term that is none of the tenant's kinds matches nobody, without a call")
    func noKind() async throws {
        let clinic = ModelClinic(try people(), .model())
        #expect(try await bridge(clinic, by: [.phone, .cpf]).ids("Ana Teste").isEmpty)
        #expect(try await bridge(clinic, by: [.phone, .cpf]).ids("5531988887777", Window(limit: 0)).isEmpty)
        #expect(clinic.calls.isEmpty)
    }

    @Test("several attempts are merged in their order")
    func attempts() async throws {
        let clinic = ModelClinic(try people(), .model(attempts: 2))
        clinic.set { state in
            state.found = { _, attempt, person in attempt == 0 ? person.id == "bruno" : person.id != "carla" }
        }
        #expect(try await bridge(clinic, by: [.phone]).ids("5531988887777") == ["bruno", "ana"])
        #expect(clinic.calls.count == 2)
    }

    @Test("limit and offset count matches, not candidates")
    func windows() async throws {
        var people: [Person] = []
        for number in 0..<300 {
            people.append(
                Person(id: "p\(number)", name: number % 3 == 0 ? "Bruno Exemplo" : "Ana Teste", phones: []))
        }
        let clinic = ModelClinic(people, .model(searches: [.name]))
        clinic.set { $0.found = Self.everybody }
        let matching = people.filter { $0.name == "Bruno Exemplo" }.map(\.id)
        for window in [
            Window(), Window(limit: 7), Window(limit: 7, offset: 5), Window(limit: 9, offset: 96), Window(offset: 200),
        ] {
            #expect(
                try await bridge(clinic, by: [.name]).ids("bruno exemplo", window)
                    == WindowTests.slice(matching, window))
        }
    }

    @Test("many on one phone are answered; a filter that is ignored is an error after bounded work")
    func bounds() async throws {
        let line = try phone("5511999990000")
        let sharing = (0..<400).map { Person(id: "p\($0)", phones: [line]) }
        #expect(try await bridge(ModelClinic(sharing, .model()), by: [.phone]).ids(line.digits).count == 400)
        let clinic = ModelClinic(WindowTests.people(5_000), .model())
        clinic.set { $0.found = Self.everybody }
        let error = await failure { try await bridge(clinic, by: [.phone]).ids(line.digits) }
        #expect(error?.code == .upstreamMalformed)
        #expect(clinic.calls.count == 21)
    }

    @Test("a kind that the system cannot search by: 501 that names those it can")
    func unsupported() async throws {
        let clinic = ModelClinic(try people(), .model(searches: [.phone, .cpf]))
        let error = await failure { try await bridge(clinic).ids("ana.teste@example.test") }
        #expect(error?.code == .unsupported)
        #expect(error?.detail?.contains("email") == true)
        #expect(error?.detail?.hasSuffix("phone, cpf") == true)
        #expect(clinic.calls.isEmpty)
    }

    @Test("where the tenant allows it, all clients are read, once for all kinds")
    func scan() async throws {
        let clinic = ModelClinic(try people(), .model(searches: [.cpf]))
        #expect(try await bridge(clinic, scan: true).ids("5541966665555") == ["dora"])
        #expect(clinic.calls == [.page(0, 100)])
        let many = ModelClinic(WindowTests.people(1_300), .model(searches: []))
        let error = await failure { try await bridge(many, scan: true).ids("carla@example.test") }
        #expect(error?.code == .unsupported)
        #expect(error?.detail?.contains("1000") == true)
        #expect(many.calls.count == 11)
        let hidden = ModelClinic(try people(), .model(searches: [], needsDetail: [.email]))
        #expect(await failure { try await bridge(hidden, scan: true).ids("carla@example.test") }?.code == .unsupported)
        #expect(hidden.calls.isEmpty)
    }

    @Test(
        "rows that lack what is compared are completed first",
        arguments: [
            (Set([ClientField.cpf]), TermKind.cpf), (Set([ClientField.email]), TermKind.email),
            (Set([ClientField.allPhones]), TermKind.phone), (Set([ClientField.phone]), TermKind.phone),
        ])
    func needsDetail(_ lacks: Set<ClientField>, _ kind: TermKind) async throws {
        let clinic = ModelClinic(try people(), .model(needsDetail: lacks))
        clinic.set { $0.found = Self.everybody }
        let term =
            switch kind {
            case .cpf: try cpf(1).digits
            case .email: "ana.teste@example.test"
            default: "551133334444"
            }
        let found = try await bridge(clinic, by: [kind]).search(term, Window(), soon())
        #expect(found.map(\.id.text) == ["ana"])
        #expect(found.first?.cpf == (try cpf(1)))
        #expect(found.first?.email == "Ana.Teste@Example.test")
        #expect(found.first?.allPhones.count == 2)
        // Everybody is compared, nobody twice.
        #expect(clinic.calls.count == 5)
    }

    @Test("a match is completed once, and only in the window")
    func completedInWindow() async throws {
        let line = try phone("5511999990000")
        let sharing = (0..<40).map { Person(id: "p\($0)", phones: [line], email: "p\($0)@example.test") }
        let clinic = ModelClinic(sharing, .model(attempts: 2, needsDetail: [.email]))
        let found = try await bridge(clinic, by: [.phone]).search(line.digits, Window(limit: 3, offset: 2), soon())
        #expect(found.map(\.email) == ["p2@example.test", "p3@example.test", "p4@example.test"])
        #expect(clinic.calls.count == 2 + 3)
    }

    @Test("candidates beyond what can be compared, and rows that cannot be completed, are errors")
    func cannotCompare() async throws {
        let many = ModelClinic(WindowTests.people(65), .model(needsDetail: [.cpf]))
        many.set { $0.found = Self.everybody }
        #expect(await failure { try await bridge(many, by: [.cpf]).ids(cpf(1).digits) }?.code == .upstreamMalformed)
        #expect(many.calls.count == 1)
        let closed = ModelClinic(try people(), .model(needsDetail: [.cpf], without: [.get]))
        closed.set { $0.found = Self.everybody }
        #expect(await failure { try await bridge(closed, by: [.cpf]).ids(cpf(1).digits) }?.code == .unsupported)
    }

    @Test("details are fetched together, never more than allowed")
    func concurrency() async throws {
        let line = try phone("5511999990000")
        let sharing = (0..<20).map { Person(id: "p\($0)", phones: [line], email: "p\($0)@example.test") }
        // Without three at once, the barrier would never open.
        let clinic = ModelClinic(sharing, .model(needsDetail: [.email]), barrier: 3)
        let found = try await bridge(clinic, by: [.phone]).search(line.digits, Window(), soon())
        #expect(found.map(\.id.text) == sharing.map(\.id))
        #expect(clinic.state.withLock { $0.mostInFlight } == 3)
        let lister = ModelClinic(sharing, .model(needsDetail: [.email]), barrier: 3)
        var pages = Bridge(
            driver: lister, options: BridgeOptions(listDetail: true, concurrentDetails: 3)
        ).list(Window(limit: 10), soon())
        #expect(try await pages.next()?.compactMap(\.email).count == 10)
        #expect(lister.state.withLock { $0.mostInFlight } == 3)
    }

    @Test("a list without details leaves members out, and asks for nothing more")
    func plainList() async throws {
        let clinic = ModelClinic(try people(), .model(needsDetail: [.email]))
        var pages = Bridge(driver: clinic, options: BridgeOptions()).list(Window(), soon())
        #expect(try await pages.next()?.compactMap(\.email).isEmpty == true)
        #expect(clinic.calls == [.page(0, 100)])
    }
}
