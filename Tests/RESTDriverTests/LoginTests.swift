import ClientContract
import JSONBytes
import Synchronization
import TestSupport
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Many calls, few logins; and whoever waits for one may leave.
@Suite(.timeLimit(.minutes(5))) struct LoginTests {
    private static let people: [String: Secret] = ["user": Secret("ann"), "password": Secret("secret")]
    private static let refresh =
        #""refresh":{"request":{"method":"POST","path":"/refresh","json":{"r":"{login.refreshToken}"}}}"#
    private static func changes(_ more: String = "") -> [(String, String?)] {
        [
            ("/credentials", #"["user","password"]"#),
            ("/request", #"{"headers":{"Authorization":"Bearer {login.token}"}}"#),
            (
                "/login",
                #"{"request":{"method":"POST","path":"/login","json":{"u":"{credential.user}","p":"{credential.password}"}},"token":"/token"\#(more)}"#
            ),
        ]
    }

    /// Stands in for the network, and may take its time.
    private final class Network: HTTPSending {
        typealias Handler = @Sendable (OutboundRequest) async -> UpstreamAnswer
        private let handler: Handler
        private let log = Mutex<[String]>([])

        init(_ handler: @escaping Handler) { self.handler = handler }

        func send(
            _ request: OutboundRequest, deadline: ContinuousClock.Instant
        ) async throws(TransportError) -> UpstreamAnswer {
            log.withLock { $0.append(String(request.target.prefix { $0 != "?" })) }
            return await handler(request)
        }

        func count(_ path: String) -> Int { log.withLock { $0.filter { $0 == path }.count } }
        var total: Int { log.withLock { $0.count } }
    }

    /// Something that happens once, and those who wait for it.
    private actor Event {
        private var happened = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func happen() {
            happened = true
            for continuation in waiting { continuation.resume() }
            waiting = []
        }

        func wait() async {
            if happened { return }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func list(_ driver: RESTDriver, _ deadline: ContinuousClock.Instant = .now + .seconds(300)) async throws {
        _ = try await driver.page(
            PageRequest(.offset(0), size: 1), CallContext(deadline: deadline, requestID: "req-1"))
    }

    /// A driver whose login begins, tells so, and ends when it is let go.
    private func slow() throws -> (driver: RESTDriver, network: Network, begun: Event, mayEnd: Event) {
        let (begun, mayEnd) = (Event(), Event())
        let network = Network { request in
            guard request.target == "/login" else { return .json(SessionTests.body) }
            await begun.happen()
            await mayEnd.wait()
            return .json(#"{"token":"t"}"#)
        }
        return (try Sample.driver(Self.changes(), credentials: Self.people, network), network, begun, mayEnd)
    }

    @Test("a login outlives the deadline of the caller that began it, and serves the others")
    func deadlineOfTheFirst() async throws {
        let (driver, network, begun, mayEnd) = try slow()
        // On a machine that is busy the time may be over before the login is asked for.
        var time = Duration.milliseconds(30)
        repeat {
            #expect(await failure { try await list(driver, .now + time) }?.name == "timeout")
            time *= 2
        } while network.count("/login") == 0
        await begun.wait()
        // It is still under way: whoever comes now waits for it.
        #expect(await failure { try await list(driver, .now + .milliseconds(30)) }?.name == "timeout")
        async let patient: Void = list(driver)
        await mayEnd.happen()
        try await patient
        try await list(driver)
        #expect(network.count("/login") == 1)
        #expect(network.total == 3)
    }

    @Test("a caller that is cancelled leaves the login to the others")
    func cancelled() async throws {
        let (driver, network, begun, mayEnd) = try slow()
        let first = Task { await failure { try await list(driver) } }
        await begun.wait()
        first.cancel()
        #expect(await first.value?.name == "cancelled")
        // One that was cancelled before it came.
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { try await list(driver) }
        }
        #expect(await late.value?.name == "cancelled")
        await mayEnd.happen()
        try await list(driver)
        #expect(network.count("/login") == 1)
        #expect(network.total == 2)
    }

    @Test("a deadline that has passed begins no login")
    func passed() async throws {
        let network = Network { _ in .json(#"{"token":"t"}"#) }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        #expect(await failure { try await list(driver, .now) }?.name == "timeout")
        #expect(network.total == 0)
    }

    @Test("fifty calls that are refused at once: one refresh, and each is sent once more")
    func fiftyRefusals() async throws {
        let all = Event()
        let current = Mutex((token: 1, refused: 0))
        let network = Network { request in
            switch request.target {
            case "/login": return .json(#"{"token":"t1","refresh":"r1"}"#)
            case "/refresh":
                let number = current.withLock { state in
                    state.token += 1
                    return state.token
                }
                return .json(#"{"token":"t\#(number)","refresh":"r\#(number)"}"#)
            default:
                guard request.header("Authorization") == "Bearer t1" else { return .json(SessionTests.body) }
                // All fifty are under way before the first is refused.
                if current.withLock({ state in
                    state.refused += 1
                    return state.refused == 50
                }) {
                    await all.happen()
                }
                await all.wait()
                return .json("{}", status: 401)
            }
        }
        let driver = try Sample.driver(
            Self.changes(#","refreshToken":"/refresh",\#(Self.refresh)"#), credentials: Self.people, network)
        await withTaskGroup(of: UpstreamError?.self) { group in
            for _ in 0..<50 { group.addTask { await failure { try await list(driver) } } }
            for await error in group { #expect(error == nil) }
        }
        #expect(network.count("/login") == 1)
        #expect(network.count("/refresh") == 1)
        #expect(network.count("/patients") == 100)
    }

    @Test("a token that is never accepted does not become a storm of logins")
    func storm() async throws {
        let network = Network { request in
            request.target == "/login" ? .json(#"{"token":"t"}"#) : .json("{}", status: 401)
        }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        for _ in 0..<4 {
            await withTaskGroup(of: UpstreamError?.self) { group in
                for _ in 0..<50 { group.addTask { await failure { try await list(driver) } } }
                for await error in group { #expect(error?.name == "credentials rejected") }
            }
        }
        #expect(network.count("/login") == 2)
        // Once the pause is over, one more.
        let eager = try Sample.driver(Self.changes(), credentials: Self.people, loginPause: .zero, network)
        try #require(network.count("/login") == 2)
        for _ in 0..<3 { #expect(await failure { try await list(eager) }?.name == "credentials rejected") }
        #expect(network.count("/login") == 2 + 4)
    }

    @Test("one call that is always refused does not take the token from the others")
    func oneRefusedCall() async throws {
        let network = Network { request in
            if request.target == "/login" { return .json(#"{"token":"t"}"#) }
            return request.target.hasPrefix("/patients?") ? .json(SessionTests.body) : .json("{}", status: 401)
        }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        for _ in 0..<5 {
            try await list(driver)
            let error = await failure { _ = try await driver.client(ClientID("7"), Sample.context) }
            #expect(error?.name == "credentials rejected")
        }
        #expect(network.count("/login") == 2)
    }

    /// A login page, a proxy or a firewall says nothing about the credentials, so the next call tries again.
    @Test(arguments: [
        (403, "failed"), (400, "failed"), (404, "failed"), (200, "malformed answer"), (401, "credentials rejected"),
    ])
    func aPageInPlaceOfTheLogin(_ status: Int, _ name: String) async throws {
        let network = Network { _ in
            UpstreamAnswer(
                status: status, headers: [("Content-Type", "text/html")], body: Array("<html>Bloqueado</html>".utf8))
        }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        for _ in 0..<2 { #expect(await failure { try await list(driver) }?.name == name) }
        #expect(network.count("/login") == (status == 401 ? 1 : 2))
    }

    /// It goes into a header, and no request with a control character there would leave.
    @Test(arguments: ["a\\u0000", "a\\r\\nX: y", "\\u007f"])
    func aTokenWithControlCharactersIsNone(_ token: String) async throws {
        let network = Network { request in
            request.target == "/login" ? .json(#"{"token":"\#(token)"}"#) : .json("[]")
        }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        #expect(await failure { try await list(driver) }?.name == "malformed answer")
        #expect(network.count("/patients") == 0)
    }

    @Test("a create whose token is refused twice was not carried out, and is not sent a third time")
    func createRefusedTwice() async throws {
        let network = Network { request in
            request.target == "/login" ? .json(#"{"token":"t"}"#) : .json("{}", status: 401)
        }
        let driver = try Sample.driver(Self.changes(), credentials: Self.people, network)
        let draft = try #require(Sample.ana)
        let error = await failure { _ = try await driver.create(draft, Sample.context) }
        #expect(error?.name == "credentials rejected")
        #expect(network.count("/patients") == 2)
    }

    /// Over real sockets: nobody listens where the login should be answered.
    @Test func aLoginThatCannotBeReachedIsNoMatterOfCredentials() async throws {
        let server = try RawServer { _ in }
        let url = server.url
        server.stop()
        let engine = try CurlEngine()
        let driver = RESTDriver(
            profile: try Sample.compile(Self.changes()),
            tenant: RESTTenant(baseURL: url, credentials: Self.people), http: engine.channel(ChannelSettings()))
        for _ in 0..<2 { #expect(await failure { try await list(driver) }?.name == "unreachable") }
        await engine.shutdown(cancelling: true)
    }
}
