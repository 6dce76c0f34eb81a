import MockUpstream
import Testing

@Suite struct ServerTests {
    @Test func theBaseURLSaysWhereItListens() async throws {
        try await withMock(MockOptions(patients: 1)) { #expect($0.baseURL == "http://127.0.0.1:\($0.port)") }
        try await withMock(MockOptions(dialect: .feegow, patients: 1)) {
            #expect($0.baseURL == "http://127.0.0.1:\($0.port)/v1/api")
        }
    }

    @Test func aTakenPortIsAnError() async throws {
        try await withMock { server in
            await #expect(throws: (any Error).self) {
                _ = try await MockServer.start(MockOptions(port: server.port, patients: 1))
            }
        }
    }

    @Test func stopClosesConnectionsAndCanBeRepeated() async throws {
        let server = try await MockServer.start(MockOptions(patients: 1))
        let client = try RawClient(port: server.port)
        #expect(try client.call("GET", "/api/pacientes").status == 401)
        await server.stop()
        await server.stop()
        await server.run()
        #expect(client.readToEnd().ending == .closed)
        #expect(throws: RawClient.Unexpected.self) { try RawClient(port: server.port) }
    }

    @Test func runEndsWhenItsTaskIsCancelled() async throws {
        try await withMock(MockOptions(patients: 1)) { server in
            let running = Task { await server.run() }
            running.cancel()
            await running.value
            #expect(throws: RawClient.Unexpected.self) { try RawClient(port: server.port) }
        }
    }

    @Test func aConnectionServesManyRequestsInOrder() async throws {
        try await withMock(MockOptions(dialect: .feegow, patients: 30)) { server in
            let client = try RawClient(port: server.port)
            let key = ["x-access-token": "chave-de-demonstracao"]
            for offset in 0..<20 {
                try client.send("GET", "/v1/api/patient/list?limit=1&offset=\(offset)", headers: key)
            }
            for offset in 0..<20 {
                let row = try client.readAnswer().json()["content"]?.elements.first
                #expect(row?["patient_id"]?.int == 1_001 + offset)
            }
            #expect(server.requests.connections == 1)
        }
    }

    @Test func aCallerThatWantsToCloseIsClosed() async throws {
        try await withMock { server in
            let client = try RawClient(port: server.port)
            #expect(try client.call("GET", "/api/pacientes", headers: ["Connection": "close"]).status == 401)
            #expect(client.readToEnd().ending == .closed)
        }
    }

    @Test func aBodyWithoutEndIsRefused() async throws {
        try await withMock { server in
            let client = try RawClient(port: server.port)
            let body = String(repeating: "a", count: 17 << 20)
            #expect(try client.call("POST", "/auth/login", body: body).status == 413)
        }
    }

    @Test func bytesThatAreNotHTTPHurtNobodyElse() async throws {
        try await withMock { server in
            let client = try RawClient(port: server.port)
            try client.send("nonsense \u{1}", "")
            #expect(client.readToEnd().ending != .timedOut)
            #expect(try RawClient(port: server.port).call("GET", "/api/pacientes").status == 401)
        }
    }

    @Test func manyCallersAtOnceLoseNothing() async throws {
        try await withMock(MockOptions(patients: 10)) { server in
            let token = try AgendaDemoTests.Session(server).token
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<8 {
                    group.addTask {
                        let client = try RawClient(port: server.port)
                        for number in 0..<25 {
                            let answer = try client.call(
                                "POST", "/api/pacientes",
                                headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"],
                                body: #"{"nomeCompleto":"Ana Teste \#(caller) \#(number)"}"#)
                            #expect(answer.status == 201)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.requests.count(.create) == 200)
            let session = try AgendaDemoTests.Session(server)
            var codes: [Int] = []
            for page in 1...3 { codes += try session.codes("porPagina=100&pagina=\(page)") }
            #expect(codes == Array(1_001...1_210))
        }
    }

    /// Enough rewriting that the search columns are packed anew.
    @Test func searchStaysRightAfterThousandsOfWrites() async throws {
        try await withMock(MockOptions(patients: 20)) { server in
            let session = try AgendaDemoTests.Session(server)
            let note = String(repeating: "x", count: 40)
            for number in 0..<3_000 {
                let body = """
                    {"nomeCompleto":"Ana Teste \(note) \(number)",
                     "contatos":{"celular":"(48) 98888-\(1000 + number % 9000)"}}
                    """
                #expect(try session.call("PUT", "/api/pacientes/1003", body: body).status == 200)
            }
            #expect(try session.codes("telefone=48988883999") == [1_003])
            #expect(try session.codes("telefone=48988883998").isEmpty)
            #expect(try session.codes("nome=2999") == [1_003])
            #expect(try session.codes("nome=ana%20teste") == [1_003, 1_008])
            #expect(try session.codes("telefone=31988887777") == [1_002, 1_004, 1_005])
        }
    }
}
