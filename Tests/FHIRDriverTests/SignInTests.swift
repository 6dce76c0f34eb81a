import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// How calls are signed.
@Suite struct SignInTests {
    private let ways =
        #"[{"style":"none"},{"style":"bearer"},{"style":"header","name":"x-api-key"},{"style":"basic"},{"style":"clientCredentials"}]"#

    private func asked(_ credentials: [String: Secret]) async throws -> OutboundRequest {
        let http = Script(.fhir(Sample.patient("")))
        let driver = try Sample.driver(http, ["signIn": ways], credentials: credentials)
        _ = try await driver.client(ClientID("p1"), Sample.context)
        return try #require(http.last)
    }

    @Test func theCredentialsChooseTheWay() async throws {
        #expect(try await asked([:]).header("Authorization") == nil)
        #expect(try await asked(["token": Secret("t-1")]).header("Authorization") == "Bearer t-1")
        #expect(try await asked(["key": Secret("k-1")]).header("X-API-Key") == "k-1")
        let basic = try await asked(["user": Secret("ana"), "password": Secret("s:1")])
        #expect(basic.header("Authorization") == "Basic YW5hOnM6MQ==")
    }

    /// With the real transport, which refuses before it looks for the server.
    @Test(arguments: [
        (["token": "t\r\nX-Evil: 1"], "unsupported"), (["key": "k\nX-Evil: 1"], "unsupported"),
        (["user": "ana:b", "password": "p"], "credentials rejected"),
    ]) func whatNoHeaderCanHoldIsNotSent(_ credentials: [String: String], _ name: String) async throws {
        let engine = try CurlEngine()
        let driver = try Sample.driver(
            engine.channel(.direct), ["signIn": ways], credentials: credentials.mapValues { Secret($0) })
        let error = await failure { _ = try await driver.client(ClientID("p1"), Sample.context) }
        #expect(error?.name == name)
        await engine.shutdown()
    }

    private func granting(_ logins: [UpstreamAnswer], refusing tokens: Set<String> = []) -> Script {
        let count = Counter()
        return Script { request, _ in
            if request.url == "https://login.example.test/token" { return logins[min(count.next(), logins.count - 1)] }
            let token = request.header("Authorization")?.dropFirst("Bearer ".count) ?? ""
            return tokens.contains(String(token)) ? .fhir("", status: 401) : .fhir(Sample.patient(""))
        }
    }

    private func driver(_ http: Script, secretIn: String = "body") throws -> FHIRDriver {
        try Sample.driver(
            http, ["signIn": #"[{"style":"clientCredentials","secretIn":"\#(secretIn)"}]"#],
            credentials: ["clientID": Secret("c&1"), "clientSecret": Secret("s 1")],
            settings: ["tokenURL": "https://login.example.test/token", "scope": "a/.default"])
    }

    private func token(_ text: String, _ more: String = #","expires_in":3600"#) -> UpstreamAnswer {
        .fhir(#"{"access_token":"\#(text)","token_type":"Bearer"\#(more)}"#)
    }

    @Test func aTokenIsAskedForOnceForAll() async throws {
        let http = granting([token("t1")])
        let driver = try driver(http)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await driver.client(ClientID("p1"), Sample.context) } }
            try await group.waitForAll()
        }
        let logins = http.requests.filter { $0.url.contains("login") }
        #expect(logins.count == 1)
        #expect(
            logins.first?.text == "grant_type=client_credentials&scope=a%2F.default&client_id=c%261&client_secret=s%201"
        )
        #expect(http.requests.allSatisfy { $0.url.contains("login") || $0.header("Authorization") == "Bearer t1" })
    }

    @Test func theSecretCanStandInAHeader() async throws {
        let http = granting([token("t1")])
        _ = try await driver(http, secretIn: "header").client(ClientID("p1"), Sample.context)
        let login = try #require(http.requests.first)
        #expect(login.header("Authorization") == "Basic YyUyNjE6cyUyMDE=")
        #expect(!login.text.contains("secret"))
    }

    @Test func aRefusedTokenIsRenewedOnce() async throws {
        let http = granting([token("old"), token("new")], refusing: ["old"])
        _ = try await driver(http).client(ClientID("p1"), Sample.context)
        #expect(http.requests.count == 4)
        let never = granting([token("old")], refusing: ["old"])
        let error = await failure { _ = try await driver(never).client(ClientID("p1"), Sample.context) }
        #expect(error?.name == "credentials rejected")
        #expect(never.requests.count == 4)
    }

    @Test func aTokenWithoutALifetimeLastsUntilItIsRefused() async throws {
        let http = granting([token("t1", "")])
        let driver = try driver(http)
        for _ in 0..<3 { _ = try await driver.client(ClientID("p1"), Sample.context) }
        #expect(http.requests.count { $0.url.contains("login") } == 1)
    }

    @Test(arguments: [
        (401, #"{"error":"invalid_client"}"#, "credentials rejected"), (400, "{}", "credentials rejected"),
        (500, "", "failed"), (429, "", "rate limited"), (200, "{}", "malformed answer"),
        (200, #"{"access_token":""}"#, "malformed answer"), (200, #"{"access_token":"a b"}"#, "malformed answer"),
        (200, "<html>", "malformed answer"),
    ]) func loginsThatFail(_ status: Int, _ body: String, _ name: String) async throws {
        let http = granting([.fhir(body, status: status)])
        let error = await failure { _ = try await driver(http).client(ClientID("p1"), Sample.context) }
        #expect(error?.name == name)
        #expect(http.requests.count == 1, "nothing goes out unsigned")
    }

    @Test func secretsNeverComeBack() async throws {
        let body =
            #"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","diagnostics":"token top-secret is odd"}]}"#
        let http = Script(.fhir(body, status: 422))
        let driver = try Sample.driver(
            http, ["signIn": #"[{"style":"bearer"}]"#], credentials: ["token": Secret("top-secret")])
        let draft = try #require(Sample.ana)
        guard case .refused(let reasons) = await failure({ _ = try await driver.create(draft, Sample.context) }) else {
            Issue.record("expected a refusal")
            return
        }
        #expect(reasons == ["token … is odd"])
    }
}
