import Gateway
import JSONBytes
import Testing

/// HTTP/1.1 that a proxy in front could read differently: what is refused, and what is taken. Each case is followed, on
/// the same connection, by a request of its own, which only a connection that goes on may answer.
@Suite(.timeLimit(.minutes(1))) struct WireTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        var status = 400
        var testDescription: String { name }
        init(_ name: String, _ text: String, status: Int = 400) {
            self.name = name
            self.text = text
            self.status = status
        }
    }

    private static let key = "X-API-Key: key-ana\r\n"
    private static let follower = "GET /clients/follower HTTP/1.1\r\nHost: a\r\n\(key)Connection: close\r\n\r\n"

    private static func get(_ line: String = "GET /clients/id-0 HTTP/1.1", _ headers: String = "Host: a\r\n") -> String
    {
        "\(line)\r\n\(headers)\(key)\r\n"
    }

    private static func post(_ headers: String, _ body: String) -> String {
        "POST /clients HTTP/1.1\r\nHost: a\r\n\(key)Content-Type: application/json\r\n\(headers)\r\n\(body)"
    }

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

    private static let draft = BodyTests.draft
    private static let size = String(draft.utf8.count, radix: 16)
    private static let chunks = "\(size)\r\n\(draft)\r\n0\r\n\r\n"
    private static let length = "Content-Length: \(draft.utf8.count)\r\n"

    // MARK: Refused

    static let lines: [Case] = [
        .init("bare LF everywhere", "GET /clients/id-0 HTTP/1.1\nHost: a\nX-API-Key: key-ana\n\n"),
        .init("bare LF after the request line", "GET /clients/id-0 HTTP/1.1\nHost: a\r\n\(key)\r\n"),
        .init("bare LF after a field", get("GET /clients/id-0 HTTP/1.1", "Host: a\n")),
        .init("bare LF at the end of the head", "GET /clients/id-0 HTTP/1.1\r\nHost: a\r\n\(key)\n"),
        .init("bare CR in a field", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: a\rb\r\n")),
        .init("folded line", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: a\r\n b\r\n")),
        .init("space before the first field", get("GET /clients/id-0 HTTP/1.1", " Host: a\r\n")),
        .init("space before the colon", get("GET /clients/id-0 HTTP/1.1", "Host : a\r\n")),
        .init("field without a name", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\n: x\r\n")),
        .init("field without a colon", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nx\r\n")),
        .init("field with a space in its name", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nA B: x\r\n")),
        .init("NUL in a value", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: a\0b\r\n")),
        .init("NUL in a name", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX\0: a\r\n")),
        .init("control character in a value", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: \u{1}\r\n")),
        .init("NUL in the target", get("GET /clients/a\0b HTTP/1.1")),
        .init("space in the target", get("GET /clients/a b HTTP/1.1")),
        .init("tabs between the parts", get("GET\t/clients/id-0\tHTTP/1.1")),
        .init("space at the end of the line", get("GET /clients/id-0 HTTP/1.1 ")),
        .init("space at the beginning", " " + get()),
        .init("no HTTP at all", "NOT HTTP AT ALL\r\n\r\n"),
        .init("HTTP/1.2", get("GET /clients/id-0 HTTP/1.2")),
        .init("HTTP/2.0", get("GET /clients/id-0 HTTP/2.0")),
        .init("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .init("version in small letters", get("GET /clients/id-0 http/1.1")),
        .init("no Host", get("GET /clients/id-0 HTTP/1.1", "")),
        .init("two equal Hosts", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nHost: a\r\n")),
        .init("two Hosts", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nHost: b\r\n")),
        .init("Host of two", get("GET /clients/id-0 HTTP/1.1", "Host: a, b\r\n")),
        .init("Host with a user", get("GET /clients/id-0 HTTP/1.1", "Host: a@b\r\n")),
        .init("Host with a path", get("GET /clients/id-0 HTTP/1.1", "Host: a/b\r\n")),
        .init("target with another host", get("GET http://b/clients/id-0 HTTP/1.1")),
        .init("target with a user", get("GET http://x@a/clients/id-0 HTTP/1.1")),
        .init("target with another scheme", get("GET file://a/clients/id-0 HTTP/1.1")),
        .init("target without a slash", get("GET clients/id-0 HTTP/1.1")),
        .init("target with a fragment", get("GET /clients/id-0#x HTTP/1.1")),
        .init("asterisk", get("GET * HTTP/1.1")),
        .init("tunnel", get("CONNECT a:80 HTTP/1.1")),
        .init("tunnel to a path", get("CONNECT /clients HTTP/1.1")),
    ]

    static let framing: [Case] = [
        .init("length and chunks", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks)),
        .init("chunks and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks)),
        .init("two equal lengths", post(length + length, draft)),
        .init("two lengths", post(length + "Content-Length: 5\r\n", draft)),
        .init("list of lengths", post("Content-Length: 48, 48\r\n", draft)),
        .init("length with a sign", post("Content-Length: +48\r\n", draft)),
        .init("length below zero", post("Content-Length: -1\r\n", draft)),
        .init("length in hexadecimal", post("Content-Length: 0x30\r\n", draft)),
        .init("length that is none", post("Content-Length: abc\r\n", draft)),
        .init("empty length", post("Content-Length: \r\n", draft)),
        .init("length beyond 64 bits", post("Content-Length: 99999999999999999999999\r\n", draft)),
        .init("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunks)),
        .init("gzip and chunked apart", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunks)),
        .init("gzip", post("Transfer-Encoding: gzip\r\n", chunks)),
        .init("identity", post("Transfer-Encoding: identity\r\n", chunks)),
        .init("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunks)),
        .init("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", chunks)),
        .init("chunked in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks)),
        .init("comma before chunked", post("Transfer-Encoding: ,chunked\r\n", chunks)),
        .init("xchunked", post("Transfer-Encoding: xchunked\r\n", chunks)),
        .init("vertical tab before chunked", post("Transfer-Encoding: \u{B}chunked\r\n", chunks)),
        .init("empty coding", post("Transfer-Encoding:\r\n", chunks)),
        .init(
            "chunks by HTTP/1.0",
            "POST /clients HTTP/1.0\r\n\(key)Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"
        ),
        .init("chunk size that is none", chunked("zz\r\n\(draft)\r\n0\r\n\r\n")),
        .init("chunk size below zero", chunked("-1\r\n\(draft)\r\n0\r\n\r\n")),
        .init("chunk size with 0x", chunked("0x\(size)\r\n\(draft)\r\n0\r\n\r\n")),
        .init("chunk size beyond 64 bits", chunked("fffffffffffffffff\r\n\(draft)\r\n0\r\n\r\n")),
        .init("chunk without a size", chunked("\r\n\(draft)\r\n0\r\n\r\n")),
        .init("space behind the chunk size", chunked("\(size) \r\n\(draft)\r\n0\r\n\r\n")),
        .init("bare LF behind the chunk size", chunked("\(size)\n\(draft)\r\n0\r\n\r\n")),
        .init("bare LF in an extension", chunked("\(size);a\n\(draft)\r\n0\r\n\r\n")),
        .init("control character in an extension", chunked("\(size);a=\u{1}\r\n\(draft)\r\n0\r\n\r\n")),
        .init("bare LF behind the chunk", chunked("\(size)\r\n\(draft)\n0\r\n\r\n")),
        .init("nothing behind the chunk", chunked("\(size)\r\n\(draft)0\r\n\r\n")),
        .init("bare LF at the end", chunked("\(size)\r\n\(draft)\r\n0\n\n")),
        .init("bad trailer", chunked("\(size)\r\n\(draft)\r\n0\r\nA B: x\r\n\r\n")),
        .init("length as a trailer", chunked("\(size)\r\n\(draft)\r\n0\r\nContent-Length: 3\r\n\r\n")),
    ]

    static let large: [Case] = [
        .init(
            "large field",
            get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: \(String(repeating: "a", count: 40_000))\r\n"), status: 431
        ),
        .init(
            "many large fields",
            get(
                "GET /clients/id-0 HTTP/1.1",
                "Host: a\r\n" + String(repeating: "X: \(String(repeating: "a", count: 1000))\r\n", count: 40)),
            status: 431),
        .init(
            "many fields", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\n" + String(repeating: "X: a\r\n", count: 300)),
            status: 431),
        .init("large target", get("GET /clients/\(String(repeating: "a", count: 40_000)) HTTP/1.1"), status: 431),
    ]

    private func statuses(_ bytes: [UInt8]) -> [Int] {
        String(decoding: bytes, as: UTF8.self).split(separator: "HTTP/1.").dropFirst(0).compactMap {
            $0.hasPrefix("1 ") || $0.hasPrefix("0 ") ? Int($0.dropFirst(2).prefix(3)) : nil
        }
    }

    @Test(arguments: lines + framing + large) func refusesAndEndsTheConnection(_ wire: Case) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array((wire.text + Self.follower).utf8))
            let (bytes, inOrder) = await connection.readToEndOrReset()
            // One answer, and the end: whoever sent the follower gets none.
            #expect(statuses(bytes) == [wire.status])
            #expect(inOrder)
            let answer = try #require(RawHTTP.parse(bytes))
            #expect(answer.header("content-type") == "application/problem+json")
            #expect(answer.header("connection") == "close")
            let code = try JSONDocument(answer.body).root["code"]?.string
            #expect(code == (wire.status == 431 ? "headers_too_large" : "invalid_input"))
            #expect(try await RawHTTP.call(gateway.port, "GET", "/clients").status == 200)
        }
        #expect(system.state.withLock { $0.idsAsked.isEmpty && $0.creates == 0 })
    }

    @Test(arguments: [lines[0], lines[5], lines[24], framing[0], framing[11], large[0]])
    func answersWhatCameBeforeFirst(_ wire: Case) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array((Self.get() + wire.text + Self.follower).utf8))
            let bytes = try #require(await connection.readToEnd())
            #expect(statuses(bytes) == [200, 400] || statuses(bytes) == [200, wire.status])
        }
        #expect(system.state.withLock { $0.idsAsked } == ["id-0"])
        #expect(system.state.withLock { $0.creates } == 0)
    }

    // MARK: Taken

    static let taken: [Case] = [
        .init("plain", get(), status: 200),
        .init("empty lines before", "\r\n\r\n" + get(), status: 200),
        .init("two spaces", get("GET  /clients/id-0 HTTP/1.1"), status: 200),
        .init("empty Host", get("GET /clients/id-0 HTTP/1.1", "Host:\r\n"), status: 200),
        .init("Host with a port", get("GET /clients/id-0 HTTP/1.1", "Host: [::1]:8080\r\n"), status: 200),
        .init("target with the host", get("GET HTTP://A/clients/id-0 HTTP/1.1"), status: 200),
        .init("target with the host only", get("GET http://a HTTP/1.1"), status: 404),
        .init("bytes beyond ASCII in a value", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nX: é\r\n"), status: 200),
        .init("asterisk of OPTIONS", get("OPTIONS * HTTP/1.1"), status: 404),
        .init("length", post(length, draft), status: 200),
        .init("length with spaces and zeros", post("Content-Length:  0\(draft.utf8.count) \r\n", draft), status: 200),
        .init("chunks", chunked(chunks), status: 200),
        .init("coding in large letters", post("Transfer-Encoding: CHUNKED\r\n", chunks), status: 200),
        .init("chunk extensions", chunked("\(size);a;b=c;d=\"e f\"\r\n\(draft)\r\n0;x\r\n\r\n"), status: 200),
        .init("zeros before the chunk size", chunked("000\(size)\r\n\(draft)\r\n000\r\n\r\n"), status: 200),
        .init("trailer", chunked("\(size)\r\n\(draft)\r\n0\r\nX-T: a\r\n\r\n"), status: 200),
        .init(
            "body of a GET", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nContent-Length: 3\r\n") + "abc", status: 200),
    ]

    @Test(arguments: taken) func takesAndGoesOn(_ wire: Case) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array((wire.text + Self.follower).utf8))
            let bytes = try #require(await connection.readToEnd())
            #expect(statuses(bytes) == [wire.status, 404])
        }
        #expect(system.state.withLock { $0.idsAsked.last } == "follower")
    }

    /// Requests after which the connection ends, whatever follows.
    static let last: [Case] = [
        .init("close", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nConnection: close\r\n")),
        .init("Close", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nConnection: Close\r\n")),
        .init("close among others", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nConnection: x, close\r\n")),
        .init("upgrade", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")),
        .init(
            "HTTP/2 upgrade",
            get(
                "GET /clients/id-0 HTTP/1.1",
                "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")),
        .init("HTTP/1.0", "GET /clients/id-0 HTTP/1.0\r\n\(key)\r\n"),
        .init("HTTP/1.0 with keep-alive", "GET /clients/id-0 HTTP/1.0\r\n\(key)Connection: keep-alive\r\n\r\n"),
        // Answered before a body is asked for: what follows is that body to one, and the next request to another.
        .init("expectation", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nExpect: 100-continue\r\n")),
        .init("expectation of a list", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nExpect: x, 100-continue\r\n")),
        .init("another expectation", get("GET /clients/id-0 HTTP/1.1", "Host: a\r\nExpect: x\r\n")),
        .init(
            "expectation and a request that is cut",
            get(
                "GET /clients/id-0 HTTP/1.1", "Host: a\r\nExpect: 100-continue\r\nContent-Length: \(cut.utf8.count)\r\n"
            )
                + cut + get("GET /clients/id-1 HTTP/1.1") + "\r\n"),
        .init(
            "close and a request that is cut",
            get(
                "GET /clients/id-0 HTTP/1.1", "Host: a\r\nConnection: close\r\nContent-Length: \(cut.utf8.count)\r\n")
                + cut + get("GET /clients/id-1 HTTP/1.1") + "\r\n"),
    ]

    /// To whom it is a request, what comes behind it is the value of a field.
    private static let cut = "GET /health/live HTTP/1.1\r\nHost: a\r\nX: "

    @Test(arguments: last) func answersAndEndsTheConnection(_ wire: Case) async throws {
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array((wire.text + Self.follower).utf8))
            let bytes = try #require(await connection.readToEnd())
            #expect(statuses(bytes) == [200])
            #expect(RawHTTP.parse(bytes)?.header("connection") == "close")
        }
        #expect(system.state.withLock { $0.idsAsked } == ["id-0"])
    }

    @Test func requestsSentAheadAreAnsweredInOrder() async throws {
        try await RunningGateway.with { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            let ahead = (0..<20).map { Self.get("GET /clients/\($0 % 2 == 0 ? "id-1" : "nobody") HTTP/1.1") }.joined()
            await connection.send(Array((ahead + Self.follower).utf8))
            let bytes = try #require(await connection.readToEnd())
            #expect(statuses(bytes) == (0..<20).map { $0 % 2 == 0 ? 200 : 404 } + [404])
        }
    }

    /// Where one read ends, the next request may have begun. Its rest is no request of its own.
    @Test(arguments: [false, true]) func aRequestSentAheadMayComeInPieces(_ afterABody: Bool) async throws {
        let body = #"{"name":"Ana Teste","phone":"5531988887777"}"#
        let first =
            afterABody
            ? Self.post("Content-Length: \(body.utf8.count)\r\n", body)
            : Self.get("GET /clients/id-1 HTTP/1.1")
        let second = Array(Self.get("GET /clients/nobody HTTP/1.1").utf8)
        try await RunningGateway.with { gateway in
            for cut in [1, 2, 3, 4, 7, 20, second.count - 2, second.count - 1] {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(Array(first.utf8) + second.prefix(cut))
                // Its answer shows that the first piece was read by itself.
                #expect(await connection.readOne()?.status == 200)
                await connection.send(Array(second.dropFirst(cut)) + Array(Self.follower.utf8))
                let bytes = try #require(await connection.readToEnd())
                #expect(statuses(bytes) == [404, 404], "\(cut)")
            }
        }
    }

    /// A blank line behind a request is not the beginning of another one.
    @Test func aConnectionThatIsKeptIsNotTakenForALateHead() async throws {
        var options = GatewayOptions()
        options.headTimeout = .milliseconds(200)
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let request = Self.get()
            let kept = try RawHTTP.Connection(port: gateway.port)
            await kept.send(Array(request.utf8))
            #expect(await kept.readOne()?.status == 200)
            await kept.send(Array("\r\n".utf8))
            // Ends when the time is over that the other one must not be given.
            let late = try RawHTTP.Connection(port: gateway.port)
            await late.send(Array("GET".utf8))
            #expect(await late.readToEndOrReset().bytes.isEmpty)
            await kept.send(Array(request.utf8))
            #expect(await kept.readOne()?.status == 200)
        }
    }

    @Test func anUnknownMethodInPiecesIsRefusedAsInOne() async throws {
        try await RunningGateway.with { gateway in
            let connection = try RawHTTP.Connection(port: gateway.port)
            for piece in ["BR", "EW /clients HT", "TP/1.1\r\n", "Host: a\r\n\r\n"] {
                await connection.send(Array(piece.utf8))
            }
            let answer = try #require(await connection.readToEnd().flatMap(RawHTTP.parse))
            #expect(answer.status == 405 && answer.header("allow") == "GET, POST")
            // A method that is known is not mistaken for one.
            let known = try RawHTTP.Connection(port: gateway.port)
            for piece in [
                "G", "ET", " /clients/id-1 HTTP/1.1\r\n", "Host: a\r\n", "\(Self.key)Connection: close\r\n\r\n",
            ] {
                await known.send(Array(piece.utf8))
            }
            #expect(await known.readToEnd().flatMap(RawHTTP.parse)?.status == 200)
        }
    }
}
