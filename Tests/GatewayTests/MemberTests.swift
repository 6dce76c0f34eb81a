import Gateway
import JSONBytes
import Testing
import UpstreamDriver

/// What becomes of the members of a create and an update, from the caller to the system and into the log.
@Suite(.timeLimit(.minutes(1))) struct MemberTests {
    private func ignored(_ gateway: RunningGateway, _ requestID: String) throws -> String? {
        let line = try #require(gateway.log.all.first { $0.contains("\"requestId\":\"\(requestID)\"") })
        return try JSONDocument(Array(line.utf8)).root["ignored"]?.string
    }

    private func send(
        _ gateway: RunningGateway, _ method: String, _ path: String, _ body: String, id: String
    ) async throws -> RawHTTP.Answer {
        try await RawHTTP.call(gateway.port, method, path, ["X-Request-Id: \(id)"], body: body)
    }

    @Test func unknownMembersAreIgnoredAndCountedByName() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let draft = #"""
                {"name":"Bruno Exemplo","phone":"5511912345678","externalId":"x1","tags":[],"tags":[],
                "Ana Teste":1,"5511987654321":{"a":null}}
                """#
            #expect(try await send(gateway, "POST", "/clients", draft, id: "create").status == 200)
            #expect(try ignored(gateway, "create") == "externalId=1,other=2,tags=2")
            let patch = #"{"name":"Ana Outra","externalId":null,"id":"7"}"#
            #expect(try await send(gateway, "PATCH", "/clients/id-0", patch, id: "patch").status == 200)
            #expect(try ignored(gateway, "patch") == "externalId=1,id=1")
            // Also when the system fails; and without any there is no such field.
            system.state.withLock { $0.failure = .unreachable("no route") }
            #expect(try await send(gateway, "POST", "/clients", draft, id: "failed").status == 502)
            #expect(try ignored(gateway, "failed") == "externalId=1,other=2,tags=2")
            _ = try await send(gateway, "PATCH", "/clients/id-0", #"{"name":"Ana Outra"}"#, id: "none")
            #expect(try ignored(gateway, "none") == nil)
            #expect(!gateway.log.all.contains { $0.contains("Ana") || $0.contains("5511987654321") })
        }
    }

    static let passedOn: [(Set<Capabilities.DraftMember>, String?)] = [
        ([.healthInsurance, .location], nil), ([.location], "healthInsurance=1"), ([], "healthInsurance=1,location=1"),
    ]

    @Test(arguments: passedOn) func insuranceAndLocationArePassedOnOrSeenToBeIgnored(
        _ members: Set<Capabilities.DraftMember>, _ expected: String?
    ) async throws {
        let system = FakeSystem()
        system.state.withLock { $0.draftMembers = members }
        try await RunningGateway.with(system) { gateway in
            let draft =
                #"{"name":"Bruno Exemplo","phone":"5511912345678","healthInsurance":"conv123","location":"loc456"}"#
            let created = try await send(gateway, "POST", "/clients", draft, id: "create")
            #expect(created.status == 200)
            #expect(try ignored(gateway, "create") == expected)
            #expect(system.state.withLock { $0.drafts.last?.healthInsurance } == "conv123")
            // No create takes them from an update.
            let patch = #"{"healthInsurance":"conv123","location":"loc456"}"#
            #expect(try await send(gateway, "PATCH", "/clients/id-0", patch, id: "patch").status == 200)
            #expect(try ignored(gateway, "patch") == "healthInsurance=1,location=1")
        }
    }

    @Test func nullMeansAbsentInACreate() async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let draft = #"{"name":"Bruno Exemplo","phone":"5511912345678","email":null,"cpf":null,"birthday":null}"#
            let answer = try await RawHTTP.call(gateway.port, "POST", "/clients", body: draft)
            #expect(answer.status == 200)
            #expect(try Set(JSONDocument(answer.body).root.members.map(\.key)) == ["id", "name", "phone", "allPhones"])
            let missing = try await RawHTTP.call(
                gateway.port, "POST", "/clients", body: #"{"name":null,"phone":"5511912345678"}"#)
            #expect(missing.status == 400)
        }
        #expect(system.state.withLock { $0.creates } == 1)
    }

    static let refused: [(body: String, pointer: String, says: String)] = [
        (#"{"email":null}"#, "/email", "nothing can be cleared"), (#"{"cpf":null}"#, "/cpf", "nothing can be cleared"),
        (#"{"name":""}"#, "/name", "is blank"),
        (#"{"name":"Ana Outra","phone":"5511912345678"}"#, "/phone", "cannot be changed"),
        (#"{"phone":null}"#, "/phone", "cannot be changed"), (#"{"allPhones":[]}"#, "/allPhones", "cannot be changed"),
    ]

    @Test(arguments: refused) func anUpdateThatWouldLoseSomethingIsRefused(
        _ body: String, _ pointer: String, _ says: String
    ) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let answer = try await RawHTTP.call(gateway.port, "PATCH", "/clients/id-0", body: body)
            #expect(answer.status == 400)
            let fault = try #require(JSONDocument(answer.body).root["errors"]?.elements.first)
            #expect(fault["pointer"]?.string == pointer)
            #expect(fault["message"]?.string?.contains(says) == true)
        }
        #expect(system.state.withLock { $0.updates } == 0)
    }

    @Test(arguments: ["{}", #"{"externalId":"7"}"#]) func anEmptyUpdateReadsTheClient(_ body: String) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let answer = try await RawHTTP.call(gateway.port, "PATCH", "/clients/id-1", body: body)
            #expect(answer.status == 200)
            #expect(try JSONDocument(answer.body).root["name"]?.string == "Ana Teste 1")
            #expect(try await RawHTTP.call(gateway.port, "PATCH", "/clients/nobody", body: body).status == 404)
            // Where a system cannot show one client there is nothing to answer.
            _ = system.state.withLock { $0.operations.remove(.get) }
            let unable = try await RawHTTP.call(gateway.port, "PATCH", "/clients/id-1", body: body)
            #expect(unable.status == 501)
        }
        #expect(system.state.withLock { $0.updates } == 0)
    }
}
