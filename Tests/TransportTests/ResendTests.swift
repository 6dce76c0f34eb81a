import TestSupport
import Testing
import Transport

/// Who gets a request twice when a kept connection dies, and who never does.
@Suite struct ResendTests {
    /// Answers the first request on each connection, keeps it open, reads the second one and closes without a word.
    @Sendable static func diesOnSecondRequest(_ connection: RawServer.Connection) {
        guard connection.readRequest() != nil else { return }
        connection.answer()
        _ = connection.readRequest()
    }

    /// The trap: libcurl repeats a POST on its own when the kept connection that took it dies. With `.idempotent`, which
    /// allows that, the server sees it twice; the same with `.unsafe` must not happen.
    @Test func libcurlRepeatsAPostOnAKeptConnection() async throws {
        try await withServer(Self.diesOnSecondRequest) { server, channel async throws in
            _ = try await channel.get(server.url)
            let answer = try await channel.send(post(server.url, .idempotent), deadline: soon())
            #expect(answer.status == 200)
            #expect(server.requests.map(\.connection) == [1, 1, 2])
        }
    }

    @Test func createIsDeliveredAtMostOnce() async throws {
        try await withServer({ connection in
            while let request = connection.readRequest() {
                // Any POST dies, on whatever connection it comes.
                if request.line.hasPrefix("POST") { return }
                connection.answer()
            }
        }) { server, channel async throws in
            _ = try await channel.get(server.url)
            let error = try await channel.failure(of: post(server.url, .unsafe))
            #expect(error.kind == .emptyAnswer)
            #expect(error.phase == .waiting)
            #expect(error.mayHaveReachedServer)
            #expect(server.requests.map { $0.line.prefix(4) } == ["GET ", "POST"])
            #expect(server.requests.map(\.connection) == [1, 2])
        }
    }

    /// The same server as in the trap: with a connection to itself, the create is answered, once.
    @Test func createDoesNotUseAKeptConnection() async throws {
        try await withServer(Self.diesOnSecondRequest) { server, channel async throws in
            _ = try await channel.get(server.url)
            #expect(try await channel.create(server.url).reusedConnection == false)
            #expect(try await channel.create(server.url).reusedConnection == false)
            #expect(server.requests.map(\.connection) == [1, 2, 3])
        }
    }

    @Test func createLeavesNoConnectionBehindAndNoHabit() async throws {
        try await withServer(answerAll, ChannelSettings(maxInFlight: 1)) { server, channel async throws in
            _ = try await channel.get(server.url)
            _ = try await channel.create(server.url)
            _ = try await channel.create(server.url)
            #expect(try await channel.get(server.url).reusedConnection)
            #expect(server.requests.map(\.connection) == [1, 2, 3, 1])
        }
    }

    /// Libcurl tries five more kept connections before it gives up. With more dead ones than that, the call needs our
    /// retry, which takes a fresh connection.
    @Test(arguments: [Repeatability.safe, .idempotent])
    func safeRequestIsRetriedOnceOnAFreshConnection(_ repeatability: Repeatability) async throws {
        let kept = 8
        let gate = Gate()
        let all = Gate()
        try await withServer({ connection in
            guard connection.readRequest() != nil else { return }
            if connection.number <= kept {
                // Hold the answers back until all connections are made.
                if connection.number == kept { for _ in 0..<kept { all.open() } }
                all.wait()
            }
            connection.answer()
            _ = connection.readRequest()
        }) { server, channel async throws in
            defer { gate.open() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<kept { group.addTask { _ = try await channel.get(server.url) } }
                try await group.waitForAll()
            }
            #expect(server.accepted == kept)
            let request = post(server.url, repeatability)
            switch repeatability {
            case .safe:
                #expect(try await channel.send(request, deadline: soon()).reusedConnection == false)
                let last = try #require(server.requests.last)
                #expect(last.connection == kept + 1)
                #expect(last.turn == 1)
            default:
                let error = try await channel.failure(of: request)
                #expect(error.kind == .send || error.kind == .receive || error.kind == .emptyAnswer)
                #expect(error.mayHaveReachedServer)
                #expect(server.accepted == kept)
            }
            // Libcurl's own six tries.
            #expect(server.requests.filter { $0.turn == 2 }.count == 6)
        }
    }

    @Test func nothingIsRetriedOnAFreshConnection() async throws {
        try await withServer({ _ = $0.readRequest() }) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url))
            #expect(error.kind == .emptyAnswer)
            #expect(error.mayHaveReachedServer)
            #expect(server.requests.count == 1)
        }
    }

    @Test func nothingIsRetriedOnceAnAnswerBegan() async throws {
        try await withServer({ connection in
            _ = connection.readRequest()
            connection.answer()
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12")
        }) { server, channel async throws in
            _ = try await channel.get(server.url)
            #expect(try await channel.failure(of: get(server.url)).kind == .truncated)
            #expect(server.requests.count == 2)
        }
    }
}
