import ClientContract
import JSONBytes
import MockUpstream
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// The shipped profiles of fifteen vendors against pretend systems with those vendors' quirks, over real sockets and
/// libcurl.
@Suite struct VendorsOverSocketsTests {
    /// What a vendor's profile can do, and where its pretend system keeps people.
    struct Vendor: Sendable, CustomTestStringConvertible {
        let dialect: MockOptions.Dialect
        let does: Set<Capabilities.Operation>
        let finds: Set<TermKind>
        /// Members that are on record beside the name and the phone.
        let keeps: Set<ClientField>
        /// The id of the patient in this place.
        var id: @Sendable (Int) -> String = { String(1_001 + $0) }
        var nobody = "9999"
        var testDescription: String { dialect.rawValue }
    }

    private static let uuid: @Sendable (Int) -> String = { "5f0e7a10-4c2b-4d1e-9a3f-00000000\(1_001 + $0)" }
    private static let nobodysUUID = "5f0e7a10-4c2b-4d1e-9a3f-000000009999"
    private static let all: Set<ClientField> = [.cpf, .email, .birthday]

    static let vendors = [
        Vendor(dialect: .belle, does: [.search], finds: [.cpf], keeps: all),
        Vendor(
            dialect: .clinicaExperts, does: [.list, .search, .get, .create, .update],
            finds: [.phone, .cpf, .email, .name], keeps: all, id: uuid, nobody: nobodysUUID),
        Vendor(dialect: .clinicaNasNuvens, does: [.list, .search, .get, .create], finds: [.cpf], keeps: all),
        Vendor(
            dialect: .clinicorp, does: [.search, .get, .create], finds: [.phone, .cpf, .email, .name], keeps: all,
            id: { String(9_007_199_254_740_993 + $0) }, nobody: "9007199254749999"),
        Vendor(
            dialect: .cliniko, does: [.list, .search, .get, .create, .update], finds: [.email, .name],
            keeps: [.email, .birthday]),
        Vendor(dialect: .conexa, does: [.search, .get, .create, .update], finds: [.cpf], keeps: all),
        Vendor(
            dialect: .easyappointments, does: [.list, .search, .get, .create, .update], finds: [.phone, .email, .name],
            keeps: [.email]),
        Vendor(
            dialect: .gestaods, does: [.search, .get, .create], finds: [.cpf], keeps: all,
            id: { ["12345678900", "20000000108"][$0] }, nobody: "20000009830"),
        Vendor(
            dialect: .ninsaude, does: [.list, .search, .get, .create, .update], finds: [.cpf, .name], keeps: all),
        Vendor(
            dialect: .odoo, does: [.list, .search, .get, .create, .update], finds: [.phone, .cpf, .email, .name],
            keeps: [.cpf, .email]),
        Vendor(
            dialect: .openemr, does: [.list, .search, .get, .create, .update], finds: [.phone, .cpf, .email],
            keeps: all, id: uuid, nobody: nobodysUUID),
        Vendor(
            dialect: .realclinic, does: [.list, .search, .get, .create, .update], finds: [.cpf, .name], keeps: all),
        Vendor(dialect: .shosp, does: [.search, .create], finds: [.cpf, .email, .name], keeps: [.cpf, .email]),
        Vendor(
            dialect: .simplybook, does: [.list, .search, .get, .create], finds: [.phone, .email, .name],
            keeps: [.email]),
        Vendor(dialect: .versatilis, does: [.search], finds: [.cpf], keeps: all),
    ]

    static let draft = try? ClientDraft(
        body: Array(
            #"{"name":"Bia Nova Teste","phone":"5548988881234","email":"bia@example.test","cpf":"20000009750","birthday":"1991-05-20"}"#
                .utf8))

    /// Runs a test with a vendor's pretend system and a driver for it.
    private func with(
        _ dialect: MockOptions.Dialect, credentials: [String: String] = [:], settings: [String: String] = [:],
        limits: Bool = false, _ body: (RESTDriver, MockServer, CallContext) async throws -> Void
    ) async throws {
        var options = MockOptions(dialect: dialect, patients: 40)
        options.callLimits = limits
        let mock = try await MockServer.start(options)
        let engine = try CurlEngine()
        let given = options.credentials.merging(credentials) { $1 }.mapValues { Secret($0) }
        let driver = RESTDriver(
            profile: try Sample.shipped(dialect.rawValue),
            tenant: RESTTenant(
                baseURL: mock.baseURL, credentials: given, settings: options.settings.merging(settings) { $1 }),
            http: engine.channel(ChannelSettings()))
        do {
            try await body(driver, mock, CallContext(deadline: .now + .seconds(60), requestID: "test"))
        } catch { Issue.record(error) }
        await engine.shutdown()
        await mock.stop()
    }

    private func found(
        _ driver: RESTDriver, _ term: SearchTerm, _ context: CallContext
    ) async throws -> [ClientID: Client] {
        var found: [ClientID: Client] = [:]
        for attempt in 0..<(driver.capabilities.searches[term.kind]?.count ?? 0) {
            let page = try await driver.candidates(
                for: term, attempt: attempt, PageRequest(.offset(0), size: 100), context)
            for client in page.clients { found[client.id] = client }
        }
        return found
    }

    private func check(_ client: Client, _ draft: ClientDraft, _ keeps: Set<ClientField>) {
        #expect(client.name == draft.name)
        #expect(client.reaches(draft.phone))
        if keeps.contains(.cpf) { #expect(client.cpf == draft.cpf) }
        if keeps.contains(.email) { #expect(client.email == draft.email) }
        if keeps.contains(.birthday) { #expect(client.birthday == draft.birthday) }
    }

    @Test(arguments: vendors) func theProfileSaysWhatTheVendorCan(_ vendor: Vendor) throws {
        let capabilities = try Sample.shipped(vendor.dialect.rawValue).capabilities
        #expect(capabilities.operations == vendor.does)
        #expect(Set(capabilities.searches.filter { !$0.value.isEmpty }.keys) == vendor.finds)
    }

    @Test(arguments: vendors.filter { $0.does.contains(.list) }) func aListHoldsEverybodyOnce(
        _ vendor: Vendor
    ) async throws {
        try await with(vendor.dialect) { driver, mock, context in
            let size = min(15, driver.capabilities.listPaging.maximum)
            var ids: [ClientID] = []
            for place in 0..<40 {
                let page = try await driver.page(PageRequest(.offset(place * size), size: size), context)
                ids += page.clients.map(\.id)
                if page.more == false || page.rows < size || driver.capabilities.listPaging.style == .single { break }
            }
            #expect(ids.count == 40)
            #expect(Set(ids).count == 40)
            #expect(ids.first?.text == vendor.id(0))
            #expect(mock.requests.count(.list) >= 1 && mock.requests.count(.unknown) == 0)
        }
    }

    @Test(arguments: vendors) func everyKindOfTermFindsItsPerson(_ vendor: Vendor) async throws {
        try await with(vendor.dialect) { driver, mock, context in
            let terms: [TermKind: String] = [
                .phone: "5511999999999", .cpf: "12345678900", .email: "joao@example.com", .name: "João Silva",
            ]
            for kind in vendor.finds {
                let term = try #require(SearchTerm(terms[kind] ?? "", as: kind))
                let joao = try #require(try await found(driver, term, context)[ClientID(vendor.id(0))], "\(kind)")
                #expect(joao.name == "João Silva")
                #expect(joao.phone?.digits == "5511999999999")
                let absent: [TermKind: String] = [
                    .phone: "5599955554444", .cpf: "20000009830", .email: "ninguem@example.test", .name: "Ninguém Zzz",
                ]
                let nobody = try #require(SearchTerm(absent[kind] ?? "", as: kind))
                #expect(try await found(driver, nobody, context).isEmpty, "\(kind)")
            }
            #expect(mock.requests.count(.unknown) == 0)
        }
    }

    @Test(arguments: vendors.filter { $0.does.contains(.get) }) func oneClientIsReadWhole(
        _ vendor: Vendor
    ) async throws {
        try await with(vendor.dialect) { driver, mock, context in
            let joao = try await driver.client(ClientID(vendor.id(0)), context)
            #expect(joao.id.text == vendor.id(0))
            #expect(joao.name == "João Silva")
            #expect(joao.phone?.digits == "5511999999999")
            #expect(joao.cpf?.digits == (vendor.keeps.contains(.cpf) ? "12345678900" : nil))
            #expect(joao.email == "joao@example.com")
            #expect(joao.birthday?.iso == (vendor.keeps.contains(.birthday) ? "1990-01-01" : nil))
            // The next one is another, however long the ids.
            let maria = try await driver.client(ClientID(vendor.id(1)), context)
            #expect(maria.name == "Maria Exemplo da Família")
            #expect(
                await failure { _ = try await driver.client(ClientID(vendor.nobody), context) }?.name == "not found")
            #expect(mock.requests.count(.unknown) == 0)
        }
    }

    @Test(arguments: vendors.filter { $0.does.contains(.create) }) func aCreateCanBeReadBack(
        _ vendor: Vendor
    ) async throws {
        try await with(vendor.dialect) { driver, mock, context in
            let draft = try #require(Self.draft)
            // What has no place there, or is not known to have one.
            let keeps = vendor.dialect == .gestaods ? vendor.keeps.subtracting([.birthday]) : vendor.keeps
            if vendor.dialect == .shosp {
                // Its answer names nobody: Bridge looks for the record.
                #expect(await failure { _ = try await driver.create(draft, context) }?.name == "outcome unknown")
                let bia = try await found(driver, try #require(SearchTerm("20000009750", as: .cpf)), context)
                check(try #require(bia.values.first), draft, keeps)
            } else {
                let id: ClientID
                switch try await driver.create(draft, context) {
                case .id(let made): id = made
                case .record(let client):
                    check(client, draft, keeps)
                    id = client.id
                }
                check(try await driver.client(id, context), draft, keeps)
            }
            #expect(mock.requests.count(.create) == 1)
        }
    }

    @Test(arguments: vendors.filter { $0.does.contains(.update) }) func anUpdateChangesWhatItNames(
        _ vendor: Vendor
    ) async throws {
        try await with(vendor.dialect) { driver, mock, context in
            // Conexa changes the e-mail only.
            let patch =
                vendor.dialect == .conexa
                ? ClientPatch(email: "nova@example.test") : ClientPatch(name: "Maria Nova Teste")
            let id = ClientID(vendor.id(1))
            let before = try await driver.client(id, context)
            _ = try await driver.update(id, patch, context)
            let after = try await driver.client(id, context)
            #expect(after.name == patch.name ?? before.name)
            #expect(after.email == patch.email ?? before.email)
            #expect(after.cpf == before.cpf && after.birthday == before.birthday)
            #expect(after.allPhones == before.allPhones)
            let nobody = await failure { _ = try await driver.update(ClientID(vendor.nobody), patch, context) }
            #expect(nobody?.name == "not found")
            #expect(mock.requests.count(.unknown) == 0)
        }
    }

    @Test(arguments: vendors) func wrongCredentialsAreToldApart(_ vendor: Vendor) async throws {
        let names = MockOptions(dialect: vendor.dialect).credentials.keys
        let wrong = Dictionary(uniqueKeysWithValues: names.map { ($0, "errada") })
        try await with(vendor.dialect, credentials: wrong) { driver, _, context in
            let error = await failure {
                if vendor.does.contains(.list) {
                    _ = try await driver.page(PageRequest(.offset(0), size: 10), context)
                } else {
                    _ = try await found(driver, try #require(SearchTerm("12345678900", as: .cpf)), context)
                }
            }
            #expect(error?.name == "credentials rejected")
        }
    }
}

/// What single vendors do that the others do not.
extension VendorsOverSocketsTests {
    private func create(
        _ dialect: MockOptions.Dialect, _ members: String, _ context: CallContext, _ driver: RESTDriver
    ) async -> UpstreamError? {
        await failure {
            let draft = try ClientDraft(body: Array("{\(members)}".utf8))
            _ = try await driver.create(draft, context)
        }
    }

    @Test(
        arguments: [
            (
                .clinicaNasNuvens, #""name":"Bia Teste","phone":"5548988881234""#,
                "refused with 1 reasons"
            ),
            (.gestaods, #""name":"Bia Teste","phone":"5548988881234""#, "refused with 1 reasons"),
            (.easyappointments, #""name":"Bia Teste","phone":"5548988881234""#, "refused with 1 reasons"),
            (
                .easyappointments, #""name":"Bia Teste","phone":"5548988881234","email":"joao@example.com""#,
                "conflict with 0 reasons"
            ),
            (.openemr, #""name":"Bia Teste","phone":"5548988881234""#, "refused with 1 reasons"),
            (
                .cliniko, #""name":"Bia Teste","phone":"5548988881234","birthday":"1700-01-01""#,
                "refused with 0 reasons"
            ),
            // A namesake.
            (
                .clinicorp, #""name":"Ana Teste","phone":"5548988881234","birthday":"1991-05-20""#,
                "refused with 0 reasons"
            ),
        ] as [(MockOptions.Dialect, String, String)]) func aRefusedCreateIsNoFailure(
            _ dialect: MockOptions.Dialect, _ members: String, _ says: String
        ) async throws
    {
        try await with(dialect) { driver, _, context in
            #expect(await create(dialect, members, context, driver)?.name == says)
        }
    }

    @Test(arguments: [MockOptions.Dialect.clinicaNasNuvens, .clinicaExperts, .cliniko])
    func tooManyCallsAreTold(_ dialect: MockOptions.Dialect) async throws {
        try await with(dialect, limits: true) { driver, mock, context in
            let allowed = dialect == .cliniko ? 200 : 120
            let request = PageRequest(.offset(0), size: 1)
            for _ in 0..<allowed { _ = try await driver.page(request, context) }
            let error = await failure { _ = try await driver.page(request, context) }
            guard case .rateLimited(let seconds) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            // Clínica Experts does not say for how long.
            #expect(seconds.map { (1...61).contains($0) } ?? (dialect == .clinicaExperts))
            #expect(mock.requests.count(.list) > allowed)
        }
    }

    @Test func aSpentQuotaIsNeverNobody() async throws {
        try await with(.shosp, credentials: ["key": "cota-esgotada"]) { driver, mock, context in
            let term = try #require(SearchTerm("12345678900", as: .cpf))
            for _ in 0..<2 {
                #expect(await failure { _ = try await found(driver, term, context) }?.name == "rate limited")
                mock.advanceClock(seconds: 86_400)
            }
        }
    }

    @Test func ninsaudeRotatesItsRefreshToken() async throws {
        try await with(.ninsaude) { driver, mock, context in
            for _ in 0..<3 {
                _ = try await driver.client(ClientID("1001"), context)
                mock.expireTokens()
            }
            #expect(mock.requests.count(.login) == 3)
            #expect(mock.requests.count(.get) == 5)
            let body = String(decoding: try #require(mock.requests.last(.login)).body, as: UTF8.self)
            #expect(body.contains("refresh_token=refresh."))
        }
    }

    @Test(arguments: [MockOptions.Dialect.simplybook, .openemr])
    func aTokenThatDiedIsRenewed(_ dialect: MockOptions.Dialect) async throws {
        try await with(dialect) { driver, mock, context in
            let page = PageRequest(.offset(0), size: 5)
            _ = try await driver.page(page, context)
            mock.expireTokens()
            _ = try await driver.page(page, context)
            #expect(mock.requests.count(.login) == 2)
        }
    }

    @Test func clinikoWantsToKnowWhomToWriteTo() async throws {
        try await with(.cliniko, settings: ["contact": "ninguem"]) { driver, _, context in
            let error = await failure { _ = try await driver.page(PageRequest(.offset(0), size: 1), context) }
            #expect(error?.name == "credentials rejected")
        }
    }

    @Test func expertsKeepsTheOtherDocuments() async throws {
        try await with(.clinicaExperts) { driver, mock, context in
            let id = ClientID(Self.uuid(3))
            // On record without a CPF.
            #expect(try await driver.client(id, context).cpf == nil)
            _ = try await driver.update(id, ClientPatch(cpf: try #require(CPF("20000009750") as CPF?)), context)
            #expect(try await driver.client(id, context).cpf?.digits == "20000009750")
            let sent = try JSONDocument(try #require(mock.requests.last(.update)).body).root
            #expect(sent["name"]?.string == "Lia Exemplo da Família")
            #expect(sent["documents"]?.elements.compactMap { $0["type"]?.string } == ["RG", "CPF"])
            #expect(sent["phone"] == nil)
        }
    }

    @Test func realClinicKeepsWhatPonteDoesNotKnowInItsOwnSpelling() async throws {
        try await with(.realclinic) { driver, mock, context in
            // 1002 is shown with capitals.
            _ = try await driver.update(ClientID("1002"), ClientPatch(name: "Maria Nova Teste"), context)
            let sent = try JSONDocument(try #require(mock.requests.last(.update)).body).root
            #expect(sent["NumeroCarteirinha"]?.string == "C-1002")
            #expect(sent["Nome"]?.string == "Maria Nova Teste")
            #expect(sent.members.count { $0.key.lowercased() == "id" } == 1)
            #expect(sent.members.count { $0.key.lowercased() == "nome" } == 1)
        }
    }

    @Test(arguments: [MockOptions.Dialect.easyappointments, .openemr])
    func somebodyWithOneNameHasALastNameThere(_ dialect: MockOptions.Dialect) async throws {
        try await with(dialect) { driver, mock, context in
            // As a conversation begins: the number in the name's place.
            let draft = ClientDraft(
                name: "5548988881234", phone: try #require(PhoneNumber("5548988881234")), email: "sem@example.test",
                birthday: Birthday("1991-05-20"))
            let id: ClientID
            switch try await driver.create(draft, context) {
            case .id(let made): id = made
            case .record(let client): id = client.id
            }
            #expect(try await driver.client(id, context).name == draft.name)
            let sent = try JSONDocument(try #require(mock.requests.last(.create)).body).root
            #expect((sent["lastName"] ?? sent["lname"])?.string == (dialect == .openemr ? "--" : "-"))
        }
    }

    @Test func odooTakesWildcardsForThemselves() async throws {
        try await with(.odoo) { (driver, _, context) async throws in
            for term in ["j_ao@example.com", "%@example.com"] {
                #expect(try await found(driver, .email(term), context).isEmpty, "\(term)")
            }
            #expect(try await found(driver, .email("JOAO@example.com"), context).count == 1)
        }
    }

    @Test func easyAppointmentsSearchesWhatItDoesNotShow() async throws {
        try await with(.easyappointments) { driver, _, context in
            // João's second number stands in a column that its API hides: a candidate, and no match.
            let phone = try #require(PhoneNumber("5521999999999"))
            let candidates = try await found(driver, .phone(phone), context)
            #expect(candidates[ClientID("1001")]?.reaches(phone) == false)
        }
    }
}
