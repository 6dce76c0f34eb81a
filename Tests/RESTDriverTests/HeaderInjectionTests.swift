import ClientContract
import DriverSupport
import TestSupport
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// A line break never reaches a header, wherever the value comes from: the call fails with a typed error, and nothing is
/// sent. With the real libcurl, and a server that notes every byte.
@Suite(.timeLimit(.minutes(1))) struct HeaderInjectionTests {
    /// What is set in the profile, with what, and which call then has the value in a header.
    struct Way: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var changes: [(String, String?)] = []
        var key = "k-1"
        var settings: [String: String] = [:]
        var requestID = "req-1"
        var call: @Sendable (RESTDriver, String, CallContext) async throws -> Void = { driver, _, context in
            _ = try await driver.page(PageRequest(.offset(0), size: 1), context)
        }
    }

    static let breaks = ["\r\n", "\n", "\r", "\0", "\r\n ", "\u{7F}", "\u{1}"]

    /// - Parameter evil: a value with a line break.
    static func ways(_ evil: String) -> [Way] {
        [
            Way(testDescription: "a credential", key: evil),
            Way(
                testDescription: "a credential behind a scheme",
                changes: [("/request/headers", #"{"Authorization":"Token {credential.key}"}"#)], key: evil),
            Way(
                testDescription: "a cookie",
                changes: [("/request/headers", #"{"Cookie":"sid={credential.key}"}"#)], key: evil),
            Way(
                testDescription: "the name of the program",
                changes: [("/request/headers", #"{"User-Agent":"{credential.key}"}"#)], key: evil),
            Way(
                testDescription: "a setting",
                changes: [
                    ("/settings", #"{"unit":{"default":"1"}}"#),
                    ("/request/headers", #"{"X-Key":"{credential.key}","X-Unit":"{setting.unit}"}"#),
                ], settings: ["unit": evil]),
            Way(
                testDescription: "a term", changes: [("/operations/find/headers", #"{"X-Term":"{term}"}"#)],
                call: { driver, evil, context in
                    _ = try await driver.candidates(
                        for: .name(evil), attempt: 0, PageRequest(.offset(0), size: 1), context)
                }),
            Way(
                testDescription: "an id", changes: [("/operations/get/headers", #"{"X-Id":"{id}"}"#)],
                call: { driver, evil, context in _ = try await driver.client(ClientID(evil), context) }),
            Way(
                testDescription: "an id of a change", changes: [("/operations/update/headers", #"{"X-Id":"{id}"}"#)],
                call: { driver, evil, context in
                    _ = try await driver.update(ClientID(evil), ClientPatch(email: "a@example.test"), context)
                }),
            Way(
                testDescription: "a request's id",
                changes: [("/request/headers", #"{"X-Key":"{credential.key}","X-Request-Id":"{requestId}"}"#)],
                requestID: evil),
        ]
    }

    private func with(
        _ way: Way, _ handler: @escaping @Sendable (RawServer.Connection) -> Void,
        _ body: (RESTDriver, RawServer, CallContext) async throws -> Void
    ) async throws {
        let server = try RawServer(handler)
        defer { server.stop() }
        let engine = try CurlEngine()
        do {
            let driver = RESTDriver(
                profile: try Sample.compile(way.changes),
                tenant: RESTTenant(
                    baseURL: server.url, credentials: ["key": Secret(way.key)], settings: way.settings,
                    phones: PhoneContext()),
                http: engine.channel(.direct))
            try await body(
                driver, server, CallContext(deadline: .now + .seconds(30), requestID: way.requestID))
        } catch {
            await engine.shutdown(cancelling: true)
            throw error
        }
        await engine.shutdown(cancelling: true)
    }

    private static let json = "Content-Type: application/json\r\n"

    @Sendable private static func answerJSON(_ connection: RawServer.Connection) {
        while connection.readRequest() != nil {
            connection.answer(#"{"id":1,"name":"Ana Teste","items":[],"total":0}"#, headers: json)
        }
    }

    @Test(arguments: breaks) func nothingIsSent(_ lineBreak: String) async throws {
        let evil = "a\(lineBreak)X-Evil: 1"
        for way in Self.ways(evil) {
            try await with(way, Self.answerJSON) { driver, server, context async throws in
                let error = await failure { try await way.call(driver, evil, context) }
                let isTyped = error?.name == "unsupported" || error?.name == "not found"
                #expect(isTyped, "\(way.testDescription): \(error?.name ?? "no error")")
                #expect(server.accepted == 0, "\(way.testDescription)")
            }
        }
    }

    /// The same ways with a value that is sound do reach the server: they are what the test above says.
    @Test func soundValuesAreSent() async throws {
        let sound = "a1"
        for way in Self.ways(sound) {
            try await with(way, Self.answerJSON) { driver, server, context async throws in
                try? await way.call(driver, sound, context)
                let sent = server.requests.first?.headerLines.contains { $0.hasSuffix(sound) } ?? false
                #expect(sent, "\(way.testDescription)")
            }
        }
    }

    private static let login: [(String, String?)] = [
        ("/request/headers", #"{"X-Key":"{credential.key}","Authorization":"Bearer {login.token}"}"#),
        ("/login", #"{"request":{"path":"/login"},"token":"/t"}"#),
    ]

    /// A token with a line break, as a login's answer can hold it in JSON.
    @Test(arguments: [#"t\r\nX-Evil: 1"#, #"t\nX"#, #"t\rX"#, #"t\u0000"#, #"t\u007f"#])
    func aTokenOutOfAnAnswer(_ token: String) async throws {
        try await with(
            Way(testDescription: "a token", changes: Self.login),
            { connection in
                while connection.readRequest() != nil { connection.answer("{\"t\":\"\(token)\"}", headers: Self.json) }
            }
        ) { driver, server, context async throws in
            let error = await failure { _ = try await driver.page(PageRequest(.offset(0), size: 1), context) }
            #expect(error?.name == "malformed answer")
            #expect(server.requests.map { $0.line.prefix(10) } == ["GET /login"])
        }
    }

    private static let basic: [(String, String?)] = [
        ("/request", #"{"basic":{"user":"{credential.key}","password":"p:1"}}"#)
    ]

    /// HTTP Basic ends the user at the first colon (RFC 7617): what follows would be taken for the password.
    @Test func aUserWithAColonIsNotSent() async throws {
        try await with(Way(testDescription: "a user", changes: Self.basic, key: "ana:b"), Self.answerJSON) {
            driver, server, context async throws in
            let error = await failure { _ = try await driver.page(PageRequest(.offset(0), size: 1), context) }
            #expect(error?.name == "credentials rejected")
            #expect(!"\(String(describing: error))".contains("ana"))
            #expect(server.accepted == 0)
        }
    }

    /// Behind Base64 a line break is a letter of the user's name, and no header's end.
    @Test func aUserWithALineBreakStaysInItsHeader() async throws {
        try await with(Way(testDescription: "a user", changes: Self.basic, key: "ana\r\nX-Evil"), Self.answerJSON) {
            driver, server, context async throws in
            _ = try await driver.page(PageRequest(.offset(0), size: 1), context)
            let request = try #require(server.requests.first)
            #expect(request.header("X-Evil") == nil)
            #expect(request.header("Authorization")?.hasPrefix("Basic ") == true)
        }
    }
}
