import TestSupport
import Testing

@testable import Transport

/// Whether something is sent once more, and when: the rule as a table, and at the socket.
@Suite(.timeLimit(.minutes(2))) struct RetryTests {
    private static func decide(
        _ outcome: AttemptOutcome, _ repeatability: Repeatability = .safe, retriesLeft: Int = 2,
        backoff: Duration = .milliseconds(70), left: Duration = .seconds(10), usual: Duration = .zero
    ) -> RetryDecision {
        RetryDecision(
            outcome, repeatability, retriesLeft: retriesLeft, backoff: backoff, left: left, usual: usual)
    }

    private static func answered(_ status: Int, _ meaning: AnswerMeaning, _ wait: Int? = nil) -> AttemptOutcome {
        .answered(status: status, meaning: meaning, retryAfter: wait)
    }

    private static let soonAgain = RetryDecision.again(after: .milliseconds(70))

    /// Kinds by what may be done after them: [certainly not sent, perhaps sent] × [safe, idempotent, unsafe].
    @Test func failures() {
        let passing: [TransportError.Kind] = [
            .nameResolution, .connect, .tls, .send, .receive, .emptyAnswer, .truncated,
        ]
        let final: [TransportError.Kind] = [
            .invalidRequest, .connectTimeout, .certificate, .badEncoding, .protocolViolation, .tooLarge, .deadline,
            .cancelled,
            .shuttingDown, .saturated, .rateLimited, .circuitOpen, .internal,
        ]
        for kind in passing {
            for repeatability in [Repeatability.safe, .idempotent, .unsafe] {
                #expect(Self.decide(.failed(kind, reached: false), repeatability) == Self.soonAgain, "\(kind)")
            }
            #expect(Self.decide(.failed(kind, reached: true), .safe) == Self.soonAgain, "\(kind)")
            #expect(Self.decide(.failed(kind, reached: true), .idempotent) == .giveUp, "\(kind)")
            #expect(Self.decide(.failed(kind, reached: true), .unsafe) == .giveUp, "\(kind)")
        }
        for kind in final {
            #expect(Self.decide(.failed(kind, reached: false)) == .giveUp, "\(kind)")
            #expect(Self.decide(.failed(kind, reached: true)) == .giveUp, "\(kind)")
        }
    }

    @Test(arguments: [
        (answered(200, .alive), soonAgain, false), (answered(404, .alive), soonAgain, false),
        (answered(500, .failing), soonAgain, false), (answered(502, .failing), soonAgain, true),
        (answered(503, .failing), soonAgain, true), (answered(504, .failing), soonAgain, true),
        (answered(503, .alive), soonAgain, false), (answered(200, .failing), soonAgain, false),
        (answered(503, .failing, 1), .again(after: .seconds(1)), true),
        (answered(503, .failing, 2), .again(after: .seconds(2)), true),
        (answered(503, .failing, 3), soonAgain, false),
        (answered(429, .limited), .again(after: .seconds(1)), true),
        (answered(429, .limited, 2), .again(after: .seconds(2)), true),
        (answered(429, .limited, 3), soonAgain, false), (answered(403, .limited, 1), .again(after: .seconds(1)), true),
    ]) func answers(_ outcome: AttemptOutcome, _ decision: RetryDecision, _ again: Bool) {
        #expect(Self.decide(outcome) == (again ? decision : .giveUp))
        // A write that was answered is the driver's to judge.
        #expect(Self.decide(outcome, .idempotent) == .giveUp)
        #expect(Self.decide(outcome, .unsafe) == .giveUp)
        #expect(Self.decide(outcome, retriesLeft: 0) == .giveUp)
    }

    @Test func nothingIsTriedThatWouldNotEndInTime() {
        let outcome = AttemptOutcome.failed(.connect, reached: false)
        #expect(Self.decide(outcome, left: .milliseconds(140)) == Self.soonAgain)
        #expect(Self.decide(outcome, left: .milliseconds(139)) == .giveUp)
        #expect(Self.decide(outcome, left: .seconds(1), usual: .milliseconds(929)) == Self.soonAgain)
        #expect(Self.decide(outcome, left: .seconds(1), usual: .milliseconds(930)) == .giveUp)
        #expect(Self.decide(outcome, left: .zero) == .giveUp)
        #expect(Self.decide(Self.answered(503, .failing, 2), left: .seconds(3)) == .giveUp)
    }

    @Test func backoffGrowsToItsCapAndIsSpreadOverAllOfIt() {
        var generator = Seeded(7)
        let backoff = Backoff()
        for (attempt, cap) in [(1, 100), (2, 200), (3, 400), (5, 1600), (6, 2000), (60, 2000)] {
            let waits = (0..<2000).map { _ in backoff.wait(after: attempt, using: &generator) }
            let cap = Duration.milliseconds(cap)
            #expect(waits.allSatisfy { $0 >= .zero && $0 <= cap })
            #expect(waits.count { $0 < cap / 10 } > 100)
            #expect(waits.count { $0 > cap * 9 / 10 } > 100)
        }
    }

    @Test func theBudgetIsAFifthAndASmallFloor() {
        let start = ContinuousClock.now
        var budget = RetryBudget(start)
        var retries = 0
        for _ in 0..<1000 {
            budget.earn(start)
            for _ in 0..<2 where budget.take(start) { retries += 1 }
        }
        #expect(retries >= 200 && retries <= 211)
        // The floor comes back with time, and no more than the floor.
        #expect(budget.take(start) == false)
        #expect((0..<20).count { _ in budget.take(start + .seconds(3600)) } == 10)
        for _ in 0..<5 { budget.charge() }
        #expect(budget.take(start + .seconds(3605)) == false)
        #expect(budget.take(start + .seconds(3607)) == true)
    }

    // MARK: At the socket

    /// 503 and then 200, once on each connection's way.
    @Test(arguments: ["503 Service Unavailable", "502 Bad Gateway", "504 Gateway Timeout"])
    func aReadIsTriedAgainAndACreateIsNot(_ status: String) async throws {
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    connection.answer(status: request.turn + request.connection == 2 ? status : "200 OK")
                    if request.line.hasPrefix("POST") { return }
                }
            }, policies: true
        ) { server, channel async throws in
            #expect(try await channel.get(server.url).status == 200)
            #expect(server.requests.count == 2)
        }
        try await withServer(
            { connection in
                guard connection.readRequest() != nil else { return }
                connection.answer(status: connection.number == 1 ? status : "200 OK")
            }, policies: true
        ) { server, channel async throws in
            let number = try #require(Int(status.prefix(3)))
            #expect(try await channel.create(server.url).status == number)
            #expect(try await channel.send(post(server.url, .idempotent), deadline: soon()).status == 200)
            #expect(server.requests.count == 2)
        }
    }

    @Test func aReadThatBreaksIsTriedAgainAndAWriteIsNot() async throws {
        try await withServer(
            { connection in
                guard connection.readRequest() != nil else { return }
                if connection.number % 2 == 0 { connection.answer(headers: "Connection: close\r\n") }
            }, policies: true
        ) { server, channel async throws in
            #expect(try await channel.get(server.url).status == 200)
            #expect(server.requests.count == 2)
            #expect(try await channel.failure(of: post(server.url, .unsafe)).kind == .emptyAnswer)
            #expect(server.requests.count == 3)
        }
    }

    /// What never left can be sent again, whatever it is.
    @Test(arguments: [Repeatability.safe, .idempotent, .unsafe])
    func whatDidNotReachTheServerIsTriedAgain(_ repeatability: Repeatability) async throws {
        // Each connection breaks off before its handshake is done.
        try await withServer({ _ in }, policies: true) { server, channel async throws in
            let error = try await channel.failure(of: post("https://127.0.0.1:\(server.port)/", repeatability))
            #expect(!error.mayHaveReachedServer)
            #expect(server.accepted == 3)
        }
    }

    @Test func aThousandFailingCallsMakeFewMore() async throws {
        // The breaker would end it much sooner: this is what the budget alone does.
        let settings = ChannelSettings(
            maxInFlight: 16, maxQueued: 2000, breaker: BreakerSettings(failures: 1_000_000), sharesReads: false)
        try await withServer(
            { connection in
                while connection.readRequest() != nil { connection.answer(status: "503 Service Unavailable") }
            }, settings, policies: true
        ) { server, channel async throws in
            let deadline = soon(60)
            await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<1000 { group.addTask { try? await channel.get(server.url, deadline: deadline).status } }
                for await status in group { #expect(status == 503) }
            }
            // A fifth, the floor, and what the floor regains in the seconds that it takes.
            #expect(server.requests.count > 1000)
            #expect(server.requests.count <= 1300)
        }
    }

    @Test func retryAfterIsWaitedForWhereItFits() async throws {
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    if request.turn == 1, connection.number == 1 {
                        connection.answer(status: "429 Too Many Requests", headers: "Retry-After: 1\r\n")
                    } else {
                        connection.answer()
                    }
                }
            }, policies: true
        ) { server, channel async throws in
            let start = ContinuousClock.now
            #expect(try await channel.get(server.url).status == 200)
            #expect(ContinuousClock.now - start >= .seconds(1))
            #expect(server.requests.count == 2)
        }
    }

    /// An answer that asks for more than fits is the caller's, and the next calls are told so without being sent.
    @Test func alongPauseIsRelayedAndKept() async throws {
        try await withServer(
            { connection in
                while connection.readRequest() != nil {
                    connection.answer(status: "429 Too Many Requests", headers: "Retry-After: 45\r\n")
                }
            }, policies: true
        ) { server, channel async throws in
            let answer = try await channel.get(server.url)
            #expect(answer.status == 429)
            #expect(RetryAfter.seconds(answer.headers) == 45)
            for request in [get(server.url), post(server.url, .unsafe)] {
                let error = try await channel.failure(of: request)
                #expect(error.kind == .rateLimited)
                #expect((30...45).contains(error.retryAfter ?? 0))
                #expect(!error.mayHaveReachedServer)
            }
            #expect(server.requests.count == 1)
        }
    }
}

/// RFC 9110 sections 10.2.3 and 5.6.7.
@Suite struct RetryAfterTests {
    private static let now = 784_111_777

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
        ("Monday, 01-Jan-45 00:00:00 GMT", -788_918_400),
    ]) func dates(_ text: String, _ seconds: Int) {
        #expect(HTTPDate.seconds(text, now: Self.now) == seconds)
    }

    @Test(arguments: [
        "", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 94x 08:49:37 GMT", "Sun, +6 Nov -194 08:49:37 GMT", "-7", "+7", "7.5", "7 s", "１２",
    ]) func nonsenseIsNoWait(_ text: String) {
        #expect(RetryAfter.seconds(text, date: nil, now: Self.now) == nil)
    }

    @Test(
        arguments: [
            ("7", nil, 7), ("0", nil, 1), ("86400", nil, 3600), ("99999999999999999999", nil, 3600),
            ("Sun, 06 Nov 1994 08:50:37 GMT", nil, 60), ("Sun, 06 Nov 1994 08:40:37 GMT", nil, 1),
            ("Mon, 07 Nov 1994 08:49:37 GMT", nil, 3600),
            // The server's clock is ten years ahead.
            ("Sat, 06 Nov 2004 08:50:07 GMT", "Sat, 06 Nov 2004 08:49:37 GMT", 30),
            ("Sun, 06 Nov 1994 08:50:37 GMT", "what", 60),
        ] as [(String, String?, Int)]) func waits(_ text: String, _ date: String?, _ seconds: Int)
    {
        #expect(RetryAfter.seconds(text, date: date, now: Self.now) == seconds)
    }
}
