import Glibc
import JSONBytes
import Testing

@testable import MockUpstream

/// Each fault of time, connection, bytes and content as a bare socket sees it; `FaultTests` has the older ones.
@Suite struct FaultShapeTests {
    private static let path = "/v1/api/patient/list?limit=2"
    private static let key = ["x-access-token": "chave-de-demonstracao"]
    private static let options = MockOptions(dialect: .feegow, patients: 20)

    private static func asking(_ server: MockServer, _ fault: String) throws -> RawClient {
        let client = try RawClient(port: server.port)
        try client.send("GET", path, headers: key.merging(["X-Mock-Fault": fault]) { $1 })
        return client
    }

    private static func healthy(_ server: MockServer) throws -> RawClient.Answer {
        try RawClient(port: server.port).call("GET", path, headers: key)
    }

    // MARK: Time

    @Test(arguments: ["blackhole", "blackhole=before"])
    func aBlackHoleAnswersNobodyAndHoldsNoOtherUp(_ fault: String) async throws {
        try await withMock(Self.options) { server in
            let waiting = try Self.asking(server, fault)
            while server.requests.total < 1 { await Task.yield() }
            #expect(try Self.healthy(server).status == 200)
            #expect(waiting.isSilent)
            await server.stop()
            #expect(waiting.readToEnd().bytes.isEmpty)
        }
    }

    @Test(arguments: ["slicer", "slicer=7", "bandwidth=1000000", "slow-close=0"])
    func aSlowAnswerIsTheWholeAnswer(_ fault: String) async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try Self.asking(server, fault)
            #expect(try client.readHead().status == 200)
            let end = client.readToEnd()
            #expect(end.bytes == whole)
            #expect(end.ending == .closed)
        }
    }

    @Test func aSlicerSendsByteByByte() async throws {
        try await withMock(Self.options) { server in
            let client = try Self.asking(server, "slicer")
            let count = client.readToEnd().bytes.count
            #expect(count > 500)
            // The system may put some together.
            if let segments = client.segmentsReceived { #expect(segments > count / 10) }
        }
    }

    @Test func bandwidthIsBounded() async throws {
        try await withMock(Self.options) { server in
            // A byte a second: an answer at once would come in one piece.
            let client = try Self.asking(server, "bandwidth=1")
            #expect(client.readToEnd(limit: 1).bytes.count < 20)
        }
    }

    @Test func aSlowCloseKeepsTheEndBack() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try Self.asking(server, "slow-close=600000")
            let head = try client.readHead()
            #expect(head.header("Content-Length") == nil)
            #expect(head.header("Transfer-Encoding") == nil)
            let end = client.readToEnd(limit: whole.count)
            #expect(end.bytes == whole)
            #expect(end.ending == nil)
        }
    }

    @Test func jitterStaysWithinItsBounds() {
        var table = FaultTable(rules: [MockFaultRule(.latency(milliseconds: 50, jitter: 20))])
        let waits = (0..<200).map { _ in table.take(for: .list, first: []).milliseconds }
        #expect(waits.allSatisfy { (30...70).contains($0) })
        #expect(Set(waits).count > 10)
        var early = FaultTable(rules: [MockFaultRule(.latency(milliseconds: 0, jitter: 5))])
        #expect((0..<50).allSatisfy { _ in (0...5).contains(early.take(for: .get, first: []).milliseconds) })
    }

    // MARK: Connection

    @Test func aResetAtAcceptNeedsNoRequest() async throws {
        try await withMock(Self.options) { server in
            let kept = try RawClient(port: server.port)
            #expect(try kept.call("GET", Self.path, headers: Self.key).status == 200)
            server.inject(.resetAtAccept, times: 2)
            do {
                let client = try RawClient(port: server.port)
                let end = client.readToEnd()
                #expect(end.bytes.isEmpty)
                #expect(end.ending == .reset)
            } catch let error as RawClient.Unexpected {
                // It may come before the connection counts as made.
                #expect(error.description.contains("\(ECONNRESET)"))
            }
            // A connection of before has its next request reset.
            try kept.send("GET", Self.path, headers: Self.key)
            #expect(kept.readToEnd().ending == .reset)
            #expect(server.faults.isEmpty)
            #expect(try Self.healthy(server).status == 200)
        }
    }

    @Test func aResetAfterTheHeadLeavesTheHead() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try Self.asking(server, "reset=headers")
            #expect(try client.readHead().header("Content-Length") == String(whole.count))
            let end = client.readToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .reset)
        }
    }

    @Test func noReplyClosesWithoutAByte() async throws {
        try await withMock(Self.options) { server in
            let end = try Self.asking(server, "no-reply").readToEnd()
            #expect(end.bytes.isEmpty)
            #expect(end.ending == .closed)
        }
    }

    // MARK: Bytes

    @Test func aBadChunkFollowsAGoodOne() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).body
            let client = try Self.asking(server, "bad-chunk")
            #expect(try client.readHead().header("Transfer-Encoding") == "chunked")
            let half = whole[..<(whole.count / 2)]
            let good = Array("\(String(half.count, radix: 16))\r\n".utf8) + half + Array("\r\n".utf8)
            let end = client.readToEnd()
            #expect(Array(end.bytes.prefix(good.count)) == good)
            #expect(String(decoding: end.bytes[good.count...], as: UTF8.self).hasPrefix("zz\r\n"))
            #expect(end.ending == .closed)
        }
    }

    @Test func randomBytesAreTheSameForTheSameSeed() async throws {
        try await withMock(Self.options) { server in
            let first = try Self.asking(server, "random").readToEnd().bytes
            #expect(first.count == 4_096)
            #expect(Set(first).count > 100)
            #expect(try Self.asking(server, "random=1").readToEnd().bytes == first)
            #expect(try Self.asking(server, "random=2").readToEnd().bytes != first)
        }
    }

    @Test func endlessHeadersNeverEnd() async throws {
        try await withMock(Self.options) { server in
            let client = try Self.asking(server, "endless-headers")
            let end = client.readToEnd(limit: 1 << 20)
            #expect(end.ending == nil)
            let text = String(decoding: end.bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(!text.contains("\r\n\r\n"))
            #expect(try Self.healthy(server).status == 200)
        }
    }

    /// That libcurl unpacks it is seen by `FaultTests.BombTests`.
    @Test func aBombIsAGzipStreamWithoutAnEnd() async throws {
        try await withMock(Self.options) { server in
            let client = try Self.asking(server, "gzip-bomb")
            #expect(try client.readHead().header("Content-Encoding") == "gzip")
            let end = client.readToEnd(limit: 1 << 20)
            #expect(end.ending == nil)
            #expect(end.bytes.starts(with: Array("d\r\n".utf8) + [0x1F, 0x8B, 8]))
        }
    }

    // MARK: Content

    @Test func aPageHasTheStatusThatItIsGiven() async throws {
        try await withMock(Self.options) { server in
            let answer = try Self.asking(server, "html=503").readAnswer()
            #expect(answer.status == 503)
            #expect(answer.text.hasPrefix("<!DOCTYPE html>"))
        }
    }

    @Test func theRightAnswerUnderAnotherType() async throws {
        try await withMock(Self.options) { server in
            let answer = try Self.asking(server, "text-html").readAnswer()
            #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
            #expect(try answer.body == Self.healthy(server).body)
        }
    }

    @Test(arguments: [
        ("latin1", "application/json; charset=iso-8859-1"), ("latin1=utf-8", "application/json; charset=utf-8"),
        ("latin1=none", "application/json"), ("windows-1252", "application/json; charset=windows-1252"),
        ("windows-1252=none", "application/json"),
    ])
    func theRightAnswerInAnotherCharset(_ fault: String, _ type: String) async throws {
        try await withMock(Self.options) { server in
            let answer = try Self.asking(server, fault).readAnswer()
            #expect(answer.header("Content-Type") == type)
            // João.
            #expect(answer.body.firstRange(of: [0x4A, 0x6F, 0xE3, 0x6F]) != nil)
            let decoded = String(String.UnicodeScalarView(answer.body.map { Unicode.Scalar($0) }))
            #expect(try Array(decoded.utf8) == Self.healthy(server).body)
        }
    }

    @Test func whatACharsetCannotSayIsEscaped() throws {
        func body(_ fault: MockFault) throws -> [UInt8] {
            try #require(MockAnswer(200, #"{"a":"é€😀"}"#).spoilt(by: fault)).body
        }
        #expect(
            try body(.latin1(announced: nil)) == Array(#"{"a":""#.utf8) + [0xE9] + Array(#"\u20ac\ud83d\ude00"}"#.utf8))
        #expect(
            try body(.windows1252(announced: nil))
                == Array(#"{"a":""#.utf8) + [0xE9, 0x80] + Array(#"\ud83d\ude00"}"#.utf8))
    }

    @Test func aMarkStandsBeforeTheAnswer() async throws {
        try await withMock(Self.options) { server in
            let answer = try Self.asking(server, "bom").readAnswer()
            #expect(try answer.body == [0xEF, 0xBB, 0xBF] + Self.healthy(server).body)
        }
    }

    @Test func theFirstMemberStandsTwice() async throws {
        try await withMock(Self.options) { server in
            let answer = try Self.asking(server, "duplicate-key").readAnswer()
            #expect(answer.text.hasPrefix(#"{"success":null,"success":true,"#))
        }
    }

    @Test func numbersBecomeTexts() async throws {
        try await withMock(Self.options) { server in
            let whole = try Self.healthy(server).json()
            let json = try Self.asking(server, "numbers-as-text").readAnswer().json()
            #expect(json["total"]?.string == "20")
            #expect(json["content"]?.elements.first?["patient_id"]?.string == "1001")
            #expect(
                json["content"]?.elements.first?["nome"]?.string == whole["content"]?.elements.first?["nome"]?.string)
        }
        let spoilt = MockAnswer(200, #"{"a":[-1.5e+3,2],"b":"3 \"4\" -","c":5}"#).spoilt(by: .numbersAsText)
        #expect(spoilt?.body == Array(#"{"a":["-1.5e+3","2"],"b":"3 \"4\" -","c":"5"}"#.utf8))
    }

    // MARK: When they strike

    @Test func aFaultMayLetSomeRequestsPass() async throws {
        try await withMock(Self.options) { server in
            server.inject(.status(503, retryAfter: nil), operation: .list, times: 1, after: 2)
            let client = try RawClient(port: server.port)
            let statuses = try (0..<4).map { _ in try client.call("GET", Self.path, headers: Self.key).status }
            #expect(statuses == [200, 200, 503, 200])
            let body = #"{"fault":"empty","after":1}"#
            #expect(try client.call("POST", "/__mock/faults", body: body).text.contains(#""after":1"#))
            #expect(try client.call("POST", "/__mock/faults", body: #"{"fault":"empty","after":-1}"#).status == 422)
        }
    }
}
