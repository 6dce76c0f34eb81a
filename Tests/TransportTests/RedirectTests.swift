import Foundation
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

    /// `OTHER` is the port of another server, `OWN` that of the one that answers. What could be read in two ways leads
    /// nowhere either.
    @Test(arguments: [
        "http://127.0.0.1:OTHER/end", "//127.0.0.1:OTHER/end", "HTTP://127.0.0.1:OTHER/end",
        "hTTp://LOCALHOST:OTHER/end", "http://localhost:OWN/end", "https://127.0.0.1:OWN/end", "https://127.0.0.1/",
        "http://127.0.0.1/", "http://[::ffff:127.0.0.1]:OTHER/end", "http://[::ffff:7f00:1]:OWN/end",
        "http://[::1]:OTHER/end", "http://127.1:OTHER/end", "http://2130706433:OTHER/end",
        "http://0x7f000001:OTHER/end",
        "http://user@127.0.0.1:OWN/end", "http://user:pw@127.0.0.1:OTHER/end",
        "http://127.0.0.1:OWN@127.0.0.1:OTHER/end", "http://127.0.0.1:OTHER\\@127.0.0.1:OWN/end",
        "//user@127.0.0.1:OTHER/end", "\\\\127.0.0.1:OTHER\\end", "/\\127.0.0.1:OTHER/end", "\\/127.0.0.1:OTHER/end",
        "http:\\\\127.0.0.1:OTHER\\end", "http:127.0.0.1:OTHER", "http:///127.0.0.1:OTHER/end",
        "http://127.0.0.1:OWN%40127.0.0.1:OTHER/end", "http://127.0.0.1%2e:OTHER/end", "http://127.0.0.1.:OTHER/end",
        "file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1:OTHER/", "gopher://127.0.0.1:OTHER/_x",
        "dict://127.0.0.1:OTHER/x", "javascript:alert(1)", "data:,x",
    ]) func anotherOriginIsNotFollowed(_ location: String) async throws {
        try await withServer(answerAll) { other, _ async throws in
            try await withServer(
                { connection in
                    while let request = connection.readRequest() {
                        guard request.line.contains(" /start") else { return connection.answer() }
                        let port = request.header("Host")?.split(separator: ":").last ?? ""
                        let target = location.replacing("OTHER", with: "\(other.port)").replacing("OWN", with: port)
                        connection.answer("", status: "302 Found", headers: "Location: \(target)\r\n")
                    }
                }
            ) { server, channel async throws in
                #expect(try await channel.get(server.url + "/start", redirects: 3).status == 302)
                #expect(server.requests.count == 1)
            }
            #expect(other.accepted == 0)
        }
    }

    /// Other spellings of the same origin are the same.
    @Test(arguments: ["HTTP://127.0.0.1:OWN/end", "//127.0.0.1:OWN/end", "?x=1", "/end", "end"])
    func theSameOriginMayBeSpelledOtherwise(_ location: String) async throws {
        try await withServer({ connection in
            while let request = connection.readRequest() {
                guard request.turn == 1 else {
                    connection.answer()
                    continue
                }
                let port = request.header("Host")?.split(separator: ":").last ?? ""
                let target = location.replacing("OWN", with: port)
                connection.answer("", status: "302 Found", headers: "Location: \(target)\r\n")
            }
        }) { server, channel async throws in
            #expect(try await channel.get(server.url + "/start", redirects: 1).text == "ok")
            #expect(server.requests.count == 2)
        }
    }

    @Test func loopEndsAtTheLimit() async throws {
        try await withRedirect(to: "/start") { server, channel async throws in
            #expect(try await channel.get(server.url + "/start", redirects: 3).status == 302)
            #expect(server.requests.count == 4)
        }
    }

    @Test(arguments: [Repeatability.idempotent, .unsafe], [301, 302, 303, 307, 308])
    func writesFollowNone(_ kind: Repeatability, _ status: Int) async throws {
        try await withServer(answerAll) { other, _ async throws in
            for location in ["/end", other.url + "/end", "file:///etc/passwd"] {
                try await withRedirect(to: location, status: "\(status) Moved") { server, channel async throws in
                    for method in ["POST", "PUT", "PATCH", "DELETE"] {
                        var request = post(server.url + "/start", kind)
                        request.method = method
                        request.redirects = 3
                        #expect(try await channel.send(request, deadline: soon()).status == status)
                    }
                    #expect(server.requests.count == 4)
                }
            }
            #expect(other.accepted == 0)
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
