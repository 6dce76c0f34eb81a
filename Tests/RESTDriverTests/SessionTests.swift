import ClientContract
import DriverSupport
import JSONBytes
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

@Suite struct SessionTests {
    static let body = #"{"items":[],"total":0}"#

    private static func changes(_ login: String, refresh: String? = nil, more: String = "") -> [(String, String?)] {
        [
            ("/credentials", #"["user","password"]"#),
            ("/request", #"{"headers":{"Authorization":"Bearer {login.token}"}}"#),
            (
                "/login",
                #"{"request":\#(login),"token":["/access_token","/token"]\#(more)\#(refresh.map { ",\"refresh\":" + $0 } ?? "")}"#
            ),
        ]
    }

    private static let json =
        #"{"method":"POST","path":"/login","json":{"u":"{credential.user}","p":"{credential.password}"}}"#
    private static let people: [String: Secret] = ["user": Secret("ann&=+"), "password": Secret("p\"w ã")]

    private func driver(_ changes: [(String, String?)], _ http: Script) throws -> RESTDriver {
        try Sample.driver(changes, credentials: Self.people, http)
    }

    private func list(_ driver: RESTDriver, _ context: CallContext = Sample.context) async throws {
        _ = try await driver.page(PageRequest(.offset(0), size: 1), context)
    }

    @Test func loginsBySeveralBodies() async throws {
        let bodies: [(String, String, (String) -> Bool)] = [
            (Self.json, "application/json", { $0 == #"{"u":"ann&=+","p":"p\"w ã"}"# }),
            (
                #"{"method":"POST","path":"/login","form":{"grant_type":"password","u":"{credential.user}","p":"{credential.password}"}}"#,
                "application/x-www-form-urlencoded", { $0 == "grant_type=password&u=ann%26%3D%2B&p=p%22w%20%C3%A3" }
            ),
            (
                #"{"method":"POST","path":"/login","multipart":{"u":"{credential.user}","p":"{credential.password}"}}"#,
                "multipart/form-data; boundary=ponte",
                {
                    $0
                        == "--ponte\r\nContent-Disposition: form-data; name=\"u\"\r\n\r\nann&=+\r\n--ponte\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\np\"w ã\r\n--ponte--\r\n"
                }
            ),
            (
                #"{"path":"/login","basic":{"user":"{credential.user}","password":"{credential.password}"}}"#, "",
                { $0.isEmpty }
            ),
        ]
        for (request, type, fits) in bodies {
            let http = Script(#"{"access_token":"t-1"}"#, Self.body)
            try await list(try driver(Self.changes(request), http))
            let login = try #require(http.requests.first)
            #expect(login.header("Content-Type") ?? "" == type)
            #expect(fits(login.text), "\(login.text)")
            if login.method == "GET" {
                #expect(login.header("Authorization") == "Basic " + Base64.encode(Array("ann&=+:p\"w ã".utf8)))
            } else {
                #expect(login.header("Authorization") == nil)
            }
            #expect(http.last?.header("Authorization") == "Bearer t-1")
        }
    }

    @Test func fiftyCallsLogInOnce() async throws {
        let logins = Atomic(0)
        let http = Script { request, _ in
            guard request.url.hasSuffix("/login") else { return .json(Self.body) }
            logins.add(1, ordering: .relaxed)
            return .json(#"{"token":"t"}"#)
        }
        let driver = try driver(Self.changes(Self.json), http)
        await withTaskGroup(of: UpstreamError?.self) { group in
            for _ in 0..<50 { group.addTask { await failure { try await list(driver) } } }
            for await error in group { #expect(error == nil) }
        }
        #expect(logins.load(ordering: .relaxed) == 1)
        #expect(http.requests.count == 51)
    }

    /// Answers 401 to every token but the newest.
    private final class Vendor: Sendable {
        let current = Mutex((number: 0, valid: true))
        let logins = Mutex<[String]>([])

        func answer(_ request: OutboundRequest) -> UpstreamAnswer {
            if request.url.contains("/login") || request.url.contains("/refresh") {
                logins.withLock { $0.append(request.text) }
                let number = current.withLock { state in
                    state = (state.number + 1, true)
                    return state.number
                }
                return .json(#"{"token":"t\#(number)","refresh":"r\#(number)","expires_in":900}"#)
            }
            let (number, valid) = current.withLock { ($0.number, $0.valid) }
            let isGood = valid && request.header("Authorization") == "Bearer t\(number)"
            return .json(isGood ? SessionTests.body : "{}", status: isGood ? 200 : 401)
        }

        func expire() { current.withLock { $0.valid = false } }
    }

    @Test func aRefusedTokenIsRenewedAndTheCallRepeatedOnce() async throws {
        let vendor = Vendor()
        let http = Script { request, _ in vendor.answer(request) }
        let driver = try driver(Self.changes(Self.json), http)
        try await list(driver)
        vendor.expire()
        await withTaskGroup(of: UpstreamError?.self) { group in
            for _ in 0..<50 { group.addTask { await failure { try await list(driver) } } }
            for await error in group { #expect(error == nil) }
        }
        #expect(vendor.logins.withLock { $0.count } == 2)
    }

    @Test func aTokenThatIsNeverAcceptedIsAFaultAfterOneReplay() async throws {
        let http = Script { request, _ in
            request.url.hasSuffix("/login") ? .json(#"{"token":"t"}"#) : .json("{}", status: 401)
        }
        let driver = try driver(Self.changes(Self.json), http)
        #expect(await failure { try await list(driver) }?.name == "credentials rejected")
        #expect(http.requests.map(\.target).filter { $0 == "/login" }.count == 2)
        #expect(http.requests.count == 4)
    }

    /// 403 is no reason to log in again, unless the profile says so.
    @Test(arguments: [(nil, 403, 2), ("[401,403]", 403, 4), ("419", 419, 4), (nil, 419, 2)])
    func onlyDeclaredStatusesLogInAgain(_ again: String?, _ status: Int, _ requests: Int) async throws {
        let http = Script { request, _ in
            request.url.hasSuffix("/login") ? .json(#"{"token":"t"}"#) : .json("{}", status: status)
        }
        let driver = try driver(Self.changes(Self.json, more: again.map { ",\"again\":\($0)" } ?? ""), http)
        let error = await failure { try await list(driver) }
        #expect(error?.name == (status == 403 || again != nil ? "credentials rejected" : "failed"))
        #expect(http.requests.count == requests)
    }

    @Test func refreshTokensRotate() async throws {
        let vendor = Vendor()
        let http = Script { request, _ in vendor.answer(request) }
        let refresh = #"{"request":{"method":"POST","path":"/refresh","form":{"r":"{login.refreshToken}"}}}"#
        let driver = try driver(Self.changes(Self.json, refresh: refresh, more: #","refreshToken":"/refresh""#), http)
        for _ in 0..<3 {
            try await list(driver)
            vendor.expire()
        }
        try await list(driver)
        #expect(vendor.logins.withLock { Array($0.dropFirst()) } == ["r=r1", "r=r2", "r=r3"])
    }

    @Test func aRefusedRefreshTokenMeansALogin() async throws {
        let http = Script { request, index in
            if request.url.hasSuffix("/refresh") { return .json("{}", status: 400) }
            if request.url.hasSuffix("/login") { return .json(#"{"token":"t\#(index)","refresh":"r"}"#) }
            return .json(Self.body, status: index == 1 ? 401 : 200)
        }
        let refresh = #"{"request":{"method":"POST","path":"/refresh","json":{"r":"{login.refreshToken}"}}}"#
        try await list(
            try driver(Self.changes(Self.json, refresh: refresh, more: #","refreshToken":"/refresh""#), http))
        #expect(
            http.requests.map { $0.target.prefix { $0 != "?" } } == [
                "/login", "/patients", "/refresh", "/login", "/patients",
            ])
    }

    @Test func aTokenIsRenewedWhenItsLifeIsOver() async throws {
        let http = Script { request, _ in
            .json(request.url.hasSuffix("/login") ? #"{"token":"t","life":"not a number"}"# : Self.body)
        }
        // A lifetime of a millisecond is over before the next call; the call that logged in goes on with its token.
        let driver = try driver(Self.changes(Self.json, more: #","lifetime":{"at":"/life","default":"1ms"}"#), http)
        try await list(driver)
        try await Task.sleep(for: .milliseconds(5))
        try await list(driver)
        #expect(http.requests.filter { $0.url.hasSuffix("/login") }.count == 2)
        let lasting = Script { request, _ in .json(request.url.hasSuffix("/login") ? #"{"token":"t"}"# : Self.body) }
        let other = try self.driver(Self.changes(Self.json, more: #","lifetime":"1h""#), lasting)
        try await list(other)
        try await list(other)
        #expect(lasting.requests.count == 3)
    }

    /// A steady clock that goes on when it is told to.
    private final class SteadyClock: Sendable {
        private let moment = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { moment.withLock { $0 } }
        func advance(_ time: Duration) { moment.withLock { $0 += time } }
    }

    /// Lifetimes and pauses are measured by the time that passes. The time of day is not asked at all, so that setting it
    /// neither keeps a dead token nor drops a live one; `WallClockTests` sees to that for all of Ponte.
    @Test func aTokenLivesByTheSteadyClock() async throws {
        let clock = SteadyClock()
        let logins = Atomic(0)
        let session = Session(pause: .seconds(60), now: { clock.now }) { _, _ in
            let number = logins.add(1, ordering: .relaxed).newValue
            if number == 3 { return .failure(.credentialsRejected("it answered 401")) }
            return .success(Session.Grant(token: "t\(number)", lifetime: .seconds(86_400), asked: clock.now))
        }
        func token() async -> String { (try? await session.ticket(Sample.context).token) ?? "none" }
        #expect(await token() == "t1")
        // Half a minute early, so that no call begins with a token that dies on the way.
        clock.advance(.seconds(86_400 - 31))
        #expect(await token() == "t1")
        clock.advance(.seconds(2))
        #expect(await token() == "t2")
        clock.advance(.seconds(86_400))
        #expect(await token() == "none")
        clock.advance(.seconds(59))
        #expect(await token() == "none")
        #expect(logins.load(ordering: .relaxed) == 3)
        clock.advance(.seconds(2))
        #expect(await token() == "t4")
    }

    @Test func whatALoginAnswersIsNeverRepeated() async throws {
        for (body, status, name) in [
            (#"{"m":"ann&=+ unknown"}"#, 422, "credentials rejected"), (#"{"m":"x"}"#, 400, "credentials rejected"),
            ("{}", 200, "malformed answer"), (#"{"token":""}"#, 200, "malformed answer"),
            ("<html>", 200, "malformed answer"), ("{}", 500, "failed"),
            ("{}", 429, "rate limited"),
        ] {
            let http = Script { _, _ in .json(body, status: status) }
            let error = await failure { try await list(try driver(Self.changes(Self.json), http)) }
            #expect(error?.name == name, "\(status) \(body)")
            #expect(!(error.map { "\($0)" } ?? "").contains("ann"))
            #expect(http.requests.count == 1)
        }
    }

    /// A create that was refused for its token was not carried out, so it may go again, once.
    @Test func aCreateIsRepeatedOnlyForItsToken() async throws {
        let vendor = Vendor()
        let http = Script { request, _ in
            let answer = vendor.answer(request)
            return request.method == "POST" && answer.status == 200 && request.url.hasSuffix("/patients")
                ? .json(#"{"id":9}"#) : answer
        }
        let driver = try driver(Self.changes(Self.json), http)
        try await list(driver)
        vendor.expire()
        let draft = try #require(Sample.ana)
        guard case .id(let id) = try await driver.create(draft, Sample.context) else {
            Issue.record("expected an id")
            return
        }
        #expect(id.text == "9")
        #expect(http.requests.filter { $0.method == "POST" && $0.url.hasSuffix("/patients") }.count == 2)
    }

    /// Some systems lock the account of whoever keeps trying.
    @Test(arguments: [400, 401, 403, 422]) func aRejectedLoginIsNotTriedAgainAtOnce(_ status: Int) async throws {
        let http = Script { _, _ in .json("{}", status: status) }
        let driver = try driver(Self.changes(Self.json), http)
        for _ in 0..<3 { #expect(await failure { try await list(driver) }?.name == "credentials rejected") }
        #expect(http.requests.count == 1)
        // Without the pause each call tries.
        let eager = Script { _, index in
            index < 2 ? .json("{}", status: status) : .json(index == 2 ? #"{"token":"t"}"# : Self.body)
        }
        let other = try Sample.driver(Self.changes(Self.json), credentials: Self.people, loginPause: .zero, eager)
        for _ in 0..<2 { #expect(await failure { try await list(other) }?.name == "credentials rejected") }
        try await list(other)
        #expect(eager.requests.count == 4)
    }

    /// A login that could not be asked for, or that failed, says nothing about the credentials.
    @Test func onlyARejectionMeansAPause() async throws {
        let http = Script { request, index in
            switch index {
            case 0:
                throw TransportError(
                    kind: .connect, phase: .connecting, mayHaveReachedServer: false, detail: "a fixed phrase")
            case 1: return .json("{}", status: 500)
            case 2: return .json("{}", status: 429)
            default: return .json(request.url.hasSuffix("/login") ? #"{"token":"t"}"# : Self.body)
            }
        }
        let driver = try driver(Self.changes(Self.json), http)
        for name in ["unreachable", "failed", "rate limited"] {
            #expect(await failure { try await list(driver) }?.name == name)
        }
        try await list(driver)
        #expect(http.requests.count == 5)
    }

    /// A refresh token that is no longer accepted is followed by a login at once.
    @Test func aRejectedRefreshIsNoPause() async throws {
        let http = Script { request, index in
            if request.url.hasSuffix("/refresh") { return .json("{}", status: 401) }
            if request.url.hasSuffix("/login") { return .json(#"{"token":"t\#(index)","refresh":"r"}"#) }
            return .json(Self.body, status: index == 1 || index == 5 ? 401 : 200)
        }
        let refresh = #"{"request":{"method":"POST","path":"/refresh","json":{"r":"{login.refreshToken}"}}}"#
        let driver = try driver(Self.changes(Self.json, refresh: refresh, more: #","refreshToken":"/refresh""#), http)
        try await list(driver)
        try await list(driver)
        #expect(http.requests.filter { $0.url.hasSuffix("/login") }.count == 3)
    }
}
