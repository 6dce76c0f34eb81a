import Bridge
import ClientContract
import TestSupport
import Testing
import UpstreamDriver

/// Windows over every way of paging, against slices of the model's table and against call counts worked out apart.
@Suite struct WindowTests {
    /// How a system pages and what its driver says of it.
    struct Case: CustomTestStringConvertible {
        let name: String
        let style: Capabilities.PageStyle
        let fixed: Bool
        let tells: ModelClinic.EndSign
        var testDescription: String { name }

        static let all: [Case] = ModelClinic.EndSign.allCases.flatMap { tells in
            [
                Case(name: "offset, \(tells)", style: .offset, fixed: false, tells: tells),
                Case(name: "offset, fixed, \(tells)", style: .offset, fixed: true, tells: tells),
                Case(name: "numbered, \(tells)", style: .numbered, fixed: false, tells: tells),
                Case(name: "numbered, fixed, \(tells)", style: .numbered, fixed: true, tells: tells),
                Case(name: "token, \(tells)", style: .token, fixed: false, tells: tells),
                Case(name: "single, \(tells)", style: .single, fixed: false, tells: tells),
            ]
        }
    }

    static func people(_ count: Int) -> [Person] { (0..<count).map { Person(id: "p\($0)", name: "Ana Teste \($0)") } }

    static func slice(_ ids: [String], _ window: Window) -> [String] {
        Array(ids.dropFirst(window.offset).prefix(window.limit ?? .max))
    }

    static func window(_ generator: inout Seeded, upTo most: Int) -> Window {
        Window(
            limit: Int.random(in: 0..<8, using: &generator) == 0 ? nil : Int.random(in: 0...most, using: &generator),
            offset: Int.random(in: 0..<4, using: &generator) == 0 ? 0 : Int.random(in: 0...most, using: &generator))
    }

    static func calls(_ test: Case, cap: Int) -> FewestCalls {
        let style: FewestCalls.Style =
            switch test.style {
            case .offset: .offset
            case .numbered: .numbered
            case .token: .chained
            case .single: .single
            }
        return FewestCalls(
            style, maximum: cap, isFixed: test.fixed, tellsEnd: test.tells != .nothing || test.style == .token)
    }

    @Test("a window is the slice of the table, by the fewest calls", arguments: Case.all)
    func honest(_ test: Case) async throws {
        var generator = Seeded(2026)
        var wrong: [String] = []
        for _ in 0..<1_200 {
            let cap = Int.random(in: 1...12, using: &generator)
            let people = Self.people(Int.random(in: 0...45, using: &generator))
            let window = Self.window(&generator, upTo: 50)
            let declared = Capabilities.Paging(test.style, maximum: cap, fixed: test.fixed ? cap : nil)
            let clinic = ModelClinic(
                people, .model(declared),
                paging: .init(style: test.style, cap: cap, fixed: test.fixed ? cap : nil, endSign: test.tells))
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
            if ids != Self.slice(people.map(\.id), window) {
                wrong.append("rows: cap \(cap), \(people.count) people, \(window)")
            }
            let expected = Self.calls(test, cap: cap).calls(
                rows: people.count, limit: window.limit, offset: window.offset)
            if clinic.calls.count != expected {
                wrong.append(
                    "\(clinic.calls.count) calls, not \(expected): cap \(cap), \(people.count) people, \(window)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }

    @Test("rows that do not count are passed over in any place", arguments: Case.all)
    func inactive(_ test: Case) async throws {
        var generator = Seeded(7)
        var wrong: [String] = []
        for _ in 0..<600 {
            let cap = Int.random(in: 1...9, using: &generator)
            let people = Self.people(Int.random(in: 0...40, using: &generator))
            let fates = people.map { _ in
                Int.random(in: 0..<3, using: &generator) == 0 ? ModelClinic.RowFate.inactive : .shown
            }
            let window = Self.window(&generator, upTo: 30)
            let declared = Capabilities.Paging(test.style, maximum: cap, fixed: test.fixed ? cap : nil)
            let clinic = ModelClinic(
                people, .model(declared, skipsRows: true),
                paging: .init(style: test.style, cap: cap, fixed: test.fixed ? cap : nil, endSign: test.tells))
            clinic.set { $0.fates = fates }
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
            let shown = zip(people, fates).filter { $0.1 == .shown }.map(\.0.id)
            if ids != Self.slice(shown, window) { wrong.append("cap \(cap), \(people.count) people, \(window)") }
            // No page is asked for twice, and none behind the last one.
            if clinic.calls.count > people.count / cap + 1 { wrong.append("calls: cap \(cap), \(window)") }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }

    @Test("pages that are short in the middle lose nothing where the driver says so", arguments: Case.all)
    func shortPages(_ test: Case) async throws {
        var generator = Seeded(11)
        var wrong: [String] = []
        for _ in 0..<600 {
            let cap = Int.random(in: 3...9, using: &generator)
            let people = Self.people(Int.random(in: 0...40, using: &generator))
            // Never a whole page, or nothing would tell it from the end.
            let fates = people.indices.map { index in
                index % 3 == 1 && Bool.random(using: &generator) ? ModelClinic.RowFate.dropped : .shown
            }
            let window = Self.window(&generator, upTo: 30)
            let declared = Capabilities.Paging(
                test.style, maximum: cap, fixed: test.fixed ? cap : nil, shortPageEnds: false)
            let clinic = ModelClinic(
                people, .model(declared),
                paging: .init(style: test.style, cap: cap, fixed: test.fixed ? cap : nil, endSign: test.tells))
            clinic.set { $0.fates = fates }
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
            let shown = zip(people, fates).filter { $0.1 == .shown }.map(\.0.id)
            if ids != Self.slice(shown, window) { wrong.append("cap \(cap), \(people.count) people, \(window)") }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }

    @Test(
        "a system that caps its pages without saying so, but tells its total or that more follow",
        arguments: Case.all.filter { $0.tells != .nothing && !$0.fixed })
    func silentCap(_ test: Case) async throws {
        var generator = Seeded(13)
        var wrong: [String] = []
        var compared = 0
        for _ in 0..<600 {
            let cap = Int.random(in: 1...9, using: &generator)
            let people = Self.people(Int.random(in: 0...60, using: &generator))
            let window = Self.window(&generator, upTo: 60)
            let clinic = ModelClinic(
                people, .model(.init(test.style, maximum: cap + Int.random(in: 0...20, using: &generator))),
                paging: .init(style: test.style, cap: cap, endSign: test.tells))
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
            // A capped page that looks in every way like the honest last one cannot be told from it.
            if test.style == .numbered, case .page(let start, let size)? = clinic.calls.first, start > 0 {
                if test.tells == .total ? start + cap == people.count : start / size * cap + cap >= people.count {
                    continue
                }
            }
            compared += 1
            if ids != Self.slice(people.map(\.id), window) {
                wrong.append("cap \(cap), \(people.count) people, \(window)")
            }
        }
        #expect(compared > 300)
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }

    @Test("a system that caps its pages and says nothing at all, where short pages end nothing")
    func silentCapAndEnd() async throws {
        for style in [Capabilities.PageStyle.offset, .numbered] {
            let people = Self.people(53)
            for window in [Window(), Window(limit: 9, offset: 31), Window(limit: 100, offset: 50)] {
                let clinic = ModelClinic(
                    people, .model(.init(style, maximum: 20, shortPageEnds: false)), paging: .init(style: style, cap: 8)
                )
                #expect(
                    try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
                        == Self.slice(people.map(\.id), window))
            }
        }
    }

    @Test(
        "a system that serves pages larger than it was asked for",
        arguments: [Capabilities.PageStyle.offset, .numbered])
    func largerPages(_ style: Capabilities.PageStyle) async throws {
        var generator = Seeded(17)
        var compared = 0
        for _ in 0..<400 {
            let people = Self.people(Int.random(in: 0...60, using: &generator))
            let size = Int.random(in: 10...20, using: &generator)
            let limit = Int.random(in: 1...9, using: &generator)
            let window = Window(limit: limit, offset: Int.random(in: 0...9, using: &generator))
            let clinic = ModelClinic(
                people, .model(.init(style, maximum: 20)), paging: .init(style: style, fixed: size, endSign: .total))
            let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
            // The rest of a larger page that has just the size that was asked for cannot be told from an honest page.
            if style == .numbered, case .page(let start, let asked)? = clinic.calls.first, start > 0,
                people.count - start / asked * size == asked
            {
                continue
            }
            compared += 1
            #expect(ids == Self.slice(people.map(\.id), window))
        }
        #expect(compared > 200)
    }

    @Test("everything at once, whatever the page, is taken once")
    func ignoredPaging() async throws {
        let people = Self.people(37)
        for style in [Capabilities.PageStyle.offset, .numbered] {
            for window in [Window(), Window(limit: 5), Window(limit: 5, offset: 12), Window(limit: 9, offset: 33)] {
                let clinic = ModelClinic(
                    people, .model(.init(style, maximum: 10)), paging: .init(style: style, ignoresPaging: true))
                let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(window)
                #expect(ids == Self.slice(people.map(\.id), window))
                #expect(clinic.calls.count <= 3)
            }
        }
    }

    @Test("rows that are inserted between two pages repeat nobody and lose nobody")
    func insertions() async throws {
        for style in [Capabilities.PageStyle.offset, .numbered] {
            for cap in [1, 2, 5] {
                let clinic = ModelClinic(
                    Self.people(12), .model(.init(style, maximum: cap)), paging: .init(style: style, cap: cap))
                clinic.set { state in
                    state.beforePage = { state, pages in
                        if pages == 2 { state.people.insert(Person(id: "late"), at: 0) }
                    }
                }
                let ids = try await Bridge(driver: clinic, options: BridgeOptions()).all(Window())
                #expect(ids == Self.people(12).map(\.id))
            }
        }
    }

    @Test("a window far out is planned at once, and lies in one page")
    func farOut() async throws {
        for offset in [999_999_937, 1_000_000_000, 524_287] {
            for limit in [1, 7, 1_000] {
                let clinic = ModelClinic(
                    [], .model(.init(.numbered, maximum: 1_000_000_000)), paging: .init(style: .numbered))
                #expect(
                    try await Bridge(driver: clinic, options: BridgeOptions()).all(Window(limit: limit, offset: offset))
                        .isEmpty)
                guard case .page(let start, let size) = try #require(clinic.calls.first) else {
                    Issue.record("no page")
                    continue
                }
                #expect(clinic.calls.count == 1)
                #expect(start % size == 0 && start <= offset && start + size >= offset + limit)
            }
        }
    }

    @Test("senseless numbers neither trap nor answer anybody")
    func senseless() async throws {
        let clinic = ModelClinic(Self.people(5), .model())
        let bridge = Bridge(driver: clinic, options: BridgeOptions())
        #expect(try await bridge.all(Window(limit: -3)).isEmpty)
        #expect(try await bridge.all(Window(limit: .max, offset: .max)).isEmpty)
        #expect(try await bridge.all(Window(limit: .max, offset: -4)).count == 5)
        #expect(try await bridge.ids("Ana Teste 1", Window(limit: -1, offset: -1)).isEmpty)
    }

    @Test("nothing is asked for before the reader wants it, and one page at a time")
    func pulled() async throws {
        let clinic = ModelClinic(Self.people(25), .model(.init(.offset, maximum: 10)))
        var pages = Bridge(driver: clinic, options: BridgeOptions()).list(Window(), soon())
        #expect(clinic.calls.isEmpty)
        #expect(try await pages.next()?.count == 10)
        #expect(clinic.calls.count == 1)
        #expect(try await pages.next()?.count == 10)
        #expect(clinic.calls == [.page(0, 10), .page(10, 10)])
    }
}
