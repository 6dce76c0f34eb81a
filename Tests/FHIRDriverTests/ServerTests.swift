import ClientContract
import JSONBytes
import MockUpstream
import Testing
import UpstreamDriver

@testable import FHIRDriver

/// The shipped profiles against pretend servers, over real sockets and libcurl, through Bridge.
@Suite struct ServerTests {
    @Test(arguments: ["hapi", "azure", "google", "openmrs"])
    func everybodyIsListedOnceWhateverTheWindow(_ name: String) async throws {
        try await World.with(name, patients: 130) { (world) async throws in
            let all = try await world.list()
            #expect(all.count == 130)
            #expect(Set(all.map(\.id)).count == 130)
            let part = try await world.list(Window(limit: 7, offset: 95))
            #expect(part.map(\.id) == all[95..<102].map(\.id))
            #expect(try await world.list(Window(limit: 5, offset: 128)).count == 2)
        }
    }

    @Test(arguments: ["hapi", "azure", "google"])
    func phonesAreFoundInWhateverSpellingTheyAreStored(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            // One call for all spellings of a number and of its twin.
            for person in try await world.list() {
                for phone in person.allPhones {
                    let before = world.mock.requests.count(.search)
                    let found = try await world.driver.candidates(
                        for: .phone(phone), attempt: 0, PageRequest(.offset(0), size: 50), world.context)
                    #expect(found.clients.contains { $0.id == person.id }, "\(name)")
                    #expect(world.mock.requests.count(.search) == before + 1)
                }
            }
            #expect(try await world.names("5511999999999") == ["João Silva"])
            #expect(try await world.names("+55 (31) 98888-7777").count == 4)
            // On record without its ninth digit.
            #expect(try await world.names("5531988880002") == ["Ana Teste"])
            #expect(try await world.names("351912345678") == ["Inês Teste Lisboa"])
            // No longer his.
            #expect(try await world.names("5511900000000") == [])
            #expect(try await world.names("5599999999999") == [])
        }
    }

    @Test(arguments: Sample.names) func everyCPFIsFound(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            #expect(try await world.names("123.456.789-00") == ["João Silva"])
            #expect(try await world.names("20000000108") == ["Maria Exemplo da Família"])
            // Under ten systems, in the mock that has them all.
            var checked = 0
            for row in 0..<60 {
                let id = ClientID(
                    name == "hapi" ? "\(1001 + row)" : String("00000000-0000-4000-8000-00000000\(1001 + row)"))
                let client = try await world.driver.client(id, world.context)
                guard let cpf = client.cpf else { continue }
                checked += 1
                let page = try await world.driver.candidates(
                    for: .cpf(cpf), attempt: 0, PageRequest(.offset(0), size: 50), world.context)
                #expect(page.clients.map(\.id) == [id])
            }
            #expect(checked > 40)
            #expect(
                try await world.driver.candidates(
                    for: .cpf(try #require(CPF("00000000191"))), attempt: 0, PageRequest(.offset(0), size: 50),
                    world.context
                ).clients.isEmpty)
        }
    }

    @Test(arguments: ["hapi", "azure", "google"]) func emailsAndNamesAreFound(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            #expect(try await world.names("joao@example.com") == ["João Silva"])
            #expect(try await world.names("gemeos@example.test") == ["Cosme Exemplo Gêmeo", "Damião Exemplo Gêmeo"])
            #expect(try await world.names("Bruno.Exemplo@example.test") == ["Bruno Exemplo"])
            #expect(try await world.names("joão  silva") == ["João Silva"])
            #expect(try await world.names("Conceição Exemplo").count == 2)
            #expect(try await world.names("Joaquim d'Ávila Teste") == ["Joaquim d'Ávila Teste"])
            #expect(try await world.names("Conceição") == [])
        }
    }

    @Test(arguments: Sample.names) func aRecordIsReadWhole(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            let id = ClientID(name == "hapi" ? "1001" : "00000000-0000-4000-8000-000000001001")
            let joao = try await world.bridge.client(id, world.context)
            #expect(joao.id == id)
            #expect(joao.name == "João Silva")
            #expect(joao.allPhones.map(\.digits) == ["5511999999999", "5521999999999"])
            #expect(joao.cpf?.digits == "12345678900")
            #expect(joao.email == "joao@example.com")
            #expect(joao.birthday?.iso == "1990-01-01")
            #expect(joao.text(.image) == "https://example.com/photo.jpg")
            await #expect(throws: ContractError.self) { () async throws -> Void in
                _ = try await world.bridge.client(ClientID("99999"), world.context)
            }
            let calls = world.mock.requests.total
            for odd in ["..", "a/b", "a?b=c", "", String(repeating: "a", count: 65), "ç"] {
                #expect(
                    await failure { _ = try await world.driver.client(ClientID(odd), world.context) }?.name
                        == "not found")
            }
            #expect(world.mock.requests.total == calls, "nothing is sent for an id that FHIR does not allow")
        }
    }

    @Test(arguments: Sample.names) func aCreateMakesOneRecordHoweverOften(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            let draft = try #require(
                try ClientDraft(
                    body: Array(
                        #"{"name":"Ana Teste Nova","phone":"5531988880001","email":"nova@example.test","cpf":"52998224725","birthday":"1990-03-07"}"#
                            .utf8)) as ClientDraft?)
            let first = try await world.bridge.create(draft, world.context)
            #expect(first.name == "Ana Teste Nova")
            #expect(first.allPhones == [draft.phone])
            #expect(first.cpf == draft.cpf)
            #expect(first.email == draft.email)
            #expect(first.birthday == draft.birthday)
            let again = try await world.bridge.create(draft, world.context)
            #expect(again.id == first.id)
            #expect(world.mock.requests.count(.create) == 1)
            let read = try await world.bridge.client(first.id, world.context)
            #expect(read.wire == first.wire)
        }
    }

    @Test(arguments: ["hapi", "azure", "google"])
    func aConditionalCreateAnswersTheRecordThatSomebodyElseMade(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            let draft = try #require(Sample.ana)
            // Maria has this CPF, under the system that is written, but in azure and google only.
            guard case .record(let made) = try await world.driver.create(draft, world.context) else {
                Issue.record("expected the record")
                return
            }
            guard case .record(let again) = try await world.driver.create(draft, world.context) else {
                Issue.record("expected the record")
                return
            }
            #expect(again.id == made.id)
            #expect(made.name == (name == "hapi" ? "Ana Teste Nova" : "Maria Exemplo da Família"))
        }
    }

    @Test(arguments: Sample.names) func anUpdateKeepsWhatPonteDoesNotKnow(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            let id = ClientID(name == "hapi" ? "1002" : "00000000-0000-4000-8000-000000001002")
            let patch = ClientPatch(
                name: "Maria Exemplo Nova", email: "maria.nova@example.test", birthday: Birthday("1985-06-21"))
            let after = try await world.bridge.update(id, patch, world.context)
            #expect(after.id == id)
            #expect(after.name == "Maria Exemplo Nova")
            #expect(after.email == "maria.nova@example.test")
            #expect(after.birthday?.iso == "1985-06-21")
            #expect(after.cpf?.digits == "20000000108")
            #expect(after.phone?.digits == "5531988887777")
            let fetched = try await world.driver.fetch(id, world.driver.plan, world.context)
            #expect(fetched.resource["extension"]?.elements.first?["valueString"]?.string == "P-2")
            #expect(fetched.resource["identifier"]?.elements.count == 2)
            #expect(fetched.resource["text"] == nil, "a generated narrative that says otherwise is gone")
        }
    }

    @Test(arguments: ["hapi", "azure", "google", "openmrs"])
    func aCPFIsChangedWhereItStands(_ name: String) async throws {
        try await World.with(name) { (world) async throws in
            let id = ClientID(name == "hapi" ? "1003" : "00000000-0000-4000-8000-000000001003")
            let before = try await world.driver.fetch(id, world.driver.plan, world.context)
            let after = try await world.bridge.update(id, ClientPatch(cpf: CPF("52998224725")), world.context)
            #expect(after.cpf?.digits == "52998224725")
            let fetched = try await world.driver.fetch(id, world.driver.plan, world.context)
            #expect(fetched.resource["identifier"]?.elements.count == 2)
            #expect(
                fetched.resource["identifier"]?.elements.last?["system"]?.string
                    == before.resource["identifier"]?.elements.last?["system"]?.string)
        }
    }

    // MARK: What sets them apart

    @Test func hapiIsAskedPastItsCache() async throws {
        try await World.with("hapi") { (world) async throws in
            #expect(try await world.names("nova@example.test") == [])
            guard case .record = try await world.driver.create(try #require(Sample.ana), world.context) else { return }
            #expect(try await world.names("nova@example.test") == ["Ana Teste Nova"])
            #expect(world.mock.requests.last(.search)?.values(ofHeader: "Cache-Control") == ["no-cache"])
        }
    }

    @Test func openMRSHasNoPatchAndDemandsIdentifiers() async throws {
        try await World.with("openmrs") { (world) async throws in
            let nobody = ClientDraft(name: "Sem CPF Teste", phone: try #require(PhoneNumber("5531988880001")))
            let error = await failure { _ = try await world.driver.create(nobody, world.context) }
            guard case .refused(let reasons) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reasons.first?.hasPrefix("cpf") == true)
            #expect(world.mock.requests.count(.create) == 0)
            let id = ClientID("00000000-0000-4000-8000-000000001002")
            _ = try await world.driver.update(id, ClientPatch(email: "x@example.test"), world.context)
            #expect(world.mock.requests.last(.update)?.method == "PUT")
            let phone = SearchTerm.phone(try #require(PhoneNumber("5511999999999")))
            let search = await failure {
                _ = try await world.driver.candidates(
                    for: phone, attempt: 0, PageRequest(.offset(0), size: 5), world.context)
            }
            #expect(search?.name == "unsupported")
        }
    }

    @Test func aScanFindsWhatAServerCannotSearch() async throws {
        try await World.with("openmrs", scan: true) { (world) async throws in
            #expect(try await world.names("5511999999999") == ["João Silva"])
        }
    }

    /// FHIR lets servers ignore parameters that they do not know: nilo's answers everybody then, without a self link.
    @Test func anIgnoredFilterNeverMakesAWrongAnswer() async throws {
        let search = #"{"strict":false,"parameters":{"phone":["phone"],"cpf":["identifier"],"email":["email"]}}"#
        try await World.with("nilo", profile: ["search": search]) { (world) async throws in
            #expect(try await world.names("5511999999999") == ["João Silva"])
            #expect(try await world.names("5531988887777").count == 4)
            #expect(try await world.names("joao@example.com") == ["João Silva"])
            #expect(try await world.names("5599999999999") == [])
        }
        // Here the self link tells, before the whole table is read.
        let unknown = #"{"strict":false,"parameters":{"phone":["fone"]}}"#
        for metadata in ["true", "false"] {
            try await World.with("google", profile: ["search": unknown, "metadata": metadata]) {
                (world) async throws in
                await #expect(throws: ContractError.self) { () async throws -> Void in
                    _ = try await world.bridge.search("5511999999999", Window(), world.context)
                }
                #expect(world.mock.requests.count(.list) <= 1)
                #expect(world.mock.requests.count(.search) == 0)
            }
        }
    }

    @Test func niloGetsAnIdentifierForThoseWithoutACPF() async throws {
        try await World.with("nilo") { (world) async throws in
            let nobody = ClientDraft(name: "Sem CPF Teste", phone: try #require(PhoneNumber("5531988880001")))
            let first = try await world.bridge.create(nobody, world.context)
            let other = ClientDraft(name: "Outro Sem CPF", phone: try #require(PhoneNumber("5531988880002")))
            let second = try await world.bridge.create(other, world.context)
            #expect(first.id != second.id)
            #expect(first.name == "Sem CPF Teste")
            let sent = try JSONDocument(try #require(world.mock.requests.last(.create)).body).root
            #expect(sent["identifier"]?.elements.first?["system"]?.string == "urn:ietf:rfc:3986")
            #expect(sent["identifier"]?.elements.first?["value"]?.string?.hasPrefix("urn:uuid:") == true)
        }
    }

    @Test func anUpsertNeverWritesOverSomebody() async throws {
        try await World.with("nilo", onDuplicate: .create) { (world) async throws in
            let draft = try #require(Sample.ana)
            let error = await failure { _ = try await world.driver.create(draft, world.context) }
            #expect(error?.name == "conflict with 1 reasons")
            #expect(world.mock.requests.count(.update) == 0 && world.mock.requests.count(.create) == 0)
            #expect(try await world.names("20000000108") == ["Maria Exemplo da Família"])
            // With another CPF it would find another record.
            await #expect(throws: ContractError.self) { () async throws -> Void in
                _ = try await world.bridge.update(
                    ClientID("00000000-0000-4000-8000-000000001002"), ClientPatch(cpf: CPF("52998224725")),
                    world.context)
            }
        }
    }

    /// Nobody's record is written over, made twice, or taken for made, because it does not count as a client.
    @Test(arguments: ["nilo", "google"]) func recordsThatDoNotCountAreLeftAlone(_ name: String) async throws {
        try await World.with(name, onDuplicate: .create, strangers: true) { (world) async throws in
            let before = (60..<62).map { world.mock.keepsakes(ofPerson: $0) }
            #expect(before.allSatisfy { $0 != nil })
            for cpf in ["98765432100", "98765432109"] {
                let draft = ClientDraft(
                    name: "Outra Pessoa", phone: try #require(PhoneNumber("5531988880009")), cpf: CPF(cpf))
                let error = await failure { _ = try await world.driver.create(draft, world.context) }
                #expect(error?.name == "conflict with 1 reasons")
                #expect(try await world.names(cpf) == [])
            }
            for row in 60..<62 {
                let error = await failure {
                    _ = try await world.driver.client(ClientID(world.mock.id(ofPerson: row)), world.context)
                }
                #expect(error?.name == "not found")
            }
            #expect((60..<62).map { world.mock.keepsakes(ofPerson: $0) } == before)
            #expect(world.mock.requests.count(.update) == 0)
        }
    }

    @Test func azuresTokenIsAskedForOnceAndRenewed() async throws {
        try await World.with("azure") { (world) async throws in
            #expect(try await world.list(Window(limit: 3)).count == 3)
            #expect(try await world.names("joao@example.com") == ["João Silva"])
            #expect(world.mock.requests.count(.login) == 1)
            world.mock.expireTokens()
            #expect(try await world.names("joao@example.com") == ["João Silva"])
            #expect(world.mock.requests.count(.login) == 2)
            let login = try #require(world.mock.requests.last(.login))
            let form = MockRequest.parameters(of: String(decoding: login.body, as: UTF8.self))
            #expect(form.contains { $0.name == "scope" && $0.value == "fhir/.default" })
        }
    }

    @Test func wrongCredentialsAreSaidToBeThat() async throws {
        let wrong: [(String, [String: Secret])] = [
            ("azure", ["clientID": Secret("x"), "clientSecret": Secret("errada")]),
            ("google", ["token": Secret("errada")]),
            ("openmrs", ["user": Secret("x"), "password": Secret("errada")]), ("nilo", ["key": Secret("errada")]),
        ]
        for (name, credentials) in wrong {
            try await World.with(name, credentials: credentials) { (world) async throws in
                let error = await failure {
                    _ = try await world.driver.client(ClientID("00000000-0000-4000-8000-000000001001"), world.context)
                }
                #expect(error?.name == "credentials rejected", "\(name)")
                #expect(error?.description.contains("errada") == false)
            }
        }
    }
}
