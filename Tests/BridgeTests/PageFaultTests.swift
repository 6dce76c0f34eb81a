import Bridge
import ClientContract
import Testing
import UpstreamDriver

/// Paging that does not work is an error, never a list with holes and never an endless walk.
@Suite(.timeLimit(.minutes(1))) struct PageFaultTests {
    private func list(
        _ count: Int, _ declared: Capabilities.Paging, _ paging: ModelClinic.Paging, skipsRows: Bool = false,
        fates: ModelClinic.RowFate? = nil, _ window: Window = Window()
    ) async -> (ids: [String]?, error: ContractError?, calls: Int) {
        let clinic = ModelClinic(WindowTests.people(count), .model(declared, skipsRows: skipsRows), paging: paging)
        if let fates { clinic.set { $0.fates = Array(repeating: fates, count: count) } }
        var ids: [String]?
        let error = await failure {
            ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
        }
        return (ids, error, clinic.calls.count)
    }

    @Test("the same page again and again", arguments: [Capabilities.PageStyle.offset, .numbered])
    func stuckAtOnce(_ style: Capabilities.PageStyle) async {
        let answer = await list(30, .init(style, maximum: 10), .init(style: style, cap: 10, sticksAt: 0))
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls == 3)
    }

    @Test("the same page again and again, though more are said to follow")
    func stuckLater() async {
        let answer = await list(
            50, .init(.offset, maximum: 10),
            .init(style: .offset, cap: 10, endSign: .flag, sticksAt: 20, alwaysMore: true))
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls == 5)
    }

    @Test("the last page again beyond the end is the end", arguments: [20, 30, 33])
    func clamped(_ count: Int) async {
        let answer = await list(count, .init(.numbered, maximum: 10), .init(style: .numbered, cap: 10, clamps: true))
        #expect(answer.error == nil)
        #expect(answer.ids == WindowTests.people(count).map(\.id))
        #expect(answer.calls <= count / 10 + 2)
    }

    @Test("tokens that lead in a circle")
    func circle() async {
        let answer = await list(40, .init(.token, maximum: 10), .init(style: .token, cap: 10, circlesAt: 20))
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls <= 4)
    }

    @Test("new tokens to the same rows")
    func freshTokens() async {
        let answer = await list(40, .init(.token, maximum: 10), .init(style: .token, cap: 10, freshTokens: true))
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls == 3)
    }

    @Test("a token page that says more and gives no token")
    func lostToken() async {
        let answer = await list(
            5, .init(.token, maximum: 10), .init(style: .token, cap: 10, endSign: .flag, alwaysMore: true))
        #expect(answer.error?.code == .upstreamMalformed)
    }

    @Test("more is said to follow, and nothing comes", arguments: [Capabilities.PageStyle.offset, .numbered])
    func emptyForEver(_ style: Capabilities.PageStyle) async {
        let answer = await list(
            20, .init(style, maximum: 10), .init(style: style, cap: 10, endSign: .flag, alwaysMore: true))
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls == 22)
    }

    @Test("pages of rows that do not count, for ever")
    func passedForEver() async {
        let answer = await list(
            10, .init(.numbered, maximum: 10), .init(style: .numbered, ignoresPaging: true), skipsRows: true,
            fates: .inactive)
        #expect(answer.error?.code == .upstreamMalformed)
        #expect(answer.calls == 1_000)
    }

    @Test("pages shorter than the fixed size that the driver declares")
    func shorterThanFixed() async {
        let answer = await list(
            50, .init(.numbered, fixed: 20), .init(style: .numbered, cap: 10, endSign: .total))
        #expect(answer.error?.code == .upstreamMalformed)
    }

    @Test("an empty table is an empty list", arguments: WindowTests.Case.all)
    func nobody(_ test: WindowTests.Case) async {
        let answer = await list(
            0, .init(test.style, maximum: 10), .init(style: test.style, cap: 10, endSign: test.tells))
        #expect(answer.error == nil)
        #expect(answer.ids == [])
        #expect(answer.calls == 1)
    }

    @Test("a walk that failed fails again: nobody takes it for complete")
    func failsAgain() async throws {
        let clinic = ModelClinic(WindowTests.people(30), .model(.init(.offset, maximum: 10)))
        clinic.set { $0.failures = [1: .failed(status: 500, "the page")] }
        var pages = Bridge(driver: clinic, options: BridgeOptions()).list(Window(), soon())
        #expect(try await pages.next()?.count == 10)
        for _ in 0..<2 {
            do {
                _ = try await pages.next()
                Issue.record("no error")
            } catch {
                #expect(error.code == .upstreamFailed)
            }
        }
        #expect(clinic.calls.count == 2)
    }
}
