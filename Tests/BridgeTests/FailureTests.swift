import Bridge
import ClientContract
import Testing
import UpstreamDriver

/// A failure of the clinic's system, wherever it strikes, is an error: never an empty list, never "no such client".
@Suite(.timeLimit(.minutes(1))) struct FailureTests {
    static let errors: [(UpstreamError, ContractError.Code)] = [
        (.unreachable("no route"), .upstreamUnreachable), (.unreachable("x", .name), .upstreamNameUnknown),
        (.unreachable("x", .silence), .upstreamSilent), (.unreachable("x", .tls), .upstreamTLS),
        (.unreachable("x", .certificate), .upstreamCertificate), (.unreachable("x", .address), .upstreamAddress),
        (.timeout, .deadline),
        (.credentialsRejected("its login failed"), .upstreamCredentials), (.refused(reasons: ["no"]), .refused),
        (.conflict(reasons: ["taken"]), .duplicate), (.rateLimited(retryAfter: 7), .rateLimited),
        (.failed(status: 500, "it broke"), .upstreamFailed), (.malformed("HTML came"), .upstreamMalformed),
        (.outcomeUnknown("no answer"), .outcomeUnknown), (.unsupported("no such thing"), .unsupported),
        (.saturated(retryAfter: 3), .saturated),
        (.circuitOpen(retryAfter: 4, "status_503"), .circuitOpen), (.shuttingDown, .shuttingDown),
        (.cancelled, .deadline),
    ]

    @Test("each failure in each position of a list, a search and a create", arguments: errors)
    func positions(_ error: UpstreamError, _ code: ContractError.Code) async throws {
        let line = try phone("5511988887777")
        let people = (0..<25).map { Person(id: "p\($0)", name: "Ana Teste \($0)", phones: [line]) }
        let capabilities = Capabilities.model(.init(.offset, maximum: 10), attempts: 2, needsDetail: [.email])
        // A list of three pages, with details: 3 pages + 25 records. A search: 2 attempts + 25 records. A create: 2 + 1.
        for position in [0, 1, 5, 12, 20, 27] {
            let clinic = ModelClinic(people, capabilities)
            clinic.set { $0.failures = [position: error] }
            let bridge = Bridge(driver: clinic, options: BridgeOptions(listDetail: true, concurrentDetails: 2))
            #expect(await failure { try await bridge.all(Window()) }?.code == code)
        }
        for position in [0, 1, 2, 14, 26] {
            let clinic = ModelClinic(people, capabilities)
            clinic.set { $0.failures = [position: error] }
            let bridge = Bridge(driver: clinic, options: BridgeOptions(searchBy: [.phone], concurrentDetails: 2))
            #expect(await failure { try await bridge.ids(line.digits) }?.code == code)
        }
        for position in 0...2 {
            let clinic = ModelClinic(people, capabilities)
            clinic.set { $0.failures = [position: error] }
            let bridge = Bridge(driver: clinic, options: BridgeOptions())
            let told = await failure {
                try await bridge.create(ClientDraft(name: "Bruno Exemplo", phone: line), soon())
            }
            #expect(told?.code == code)
        }
        let clinic = ModelClinic(people, capabilities)
        clinic.set { $0.failures = [0: error] }
        let told = await failure {
            try await Bridge(driver: clinic, options: BridgeOptions()).client(ClientID("p1"), soon())
        }
        #expect(told?.code == code)
        #expect(told?.detail?.contains("p1") != true)
    }

    @Test("\"not found\" is 404 for one client, and a failure for everything else")
    func notFound() async throws {
        let clinic = ModelClinic(WindowTests.people(3), .model())
        clinic.set { $0.failures = [0: .notFound, 1: .notFound, 2: .notFound] }
        let bridge = Bridge(driver: clinic, options: BridgeOptions(onDuplicate: .create))
        let draft = ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"))
        #expect(await failure { try await bridge.all(Window()) }?.code == .upstreamMalformed)
        #expect(await failure { try await bridge.ids("5511988887777") }?.code == .upstreamMalformed)
        #expect(await failure { try await bridge.create(draft, soon()) }?.code == .upstreamMalformed)
        #expect(await failure { try await bridge.client(ClientID("x"), soon()) }?.code == .noSuchClient)
    }

    @Test("how long to wait is passed on")
    func retryAfter() async {
        let clinic = ModelClinic([], .model())
        clinic.set { $0.failures = [0: .rateLimited(retryAfter: 7), 1: .rateLimited(retryAfter: nil)] }
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        #expect(await failure { try await bridge.all(Window()) }?.retryAfter == 7)
        #expect(await failure { try await bridge.all(Window()) }?.retryAfter == 30)
    }

    @Test("operations that the system lacks are refused without a call")
    func lacking() async throws {
        let clinic = ModelClinic([], .model(without: [.list, .get, .create, .update]))
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        let draft = ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"))
        #expect(await failure { try await bridge.all(Window()) }?.code == .unsupported)
        #expect(await failure { try await bridge.client(ClientID("x"), soon()) }?.code == .unsupported)
        #expect(await failure { try await bridge.create(draft, soon()) }?.code == .unsupported)
        #expect(
            await failure { try await bridge.update(ClientID("x"), ClientPatch(name: "Ana"), soon()) }?.code
                == .unsupported)
        #expect(clinic.calls.isEmpty)
    }

    /// Every operation, by name.
    static let operations: [String] = ["list", "search", "get", "create", "update"]

    private func run(_ operation: String, _ bridge: Bridge, _ context: CallContext) async throws {
        switch operation {
        case "list": _ = try await bridge.all(Window(), context)
        case "search": _ = try await bridge.search("5511988887777", Window(), context)
        case "get": _ = try await bridge.client(ClientID("p1"), context)
        case "create":
            _ = try await bridge.create(ClientDraft(name: "Ana Teste", phone: try phone("5511988887777")), context)
        default: _ = try await bridge.update(ClientID("p1"), ClientPatch(name: "Ana Exemplo"), context)
        }
    }

    @Test("nothing is sent after the deadline", arguments: operations)
    func late(_ operation: String) async {
        let clinic = ModelClinic(WindowTests.people(3), .model())
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        let error = await failure { try await run(operation, bridge, CallContext(deadline: .now, requestID: "test")) }
        #expect(error?.code == .deadline)
        #expect(clinic.calls.isEmpty)
    }

    @Test("nothing is sent for a caller that is gone", arguments: operations)
    func gone(_ operation: String) async {
        let clinic = ModelClinic(WindowTests.people(3), .model())
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        let task = Task {
            // Cancels itself, so that there is nothing to wait for.
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { try await run(operation, bridge, soon()) }
        }
        #expect(await task.value?.code == .deadline)
        #expect(clinic.calls.isEmpty)
    }

    @Test("a list stops asking when its caller leaves between two pages")
    func leaves() async throws {
        let clinic = ModelClinic(WindowTests.people(30), .model(.init(.offset, maximum: 10)))
        let task = Task {
            var pages = Bridge(driver: clinic, options: BridgeOptions()).list(Window(), soon())
            _ = try await pages.next()
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { while try await pages.next() != nil {} }
        }
        #expect(try await task.value?.code == .deadline)
        #expect(clinic.calls.count == 1)
    }
}
