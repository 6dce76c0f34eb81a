import Bridge
import ClientContract
import DriverSupport
import DriverTestSupport
import Foundation
import JSONBytes
import MockUpstream
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// A clinic with GNU Health: the mock's, or the real one that `scripts/test-gnuhealth` has started.
struct Clinic: Sendable {
    let driver: TrytonDriver
    let bridge: Bridge
    /// Nil when the server is a real one.
    let mock: MockServer?
    let channel: HTTPChannel
    let settings: TrytonClinic

    /// The real server's address.
    static let realServer = ProcessInfo.processInfo.environment["PONTE_GNUHEALTH_URL"]

    var context: CallContext { CallContext(deadline: .now + .seconds(60), requestID: "test") }

    /// Runs a test against the real server if there is one, else against the mock.
    static func with(patients: Int = 0, _ body: (Clinic) async throws -> Void) async throws {
        guard let realServer else { return try await withMock(patients: patients, body) }
        try await with(
            TrytonClinic(baseURL: realServer, database: "gh", user: Secret("admin"), password: Secret("admin-ponte")),
            mock: nil, body)
    }

    /// Runs a test against the mock.
    static func withMock(patients: Int = 0, _ body: (Clinic) async throws -> Void) async throws {
        let options = MockOptions(dialect: .gnuHealth, patients: patients)
        let mock = try await MockServer.start(options)
        do {
            try await with(
                TrytonClinic(
                    baseURL: mock.baseURL, database: "gh", user: Secret(options.user),
                    password: Secret(options.password)), mock: mock, body)
        } catch {
            await mock.stop()
            throw error
        }
        await mock.stop()
    }

    private static func with(
        _ settings: TrytonClinic, mock: MockServer?, _ body: (Clinic) async throws -> Void
    ) async throws {
        let engine = try CurlEngine()
        let channel = engine.channel(ChannelSettings())
        let driver = TrytonDriver(clinic: settings, http: channel)
        let clinic = Clinic(
            driver: driver,
            bridge: Bridge(driver: driver, options: BridgeOptions(searchBy: [.phone, .cpf, .email, .name])), mock: mock,
            channel: channel, settings: settings)
        do {
            try await body(clinic)
        } catch {
            await engine.shutdown()
            throw error
        }
        await engine.shutdown()
    }

    // MARK: What tests ask for

    /// All clients of a window, read to the end.
    func list(limit: Int? = nil, offset: Int = 0) async throws -> [Client] {
        var pages = bridge.list(Window(limit: limit, offset: offset), context)
        var clients: [Client] = []
        while let page = try await pages.next() { clients += page }
        return clients
    }

    func search(_ term: String) async throws -> [String] {
        try await bridge.search(term, Window(), context).map(\.id.text)
    }

    /// A call in the driver's own session, as it is answered.
    func call(_ method: String, _ parameters: RPCValue...) async throws -> JSONValue {
        let ticket = try await driver.session.ticket(context)
        let answer = try await driver.server.call(
            method, parameters, authorization: ticket.token, .read, context)
        guard case .carriedOut(.result(let result)) = answer else { throw Unanswered() }
        return result
    }

    struct Unanswered: Error {}
}

/// People whom no two tests share, since the real server is one for all of them.
enum Person {
    private static let counter = Atomic(0)

    static func next() -> Int { counter.wrappingAdd(1, ordering: .relaxed).newValue }

    static func draft(
        _ name: String = "Ana Maria Teste", email: Bool = true, cpf: Bool = true, birthday: String? = "1990-03-07"
    ) throws -> ClientDraft {
        let number = next()
        return ClientDraft(
            name: "\(name) \(letters(number))", phone: try #require(PhoneNumber("55119\(60_000_000 + number)")),
            email: email ? "pessoa_\(number)@example.test" : nil, birthday: birthday.flatMap { Birthday($0) },
            cpf: cpf ? validCPF(number) : nil)
    }

    /// A word of its own for each number.
    static func letters(_ number: Int) -> String {
        var rest = number
        var word = "Q"
        repeat {
            word.unicodeScalars.append(Unicode.Scalar(UInt8(97 + rest % 26)))
            rest /= 26
        } while rest > 0
        return word
    }

    static func validCPF(_ number: Int) -> CPF? {
        (0...99).lazy.compactMap { CPF("\(310_000_000 + number)" + ($0 < 10 ? "0\($0)" : "\($0)")) }
            .first(where: \.hasValidCheckDigits)
    }

    static func invalidCPF(_ number: Int) -> CPF? {
        validCPF(number).flatMap { CPF("\($0.digits.dropLast())\(($0.number + 1) % 10)") }
    }
}

typealias Script = DriverTestSupport.Script

extension Script {
    var logins: Int { requests.count(where: \.isLogin) }

    /// A driver that asks this script.
    func driver(user: String = "recepcao", loginPause: Duration = Session.pause) -> TrytonDriver {
        TrytonDriver(
            clinic: TrytonClinic(
                baseURL: "https://gh.example.test", database: "gh", user: Secret(user), password: Secret("senha-1")),
            http: self, loginPause: loginPause)
    }
}

extension OutboundRequest {
    var isLogin: Bool { text.contains("common.db.login") }
}

extension UpstreamAnswer {
    static let session = json(#"{"id":1,"result":[7,"s-1"]}"#)
    static let sessionUnknown = UpstreamAnswer(status: 401, headers: [("Content-Type", "text/plain")], body: [])
}

extension UpstreamError {
    var reasons: [String] {
        switch self {
        case .refused(let reasons), .conflict(let reasons): reasons
        default: []
        }
    }
}

func failure(_ body: () async throws -> Void) async -> UpstreamError? {
    await UpstreamError.thrown(by: body)
}

func contractFailure(_ body: () async throws -> Void) async -> ContractError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ContractError
    }
}
