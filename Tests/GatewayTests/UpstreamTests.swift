import Foundation
import Gateway
import JSONBytes
import Tenancy
import TestSupport
import Testing
import Transport

/// What goes to the clinic's system and what comes back from it, byte by byte: caller, Gateway, Bridge, driver and
/// libcurl are real, and the system is a socket.
@Suite(.timeLimit(.minutes(1))) struct UpstreamTests {
    private static let profile = """
        {"name":"plain","title":"Plain","credentials":["key"],"request":{"headers":{"X-Key":"{credential.key}"}},
        "fields":{"id":{"at":"/id"},"name":{"at":"/name"},"phones":{"at":"/phone"},"email":{"at":"/email"}},
        "operations":{
          "list":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"",
            "paging":{"style":"offset","maximum":2,"shortPageEnds":true}},
          "find":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"",
            "paging":{"style":"offset","maximum":2}},
          "get":{"path":"/patients/{id}","item":"",
            "outcomes":[{"when":{"status":404},"then":"notFound"}]},
          "create":{"method":"POST","path":"/patients","json":"{record}","answer":{"item":""}},
          "update":{"method":"PATCH","path":"/patients/{id}","json":"{record}"}},
        "search":{"name":{"operation":"find","query":{"q":"{term}"}}},
        "create":{"duplicates":"creates"},"update":{"style":"partial"}}
        """

    private func with(
        _ handler: @escaping @Sendable (RawServer.Connection) -> Void,
        _ test: (RunningGateway, RawServer) async throws -> Void
    ) async throws {
        let system = try RawServer(handler)
        defer { system.stop() }
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-gateway-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        let tenant = """
            {"id":"ana","name":"Ana","inbound":{"keys":[{"name":"main","sha256":"\(KeyDigest(of: "key-ana").hex)"}]},
            "upstream":{"driver":"rest","profile":"plain","baseURL":"\(system.url)/v1",
            "credentials":{"key":{"env":"KEY"}}},"clients":{"searchBy":["name"]}}
            """
        for (file, text) in [("server.json", "{}"), ("tenants/ana.json", tenant), ("drivers/plain.json", Self.profile)]
        {
            let place = folder.appending(path: file)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: place)
        }
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(secrets: SecretSource(environment: { _ in "chave-do-sistema" })))
        try #require(configuration.faults == [])
        let engine = try CurlEngine()
        let gateway = try await RunningGateway.start(TenantDirectory(configuration, engine: engine))
        do { try await test(gateway, system) } catch { Issue.record(error) }
        try await gateway.stop()
        await engine.shutdown()
    }

    /// Answers every request the same.
    private func always(
        _ body: String, status: String = "200 OK", headers: String = ""
    ) -> @Sendable (RawServer.Connection) -> Void {
        { connection in
            while connection.readRequest() != nil {
                connection.answer(body, status: status, headers: "Content-Type: application/json\r\n" + headers)
            }
        }
    }

    static let ids: [(segment: String, path: String)] = [
        ("a%2Fb", "a%2Fb"), ("..%2F..%2Fadmin", "..%2F..%2Fadmin"), ("a%3Fx%3D1%23y", "a%3Fx%3D1%23y"),
        ("a%20b", "a%20b"), ("%252e%252e", "%252e%252e"), ("%C3%A9", "%C3%A9"), ("a;b=c", "a%3Bb%3Dc"),
        ("@evil.example.test", "%40evil.example.test"), ("%2F%2Fevil.example.test", "%2F%2Fevil.example.test"),
        ("http%3A%2F%2Fevil.example.test", "http%3A%2F%2Fevil.example.test"), ("a%5Cb", "a%5Cb"), ("...", "..."),
        ("%7Bid%7D", "%7Bid%7D"), (String(repeating: "a", count: 512), String(repeating: "a", count: 512)),
    ]

    @Test func anIdIsOneSegmentOfTheSystemsPath() async throws {
        try await with(always("{}", status: "404 Not Found")) { gateway, system in
            for (segment, path) in Self.ids {
                #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/\(segment)").status == 404, "\(segment)")
                let request = try #require(system.requests.last)
                #expect(request.line == "GET /v1/patients/\(path) HTTP/1.1", "\(segment)")
                #expect(request.header("host") == "127.0.0.1:\(system.port)", "\(segment)")
            }
            let asked = system.requests.count
            for refused in ["%2E%2E", ".", "%00", "a%0D%0AX:y", String(repeating: "a", count: 4096), "%FF"] {
                #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/\(refused)").status == 400, "\(refused)")
            }
            // Not a segment at all.
            for other in ["../admin", "a/../../admin"] {
                #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/\(other)").status == 404, "\(other)")
            }
            #expect(system.requests.count == asked)
        }
    }

    static let terms = [
        "100%", "a*b", "O'Hara", "a&limit=9&x=y", "a=b", "a+b", "a;b", "a#b", "a?b", "João 😀", "Jo\u{E3}o",
        "Joa\u{303}o",
        "../x", "%00", "\"a\"", "{term}", "a,b",
    ]

    @Test func aTermIsOneValueOfTheSystemsQuery() async throws {
        try await with(always("[]")) { gateway, system in
            for term in Self.terms {
                let before = system.requests.count
                let query = try #require(term.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
                let answer = try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=\(query)")
                #expect(answer.status == 200 && answer.text == "[]", "\(term)")
                #expect(system.requests.count > before, "\(term)")
                for request in system.requests[before...] {
                    let target = request.line.split(separator: " ")[1]
                    let parts = target.split(separator: "?")
                    #expect(parts.count == 2 && parts[0] == "/v1/patients", "\(term)")
                    let pairs = parts[1].split(separator: "&").map {
                        $0.split(separator: "=", omittingEmptySubsequences: false)
                    }
                    #expect(pairs.map(\.first) == ["limit", "offset", "q"], "\(term)")
                    #expect(pairs.allSatisfy { $0.count == 2 }, "\(term)")
                    let value = try #require(pairs.last?.last?.removingPercentEncoding)
                    // Unicode's two ways to write an accent are one.
                    #expect(value == term, "\(term)")
                }
            }
            let asked = system.requests.count
            for refused in ["", "%20", "a%00b", "a%0D%0Ab", String(repeating: "a", count: 10_240), "%FF"] {
                #expect(try await RawHTTP.call(gateway.port, "GET", "/clients/search?term=\(refused)").status == 400)
            }
            #expect(system.requests.count == asked)
        }
    }

    // MARK: Headers

    static let hops = [
        "Keep-Alive: timeout=5", "Proxy-Authorization: Basic YTpi", "TE: trailers", "Upgrade-Insecure-Requests: 1",
        "X-Hop: hop", "Cookie: a=b", "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "Via: 1.1 proxy",
        "Referer: http://a.example.test/", "Origin: http://a.example.test", "Trailer: X-T", "Range: bytes=0-1",
        "If-None-Match: \"a\"", "Accept-Encoding: br", "User-Agent: caller",
    ]

    @Test func noHeaderOfTheCallerReachesTheSystem() async throws {
        try await with(always("[]")) { gateway, system in
            let headers = Self.hops + ["Connection: x-hop, keep-alive"]
            let request = RawHTTP.head("GET", "/clients", headers, close: false)
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(request.utf8))
            let head = await connection.readHead()
            #expect(head?.hasPrefix("HTTP/1.1 200 ") == true)
            let sent = try #require(system.requests.last)
            let names = Set(sent.headerLines.map { $0.prefix { $0 != ":" }.lowercased() })
            #expect(names.isSubset(of: ["host", "accept", "accept-encoding", "user-agent", "x-key", "x-request-id"]))
            #expect(sent.header("x-key") == "chave-do-sistema")
            #expect(!sent.headerLines.contains { $0.contains("key-ana") || $0.contains("caller") })
        }
    }

    static let answers: [(status: String, body: String, expected: Int)] = [
        ("200 OK", #"[{"id":"7","name":"Ana Teste"}]"#, 200), ("200 OK", "<html>login</html>", 502),
        ("302 Found", "{}", 502), ("401 Unauthorized", "{}", 502), ("429 Too Many Requests", "{}", 429),
        ("500 Internal Server Error", #"{"erro":"segredo"}"#, 502),
    ]

    @Test func noHeaderOfTheSystemReachesTheCaller() async throws {
        let headers = [
            "Set-Cookie: segredo=1", "Server: segredo", "Location: http://segredo.example.test/",
            "X-Powered-By: segredo",
            "Keep-Alive: timeout=5", "Proxy-Authenticate: segredo", "WWW-Authenticate: segredo", "ETag: \"segredo\"",
            "Via: 1.1 segredo", "X-Hop: segredo", "Link: <http://segredo.example.test/>; rel=next", "Trailer: X-T",
        ].map { $0 + "\r\n" }.joined()
        for (status, body, expected) in Self.answers {
            try await with(always(body, status: status, headers: headers)) { gateway, _ in
                let answer = try await RawHTTP.call(gateway.port, "GET", "/clients?limit=1")
                #expect(answer.status == expected, "\(status)")
                let names = Set(answer.headers.map(\.name))
                let ours: Set = [
                    "content-type", "content-length", "cache-control", "x-request-id", "connection", "date",
                    "retry-after",
                ]
                #expect(names.isSubset(of: ours), "\(names.subtracting(ours)) with \(status)")
                #expect(!answer.headers.contains { $0.value.contains("segredo") } && !answer.text.contains("segredo"))
            }
        }
    }

    // MARK: Callers who leave

    @Test func aReadOfACallerWhoLeftIsAbortedAtTheSystem() async throws {
        let (arrived, left) = (Event(), Event())
        try await with({ connection in
            guard connection.readRequest() != nil else { return }
            arrived.happen()
            // Returns when the other side closes, long before any deadline.
            connection.waitForClose()
            left.happen()
        }) { gateway, _ in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients/7").utf8))
            await arrived.wait()
            connection.hangUp()
            await left.wait()
            await gateway.log.line(with: "\"code\":\"caller_gone\"")
        }
    }

    @Test func aWriteOfACallerWhoLeftIsCompletedAndRecorded() async throws {
        let (arrived, gone, done) = (Event(), DispatchSemaphore(value: 0), Event())
        try await with({ connection in
            while let request = connection.readRequest() {
                guard request.line.hasPrefix("POST") else {
                    connection.answer("[]", headers: "Content-Type: application/json\r\n")
                    continue
                }
                arrived.happen()
                gone.wait()
                connection.answer(
                    #"{"id":"7","name":"Bruno Exemplo","phone":"5511912345678"}"#,
                    headers: "Content-Type: application/json\r\n")
                done.happen()
            }
        }) { gateway, system in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let headers = ["Content-Type: application/json", "Content-Length: \(BodyTests.draft.utf8.count)"]
            await connection.send(Array((RawHTTP.head("POST", "/clients", headers) + BodyTests.draft).utf8))
            await arrived.wait()
            connection.hangUp()
            // Answered behind the hang-up: it has been noticed.
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients?limit=1").status == 200)
            gone.signal()
            await done.wait()
            await gateway.log.line(with: "\"method\":\"POST\"")
            let line = try #require(gateway.log.all.first { $0.contains("\"method\":\"POST\"") })
            let record = try JSONDocument(Array(line.utf8)).root
            #expect(record["status"]?.int == 200 && record["code"] == nil)
            #expect(system.requests.filter { $0.line.hasPrefix("POST") }.count == 1)
        }
    }

    // MARK: Streams

    @Test func aListIsReadNoFurtherThanItIsAskedFor() async throws {
        let (second, open) = (Event(), DispatchSemaphore(value: 0))
        try await with({ connection in
            while let request = connection.readRequest() {
                let isFirst = request.line.contains("offset=0")
                if !isFirst {
                    second.happen()
                    open.wait()
                }
                connection.answer(
                    isFirst ? #"[{"id":"1","name":"Ana"},{"id":"2","name":"Bia"}]"# : #"[{"id":"3","name":"Caio"}]"#,
                    headers: "Content-Type: application/json\r\n")
            }
        }) { gateway, system in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/clients").utf8))
            var bytes: [UInt8] = []
            while !String(decoding: bytes, as: UTF8.self).contains("Bia"), let more = await connection.readSome() {
                bytes += more
            }
            await second.wait()
            #expect(system.requests.count == 2)
            open.signal()
            bytes += await connection.readToEndOrReset().bytes
            let answer = try #require(RawHTTP.parse(bytes))
            #expect(answer.isComplete)
            #expect(try JSONDocument(answer.body).root.elements.map { $0["id"]?.string } == ["1", "2", "3"])
        }
    }
}
