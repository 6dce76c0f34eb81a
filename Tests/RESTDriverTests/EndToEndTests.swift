import ClientContract
import JSONBytes
import MockUpstream
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// The shipped profiles against pretend clinic systems, over real sockets and libcurl.
@Suite struct EndToEndTests {
    private func with(
        _ options: MockOptions, _ name: String, _ credentials: [String: Secret],
        _ body: (RESTDriver, MockServer, CallContext) async throws -> Void
    ) async throws {
        let mock = try await MockServer.start(options)
        let engine = try CurlEngine()
        let driver = RESTDriver(
            profile: try Sample.shipped(name),
            tenant: RESTTenant(baseURL: mock.baseURL, credentials: credentials, phones: PhoneContext(areaCode: 31)),
            http: engine.channel(ChannelSettings()))
        do {
            try await body(driver, mock, CallContext(deadline: .now + .seconds(60), requestID: "test"))
        } catch { Issue.record(error) }
        await engine.shutdown()
        await mock.stop()
    }

    private func agenda(_ body: (RESTDriver, MockServer, CallContext) async throws -> Void) async throws {
        let options = MockOptions(patients: 130)
        try await with(
            options, "agenda-demo", ["user": Secret(options.user), "password": Secret(options.password)], body)
    }

    private func feegow(staleReads: Int = 0, _ body: (RESTDriver, MockServer, CallContext) async throws -> Void)
        async throws
    {
        let options = MockOptions(dialect: .feegow, patients: 130, staleReads: staleReads)
        try await with(options, "feegow", ["token": Secret(options.accessToken)], body)
    }

    private func ids(_ driver: RESTDriver, _ term: SearchTerm, _ context: CallContext) async throws -> Set<String> {
        var found: Set<String> = []
        for attempt in 0..<(driver.capabilities.searches[term.kind]?.count ?? 0) {
            let page = try await driver.candidates(
                for: term, attempt: attempt, PageRequest(.offset(0), size: 100), context)
            found.formUnion(page.clients.map(\.id.text))
        }
        return found
    }

    @Test func agendaReadsPagesCandidatesAndClients() async throws {
        try await agenda { driver, mock, context in
            let first = try await driver.page(PageRequest(.offset(0), size: 100), context)
            let second = try await driver.page(PageRequest(.offset(100), size: 100), context)
            #expect(first.total == 130)
            #expect(first.more == true && second.more == false)
            #expect(Set((first.clients + second.clients).map(\.id)).count == 130)
            let phone = SearchTerm.phone(try #require(PhoneNumber("5511999999999")))
            #expect(try await ids(driver, phone, context).contains("1001"))
            // On record without its ninth digit.
            #expect(try await ids(driver, .phone(try #require(PhoneNumber("5531988880002"))), context).contains("1008"))
            #expect(try await ids(driver, try #require(SearchTerm("20000000108", as: .cpf)), context) == ["1002"])
            #expect(try await ids(driver, .email("joao@example.com"), context).contains("1001"))
            #expect(try await ids(driver, .name("João Silva"), context).contains("1001"))
            let joao = try await driver.client(ClientID("1001"), context)
            #expect(joao.name == "João Silva")
            #expect(joao.allPhones.map(\.digits) == ["5511999999999", "5521999999999"])
            #expect(joao.birthday?.iso == "1990-01-01")
            #expect(mock.requests.count(.login) == 1)
            #expect(await failure { _ = try await driver.client(ClientID("1"), context) }?.name == "not found")
        }
    }

    @Test func agendaKeepsWhatPonteDoesNotKnow() async throws {
        try await agenda { driver, mock, context in
            let answer = try await driver.update(
                ClientID("1001"), ClientPatch(name: "João Silva Exemplo", email: "novo@example.test"), context)
            guard case .record(let client) = answer else {
                Issue.record("expected the record")
                return
            }
            #expect(client.name == "João Silva Exemplo")
            #expect(client.email == "novo@example.test")
            #expect(client.cpf?.digits == "12345678900")
            let sent = try JSONDocument(try #require(mock.requests.last(.update)).body).root
            #expect(sent["prontuario"]?["numero"]?.string == "P-1")
            #expect(sent["tags"]?.elements.map(\.string) == ["vip"])
            #expect(sent["contatos"]?["telefones"]?.elements.count == 1)
            #expect(sent["documento"]?["cpf"]?.string == "123.456.789-00")
        }
    }

    @Test func agendaCreatesAndRenewsItsToken() async throws {
        try await agenda { driver, mock, context in
            let draft = try #require(Sample.ana)
            guard case .id(let id) = try await driver.create(draft, context) else {
                Issue.record("expected an id")
                return
            }
            mock.expireTokens()
            let read = try await driver.client(id, context)
            #expect(read.name == draft.name)
            #expect(read.cpf == draft.cpf)
            #expect(read.birthday == draft.birthday)
            #expect(read.allPhones == [draft.phone])
            #expect(mock.requests.count(.login) == 2)
            #expect(mock.requests.count(.create) == 1)
        }
    }

    @Test func feegowReadsTwoShapes() async throws {
        try await feegow { driver, _, context in
            let page = try await driver.page(PageRequest(.offset(100), size: 50), context)
            #expect(page.clients.count == 30)
            // What its total counts is not documented: only an empty page is the end.
            #expect(page.more == nil && page.total == nil)
            #expect(driver.capabilities.needsDetail.isSuperset(of: [.cpf, .phone]))
            let joao = try await driver.client(ClientID("1001"), context)
            #expect(joao.cpf?.digits == "12345678900")
            #expect(joao.birthday?.iso == "1990-01-01")
            #expect(joao.text(.image) == "https://example.com/photo.jpg")
            #expect(try await ids(driver, try #require(SearchTerm("20000000108", as: .cpf)), context) == ["1002"])
            #expect(
                try await ids(driver, .phone(try #require(PhoneNumber("5531988887777"))), context).isSuperset(of: [
                    "1002", "1003", "1004",
                ]))
            // Shown without its area code: the tenant's own holds.
            #expect(try await driver.client(ClientID("1005"), context).phone?.digits == "5531988887777")
            for id in ["1", "x", "1001&paciente_cpf=1", "01001"] {
                #expect(
                    await failure { _ = try await driver.client(ClientID(id), context) }?.name == "not found", "\(id)")
            }
        }
    }

    @Test func feegowAnswersIDsAndReusesRecords() async throws {
        try await feegow { driver, mock, context in
            let draft = ClientDraft(
                name: "Ana Nova Teste", phone: try #require(PhoneNumber("5548988881234")), email: "nova@example.test")
            func create() async throws -> ClientID {
                guard case .id(let id) = try await driver.create(draft, context) else { throw Sample.Unusable() }
                return id
            }
            let id = try await create()
            #expect(try await driver.client(id, context).name == "Ana Nova Teste")
            #expect(try await create() == id)
            #expect(driver.capabilities.duplicates == .reusesSilently)
            #expect(
                try JSONDocument(try #require(mock.requests.last(.create)).body).root["nome_paciente"]?.string
                    == "Ana Nova Teste")
            _ = try await driver.update(
                id, ClientPatch(email: "outra@example.test", birthday: Birthday("1990-03-07")), context)
            let after = try await driver.client(id, context)
            #expect(after.email == "outra@example.test")
            #expect(after.birthday?.iso == "1990-03-07")
            #expect(after.name == "Ana Nova Teste")
            // Its edit says only "not updated", whoever is meant.
            #expect(
                await failure { _ = try await driver.update(ClientID("5"), ClientPatch(name: "X"), context) }?.name
                    == "not found")
        }
    }

    @Test func feegowTakesWhatTheContractAllows() async throws {
        try await feegow { driver, mock, context in
            func create(_ name: String, _ number: String, _ more: String = "") async throws -> Client {
                let body = #"{"name":"\#(name)","phone":"\#(number)"\#(more)}"#
                let draft = try ClientDraft(body: Array(body.utf8))
                guard case .id(let id) = try await driver.create(draft, context) else { throw Sample.Unusable() }
                return try await driver.client(id, context)
            }
            // A name and a landline, nothing else: Feegow asks for a mobile, a CPF, an e-mail or a birth date.
            #expect(try await create("Carla Fixo", "551133330009").allPhones.map(\.digits) == ["551133330009"])
            let sent = try JSONDocument(try #require(mock.requests.last(.create)).body).root
            #expect(sent["celular"]?.string == "1133330009")
            #expect(sent["telefone"]?.string == "1133330009")
            let ines = try await create("Inês Estrangeira", "+351912345678")
            #expect(ines.phone?.digits == "351912345678")
            #expect(try await ids(driver, .phone(try #require(ines.phone)), context).contains(ines.id.text))
            #expect(
                try JSONDocument(try #require(mock.requests.last(.create)).body).root["celular"]?.string
                    == "351912345678")
            // The contract's own sample ids.
            let ids = #","healthInsurance":"conv123","location":"loc456""#
            _ = try await create("Davi Convênio", "5531988880009", ids)
            let printed = try JSONDocument(try #require(mock.requests.last(.create)).body).root
            #expect(printed["convenio_id"] == nil && printed["unidade_id"] == nil)
            _ = try await create("Eva Convênio", "5531988880010", #","healthInsurance":"12""#)
            #expect(
                try JSONDocument(try #require(mock.requests.last(.create)).body).root["convenio_id"]?.int == 12)
        }
    }

    @Test func feegowsReadsMayLag() async throws {
        try await feegow(staleReads: 300) { driver, mock, context in
            #expect(driver.capabilities.staleReads == .seconds(300))
            _ = try await driver.update(ClientID("1001"), ClientPatch(name: "Outro Nome"), context)
            #expect(try await driver.client(ClientID("1001"), context).name == "João Silva")
            mock.advanceClock(seconds: 301)
            #expect(try await driver.client(ClientID("1001"), context).name == "Outro Nome")
        }
    }

    @Test func aWrongKeyIsSaidToBeOne() async throws {
        try await with(MockOptions(dialect: .feegow, patients: 3), "feegow", ["token": Secret("errada")]) {
            driver, _, context in
            let error = await failure { _ = try await driver.client(ClientID("1001"), context) }
            #expect(error?.name == "credentials rejected")
            #expect(!(error?.description.contains("errada") ?? true))
        }
    }
}
