import TestSupport
import Testing
import Transport

@Suite struct RedirectTests {
    /// `/start` points to `location`, anything else answers `ok`.
    private func withRedirect(
        to location: String, status: String = "302 Found", _ test: (RawServer, HTTPChannel) async throws -> Void
    ) async throws {
        try await withServer(
            { connection in
                while let request = connection.readRequest() {
                    if request.line.contains(" /start") {
                        connection.answer("", status: status, headers: "Location: \(location)\r\n")
                    } else {
                        connection.answer()
                    }
                }
            }, .init(), .init(), test)
    }

    @Test func noneIsFollowedUnlessAsked() async throws {
        try await withRedirect(to: "/end") { server, channel async throws in
            #expect(try await channel.get(server.url + "/start").status == 302)
            #expect(server.requests.count == 1)
        }
    }

    @Test func sameOriginIsFollowedWithItsHeaders() async throws {
        try await withRedirect(to: "../end?x=1#part") { server, channel async throws in
            let request = OutboundRequest(
                url: server.url + "/start/", headers: [("X-Token", "t")], repeatability: .safe, redirects: 1)
            #expect(try await channel.send(request, deadline: soon()).text == "ok")
            #expect(server.requests.map(\.line) == ["GET /start/ HTTP/1.1", "GET /end?x=1 HTTP/1.1"])
            #expect(server.requests.map { $0.header("X-Token") } == ["t", "t"])
        }
    }

    @Test func anotherOriginIsNotFollowed() async throws {
        try await withServer(answerAll) { other, _ async throws in
            for location in [other.url, "//127.0.0.1:\(other.port)/", "https://127.0.0.1/", "file:///etc/passwd"] {
                try await withRedirect(to: location) { server, channel async throws in
                    #expect(try await channel.get(server.url + "/start", redirects: 3).status == 302)
                    #expect(server.requests.count == 1)
                }
            }
            #expect(other.accepted == 0)
        }
    }

    @Test func loopEndsAtTheLimit() async throws {
        try await withRedirect(to: "/start") { server, channel async throws in
            #expect(try await channel.get(server.url + "/start", redirects: 3).status == 302)
            #expect(server.requests.count == 4)
        }
    }

    @Test(arguments: [Repeatability.idempotent, .unsafe]) func writesFollowNone(_ kind: Repeatability) async throws {
        try await withRedirect(to: "/end", status: "307 Temporary Redirect") { server, channel async throws in
            var request = post(server.url + "/start", kind)
            request.redirects = 3
            #expect(try await channel.send(request, deadline: soon()).status == 307)
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [("302 Found", "GET"), ("303 See Other", "GET"), ("307 T", "POST"), ("308 P", "POST")])
    func searchByPostFollowsAsTheStatusSays(_ status: String, _ method: String) async throws {
        try await withRedirect(to: "/end", status: status) { server, channel async throws in
            var request = post(server.url + "/start", .safe)
            request.headers = [("Content-Type", "text/plain")]
            request.redirects = 1
            _ = try await channel.send(request, deadline: soon())
            let last = try #require(server.requests.last)
            #expect(last.line == "\(method) /end HTTP/1.1")
            #expect(last.body.isEmpty == (method == "GET"))
            #expect(last.header("Content-Type") == (method == "GET" ? nil : "text/plain"))
        }
    }
}
