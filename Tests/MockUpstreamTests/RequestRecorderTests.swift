import JSONBytes
import MockUpstream
import Testing

@Suite struct RequestRecorderTests {
    @Test func requestsAreCountedByOperation() async throws {
        try await withMock { server in
            let session = try AgendaDemoTests.Session(server)
            _ = try session.call("GET", "/api/pacientes")
            _ = try session.call("GET", "/api/pacientes?telefone=11")
            _ = try session.call("GET", "/api/pacientes?telefone=")
            _ = try session.call("GET", "/api/pacientes/1001")
            _ = try session.call("POST", "/api/pacientes", body: #"{"nomeCompleto":"Ana Teste"}"#)
            _ = try session.call("PUT", "/api/pacientes/1001", body: #"{"nomeCompleto":"Ana Teste"}"#)
            _ = try session.call("GET", "/nada")
            _ = try session.call("GET", "/__mock/requests")
            #expect(
                server.requests.counts == [
                    .login: 1, .list: 2, .search: 1, .get: 1, .create: 1, .update: 1, .unknown: 1,
                ])
            #expect(server.requests.count(.list) == 2)
            #expect(server.requests.total == 8)
            #expect(server.requests.connections == 1)
            server.requests.reset()
            #expect(server.requests.total == 0)
            #expect(server.requests.last(.get) == nil)
        }
    }

    @Test func feegowCallsCountUnderTheSameNames() async throws {
        try await withMock(MockOptions(dialect: .feegow, patients: 5)) { server in
            let caller = try FeegowTests.Caller(server)
            _ = try caller.ids("limit=1")
            _ = try caller.ids("cpf=12345678900")
            _ = try caller.detail(1_001)
            _ = try caller.create(#"{"nome_completo":"Ana Teste","nome_paciente":"Ana Teste","celular":"48988881234"}"#)
            _ = try caller.call("POST", "edit", body: #"{"paciente_id":1001}"#)
            _ = try caller.call("GET", "edit")
            #expect(
                server.requests.counts == [.list: 1, .search: 1, .get: 1, .create: 1, .update: 1, .unknown: 1])
        }
    }

    @Test func theLastRequestIsKeptAsItWasSent() async throws {
        try await withMock { server in
            let session = try AgendaDemoTests.Session(server)
            _ = try session.call("GET", "/api/pacientes/1001")
            _ = try session.call("GET", "/api/pacientes/%2E%2E%2Fa?nome=a%20b+c&x")
            let read = try #require(server.requests.last(.get))
            #expect(read.method == "GET")
            #expect(read.path == "/api/pacientes/%2E%2E%2Fa")
            #expect(read.query == "nome=a%20b+c&x")
            #expect(read.parameter("nome") == "a b c")
            #expect(read.parameter("x")?.isEmpty == true)
            #expect(read.parameter("y") == nil)
            #expect(read.values(ofHeader: "authorization") == ["Bearer \(session.token)"])
            let body = #"{"nomeCompleto":"Ana Teste"}"#
            _ = try session.call("POST", "/api/pacientes", body: body)
            #expect(server.requests.last(.create)?.body == Array(body.utf8))
        }
    }

    @Test func aRequestPrintsMasked() async throws {
        try await withMock { server in
            let session = try AgendaDemoTests.Session(server)
            _ = try session.call("GET", "/api/pacientes?nome=ana")
            let request = try #require(server.requests.last(.search))
            var dumped = ""
            dump(request, to: &dumped)
            for text in ["\(request)", String(reflecting: request), dumped] {
                #expect(!text.contains("ana") && !text.contains("Bearer") && !text.contains(session.token))
            }
        }
    }

    @Test func aRequestIsCountedThoughAFaultStrikesIt() async throws {
        try await withMock { server in
            server.inject(.reset(before: true), times: 1)
            let client = try RawClient(port: server.port)
            try client.send("GET", "/api/pacientes")
            #expect(client.readToEnd().ending == .reset)
            #expect(server.requests.counts == [.list: 1])
        }
    }

    @Test func theAdminRoutesShowTheCounts() async throws {
        try await withMock { server in
            let client = try RawClient(port: server.port)
            _ = try client.call("GET", "/api/pacientes")
            let counts = try client.call("GET", "/__mock/requests").json()
            #expect(counts["connections"]?.int == 1)
            #expect(counts["total"]?.int == 1)
            #expect(counts["operations"]?["list"]?.int == 1)
            #expect(counts["operations"]?["create"]?.int == 0)
            #expect(try client.call("DELETE", "/__mock/requests").json()["total"]?.int == 0)
        }
    }
}
