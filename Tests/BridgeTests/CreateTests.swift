import Bridge
import ClientContract
import Testing
import UpstreamDriver

@Suite(.timeLimit(.minutes(1))) struct CreateTests {
    private func bridge(_ clinic: ModelClinic, _ action: BridgeOptions.DuplicateAction = .returnExisting) -> Bridge {
        Bridge(driver: clinic, options: BridgeOptions(onDuplicate: action))
    }

    // MARK: Duplicates

    /// A draft of Ana Teste on one line against a record on the same line or another.
    struct Pair: Sendable {
        enum Number: Sendable { case none, same, other, placeholder }
        let draft: Number
        let record: Number
        let samePhone: Bool
        let name: String
        let draftName: String
        let isDuplicate: Bool

        init(
            _ draft: Number, _ record: Number, _ samePhone: Bool, _ name: String, as draftName: String = "Ana Teste",
            _ isDuplicate: Bool
        ) {
            (self.draft, self.record, self.samePhone) = (draft, record, samePhone)
            (self.name, self.draftName, self.isDuplicate) = (name, draftName, isDuplicate)
        }

        static func value(_ number: Number) throws -> CPF? {
            switch number {
            case .none: nil
            case .same: try cpf(1)
            case .other: try cpf(2)
            case .placeholder: CPF("00000000000")
            }
        }
    }

    static let table: [Pair] = [
        // Equal CPFs decide, whatever else differs.
        Pair(.same, .same, true, "Ana Teste", true), Pair(.same, .same, true, "Bruno Exemplo", true),
        Pair(.same, .same, false, "Ana Teste", true), Pair(.same, .same, false, "Bruno Exemplo", true),
        // Different CPFs decide too.
        Pair(.same, .other, true, "Ana Teste", false), Pair(.same, .other, false, "Ana Teste", false),
        Pair(.same, .other, true, "Ana Teste", as: "+55 11 98888-7777", false),
        // Without one of them, phone and name.
        Pair(.none, .same, true, " ana  TESTE ", true), Pair(.same, .none, true, "Ana Teste", true),
        Pair(.none, .none, true, "Ana Teste", true), Pair(.none, .none, true, "Bruno Exemplo", false),
        Pair(.none, .none, false, "Ana Teste", false), Pair(.same, .none, true, "Bruno Exemplo", false),
        // A filler says nothing.
        Pair(.placeholder, .placeholder, true, "Bruno Exemplo", false),
        Pair(.placeholder, .same, true, "Ana Teste", true), Pair(.placeholder, .placeholder, false, "Ana Teste", false),
        // A draft whose name is only its phone.
        Pair(.none, .none, true, "Bruno Exemplo", as: "5511988887777", true),
        Pair(.none, .same, true, "Bruno Exemplo", as: "(11) 8888-7777", true),
        Pair(.none, .none, false, "5511988887777", as: "5511988887777", false),
        Pair(.none, .none, true, "Bruno Exemplo", as: "5511977776666", false),
        Pair(.none, .none, true, "Bruno Exemplo", as: "Ana 5511988887777", false),
    ]

    @Test("who is a duplicate, and what each clinic wants of one", arguments: table)
    func rule(_ pair: Pair) async throws {
        for action in BridgeOptions.DuplicateAction.allCases {
            let line = try phone("5511988887777")
            let record = Person(
                id: "old", name: pair.name,
                phones: [try phone("551133334444"), pair.samePhone ? line : try phone("5521977776666")],
                cpf: try Pair.value(pair.record))
            let clinic = ModelClinic([record], .model())
            let draft = ClientDraft(name: pair.draftName, phone: line, cpf: try Pair.value(pair.draft))
            var id: String?
            let error = await failure { id = try await bridge(clinic, action).create(draft, soon()).id.text }
            let creates = clinic.calls.filter { $0 == .create }.count
            switch (action, pair.isDuplicate) {
            case (.returnExisting, true): #expect(id == "old" && creates == 0)
            case (.reject, true):
                #expect(error?.code == .duplicate && error?.conflicting == [ClientID("old")] && creates == 0)
            default: #expect(id == "new-1" && creates == 1 && error == nil)
            }
            if action == .create { #expect(clinic.calls == [.create]) }
        }
    }

    @Test("a name that is only the phone is one in either reading of the phone")
    func foreignPhoneAsName() async throws {
        for name in ["51987654321", "+51 987 654 321"] {
            let body = #"{"name":"\#(name)","phone":"51987654321"}"#
            let peru = Person(id: "peru", name: "Ana Teste", phones: [try phone("+51987654321")])
            let brazil = Person(id: "brazil", name: "Bruno Teste", phones: [try phone("5551987654321")])
            let clinic = ModelClinic([brazil, peru], .model())
            let draft = try ClientDraft(body: Array(body.utf8))
            #expect(try await bridge(clinic).create(draft, soon()).id.text == "peru")
        }
    }

    @Test("a family on one phone: everybody is somebody else, and comes back as themselves")
    func family() async throws {
        let line = try phone("5511988887777")
        let clinic = ModelClinic([], .model())
        var ids: [String] = []
        for name in ["Ana Teste", "Bruno Teste", "Carla Teste", "Dora Teste"] {
            ids.append(try await bridge(clinic).create(ClientDraft(name: name, phone: line), soon()).id.text)
        }
        #expect(Set(ids).count == 4)
        let again = try await bridge(clinic).create(
            ClientDraft(name: "carla teste", phone: try phone("551188887777")), soon())
        #expect(again.id.text == ids[2])
        // Only a phone: any of the four, so nobody.
        let error = await failure {
            try await bridge(clinic).create(ClientDraft(name: line.digits, phone: line), soon())
        }
        #expect(error?.code == .duplicate)
        #expect(error?.conflicting.map(\.text) == ids)
        #expect(clinic.calls.filter { $0 == .create }.count == 4)
    }

    @Test("different CPFs are told apart also where rows do not show them")
    func hiddenCPF() async throws {
        let line = try phone("5511988887777")
        let clinic = ModelClinic(
            [Person(id: "old", phones: [line], cpf: try cpf(2))], .model(searches: [.phone], needsDetail: [.cpf]))
        let made = try await bridge(clinic).create(ClientDraft(name: "Ana Teste", phone: line, cpf: try cpf(1)), soon())
        #expect(made.id.text == "new-1")
        // Others on the phone, who bear another name, need not be fetched.
        let others = ModelClinic(
            (0..<9).map { Person(id: "p\($0)", name: "Bruno Exemplo \($0)", phones: [line]) },
            .model(searches: [.phone], needsDetail: [.cpf]))
        _ = try await bridge(others).create(ClientDraft(name: "Ana Teste", phone: line), soon())
        #expect(others.calls == [.candidates(.phone, 0), .create])
    }

    @Test("duplicates are looked for by name where they cannot be by phone, and not at all where by nothing")
    func otherSearches() async throws {
        let line = try phone("5511988887777")
        let draft = ClientDraft(name: "Ana Teste", phone: line)
        let byName = ModelClinic([Person(id: "old", phones: [line])], .model(searches: [.name]))
        #expect(try await bridge(byName).create(draft, soon()).id.text == "old")
        let byNothing = ModelClinic([Person(id: "old", phones: [line])], .model(searches: []))
        #expect(try await bridge(byNothing).create(draft, soon()).id.text == "new-1")
        #expect(byNothing.calls == [.create])
    }

    // MARK: What a create answers

    static let draftName = "José Exemplo"

    private func draft() throws -> ClientDraft {
        ClientDraft(
            name: Self.draftName, phone: try phone("5511988887777"), email: "jose@example.test",
            birthday: Birthday("1985-03-15"))
    }

    @Test("an id is read back; a record is not", arguments: [true, false])
    func answered(_ onlyID: Bool) async throws {
        let clinic = ModelClinic([], .model())
        clinic.set { $0.creation = onlyID ? .id : .record }
        let client = try await bridge(clinic).create(draft(), soon())
        #expect(client.id.text == "new-0")
        #expect(client.email == "jose@example.test")
        #expect(clinic.calls.contains(.client("new-0")) == onlyID)
    }

    @Test(
        "a record that cannot be read back is answered as written only where it must be new",
        arguments: [
            (Capabilities.DuplicatePolicy.creates, true), (.refuses, true), (.unknown, false), (.reusesSilently, false),
        ])
    func unreadable(_ policy: Capabilities.DuplicatePolicy, _ succeeds: Bool) async throws {
        let clinic = ModelClinic([], .model(searches: [], duplicates: policy))
        clinic.set { state in
            state.creation = .id
            state.detailFailure = .failed(status: 500, "the record")
        }
        var client: Client?
        let error = await failure { client = try await bridge(clinic).create(draft(), soon()) }
        #expect((client?.name == Self.draftName) == succeeds)
        #expect(error?.code == (succeeds ? nil : .outcomeUnknown))
        #expect(clinic.calls.filter { $0 == .create }.count == 1)
    }

    @Test("a record that lagging reads do not show yet is answered as written")
    func stale() async throws {
        let clinic = ModelClinic([], .model(duplicates: .reusesSilently, staleReads: .seconds(300)))
        clinic.set { state in
            state.creation = .id
            state.invisible = ["new-0"]
        }
        let client = try await bridge(clinic).create(draft(), soon())
        #expect(client.id.text == "new-0")
        #expect(client.phone == (try phone("5511988887777")))
        #expect(client.birthday?.iso == "1985-03-15")
    }

    @Test("a system that reuses somebody else's record: 409, never a wrong client")
    func reused() async throws {
        let line = try phone("5511988887777")
        let other = try phone("5521977776666")
        let people = [
            Person(id: "same", name: "JOSE EXEMPLO", phones: [line]),
            Person(id: "name", name: "Bruno Exemplo", phones: [line]),
            Person(id: "namesake", name: "José Exemplo", phones: [other]),
            Person(id: "birthday", name: "José Exemplo", phones: [line], birthday: Birthday("1950-01-01")),
            Person(id: "bare", name: "José Exemplo"),
        ]
        for policy in [Capabilities.DuplicatePolicy.reusesSilently, .unknown] {
            for person in people {
                // Nobody is found beforehand.
                let clinic = ModelClinic(people, .model(searches: [], duplicates: policy))
                clinic.set { $0.creation = .reuses(person.id) }
                var id: String?
                let error = await failure { id = try await bridge(clinic).create(draft(), soon()).id.text }
                if ["same", "bare"].contains(person.id) {
                    #expect(id == person.id)
                } else {
                    #expect(error?.code == .wrongPerson, "\(person.id)")
                    #expect(error?.conflicting == [])
                }
            }
        }
    }

    // MARK: Failures

    @Test("an unknown outcome is resolved by looking, never by trying again")
    func outcomeUnknown() async throws {
        let made = ModelClinic([], .model())
        made.set { $0.creation = .createsAndFails(.outcomeUnknown("no answer came")) }
        #expect(try await bridge(made).create(draft(), soon()).id.text == "new-0")
        #expect(made.calls.filter { $0 == .create }.count == 1)
        let lost = ModelClinic([], .model())
        lost.set { $0.creation = .fails(.outcomeUnknown("no answer came")) }
        #expect(await failure { try await bridge(lost).create(draft(), soon()) }?.code == .outcomeUnknown)
        #expect(lost.calls.filter { $0 == .create }.count == 1)
    }

    @Test("a conflict with a record that appeared meanwhile is a duplicate like any other")
    func conflict() async throws {
        for (action, id) in [(BridgeOptions.DuplicateAction.returnExisting, "new-0"), (.reject, nil), (.create, nil)] {
            let clinic = ModelClinic([], .model(duplicates: .refuses))
            clinic.set { $0.creation = .createsAndFails(.conflict(reasons: ["already there"])) }
            var found: String?
            let error = await failure { found = try await bridge(clinic, action).create(draft(), soon()).id.text }
            #expect(found == id)
            #expect(error?.code == (id == nil ? .duplicate : nil))
            #expect(error?.reasons ?? [] == (id == nil ? ["already there"] : []))
        }
    }
}
