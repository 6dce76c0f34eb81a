import Bridge
import ClientContract
import JSONBytes
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// The five operations, end to end over sockets: against the mock in every run, against a real GNU Health 5 in
/// `scripts/test-gnuhealth`.
@Suite struct OperationsTests {
    private func expect(
        _ client: Client, is draft: ClientDraft, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(client.name == draft.name, sourceLocation: sourceLocation)
        #expect(client.allPhones == [draft.phone], sourceLocation: sourceLocation)
        #expect(client.email == draft.email, sourceLocation: sourceLocation)
        #expect(client.cpf == draft.cpf, sourceLocation: sourceLocation)
        #expect(client.birthday == draft.birthday, sourceLocation: sourceLocation)
    }

    @Test func createsAPersonWhoIsAPatient() async throws {
        try await Clinic.with { clinic in
            let full = try Person.draft("João da Silva Teste")
            let client = try await clinic.bridge.create(full, clinic.context)
            expect(client, is: full)
            expect(try await clinic.bridge.client(client.id, clinic.context), is: full)
            let least = try Person.draft("Ana", email: false, cpf: false, birthday: nil)
            expect(try await clinic.bridge.create(least, clinic.context), is: least)
            // A name that is only the phone, as it comes when nobody told a name.
            var nameless = try Person.draft(email: false, cpf: false, birthday: nil)
            nameless.name = nameless.phone.digits
            expect(try await clinic.bridge.create(nameless, clinic.context), is: nameless)
            if let mock = clinic.mock {
                #expect(mock.requests.count(.create) == 3)
                #expect(mock.requests.count(.login) == 1)
            } else {
                let patients = try await clinic.call(
                    "model.gnuhealth.patient.search_count",
                    [["party", "=", .number(try #require(Int(client.id.text)))]], 0, nil, [:])
                #expect(patients.int == 1)
            }
        }
    }

    @Test func createsAnswerWhoIsThereAlready() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft()
            let first = try await clinic.bridge.create(draft, clinic.context)
            let second = try await clinic.bridge.create(draft, clinic.context)
            #expect(first.id == second.id)
            // A relative on the same phone is somebody else.
            var relative = try Person.draft("Bruno Exemplo")
            relative.phone = draft.phone
            #expect(try await clinic.bridge.create(relative, clinic.context).id != first.id)
        }
    }

    /// Hands requests on, and loses the answer to the first create.
    private final class LostAnswer: HTTPSending {
        let http: HTTPChannel
        private let lost = Atomic(false)

        init(_ http: HTTPChannel) { self.http = http }

        func send(
            _ request: OutboundRequest, deadline: ContinuousClock.Instant
        ) async throws(TransportError) -> UpstreamAnswer {
            let answer = try await http.send(request, deadline: deadline)
            if request.text.contains("party.create"), !lost.exchange(true, ordering: .relaxed) {
                throw TransportError(
                    kind: .receive, phase: .waiting, mayHaveReachedServer: true, detail: "the connection broke")
            }
            return answer
        }
    }

    @Test func aCreateWithoutAnAnswerIsLookedForAndNotRepeated() async throws {
        try await Clinic.with { clinic in
            let driver = TrytonDriver(clinic: clinic.settings, http: LostAnswer(clinic.channel))
            let draft = try Person.draft()
            let client = try await Bridge(driver: driver, options: BridgeOptions()).create(draft, clinic.context)
            expect(client, is: draft)
            #expect(try await clinic.search(try #require(draft.email)) == [client.id.text])
        }
    }

    @Test func createsManyAtOnce() async throws {
        try await Clinic.with { clinic in
            let drafts = try (0..<8).map { _ in try Person.draft() }
            let ids = try await withThrowingTaskGroup(of: ClientID.self) { group in
                for draft in drafts {
                    group.addTask { try await clinic.bridge.create(draft, clinic.context).id }
                }
                return try await group.reduce(into: Set<ClientID>()) { $0.insert($1) }
            }
            #expect(ids.count == drafts.count)
        }
    }

    @Test func findsByEveryKindOfTerm() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft("José Antônio da Conceição")
            let id = try await clinic.bridge.create(draft, clinic.context).id.text
            var relative = try Person.draft("Lia Exemplo", email: false, cpf: false)
            relative.phone = draft.phone
            let other = try await clinic.bridge.create(relative, clinic.context).id.text
            let national = try #require(draft.phone.national)
            let twin = try #require(draft.phone.ninthDigitTwin)
            for spelling in [
                draft.phone.digits, "+" + draft.phone.digits, national, "(11) " + national.dropFirst(2), twin.digits,
            ] {
                #expect(try await clinic.search(spelling) == [id, other], "\(spelling.count) characters")
            }
            let cpf = try #require(draft.cpf)
            #expect(try await clinic.search(cpf.punctuated) == [id])
            #expect(try await clinic.search(cpf.digits).contains(id))
            let email = try #require(draft.email)
            #expect(try await clinic.search(email) == [id])
            #expect(try await clinic.search(email.uppercased()) == [id])
            #expect(try await clinic.search(draft.name) == [id])
            #expect(try await clinic.search(draft.name.uppercased()) == [id])
            #expect(try await clinic.search("  " + draft.name.replacing(" ", with: "  ")) == [id])
            // A part is no match; nor is a wildcard of the system's own search.
            #expect(try await clinic.search(String(draft.name.dropLast(2))) == [])
            #expect(try await clinic.search("%") == [])
            #expect(try await clinic.search(email.replacing("_", with: "%")) == [])
            #expect(try await clinic.search(#"Ana\Teste"#) == [])
            #expect(try await clinic.search("5511900000000") == [])
        }
    }

    @Test func findsNamesWhereverTheyAreParted() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft("Ana Maria")
            let id = try await clinic.bridge.create(draft, clinic.context).id
            let words = draft.name.split(separator: " ").map(String.init)
            for border in 1...words.count {
                let family = words[border...].joined(separator: " ")
                _ = try await clinic.call(
                    "model.party.party.write", [.number(try #require(Int(id.text)))],
                    [
                        "name": .text(words[..<border].joined(separator: " ")),
                        "lastname": family.isEmpty ? nil : .text(family),
                    ], [:])
                #expect(try await clinic.search(draft.name) == [id.text], "parted after \(border)")
                #expect(try await clinic.bridge.client(id, clinic.context).name == draft.name)
            }
        }
    }

    @Test func listsInWindows() async throws {
        try await Clinic.with { clinic in
            var created: [ClientID] = []
            for _ in 0..<5 { created.append(try await clinic.bridge.create(try Person.draft(), clinic.context).id) }
            let all = try await clinic.list()
            #expect(Set(all.map(\.id)).count == all.count)
            // Others may come at the end meanwhile: ids ascend.
            let numbers = all.compactMap { Int($0.id.text) }
            #expect(numbers == numbers.sorted())
            #expect(all.map(\.id).filter(created.contains) == created)
            for (limit, offset) in [(2, 0), (2, 2), (1, 4), (5, 0)] {
                let expected = all.map(\.id).dropFirst(offset).prefix(limit)
                #expect(try await clinic.list(limit: limit, offset: offset).map(\.id) == Array(expected))
            }
            #expect(try await clinic.list(limit: 3, offset: 1_000_000).isEmpty)
            let row = try #require(all.first { $0.id == created[0] })
            #expect(row.cpf != nil && row.phone != nil && row.email != nil && row.birthday != nil)
        }
    }

    @Test(arguments: ["999999999", "0", "-1", "01", "1.0", "abc", "99999999999999999999", "2147483648", "1 ", ""])
    func knowsNobodyByAnotherID(_ id: String) async throws {
        try await Clinic.with { clinic in
            let found = await contractFailure { _ = try await clinic.bridge.client(ClientID(id), clinic.context) }
            #expect(found?.code == .noSuchClient)
            let changed = await contractFailure {
                _ = try await clinic.bridge.update(ClientID(id), ClientPatch(name: "Ana"), clinic.context)
            }
            #expect(changed?.code == .noSuchClient)
        }
    }

    @Test func changesWhatAPatchNamesAndNothingElse() async throws {
        try await Clinic.with { clinic in
            var draft = try Person.draft()
            let id = try await clinic.bridge.create(draft, clinic.context).id
            let number = Person.next()
            func update(_ patch: ClientPatch) async throws {
                expect(try await clinic.bridge.update(id, patch, clinic.context), is: draft)
            }
            draft.name = "Ana Maria Exemplo \(Person.letters(number))"
            try await update(ClientPatch(name: draft.name))
            draft.email = "outra\(number)@example.test"
            try await update(ClientPatch(email: draft.email))
            draft.cpf = Person.validCPF(number)
            try await update(ClientPatch(cpf: draft.cpf))
            draft.birthday = Birthday("1988-02-29")
            try await update(ClientPatch(birthday: draft.birthday))
            draft.name = "Só\(Person.letters(number))"
            try await update(ClientPatch(name: draft.name))
            let last = Person.next()
            draft.name = "Carla Souza \(Person.letters(last))"
            draft.email = "carla\(last)@example.test"
            draft.cpf = Person.validCPF(last)
            draft.birthday = Birthday("2001-12-31")
            try await update(
                ClientPatch(name: draft.name, email: draft.email, cpf: draft.cpf, birthday: draft.birthday))
            #expect(try await clinic.search(draft.email ?? "") == [id.text])
        }
    }

    @Test func addsWhatARecordLacks() async throws {
        try await Clinic.with { clinic in
            var draft = try Person.draft("Bruno Teste", email: false, cpf: false, birthday: nil)
            let id = try await clinic.bridge.create(draft, clinic.context).id
            let number = Person.next()
            draft.email = "bruno\(number)@example.test"
            draft.cpf = Person.validCPF(number)
            draft.birthday = Birthday("1975-10-15")
            let patch = ClientPatch(email: draft.email, cpf: draft.cpf, birthday: draft.birthday)
            expect(try await clinic.bridge.update(id, patch, clinic.context), is: draft)
            #expect(try await clinic.search(try #require(draft.cpf).punctuated) == [id.text])
        }
    }

    @Test func keepsWhatPonteDoesNotShow() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft()
            let id = try await clinic.bridge.create(draft, clinic.context).id
            let number = Person.next()
            let second = "55119\(60_000_000 + number)"
            _ = try await clinic.call(
                "model.party.party.write", [.number(try #require(Int(id.text)))],
                [
                    "contact_mechanisms": [
                        [
                            "create",
                            [
                                ["type": "mobile", "value": .text("+" + second)],
                                ["type": "email", "value": .text("segunda\(number)@example.test")],
                                ["type": "website", "value": "https://www.example.test"],
                            ],
                        ]
                    ]
                ], [:])
            let changed = "nova\(number)@example.test"
            let client = try await clinic.bridge.update(id, ClientPatch(email: changed), clinic.context)
            #expect(client.email == changed)
            #expect(client.allPhones.map(\.digits) == [draft.phone.digits, second])
            let mechanisms = try #require(try await row(id, clinic)["contact_mechanisms."]).elements
            #expect(mechanisms.compactMap { $0["type"]?.string } == ["mobile", "email", "mobile", "email", "website"])
            let values = mechanisms.compactMap { $0["value"]?.string }
            #expect(values.contains("segunda\(number)@example.test"))
        }
    }

    @Test func keepsTheOfficialNameInStep() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.bridge.create(try Person.draft("Ana Souza"), clinic.context).id
            let single = "Ana\(Person.letters(Person.next()))"
            _ = try await clinic.bridge.update(id, ClientPatch(name: single), clinic.context)
            let names = try #require(try await row(id, clinic)["person_names."]).elements
            #expect(names.count == 1)
            #expect(names.first?["family"]?.isNull == true)
        }
    }

    /// What the mock answers has the members of what the real server answers.
    @Test func rowsHaveTheKnownShape() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.bridge.create(try Person.draft(), clinic.context).id
            let row = try await row(id, clinic)
            #expect(
                Set(row.members.map(\.key)) == [
                    "id", "name", "lastname", "dob", "contact_mechanisms.", "identifiers.", "person_names.",
                    "_timestamp",
                ])
            #expect(row["dob"]?["__class__"]?.string == "date")
            #expect(Set(row["dob"]?.members.map(\.key) ?? []) == ["__class__", "year", "month", "day"])
            for mechanism in row["contact_mechanisms."]?.elements ?? [] {
                #expect(Set(mechanism.members.map(\.key)) == ["id", "type", "value"])
            }
            #expect(Set(row["identifiers."]?.elements.first?.members.map(\.key) ?? []) == ["id", "type", "code"])
            #expect(Set(row["person_names."]?.elements.first?.members.map(\.key) ?? []) == ["id", "use", "family"])
            #expect(row["_timestamp"]?.string != nil)
            let phone = row["contact_mechanisms."]?.elements.first?["value"]?.string
            #expect(phone?.hasPrefix("+55 11 9") == true)
        }
    }

    private func row(_ id: ClientID, _ clinic: Clinic) async throws -> JSONValue {
        let rows = try await clinic.call(
            "model.party.party.search_read", [["id", "=", .number(try #require(Int(id.text)))]], 0, 1,
            [["id", "ASC"]], .list(PartyReader.changeable), [:])
        return try #require(rows.elements.first)
    }
}
