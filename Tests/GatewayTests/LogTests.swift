import Foundation
import Gateway
import JSONBytes
import Synchronization
import Tenancy
import Testing

@Suite(.timeLimit(.minutes(1))) struct LogTests {
    static let allowed: Set<String> = [
        "time", "level", "message", "requestId", "method", "route", "status", "ms", "tenant", "key", "code", "failure",
        "broken", "ignored", "host", "port", "rows", "connections",
    ]

    @Test func nothingOfARequestIsLoggedButTheAllowedFields() async throws {
        let system = FakeSystem()
        let gateway = try await RunningGateway.start(system)
        let secret = "segredo"
        let port = gateway.port
        _ = try await RawHTTP.call(port, "GET", "/clients/\(secret)?x=\(secret)", ["User-Agent: \(secret)"])
        _ = try await RawHTTP.call(port, "GET", "/clients/search?term=\(secret)@example.test")
        _ = try await RawHTTP.call(port, "GET", "/\(secret)")
        _ = try await RawHTTP.call(port, "GET", "/clients", key: secret)
        _ = try await RawHTTP.call(port, "GET", "/t/\(secret)/clients")
        _ = try await RawHTTP.call(port, "GET", "/clients/id-0", ["X-Request-Id: \(secret) \(secret)"])
        _ = try await RawHTTP.call(
            port, "POST", "/clients", body: #"{"name":"\#(secret)","phone":"5511912345678","cpf":"\#(secret)"}"#)
        _ = try await RawHTTP.call(port, "POST", "/clients", body: #"{"name":"\#(secret)","phone":"5511912345678"}"#)
        system.state.withLock { $0.failure = .refused(reasons: [secret]) }
        _ = try await RawHTTP.call(port, "PATCH", "/clients/id-0", body: #"{"name":"\#(secret)"}"#)
        _ = try await RawHTTP.exchange(port, "\(secret)\r\n\r\n")
        _ = try await RawHTTP.exchange(port, RawHTTP.head(secret, "/clients/\(secret)"))
        try await gateway.stop()
        let lines = gateway.log.all
        #expect(lines.filter { $0.contains("\"message\":\"request\"") }.count == 11)
        for line in lines {
            #expect(!line.contains(secret) && !line.contains("5511912345678"), "\(line)")
            let members = try JSONDocument(Array(line.utf8)).root.members.map(\.key)
            #expect(Set(members).isSubset(of: Self.allowed), "\(line)")
        }
    }

    @Test func aLineSaysWhatHappened() async throws {
        let gateway = try await RunningGateway.start(FakeSystem())
        _ = try await RawHTTP.call(gateway.port, "GET", "/t/ana/clients/nobody", ["X-Request-Id: trace-7"])
        try await gateway.stop()
        let line = try #require(gateway.log.all.first { $0.contains("trace-7") })
        let record = try JSONDocument(Array(line.utf8)).root
        #expect(record["route"]?.string == "/t/{tenant}/clients/{id}")
        #expect(record["tenant"]?.string == "ana")
        #expect(record["key"]?.string == "main")
        #expect(record["status"]?.int == 404)
        #expect(record["code"]?.string == "no_such_client")
        #expect(record["method"]?.string == "GET")
        #expect(record["ms"]?.double != nil)
    }

    /// How many people a stolen key has read is asked after an incident.
    @Test func aLineSaysHowManyClientsWereAnswered() async throws {
        let system = FakeSystem(clients: 25)
        let gateway = try await RunningGateway.start(system)
        func rows(
            _ path: String, _ method: String = "GET", body: String? = nil
        ) async throws -> (logged: Int?, answered: Int?) {
            let id = "trace-\(gateway.log.all.count)"
            let answer = try await RawHTTP.call(gateway.port, method, path, ["X-Request-Id: \(id)"], body: body)
            await gateway.log.line(with: "\"\(id)\"")
            let line = gateway.log.all.first { $0.contains("\"\(id)\"") } ?? ""
            let body = (try? JSONDocument(answer.body))?.root.elements.count
            return (try JSONDocument(Array(line.utf8)).root["rows"]?.int, body)
        }
        for path in ["/clients", "/t/ana/clients", "/clients?limit=7", "/clients/search?term=ana1@example.test"] {
            let (logged, answered) = try await rows(path)
            #expect(logged == answered && answered != nil, "\(path)")
        }
        #expect(try await rows("/clients?offset=25&limit=5").logged == 0)
        // One by one, too: whoever creates with a number on record is answered that record.
        #expect(try await rows("/clients/id-0").logged == 1)
        #expect(try await rows("/clients", "POST", body: BodyTests.draft).logged == 1)
        #expect(try await rows("/clients/id-0", "PATCH", body: #"{"name":"Ana Teste"}"#).logged == 1)
        #expect(try await rows("/clients/nobody").logged == nil)
        system.state.withLock { $0.failsFrom = 0 }
        #expect(try await rows("/clients").logged == nil)
        system.state.withLock { $0.failsFrom = 20 }
        let sent = try await rows("/clients").logged ?? 0
        #expect((1...20).contains(sent))
        try await gateway.stop()
    }

    @Test func aReaderWhoDoesNotReadHoldsNobodyUp() async throws {
        let pipe = Pipe()
        let writer = LineWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor, most: 10_000)
        let logger = LogOutput.logger(level: .info, format: .json) { writer.write($0) }
        // Far more than the pipe and the queue hold; the loop would never end if a line waited for the reader.
        let count = 20_000
        for number in 0..<count { logger.info("\(number)") }
        #expect(!writer.flush(within: .milliseconds(1)))
        let text = Mutex("")
        let hasEnded = Event()
        Thread.detachNewThread {
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            text.withLock { $0 = String(decoding: data, as: UTF8.self) }
            hasEnded.happen()
        }
        #expect(writer.flush(within: .seconds(20)))
        logger.info("the last")
        #expect(writer.flush(within: .seconds(20)))
        try pipe.fileHandleForWriting.close()
        await hasEnded.wait()
        let records = try text.withLock { $0 }.split(separator: "\n").map { try JSONDocument(Array($0.utf8)).root }
        let messages = records.compactMap { $0["message"]?.string }
        #expect(messages.last == "the last")
        let numbers = messages.compactMap { Int($0) }
        #expect(numbers == numbers.sorted() && numbers.count < count)
        let dropped = records.filter { $0["message"]?.string == "log lines dropped" }.compactMap { $0["lines"]?.int }
        #expect(numbers.count + dropped.reduce(0, +) == count)
    }

    @Test(
        "a field that is not on the list is left out, whoever logs it",
        arguments: [ServerSettings.LogFormat.json, .text])
    func whatIsNotOnTheListIsLeftOut(_ format: ServerSettings.LogFormat) {
        let lines = LogLines()
        var logger = LogOutput.logger(level: .info, format: format, sink: lines.sink)
        logger[metadataKey: "patient"] = "Zulmira"
        logger.info("a line", metadata: ["tenant": "aurora", "body": "Zulmira", "status": .stringConvertible(200)])
        #expect(lines.all.count == 1)
        #expect(lines.all.allSatisfy { $0.contains("aurora") && $0.contains("200") && !$0.contains("Zulmira") })
    }

    @Test func textIsOneLineWhateverItHolds() {
        let lines = LogLines()
        let logger = LogOutput.logger(level: .info, format: .text, sink: lines.sink)
        logger.info("first\nsecond", metadata: ["reason": "b\r\nc"])
        logger.debug("not this")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.filter { $0.isNewline }.count == 1)
    }
}
