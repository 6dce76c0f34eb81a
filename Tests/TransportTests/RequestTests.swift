import Foundation
import TestSupport
import Testing
import Transport

@Suite struct RequestTests {
    /// Cleartext HTTP/2 is broken in libcurl 7.88: a channel that wants HTTP/2 speaks HTTP/1.1 there, and offers nothing.
    @Test func cleartextNeverTriesHTTP2() async throws {
        try await withServer(answerAll, ChannelSettings(http2: true)) { server, channel in
            for _ in 0..<3 {
                let answer = try await channel.get(server.url)
                #expect(answer.httpVersion == .http11)
            }
            #expect(server.requests.count == 3)
            for request in server.requests {
                #expect(request.line.hasSuffix("HTTP/1.1"))
                #expect(request.header("Upgrade") == nil)
                #expect(request.header("HTTP2-Settings") == nil)
            }
        }
    }

    @Test func sendsWhatItIsGivenAndNothingElse() async throws {
        try await withServer(answerAll, ChannelSettings(userAgent: "Ponte/teste")) { server, channel async throws in
            let request = OutboundRequest(
                url: server.url + "/a/../b%2Fc?q=%20x", headers: [("X-Token", "segredo"), ("X-Empty", "")],
                repeatability: .safe)
            let answer = try await channel.send(request, deadline: soon())
            #expect(answer.status == 200)
            #expect(answer.text == "ok")
            #expect(answer.httpVersion == .http11)
            let seen = try #require(server.requests.first)
            #expect(seen.line == "GET /a/../b%2Fc?q=%20x HTTP/1.1")
            #expect(seen.header("X-Token") == "segredo")
            #expect(seen.header("X-Empty") == "")
            #expect(seen.header("User-Agent") == "Ponte/teste")
            #expect(seen.header("Accept-Encoding") == "deflate, gzip, br, zstd")
            let names = seen.headerLines.map { $0.prefix { $0 != ":" } }
            #expect(names == ["Host", "User-Agent", "Accept", "Accept-Encoding", "X-Token", "X-Empty"])
        }
    }

    /// One handle serves all of these, so anything left over from a call would show in a later one.
    @Test func nothingOfACallLeaksIntoTheNext() async throws {
        try await withServer(answerHeadToo, ChannelSettings(maxInFlight: 1)) { server, channel async throws in
            func send(_ method: String, _ body: String?, _ repeatability: Repeatability, header: String? = nil)
                async throws
            {
                let request = OutboundRequest(
                    method: method, url: server.url, headers: header.map { [($0, "1")] } ?? [],
                    body: body.map { Array($0.utf8) }, repeatability: repeatability)
                #expect(try await channel.send(request, deadline: soon()).status == 200)
            }
            try await send("PATCH", "um", .idempotent, header: "X-First")
            try await send("GET", nil, .safe)
            try await send("POST", "", .unsafe, header: "Content-Type")
            try await send("HEAD", nil, .safe)
            try await send("GET", nil, .safe)
            try await send("DELETE", nil, .idempotent)
            try await send("POST", nil, .idempotent)
            try await send("GET", "corpo", .safe)
            try await send("POST", "dois", .safe)

            let seen = server.requests.map { request in
                let length = request.header("Content-Length").map { " length \($0)" } ?? ""
                let text = String(decoding: request.body, as: UTF8.self)
                let custom = request.headerLines.filter { $0.hasPrefix("X-") || $0.hasPrefix("Content-Type") }
                return request.line.prefix { $0 != " " } + length + " [\(text)] \(custom)"
            }
            #expect(
                seen == [
                    #"PATCH length 2 [um] ["X-First: 1"]"#, "GET [] []", #"POST length 0 [] ["Content-Type: 1"]"#,
                    "HEAD [] []", "GET [] []", "DELETE [] []", "POST [] []", "GET length 5 [corpo] []",
                    "POST length 4 [dois] []",
                ])
            // The create had a connection of its own; everything else shared the first one.
            #expect(server.requests.map(\.connection) == [1, 1, 2, 1, 1, 1, 1, 1, 1])
        }
    }

    @Test func connectionIsReused() async throws {
        try await withServer(answerAll) { server, channel async throws in
            #expect(try await channel.get(server.url).reusedConnection == false)
            #expect(try await channel.get(server.url).reusedConnection)
            #expect(server.accepted == 1)
        }
    }

    @Test func largeBodyGoesWithoutExpectation() async throws {
        try await withServer(answerAll) { server, channel async throws in
            let body = [UInt8](repeating: 7, count: 3 << 20)
            let request = OutboundRequest(method: "PUT", url: server.url, body: body, repeatability: .idempotent)
            _ = try await channel.send(request, deadline: soon())
            let seen = try #require(server.requests.first)
            #expect(seen.body == body)
            #expect(seen.header("Expect") == nil)
        }
    }

    static let refused: [OutboundRequest] = [
        get("ftp://example.test/"), get("file:///etc/passwd"), get("/clients"), get(""), get("http://"),
        get("http:///x"), get("http://example.test/a b"), get("http://example.test/a\r\nX: 1"),
        get("http://example.test/\0"), get("http://user:pw@example.test/"), get("http://example.test\\@other.test/"),
        get("http://example.test/#x"), get("http://example.test:0/"), get("http://example.test:99999/"),
        get("http://example.test:8x/"), get("http://example.test/ação"), get("http://a%2Fb/"),
        OutboundRequest(method: "", url: "http://127.0.0.1/", repeatability: .safe),
        OutboundRequest(method: "GET /x", url: "http://127.0.0.1/", repeatability: .safe),
        OutboundRequest(method: "CONNECT", url: "http://127.0.0.1/", repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("A", "1\r\nB: 2")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("A", "1\n2")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("A", "1\0")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("A\r\nB", "1")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("A:", "1")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("", "1")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("host", "x")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("Content-length", "9")], repeatability: .safe),
        OutboundRequest(url: "http://127.0.0.1/", headers: [("Transfer-Encoding", "chunked")], repeatability: .safe),
    ]

    @Test(arguments: refused.indices) func ambiguousRequestIsRefused(_ index: Int) async throws {
        let engine = try CurlEngine()
        let error = try await engine.channel(.init()).failure(of: Self.refused[index])
        #expect(error.kind == .invalidRequest)
        #expect(error.mayHaveReachedServer == false)
        await engine.shutdown()
    }

    /// It is the channel's, not the call's: libcurl would send it as it is.
    @Test(arguments: ["Ponte\r\nX-Evil: 1", "Ponte\nX-Evil: 1", "Ponte\rX", "Ponte\0X"])
    func aUserAgentWithALineBreakSendsNothing(_ agent: String) async throws {
        try await withServer(answerAll, ChannelSettings(userAgent: agent)) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url))
            #expect(error.kind == .invalidRequest)
            #expect(!error.mayHaveReachedServer)
            #expect(server.accepted == 0)
        }
    }

    @Test func proxyOfTheEnvironmentIsIgnored() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        defer { unsetenv("http_proxy") }
        try await withServer(answerAll) { server, channel async throws in
            #expect(try await channel.get(server.url).status == 200)
        }
    }

    @Test func printingShowsNoSecretAndNoPatient() async throws {
        try await withServer({ connection in
            while connection.readRequest() != nil { connection.answer("Ana Teste", headers: "X-Cpf: Ana\r\n") }
        }) { server, channel async throws in
            let request = OutboundRequest(
                method: "POST", url: server.url + "/Ana?t=Ana", headers: [("Authorization", "Ana")],
                body: Array("Ana".utf8), repeatability: .safe)
            let answer = try await channel.send(request, deadline: soon())
            let error = try await channel.failure(of: get(server.url + "/Ana#Ana"))
            let settings = ChannelSettings(caFile: "Ana", clientKeyFile: "Ana", clientKeyPassword: "Ana")
            var dumped = ""
            dump(request, to: &dumped)
            dump(answer, to: &dumped)
            dump(answer.headers, to: &dumped)
            dump(settings, to: &dumped)
            let printed = "\(request) \(answer) \(answer.headers) \(error) \(settings) \(dumped)"
            #expect(!printed.contains("Ana"))
            #expect(!printed.contains("65, 110, 97"))
            #expect("\(request)" == "POST http://127.0.0.1")
            #expect("\(answer)" == "HTTP 200, 9 bytes")
        }
    }
}

@Sendable private func answerHeadToo(_ connection: RawServer.Connection) {
    while let request = connection.readRequest() {
        if request.line.hasPrefix("HEAD") {
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        } else {
            connection.answer()
        }
    }
}
