import Foundation
import Gateway
import JSONBytes
import MockUpstream
import Tenancy
import TestSupport
import Testing
import Transport

/// Who is whom, over real sockets, a real driver and a pretend clinic system (design, section 6).
@Suite(.timeLimit(.minutes(2))) struct FamilyTests {
    private func with(
        onDuplicate action: String = "returnExisting",
        _ test: (RunningGateway, MockServer, _ reload: () throws -> [String]) async throws -> Void
    ) async throws {
        let mock = try await MockServer.start(MockOptions(patients: 20))
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-family-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        let tenant = """
            {"id":"ana","inbound":{"keys":[{"name":"main","sha256":"\(KeyDigest(of: "key-ana").hex)"}]},
            "upstream":{"driver":"rest","profile":"agenda-demo","baseURL":"\(mock.baseURL)",
            "credentials":{"user":{"env":"PONTE_USER"},"password":{"env":"PONTE_PASSWORD"}}},
            "clients":{"onDuplicate":"\(action)"}}
            """
        try FileManager.default.createDirectory(
            at: folder.appending(path: "tenants"), withIntermediateDirectories: true)
        try Data(tenant.utf8).write(to: folder.appending(path: "tenants/ana.json"))
        let configuration = try Configuration.ofTest(in: folder, MockOptions())
        let engine = try CurlEngine()
        let tenants = TenantDirectory(configuration, engine: engine)
        let gateway = try await RunningGateway.start(tenants)
        /// The tenant's file changes, and is read again.
        func reload() throws -> [String] {
            let changed = tenant.replacing(#""id":"ana","#, with: #""id":"ana","name":"Another name","#)
            try Data(changed.utf8).write(to: folder.appending(path: "tenants/ana.json"))
            return tenants.replace(with: configuration.readAgain(), engine: engine).replaced
        }
        do { try await test(gateway, mock, reload) } catch { Issue.record(error) }
        try await gateway.stop()
        await engine.shutdown()
        await mock.stop()
    }

    private func create(_ gateway: RunningGateway, _ body: String) async throws -> RawHTTP.Answer {
        try await RawHTTP.call(gateway.port, "POST", "/clients", body: body)
    }

    private func id(_ answer: RawHTTP.Answer) throws -> String {
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try JSONDocument(answer.body).root["id"]?.string)
    }

    /// The contract's family: everybody is somebody else, and comes back as themselves.
    @Test func aFamilyOfFourOnOnePhone() async throws {
        try await with { gateway, mock, _ in
            let family = [
                #"{"name":"Ana Família Teste","phone":"5511985554444","cpf":"11144477735"}"#,
                #"{"name":"Bruno Família Teste","phone":"5511985554444"}"#,
                #"{"name":"Carla Família Teste","phone":"5511985554444","birthday":"2015-05-05"}"#,
                #"{"name":"Davi Família Teste","phone":"5511985554444","birthday":"2018-08-08"}"#,
            ]
            var ids: [String] = []
            for body in family { ids.append(try id(try await create(gateway, body))) }
            #expect(Set(ids).count == 4)
            #expect(mock.requests.count(.create) == 4)
            for (body, known) in zip(family, ids) {
                // The same line without its ninth digit.
                let again = body.replacing("5511985554444", with: "551185554444")
                let answer = try await create(gateway, again.replacing("Família", with: "FAMÍLIA "))
                #expect(try id(answer) == known)
            }
            #expect(mock.requests.count(.create) == 4)
            let found = try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=5511985554444")
            #expect(Set(try JSONDocument(found.body).root.elements.compactMap { $0["id"]?.string }) == Set(ids))
            // Only the phone: any of the four, so nobody.
            let nameless = try await create(gateway, #"{"name":"5511985554444","phone":"5511985554444"}"#)
            #expect(nameless.status == 409)
            let clients = try JSONDocument(nameless.body).root["clients"]?.elements.compactMap(\.string) ?? []
            #expect(Set(clients) == Set(ids))
        }
    }

    @Test func twinsWithOneBirthDate() async throws {
        try await with { gateway, mock, _ in
            func twin(_ name: String, _ cpf: String?) -> String {
                let cpf = cpf.map { #","cpf":"\#($0)""# } ?? ""
                return #"{"name":"\#(name)","phone":"5511955553333","birthday":"2015-05-05"\#(cpf)}"#
            }
            let cosme = try id(try await create(gateway, twin("Cosme Teste", "11144477735")))
            let damião = try id(try await create(gateway, twin("Damião Teste", "52998224725")))
            let doum = try id(try await create(gateway, twin("Doum Teste", nil)))
            #expect(Set([cosme, damião, doum]).count == 3)
            // The same name with another CPF is another person, also on this phone with this birth date.
            let namesake = try id(try await create(gateway, twin("Cosme Teste", "12345678909")))
            #expect(namesake != cosme)
            #expect(try await id(create(gateway, twin("Cosme T.", "11144477735"))) == cosme)
            #expect(mock.requests.count(.create) == 4)
            // Without a CPF the name on this phone is two people.
            #expect(try await create(gateway, twin("Cosme Teste", nil)).status == 409)
        }
    }

    @Test func aRecordWithoutCPFIsKnownByPhoneAndName() async throws {
        try await with { gateway, mock, _ in
            let first = try id(try await create(gateway, #"{"name":"Ana Sem Teste","phone":"5511955552222"}"#))
            for body in [
                #"{"name":"ana sem  teste","phone":"5511955552222","cpf":"11144477735"}"#,
                #"{"name":"Ana Sem Teste","phone":"(11) 95555-2222"}"#,
            ] {
                #expect(try await id(create(gateway, body)) == first)
            }
            #expect(mock.requests.count(.create) == 1)
        }
    }

    /// Twenty connections, and no create has been answered before the last has come: the system is slow.
    @Test func twentyEqualCreatesAtOnceReachTheSystemOnce() async throws {
        try await with { gateway, mock, _ in
            _ = try await RawHTTP.call(gateway.port, "GET", "/clients?limit=1")
            mock.inject(.latency(milliseconds: 300), operation: .search)
            mock.inject(.latency(milliseconds: 300), operation: .create)
            let body = #"{"name":"Ana Simultânea","phone":"5511955551111"}"#
            let answers = try await withThrowingTaskGroup(of: RawHTTP.Answer.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        // Half of them with keys of their own.
                        let key = number % 2 == 0 ? ["Idempotency-Key: \"\(number)\""] : []
                        return try await RawHTTP.call(gateway.port, "POST", "/clients", key, body: body)
                    }
                }
                return try await group.reduce(into: [RawHTTP.Answer]()) { $0.append($1) }
            }
            let ids = try Set(answers.map { try id($0) })
            #expect(ids.count == 1)
            #expect(mock.requests.count(.create) == 1)
        }
    }

    /// The create is carried out and its answer lost: all of them find the record.
    @Test func aLostAnswerIsFoundByAllWhoWait() async throws {
        try await with { gateway, mock, _ in
            mock.inject(.reset(before: false), operation: .create, times: 1)
            let body = #"{"name":"Ana Perdida","phone":"5511955550000"}"#
            let answers = try await withThrowingTaskGroup(of: RawHTTP.Answer.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await RawHTTP.call(gateway.port, "POST", "/clients", body: body) }
                }
                return try await group.reduce(into: [RawHTTP.Answer]()) { $0.append($1) }
            }
            let ids = try Set(answers.map { try id($0) })
            #expect(ids.count == 1)
            #expect(mock.requests.count(.create) == 1)
        }
    }

    /// The create is lost on its way: nobody sends it again before the record would have appeared.
    @Test func aLostCreateIsNotSentAgainAtOnce() async throws {
        try await with { gateway, mock, _ in
            _ = try await RawHTTP.call(gateway.port, "GET", "/clients?limit=1")
            mock.inject(.reset(before: true), operation: .create, times: 1)
            let body = #"{"name":"Ana Perdida","phone":"5511955550000"}"#
            for _ in 0..<3 {
                let answer = try await create(gateway, body)
                #expect(answer.status == 504)
                let problem = try JSONDocument(answer.body).root
                #expect(problem["code"]?.string == "outcome_unknown")
                #expect(problem["outcome"]?.string == "unknown")
            }
            #expect(mock.requests.count(.create) == 1)
        }
    }

    /// One under the old reading of the tenant's file, one under the new: they know of each other.
    @Test func equalCreatesAroundAReloadAreOne() async throws {
        try await with { gateway, mock, reload in
            _ = try await RawHTTP.call(gateway.port, "GET", "/clients?limit=1")
            mock.inject(.latency(milliseconds: 400), operation: .create)
            let body = #"{"name":"Ana Recarregada","phone":"5511955559999"}"#
            async let first = create(gateway, body)
            while mock.requests.count(.create) == 0 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(try reload() == ["ana"])
            let second = try await create(gateway, body)
            #expect(try await id(first) == id(second))
            #expect(mock.requests.count(.create) == 1)
        }
    }
}
