import ClientContract
import TestSupport
import Testing
import UpstreamDriver

@testable import Bridge

/// Tables that change while they are read. Whoever was there from beginning to end and lies in the window comes exactly
/// once: the clients of a window follow each other without a gap, and it ends only when it is full or the table ends.
@Suite(.timeLimit(.minutes(2))) struct ChangingTableTests {
    /// What happens before a page.
    private struct Change: Sendable {
        var inserted = 0
        var deleted = 0
        /// Where, as a share of the table.
        var place = 0.0
    }

    private static func apply(_ change: Change, _ people: inout [Person], _ number: Int) {
        let deleted = min(change.deleted, people.count)
        let place = Int(change.place * Double(people.count - deleted))
        people.removeSubrange(place..<(place + deleted))
        people.insert(contentsOf: (0..<change.inserted).map { Person(id: "late\(number)-\($0)") }, at: place)
    }

    /// What is wrong with an answer; nil when it follows the rule.
    private static func fault(
        _ answer: [String], _ window: Window, before: [Person], after: [Person], startsAt: ClosedRange<Int>
    ) -> String? {
        guard Set(answer).count == answer.count else { return "somebody comes twice" }
        if let limit = window.limit, answer.count > limit { return "too many" }
        let kept = Set(after.map(\.id))
        // Who was there all the time, and where at first.
        let staying = before.enumerated().filter { kept.contains($0.element.id) }.map {
            (place: $0.offset, id: $0.element.id)
        }
        let given = answer.filter { id in staying.contains { $0.id == id } }
        let isFull = answer.count == window.limit
        guard let first = given.first else {
            return isFull || (staying.last?.place ?? -1) < startsAt.upperBound ? nil : "nobody though there are some"
        }
        guard let start = staying.firstIndex(where: { $0.id == first }) else { return "a stranger" }
        guard staying[start..<min(staying.count, start + given.count)].map(\.id) == given else { return "a gap" }
        if !isFull, start + given.count < staying.count { return "it ends early" }
        // Nobody of the window's beginning is missing.
        if start > 0, staying[start - 1].place >= startsAt.upperBound { return "it begins late" }
        if staying[start].place < startsAt.lowerBound { return "it begins early" }
        return nil
    }

    private static func run(
        _ test: WindowTests.Case, seed: UInt64, rounds: Int, _ change: @Sendable (inout Seeded, _ cap: Int) -> Change
    ) async -> (faults: [String], changed: Int, refused: Int) {
        var generator = Seeded(seed)
        var result = (faults: [String](), changed: 0, refused: 0)
        for _ in 0..<rounds {
            let cap = Int.random(in: 2...9, using: &generator)
            let people = WindowTests.people(Int.random(in: 0...60, using: &generator))
            let window = WindowTests.window(&generator, upTo: 50)
            let changes = (0..<40).map { _ in change(&generator, cap) }
            let clinic = ModelClinic(
                people, .model(.init(test.style, maximum: cap, fixed: test.fixed ? cap : nil)),
                paging: .init(style: test.style, cap: cap, fixed: test.fixed ? cap : nil, endSign: test.tells))
            clinic.set { state in
                state.beforePage = { state, page in
                    if page > 0, page < changes.count { apply(changes[page], &state.people, page) }
                }
            }
            do {
                let answer = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
                let (after, pages) = clinic.state.withLock { ($0.people, $0.pages) }
                let happened = changes.prefix(max(1, pages)).dropFirst()
                let inserted = happened.reduce(0) { $0 + $1.inserted }
                let deleted = happened.reduce(0) { $0 + $1.deleted }
                if inserted + deleted > 0 { result.changed += 1 }
                // Where the walk begins at the window, the first page says who its first is. From the first row on, it
                // counts those that it passes.
                let direct = test.style == .offset || test.style == .numbered
                let starts =
                    direct ? window.offset...window.offset : (window.offset - inserted)...(window.offset + deleted)
                if let fault = fault(answer, window, before: people, after: after, startsAt: starts) {
                    result.faults.append("\(fault): cap \(cap), \(people.count) people, \(window), \(answer)")
                }
            } catch {
                result.refused += 1
            }
        }
        return result
    }

    @Test("rows inserted anywhere between pages", arguments: WindowTests.Case.all.filter { $0.style != .single })
    func inserted(_ test: WindowTests.Case) async {
        let result = await Self.run(test, seed: 23, rounds: 500) { generator, cap in
            guard Int.random(in: 0..<3, using: &generator) == 0 else { return Change() }
            // Fewer than a page.
            return Change(
                inserted: Int.random(in: 1..<cap, using: &generator), place: Double.random(in: 0...1, using: &generator)
            )
        }
        #expect(result.faults.isEmpty, "\(result.faults.prefix(3))")
        #expect(result.changed > 50)
        #expect(result.refused == 0)
    }

    @Test(
        "rows deleted between pages, where the system tells how many there are",
        arguments: WindowTests.Case.all.filter { $0.tells == .total && [.offset, .numbered].contains($0.style) })
    func deleted(_ test: WindowTests.Case) async {
        let result = await Self.run(test, seed: 29, rounds: 800) { generator, cap in
            guard Int.random(in: 0..<4, using: &generator) == 0 else { return Change() }
            return Change(
                deleted: Int.random(in: 1...3, using: &generator), place: Double.random(in: 0...1, using: &generator))
        }
        #expect(result.faults.isEmpty, "\(result.faults.prefix(3))")
        #expect(result.changed > 100)
        // More went away than the window had read: who is in it cannot be told any more.
        #expect(result.refused < 80)
    }

    @Test("a deletion that the total shows costs one page more, and none where nothing is left to read")
    func callsAfterDeletion() async throws {
        for (style, place, expected) in [
            (Capabilities.PageStyle.offset, 3, [0, 10, 9, 19]), (.numbered, 3, [0, 10, 0, 10, 20]),
            (.offset, 28, [0, 10, 9, 19]),
        ] {
            let clinic = ModelClinic(
                WindowTests.people(30), .model(.init(style, maximum: 10)),
                paging: .init(style: style, cap: 10, endSign: .total))
            clinic.set { state in
                state.beforePage = { state, page in if page == 1 { state.people.remove(at: place) } }
            }
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(Window())
            #expect(Set(WindowTests.people(30).map(\.id)).subtracting(ids).count == (place < 10 ? 0 : 1))
            #expect(ids == ids.sorted { Int($0.dropFirst()) ?? 0 < Int($1.dropFirst()) ?? 0 })
            #expect(clinic.calls == expected.map { .page($0, 10) })
        }
    }

    @Test("more deletions in front of a window than rows read of it: an error, never a gap")
    func tooManyDeletions() async throws {
        let clinic = ModelClinic(
            WindowTests.people(60), .model(.init(.offset, maximum: 10)), paging: .init(cap: 10, endSign: .total))
        clinic.set { state in
            state.beforePage = { state, page in if page == 1 { state.people.removeFirst(15) } }
        }
        let error = await failure {
            try await Bridge(driver: clinic, options: BridgeOptions()).all(Window(limit: 30, offset: 20))
        }
        #expect(error?.code == .upstreamMalformed)
        #expect(clinic.calls.count == 2)
    }

    @Test(
        "many pages of rows inserted at once push read ones into the next pages, which is not the end",
        arguments: WindowTests.Case.all.filter { $0.style != .single })
    func manyInserted(_ test: WindowTests.Case) async throws {
        for pages in 1...4 {
            let clinic = ModelClinic(
                WindowTests.people(60), .model(.init(test.style, maximum: 6, fixed: test.fixed ? 6 : nil)),
                paging: .init(style: test.style, cap: 6, fixed: test.fixed ? 6 : nil, endSign: test.tells))
            clinic.set { state in
                state.beforePage = { state, page in
                    if page == 4 { Self.apply(Change(inserted: 6 * pages), &state.people, 0) }
                }
            }
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(Window())
            #expect(ids == WindowTests.people(60).map(\.id))
        }
    }

    @Test("a system that leads in a circle of different pages ends in an error, after a bounded walk")
    func circleOfPages() async throws {
        let clinic = ModelClinic(
            WindowTests.people(500), .model(.init(.offset, maximum: 10)),
            paging: .init(cap: 10, endSign: .flag, alwaysMore: true))
        clinic.set { state in
            state.beforePage = { state, page in
                // The first two pages in turn.
                state.people = (0..<500).map { Person(id: "p\($0 / 10 % 2)-\($0 % 10)") }
            }
        }
        let error = await failure { try await Bridge(driver: clinic, options: BridgeOptions()).all(Window()) }
        #expect(error?.code == .upstreamMalformed)
        #expect(clinic.calls.count == 2 + PageWalk.mostRepeatedPages)
    }

    @Test("a total that shrinks with every other page ends in an error, after a bounded walk")
    func restlessTotal() async throws {
        let clinic = ModelClinic(
            WindowTests.people(30), .model(.init(.numbered, maximum: 10)),
            paging: .init(style: .numbered, cap: 10, endSign: .total))
        clinic.set { state in
            state.beforePage = { state, page in state.people = WindowTests.people(page % 2 == 0 ? 30 : 20) }
        }
        let error = await failure { try await Bridge(driver: clinic, options: BridgeOptions()).all(Window()) }
        #expect(error?.code == .upstreamMalformed)
        #expect(clinic.calls.count == 2 * PageWalk.mostRepeatedPages)
    }

    @Test("ids are remembered whole, whatever they are")
    func textSet() {
        var generator = Seeded(3)
        var set = TextSet()
        var oracle: Set<String> = []
        for length in [0, 1, 3, 254, 255, 256, 70_000] {
            #expect(set.insert(String(repeating: "x", count: length)) == true)
            #expect(set.insert(String(repeating: "x", count: length)) == false)
        }
        for _ in 0..<20_000 {
            let text =
                String(repeating: "á", count: Int.random(in: 0...2, using: &generator))
                + String(Int.random(in: 0..<9_000, using: &generator))
            #expect(set.insert(text) == oracle.insert(text).inserted)
        }
        #expect(set.count == oracle.count + 7)
    }
}
