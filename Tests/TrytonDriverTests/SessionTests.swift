import ClientContract
import DriverSupport
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// Sessions: one login at a time, renewed when the server no longer knows it.
@Suite struct SessionTests {
    private let context = CallContext(deadline: .now + .seconds(60), requestID: "test")

    /// Opens once; whoever waits goes on then.
    private final class Gate: Sendable {
        private let state = Mutex<(open: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

        func wait() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.open { state.waiting.append(continuation) }
                    return state.open
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                state.open = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    /// Against the mock, and against a real server in `scripts/test-gnuhealth`.
    @Test func aLostSessionIsRenewed() async throws {
        try await Clinic.with(patients: 3) { clinic in
            _ = try await clinic.list(limit: 1)
            _ = try await clinic.call("common.db.logout")
            let before = try await clinic.driver.session.ticket(clinic.context)
            _ = try await clinic.list(limit: 1)
            let after = try await clinic.driver.session.ticket(clinic.context)
            #expect(after !== before && after.token != before.token)
        }
    }

    /// The same.
    @Test func aLostSessionIsRenewedForAWrite() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.list(limit: 1)
            _ = try await clinic.call("common.db.logout")
            let draft = try Person.draft()
            let id = try await clinic.bridge.create(draft, clinic.context).id
            #expect(try await clinic.search(try #require(draft.email)) == [id.text])
        }
    }

    @Test func manyCallsLogInOnce() async throws {
        try await Clinic.withMock(patients: 3) { clinic in
            let mock = try #require(clinic.mock)
            for round in 1...3 {
                try await withThrowingTaskGroup { group in
                    for _ in 0..<30 {
                        group.addTask { _ = try await clinic.driver.client(ClientID("1002"), clinic.context) }
                    }
                    try await group.waitForAll()
                }
                #expect(mock.requests.count(.login) == round)
                mock.expireTokens()
            }
        }
    }

    @Test func aSessionThatIsNeverKnownPausesLogins() async throws {
        let script = Script { request, _ in request.isLogin ? .session : .sessionUnknown }
        let driver = script.driver()
        for _ in 0..<5 {
            let told = await failure { _ = try await driver.client(ClientID("1"), context) }
            #expect(told?.name == "credentials rejected")
        }
        #expect(script.logins == 2)
    }

    @Test func aRejectedLoginIsNotTriedAgainAtOnce() async throws {
        for (pause, logins) in [(Duration.seconds(30), 1), (.zero, 3)] {
            let script = Script { _, _ in .sessionUnknown }
            let driver = script.driver(loginPause: pause)
            for _ in 0..<3 {
                let told = await failure { _ = try await driver.client(ClientID("1"), context) }
                #expect(told?.name == "credentials rejected")
            }
            #expect(script.logins == logins)
        }
    }

    @Test func aWrongPasswordIsACredentialsError() async throws {
        try await Clinic.withMock { clinic in
            var settings = clinic.settings
            settings.password = Secret("errada")
            let driver = TrytonDriver(clinic: settings, http: clinic.channel)
            let told = await failure { _ = try await driver.page(PageRequest(.offset(0), size: 1), clinic.context) }
            #expect(told?.name == "credentials rejected")
        }
    }

    @Test func whoeverWaitsForALoginMayLeave() async throws {
        let gate = Gate()
        let script = Script { request, _ in
            guard request.isLogin else { return .json(#"{"id":1,"result":[{"id":1,"name":"Ana"}]}"#) }
            await gate.wait()
            return .session
        }
        let driver = script.driver()
        let short = CallContext(deadline: .now + .milliseconds(20), requestID: "short")
        #expect(await failure { _ = try await driver.client(ClientID("1"), short) }?.name == "timeout")
        let leaving = Task { await failure { _ = try await driver.client(ClientID("1"), context) }?.name }
        leaving.cancel()
        #expect(await leaving.value == "cancelled")
        // The login went on for this one.
        let waiting = Task { try await driver.client(ClientID("1"), context).name }
        gate.open()
        #expect(try await waiting.value == "Ana")
        #expect(script.logins == 1)
    }

    @Test func aLoginThatFailsKeepsItsOwnError() async throws {
        let cases: [(UpstreamAnswer, String)] = [
            (.json("", status: 503), "failed"), (.json("", status: 404), "failed"),
            (.json("", status: 429), "rate limited"), (.json("<html>"), "malformed answer"),
            (.json(#"{"id":1,"result":null}"#), "malformed answer"),
            (.json(#"{"id":1,"result":[1]}"#), "malformed answer"),
            (.json(#"{"id":1,"error":["LoginException",["sms","Code","char"]]}"#), "credentials rejected"),
            (.json(#"{"id":1,"error":["'x'",""]}"#), "failed"),
        ]
        for (answer, expected) in cases {
            let driver = Script { _, _ in answer }.driver()
            let told = await failure { _ = try await driver.client(ClientID("1"), context) }
            #expect(told?.name == expected, "\(String(decoding: answer.body, as: UTF8.self))")
        }
        let colon = await failure {
            _ = try await Script { _, _ in .session }.driver(user: "a:b").client(ClientID("1"), context)
        }
        #expect(colon?.name == "credentials rejected")
    }

    @Test func aSessionGoesIntoTheHeaderThatTrytonReads() async throws {
        let script = Script { request, _ in request.isLogin ? .session : .json(#"{"id":1,"result":[]}"#) }
        _ = try await script.driver().page(PageRequest(.offset(0), size: 10), context)
        #expect(script.requests.first?.header("Authorization") == nil)
        // recepcao:7:s-1
        #expect(script.requests.last?.header("Authorization") == "Session cmVjZXBjYW86NzpzLTE=")
        #expect(script.requests.allSatisfy { $0.url == "https://gh.example.test/gh/" })
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.encode(Array(text.utf8)) == encoded)
        }
    }
}
