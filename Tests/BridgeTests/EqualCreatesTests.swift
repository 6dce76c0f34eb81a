import Bridge
import ClientContract
import Synchronization
import Testing
import UpstreamDriver

/// Equal creates at the same time (design, section 6).
@Suite(.timeLimit(.minutes(1))) struct EqualCreatesTests {
    /// A clinic whose search waits until all callers are on their way, so that none of them can find the record of
    /// another.
    private final class SlowSearch: UpstreamDriver {
        let clinic = ModelClinic([], .model())
        private let gate: Gate
        var capabilities: Capabilities { clinic.capabilities }

        init(_ gate: Gate) { self.gate = gate }

        func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
            try await clinic.page(request, context)
        }

        func candidates(
            for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
        ) async throws(UpstreamError) -> ClientPage {
            let page = try await clinic.candidates(for: term, attempt: attempt, request, context)
            await gate.pass()
            return page
        }

        func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
            try await clinic.client(id, context)
        }

        func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
            try await clinic.create(draft, context)
        }

        func update(
            _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
        ) async throws(UpstreamError) -> WriteAnswer {
            try await clinic.update(id, patch, context)
        }
    }

    /// Opens when so many have come.
    private actor Gate {
        private var missing: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(_ count: Int) { missing = count }

        func come() {
            missing -= 1
            guard missing <= 0 else { return }
            for continuation in waiting { continuation.resume() }
            waiting = []
        }

        func pass() async {
            if missing <= 0 { return }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func created(_ drafts: [ClientDraft]) async throws -> (ids: [String], creates: Int) {
        let gate = Gate(drafts.count)
        let driver = SlowSearch(gate)
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        let context = CallContext(deadline: .now + .seconds(30), requestID: "test")
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for draft in drafts {
                group.addTask {
                    await gate.come()
                    return try await bridge.create(draft, context).id.text
                }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        return (ids, driver.clinic.calls.count { $0 == .create })
    }

    @Test func equalCreatesReachTheSystemOnce() async throws {
        let phone = try #require(PhoneNumber("5511988887777"))
        let twin = try #require(PhoneNumber("551188887777"))
        let drafts = (0..<40).map { number in
            ClientDraft(name: number % 2 == 0 ? "Ana Teste" : " ana  TESTE", phone: number % 3 == 0 ? twin : phone)
        }
        let (ids, creates) = try await created(drafts)
        #expect(creates == 1)
        #expect(Set(ids).count == 1)
        #expect(ids.count == drafts.count)
    }

    @Test func differentPeopleOnOneLineStayApart() async throws {
        let phone = try #require(PhoneNumber("5511988887777"))
        let drafts = ["Ana Teste", "Bruno Exemplo", "Carla Teste"].map { ClientDraft(name: $0, phone: phone) }
        let (ids, creates) = try await created(drafts)
        #expect(creates == 3)
        #expect(Set(ids).count == 3)
    }

    // MARK: Callers with different times

    /// A clinic whose creates are what a test says.
    private struct Creating: UpstreamDriver {
        let clinic: ModelClinic
        let onCreate: @Sendable (ClientDraft, CallContext) async -> Result<WriteAnswer, UpstreamError>
        var capabilities: Capabilities { clinic.capabilities }

        func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
            try await clinic.page(request, context)
        }
        func candidates(
            for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
        ) async throws(UpstreamError) -> ClientPage {
            try await clinic.candidates(for: term, attempt: attempt, request, context)
        }
        func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
            try await clinic.client(id, context)
        }
        func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
            try await onCreate(draft, context).get()
        }
        func update(
            _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
        ) async throws(UpstreamError) -> WriteAnswer { try await clinic.update(id, patch, context) }
    }

    private static func create(
        _ clinic: ModelClinic, _ draft: ClientDraft, _ context: CallContext
    ) async -> Result<WriteAnswer, UpstreamError> {
        do throws(UpstreamError) { return .success(try await clinic.create(draft, context)) } catch {
            return .failure(error)
        }
    }

    private func after(_ time: Duration) -> CallContext { CallContext(deadline: .now + time, requestID: "test") }

    @Test("whoever waits for another's create leaves when its own time is over")
    func nobodyWaitsBeyondItsOwnTime() async throws {
        let (clinic, begun, open) = (ModelClinic([], .model()), Gate(1), Gate(1))
        let driver = Creating(clinic: clinic) { draft, context in
            await begun.come()
            await open.pass()
            return await Self.create(clinic, draft, context)
        }
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        let ana = ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"))
        async let first = bridge.create(ana, soon())
        await begun.pass()
        // The same person: it may come to be any moment.
        let equal = await failure { try await bridge.create(ana, after(.seconds(2))) }
        #expect(equal?.code == .outcomeUnknown)
        // Somebody else on this line waits for its turn: nothing was sent.
        let bruno = ClientDraft(name: "Bruno Teste", phone: ana.phone)
        let other = await failure { try await bridge.create(bruno, after(.seconds(1))) }
        #expect(other?.code == .deadline)
        // Who has the time is still there when the turn comes, also behind those who left.
        async let patient = bridge.create(bruno, soon())
        await open.come()
        #expect(try await first.name == "Ana Teste")
        #expect(try await patient.name == "Bruno Teste")
        #expect(clinic.calls.count { $0 == .create } == 2)
    }

    /// The first caller's time is over when the system answers; the others have more. A create that was sent made its
    /// record, which the system shows only after the first caller has looked.
    @Test("a first caller in a hurry is no answer for those who have time", arguments: [true, false])
    func aFirstCallerInAHurryIsNoAnswerForTheOthers(_ wasSent: Bool) async throws {
        let (clinic, begun, others) = (ModelClinic([], .model()), Gate(1), Gate(5))
        let attempts = Mutex(0)
        let looks = Mutex(0)
        clinic.set { state in
            guard wasSent else { return }
            state.found = { term, _, person in
                let look = looks.withLock { looks in
                    looks += 1
                    return looks
                }
                return look > 1 && term.matches(person.client())
            }
        }
        let driver = Creating(clinic: clinic) { draft, context in
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            guard attempt == 1 else { return await Self.create(clinic, draft, context) }
            await begun.come()
            await others.pass()
            guard wasSent else { return .failure(.timeout) }
            _ = await Self.create(clinic, draft, context)
            return .failure(.outcomeUnknown("no answer came"))
        }
        let bridge = Bridge(driver: driver, options: BridgeOptions())
        let ana = ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"))
        let hurried = Task { await failure { try await bridge.create(ana, after(.seconds(40))) } }
        await begun.pass()
        let clients = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    async let client = bridge.create(ana, after(.seconds(50)))
                    await Task.yield()
                    await others.come()
                    return try await client.id.text
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(clients == ["new-0"])
        #expect(await hurried.value?.code == (wasSent ? .outcomeUnknown : .deadline))
        #expect(clinic.calls.count { $0 == .create } == 1)
    }
}
