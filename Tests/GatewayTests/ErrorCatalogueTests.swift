import Bridge
import ClientContract
import Foundation
import Idempotency
import JSONBytes
import Tenancy
import Testing
import Transport
import UpstreamDriver

@testable import Gateway

/// Every code of the catalogue, produced.
///
/// `produce` has no default: a new code does not compile before somebody shows how a caller comes to see it.
@Suite(.timeLimit(.minutes(1))) struct ErrorCatalogueTests {
    @Test(arguments: ContractError.Code.allCases)
    func everyCodeComesAboutAndFitsTheSchema(_ code: ContractError.Code) async throws {
        let document = try OpenAPITests.Document()
        let answer = try await Self.produce(code)
        let problem = try JSONDocument(answer.body).root
        #expect(problem["code"]?.string == code.rawValue)
        #expect(answer.status == code.status)
        #expect(problem["status"]?.int == code.status)
        #expect(problem["title"]?.string == code.title)
        #expect(problem["type"]?.string == "urn:ponte:problem:\(code.rawValue)")
        #expect(problem["requestId"]?.string == answer.header("x-request-id"))
        #expect(answer.header("content-type") == ContractError.mediaType)
        #expect(answer.header("cache-control") == "no-store")
        let body = try JSONSerialization.jsonObject(with: Data(answer.body))
        #expect(document.complaints(body, ["$ref": "#/components/schemas/Problem"]) == [])
        let special = ["Allow", "Retry-After", "WWW-Authenticate"].filter { answer.header($0.lowercased()) != nil }
        #expect(special == code.headers)
    }

    @Test func aCallerWhoIsGoneIsInNoCatalogue() throws {
        #expect(ContractError.Code(rawValue: CallerGone.code) == nil)
        for file in ["docs/errors.md", "docs/errors.pt-BR.md"] {
            let text = try String(contentsOf: EndToEndTests.repository.appending(path: file), encoding: .utf8)
            #expect(text.contains("### `\(CallerGone.code)`"))
            #expect(text.contains("status \(CallerGone.status)"))
        }
    }

    private static func produce(_ code: ContractError.Code) async throws -> RawHTTP.Answer {
        switch code {
        case .invalidInput: try await call("GET", "/clients?limit=x")
        case .unknownKey: try await call("GET", "/clients", key: "wrong")
        case .keyExpired: try await admitted(expires: "2020-01-01")
        case .otherTenant: try await call("GET", "/t/bruno/clients")
        case .sourceNotAllowed: try await admitted(allow: "203.0.113.0/24")
        case .noSuchClient: try await call("GET", "/clients/nobody")
        case .noSuchRoute: try await call("GET", "/patients")
        case .methodNotAllowed: try await call("DELETE", "/clients")
        case .duplicate: try await call("POST", "/clients", body: again, onDuplicate: .reject)
        case .wrongPerson: try await call("POST", "/clients", body: BodyTests.draft, answering: FakeSystem.client(7))
        case .keyInUse: try await twiceAtOnce()
        case .keyReused: try await reused()
        case .storageFailed: try await withoutStorage()
        case .bodyTooLarge: try await call("POST", "/clients", body: String(repeating: " ", count: 2 << 20))
        case .unsupportedMediaType: try await call("POST", "/clients", body: again, type: "text/plain")
        case .refused: try await call("PATCH", failing: .refused(reasons: ["falta o convênio"]))
        case .rateLimited: try await call(failing: .rateLimited(retryAfter: nil))
        case .tooManyRequests: try await admitted(perMinute: 1, times: 2)
        case .headersTooLarge: try await call("GET", "/clients/\(String(repeating: "a", count: 40_000))")
        case .tooManyConnections: try await oneTooMany()
        case .unsupported: try await call(failing: .unsupported("it cannot"))
        case .upstreamFailed: try await call(failing: .failed(status: 500, "it answered 500"))
        case .upstreamUnreachable: try await call(failing: .unreachable("nobody listens"))
        case .upstreamNameUnknown: try await call(failing: .unreachable("no such name", .name))
        case .upstreamTLS: try await call(failing: .unreachable("the handshake failed", .tls))
        case .upstreamCertificate: try await call(failing: .unreachable("it has expired", .certificate))
        case .upstreamAddress: try await call(failing: .unreachable("not allowed", .address))
        case .upstreamSilent: try await call(failing: .unreachable("nothing answers", .silence))
        case .upstreamMalformed: try await call(failing: .malformed("a web page"))
        case .upstreamCredentials: try await call(failing: .credentialsRejected("the login was refused"))
        case .saturated: try await call(failing: .saturated(retryAfter: nil))
        case .circuitOpen: try await call(failing: .circuitOpen(retryAfter: 4, "it kept failing"))
        case .deadline: try await call(failing: .timeout)
        case .outcomeUnknown: try await call("PATCH", failing: .outcomeUnknown("no answer came"))
        case .shuttingDown: try await whileStopping()
        case .internalError: try unexpected()
        }
    }

    /// The client that `FakeSystem` has, once more.
    private static let again = #"{"name":"Ana Teste 1","phone":"\#(FakeSystem.phone(1).digits)"}"#

    private static func call(
        _ method: String = "GET", _ path: String = "/clients/id-0", key: String = "key-ana", body: String? = nil,
        type: String = "application/json", failing failure: UpstreamError? = nil,
        answering client: Client? = nil, onDuplicate: BridgeOptions.DuplicateAction = .returnExisting
    ) async throws -> RawHTTP.Answer {
        let system = FakeSystem()
        system.state.withLock { state in
            state.failure = failure
            state.answersCreates = client
        }
        var options = BridgeOptions()
        options.onDuplicate = onDuplicate
        let body = body ?? (method == "PATCH" ? #"{"name":"Ana Outra"}"# : nil)
        var answer: RawHTTP.Answer?
        try await RunningGateway.with(system, bridge: options) { gateway in
            answer = try await RawHTTP.call(gateway.port, method, path, key: key, body: body, type: type)
        }
        return try #require(answer)
    }

    /// The last answer of so many calls to a tenant that asks for more than a key.
    private static func admitted(
        expires: String? = nil, allow: String? = nil, perMinute: Int? = nil, times: Int = 1
    ) async throws -> RawHTTP.Answer {
        let key = InboundKey(
            name: "main", digest: KeyDigest(of: "key-ana"), expires: expires.flatMap { CalendarDay($0) })
        let tenant = Tenant(
            id: "ana", keys: [key], bridge: Bridge(driver: FakeSystem(), options: BridgeOptions()),
            allow: allow.map { [AddressRange($0)].compactMap { $0 } }, requestsPerMinute: perMinute)
        let gateway = try await RunningGateway.start(TenantDirectory([tenant]))
        var answer: RawHTTP.Answer?
        for _ in 0..<times { answer = try await RawHTTP.call(gateway.port, "GET", "/clients/id-0") }
        try await gateway.stop()
        return try #require(answer)
    }

    /// A key whose first request waits for the clinic's system.
    private static func twiceAtOnce() async throws -> RawHTTP.Answer {
        let (system, gate) = (FakeSystem(), Gate())
        system.state.withLock { $0.gate = gate }
        var answer: RawHTTP.Answer?
        try await RunningGateway.with(system) { gateway in
            @Sendable func post() async throws -> RawHTTP.Answer {
                try await RawHTTP.call(gateway.port, "POST", "/clients", [key], body: BodyTests.draft)
            }
            async let first = post()
            await gate.arrival()
            answer = try await post()
            gate.open()
            #expect(try await first.status == 200)
        }
        return try #require(answer)
    }

    private static let key = "Idempotency-Key: \"a-key\""

    /// A key with one request and then with another.
    private static func reused() async throws -> RawHTTP.Answer {
        var answer: RawHTTP.Answer?
        try await RunningGateway.with { gateway in
            _ = try await RawHTTP.call(gateway.port, "POST", "/clients", [key], body: BodyTests.draft)
            answer = try await RawHTTP.call(gateway.port, "POST", "/clients", [key], body: again)
        }
        return try #require(answer)
    }

    /// A create of a tenant whose database could not be opened.
    private static func withoutStorage() async throws -> RawHTTP.Answer {
        let bridge = Bridge(
            driver: FakeSystem(), options: BridgeOptions(), memory: CreateMemory(store: BrokenStore()))
        let tenants = TenantDirectory([
            Tenant(id: "ana", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-ana"))], bridge: bridge)
        ])
        let gateway = try await RunningGateway.start(tenants)
        let answer = try await RawHTTP.call(gateway.port, "POST", "/clients", body: BodyTests.draft)
        try await gateway.stop()
        return answer
    }

    /// A connection beside the only one that may be open.
    private static func oneTooMany() async throws -> RawHTTP.Answer {
        var options = GatewayOptions()
        options.maxConnections = 1
        var answer: RawHTTP.Answer?
        try await RunningGateway.with(FakeSystem(), options) { gateway in
            let only = try RawHTTP.Connection(port: gateway.port)
            await only.send(Array(RawHTTP.head("GET", "/clients/id-0", close: false).utf8))
            _ = await only.readOne()
            answer = try await RawHTTP.exchange(gateway.port, "")
            only.halfClose()
        }
        return try #require(answer)
    }

    /// A request whose body is still coming when the server stops.
    private static func whileStopping() async throws -> RawHTTP.Answer {
        let gateway = try await RunningGateway.start(FakeSystem())
        let connection = try RawHTTP.Connection(port: gateway.port)
        let headers = ["Content-Type: application/json", "Content-Length: 100", "Expect: 100-continue"]
        await connection.send(Array(RawHTTP.head("POST", "/clients", headers, close: false).utf8))
        // Now the body is waited for.
        _ = await connection.readHead()
        await gateway.group.triggerGracefulShutdown()
        let answer = await connection.readOne()
        try await gateway.end()
        return try #require(answer)
    }

    /// Every error on the way is typed, so that nothing which a caller can do leads here: the answer to an error that
    /// slips through nevertheless is made as the responder makes it.
    private static func unexpected() throws -> RawHTTP.Answer {
        let answer = Answer.problem(ContractError(.internalError), requestID: "req-1")
        let head = answer.head(requestID: "req-1").map { (name: $0.name.canonicalName, value: $0.value) }
        return RawHTTP.Answer(status: answer.status, headers: head, body: answer.body, isComplete: true)
    }
}

/// A disk that is full.
private struct BrokenStore: IdempotencyStore {
    private var failure: StoreFailure { StoreFailure("the disk is full") }

    func begin(
        _ key: Mark, holder: KeyHolder, fingerprint: Mark, lease: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> KeyState { throw failure }
    func finish(_ key: Mark, holder: KeyHolder, _ result: KeyResult) async throws(StoreFailure) { throw failure }
    func forget(_ key: Mark, holder: KeyHolder) async throws(StoreFailure) { throw failure }
    func creates(of person: PersonMarks, now: Moment) async throws(StoreFailure) -> Journal { throw failure }
    func createBegan(
        _ person: PersonMarks, after latest: JournalEntry.ID, settles: Moment, expires: Moment, now: Moment
    ) async throws(StoreFailure) -> JournalEntry.ID? { throw failure }
    func createSettled(_ create: JournalEntry.ID, _ settlement: Settlement) async throws(StoreFailure) { throw failure }
}
