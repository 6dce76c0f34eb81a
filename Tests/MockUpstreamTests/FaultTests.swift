import JSONBytes
import MockUpstream
import Testing

/// Each fault as a bare socket sees it.
@Suite struct FaultTests {
    private static let path = "/v1/api/patient/list?limit=2"
    private static let key = ["x-access-token": "chave-de-demonstracao"]
    private static let options = MockOptions(dialect: .feegow, patients: 20)

    private static func asking(_ fault: String) -> [String: String] { key.merging(["X-Mock-Fault": fault]) { $1 } }

    private static func healthy(_ server: MockServer) throws -> RawClient.Answer {
        try RawClient(port: server.port).call("GET", path, headers: key)
    }

    @Test(arguments: [("status=503", 503, nil), ("status=429:7", 429, "7"), ("status=401", 401, nil)])
    func status(_ fault: String, _ status: Int, _ retryAfter: String?) async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            let answer = try client.call("GET", Self.path, headers: Self.asking(fault))
            #expect(answer.status == status)
            #expect(answer.header("Retry-After") == retryAfter)
            // The connection lives on.
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 200)
        }
    }

    @Test func reset() async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            try client.send("GET", Self.path, headers: Self.asking("reset"))
            let end = client.readToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .reset)
            #expect(try Self.healthy(server).status == 200)
        }
    }

    @Test func resetMidBody() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try RawClient(port: server.port)
            try client.send("GET", Self.path, headers: Self.asking("reset-mid-body"))
            let head = try client.readHead()
            #expect(head.status == 200)
            #expect(head.header("Content-Length") == String(whole.count))
            let end = client.readToEnd()
            #expect(end.bytes == Array(whole[..<(whole.count / 2)]))
            #expect(end.ending == .reset)
        }
    }

    @Test func truncate() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try RawClient(port: server.port)
            try client.send("GET", Self.path, headers: Self.asking("truncate"))
            #expect(try client.readHead().header("Content-Length") == String(whole.count))
            let end = client.readToEnd()
            #expect(end.bytes == Array(whole[..<(whole.count / 2)]))
            #expect(end.ending == .closed)
        }
    }

    @Test func html() async throws {
        try await withMock(Self.options) { server in
            let answer = try RawClient(port: server.port).call("GET", Self.path, headers: Self.asking("html"))
            #expect(answer.status == 200)
            #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
            #expect(answer.text.hasPrefix("<!DOCTYPE html>"))
        }
    }

    @Test func empty() async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            let answer = try client.call("GET", Self.path, headers: Self.asking("empty"))
            #expect(answer.status == 200)
            #expect(answer.header("Content-Length") == "0")
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 200)
        }
    }

    @Test func badJSON() async throws {
        try await withMock(Self.options) { server in
            let answer = try RawClient(port: server.port).call("GET", Self.path, headers: Self.asking("bad-json"))
            #expect(answer.status == 200)
            #expect(answer.header("Content-Type")?.hasPrefix("application/json") == true)
            #expect(throws: JSONSyntaxError.self) { try JSONDocument(answer.body) }
        }
    }

    @Test func endless() async throws {
        try await withMock(Self.options) { server in
            do {
                let client = try RawClient(port: server.port)
                try client.send("GET", Self.path, headers: Self.asking("endless"))
                let head = try client.readHead()
                #expect(head.header("Transfer-Encoding") == "chunked")
                #expect(head.header("Content-Length") == nil)
                let end = client.readToEnd(limit: 8 << 20)
                #expect(end.ending == nil)
                // Others are served meanwhile.
                #expect(try Self.healthy(server).status == 200)
            }
            #expect(try Self.healthy(server).status == 200)
        }
    }

    @Test func closeIdle() async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            let answer = try client.call("GET", Self.path, headers: Self.asking("close-idle"))
            #expect(answer.status == 200)
            #expect(answer.header("Connection") == nil)
            #expect(try answer.json()["content"]?.elements.count == 2)
            #expect(client.readToEnd().ending == .closed)
        }
    }

    @Test func latencyHoldsOneAnswerBackAndNoOther() async throws {
        try await withMock(Self.options) { server in
            let waiting = try RawClient(port: server.port)
            try waiting.send("GET", Self.path, headers: Self.asking("latency=600000"))
            while server.requests.total < 1 { await Task.yield() }
            #expect(try Self.healthy(server).status == 200)
            #expect(waiting.isSilent)
            await server.stop()
            #expect(waiting.readToEnd().bytes.isEmpty)
        }
    }

    @Test func latencyGoesWithAnotherFault() async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.call("GET", Self.path, headers: Self.asking("latency=1")).status == 200)
            #expect(try client.call("GET", Self.path, headers: Self.asking("latency=1, status=502")).status == 502)
        }
    }

    // MARK: Whether the operation happens

    @Test(arguments: [
        ("reset", true), ("reset-mid-body", true), ("truncate", true), ("html", true), ("empty", true),
        ("bad-json", true), ("endless", true), ("close-idle", true), ("reset=before", false), ("status=503", false),
        ("reset=headers", true), ("no-reply", true), ("bad-chunk", true), ("random", true), ("gzip-bomb", true),
        ("endless-headers", true), ("slicer", true), ("bandwidth=1", true), ("slow-close=600000", true),
        ("html=503", true), ("latin1", true), ("reset=accept", false),
    ])
    func aSpoiledAnswerIsNotAnUndoneWrite(_ fault: String, _ written: Bool) async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            try client.send(
                "POST", "/v1/api/patient/create", headers: Self.asking(fault),
                body: #"{"nome_completo":"Ana Teste Nova","nome_paciente":"Ana Teste Nova","celular":"48988881234"}"#)
            _ = client.readToEnd(limit: 1)
            let found = try RawClient(port: server.port).call(
                "GET", "/v1/api/patient/list?telefone=48988881234", headers: Self.key)
            #expect(try found.json()["total"]?.int == (written ? 1 : 0))
        }
    }

    // MARK: Ways to ask

    @Test func aFaultFromCodeStrikesItsOperationAsOftenAsItSays() async throws {
        try await withMock(Self.options) { server in
            server.inject(.status(503, retryAfter: nil), operation: .search, times: 2)
            let client = try RawClient(port: server.port)
            func status(_ query: String) throws -> Int {
                try client.call("GET", "/v1/api/patient/list?\(query)", headers: Self.key).status
            }
            #expect(try status("limit=1") == 200)
            #expect(try status("telefone=11") == 503)
            #expect(try status("telefone=11") == 503)
            #expect(server.faults.isEmpty)
            #expect(try status("telefone=11") == 200)
        }
    }

    @Test func theFirstFaultStrikesAndTheOthersWait() async throws {
        var options = Self.options
        options.faults = [
            MockFaultRule(.status(502, retryAfter: nil), times: 1), MockFaultRule(.status(503, retryAfter: nil)),
        ]
        try await withMock(options) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 502)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 503)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 503)
            // A request's own wish comes first.
            #expect(try client.call("GET", Self.path, headers: Self.asking("status=418")).status == 418)
            server.clearFaults()
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 200)
        }
    }

    @Test(arguments: [
        "reset", "reset=before", "status=503", "status=429:2", "latency=5", "reset-mid-body", "truncate", "html",
        "empty", "endless", "bad-json", "close-idle", "latency=50:20", "blackhole", "blackhole=before", "slicer",
        "slicer=16", "bandwidth=100", "slow-close=5", "reset=accept", "reset=headers", "no-reply", "bad-chunk",
        "random",
        "random=7", "endless-headers", "gzip-bomb", "foreign=gateway", "foreign=collision", "html=404", "text-html",
        "latin1", "latin1=none",
        "windows-1252=utf-8", "bom", "duplicate-key", "numbers-as-text",
    ])
    func aFaultsNameAndArgumentReadBack(_ text: String) throws {
        let fault = try #require(MockFault(text))
        #expect(fault.argument.map { "\(fault.name)=\($0)" } ?? fault.name == text)
    }

    @Test(arguments: [
        "", "nada", "status", "status=", "status=99", "status=600", "status=503:", "status=503:-1", "status=1:2:3",
        "latency", "latency=-1", "latency=x", "latency=5:", "latency=5:-1", "latency=1:2:3", "reset=after", "html=1",
        "blackhole=after", "slicer=0", "foreign", "foreign=nada", "bandwidth", "bandwidth=0", "slow-close", "random=-1",
        "latin1=", "latin1=a:b",
        "bom=1",
    ])
    func whatIsNoFaultIsRefused(_ text: String) async throws {
        #expect(MockFault(text) == nil)
        guard !text.isEmpty else { return }
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.call("GET", Self.path, headers: Self.asking(text)).status == 400)
        }
    }

    // MARK: From outside

    @Test func theAdminRoutesAddShowAndRemoveFaults() async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            let added = try client.call(
                "POST", "/__mock/faults",
                body: #"{"operation":"list","fault":"status","argument":"503","times":1}"#)
            #expect(added.status == 201)
            let expected = #"{"faults":[{"fault":"status","argument":"503","operation":"list","times":1}]}"#
            #expect(try client.call("GET", "/__mock/faults").text == expected)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 503)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 200)
            #expect(try client.call("POST", "/__mock/faults", body: #"{"fault":"reset"}"#).status == 201)
            #expect(try client.call("DELETE", "/__mock/faults").text == #"{"faults":[]}"#)
            #expect(try client.call("GET", Self.path, headers: Self.key).status == 200)
        }
    }

    @Test(arguments: [
        "{", "{}", #"{"fault":"nada"}"#, #"{"fault":"status"}"#, #"{"fault":"reset","operation":"lista"}"#,
        #"{"fault":"reset","times":0}"#, #"{"fault":"reset","time":1}"#,
    ])
    func theAdminRoutesRefuse(_ body: String) async throws {
        try await withMock(Self.options) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.call("POST", "/__mock/faults", body: body).status == 422)
            #expect(server.faults.isEmpty)
        }
    }

    @Test func theAdminRoutesMoveTimeAndTokens() async throws {
        try await withMock(MockOptions(patients: 3, tokenLifetime: 900)) { server in
            let session = try AgendaDemoTests.Session(server)
            let admin = try RawClient(port: server.port)
            #expect(try admin.call("POST", "/__mock/advance-clock", body: #"{"seconds":899}"#).status == 200)
            #expect(try session.call("GET", "/api/pacientes/1001").status == 200)
            #expect(try admin.call("POST", "/__mock/expire-tokens").status == 200)
            #expect(try session.call("GET", "/api/pacientes/1001").status == 401)
            #expect(try admin.call("POST", "/__mock/advance-clock", body: "{}").status == 422)
            #expect(try admin.call("GET", "/__mock/nada").status == 404)
        }
    }

    @Test func theAdminRoutesReleaseReads() async throws {
        try await withMock(MockOptions(dialect: .feegow, patients: 3, staleReads: 300)) { server in
            let caller = try FeegowTests.Caller(server)
            #expect(
                try caller.create(
                    #"{"nome_completo":"Ana Teste Nova","nome_paciente":"Ana Teste Nova","celular":"48988881234"}"#)
                    == 1_004)
            #expect(try caller.ids("").count == 3)
            #expect(try RawClient(port: server.port).call("POST", "/__mock/release-reads").status == 200)
            #expect(try caller.ids("").count == 4)
        }
    }
}
