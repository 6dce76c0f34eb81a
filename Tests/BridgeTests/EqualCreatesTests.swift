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
}
