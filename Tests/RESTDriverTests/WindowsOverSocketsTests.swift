import Bridge
import ClientContract
import TestSupport
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Windows over each way in which a vendor may page, from the profile to the socket: the slice of the vendor's table, by
/// the fewest calls that this way of paging allows.
@Suite(.timeLimit(.minutes(2))) struct WindowsOverSocketsTests {
    enum Style: String, Sendable, CaseIterable { case offset, fromZero, fromOne, cursor, link }

    /// How the vendor shows the end.
    enum End: String, Sendable, CaseIterable { case total, lastPage, more, nothing, emptyLastPage }

    struct Vendor: Sendable, CustomTestStringConvertible {
        var style: Style
        var end: End
        /// Most rows of a page, as the profile says.
        var declared = 10
        /// And in truth.
        var cap = 10
        var shortPageEnds = true
        var testDescription: String { "\(style), \(end)" }

        static let all: [Vendor] = Style.allCases.flatMap { style in
            let ends: [End] =
                switch style {
                case .offset, .fromZero, .fromOne: [.total, .lastPage, .more, .nothing]
                case .cursor, .link: [.nothing, .emptyLastPage]
                }
            return ends.map { Vendor(style: style, end: $0) }
        }

        /// The profile's words for it.
        var changes: [(String, String?)] {
            let query: String
            var paging: [String]
            switch style {
            case .offset: (query, paging) = (#"{"from":"{offset}","size":"{size}"}"#, [#""style":"offset""#])
            case .fromZero, .fromOne:
                query = #"{"page":"{page}","size":"{size}"}"#
                paging = [#""style":"page""#, #""base":\#(style == .fromZero ? 0 : 1)"#]
            case .cursor:
                (query, paging) = (
                    #"{"after":"{cursor}","size":"{size}"}"#, [#""style":"cursor""#, #""next":"/next""#]
                )
            case .link: (query, paging) = (#"{"size":"{size}"}"#, [#""style":"link""#, #""next":"/next""#])
            }
            switch end {
            case .total: paging.append(#""total":"/total""#)
            case .lastPage: paging.append(#""pages":"/pages""#)
            case .more: paging.append(#""more":"/more""#)
            case .nothing, .emptyLastPage: break
            }
            paging.append(#""maximum":\#(declared)"#)
            paging.append(#""shortPageEnds":\#(shortPageEnds)"#)
            return [
                ("/operations/list/query", query),
                ("/operations/list/paging", "{" + paging.joined(separator: ",") + "}"),
            ]
        }

        var fewest: FewestCalls {
            let style: FewestCalls.Style =
                switch style {
                case .offset: .offset
                case .fromZero, .fromOne: .numbered
                case .cursor, .link: .chained
                }
            return FewestCalls(
                style, maximum: declared,
                tellsEnd: [.total, .lastPage, .more].contains(end)
                    || ([.cursor, .link].contains(self.style) && end == .nothing))
        }

        /// The page that a request asks for. Cursors name the last row, as systems do whose tables change.
        func answer(_ request: VendorServer.Request, _ ids: [Int]) -> String {
            let size = min(Int(request.query["size"] ?? "") ?? 0, cap)
            guard size > 0 else { return #"{"error":"no size"}"# }
            var start = 0
            switch style {
            case .offset: start = Int(request.query["from"] ?? "") ?? -1
            case .fromZero: start = (Int(request.query["page"] ?? "") ?? -1) * size
            case .fromOne: start = ((Int(request.query["page"] ?? "") ?? 0) - 1) * size
            case .cursor, .link:
                if let after = request.query["after"].flatMap({ Int($0) }) {
                    start = ids.firstIndex { $0 > after } ?? ids.count
                }
            }
            guard start >= 0 else { return #"{"error":"no such page"}"# }
            let rows = Array(ids.dropFirst(start).prefix(size))
            let end = start + rows.count
            var members = [
                #""items":["# + rows.map { #"{"id":\#($0),"name":"Ana Teste \#($0)"}"# }.joined(separator: ",") + "]",
                #""total":\#(ids.count),"more":\#(end < ids.count),"pages":\#((ids.count + size - 1) / size)"#,
            ]
            let goesOn = end < ids.count || (self.end == .emptyLastPage && rows.count == size)
            if goesOn, let last = rows.last {
                switch style {
                case .cursor: members.append(#""next":"\#(last)""#)
                case .link: members.append(#""next":"?after=\#(last)&size=\#(size)""#)
                default: break
                }
            }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    /// Runs a test with a driver for the vendor, whose table is sorted.
    private func with(
        _ vendor: Vendor, _ table: @escaping @Sendable (_ page: Int) -> [Int],
        _ body: (Bridge, VendorServer) async throws -> Void
    ) async throws {
        let engine = try CurlEngine()
        try await VendorServer.with {
            vendor.answer($0, table($1))
        } _: { server in
            try await body(try bridge(vendor, server, engine), server)
        }
        await engine.shutdown()
    }

    private func bridge(_ vendor: Vendor, _ server: VendorServer, _ engine: CurlEngine) throws -> Bridge {
        let driver = RESTDriver(
            profile: try Sample.compile(vendor.changes),
            tenant: RESTTenant(baseURL: server.baseURL, credentials: ["key": Secret("k-1")]),
            http: engine.channel(ChannelSettings()))
        return Bridge(driver: driver, options: BridgeOptions())
    }

    private func list(_ bridge: Bridge, _ window: Window) async throws -> [Int] {
        var pages = bridge.list(window, CallContext(deadline: .now + .seconds(60), requestID: "test"))
        var ids: [Int] = []
        while let page = try await pages.next() { ids += page.compactMap { Int($0.id.text) } }
        return ids
    }

    private static func slice(_ ids: [Int], _ window: Window) -> [Int] {
        Array(ids.dropFirst(window.offset).prefix(window.limit ?? .max))
    }

    private static let windows = [
        Window(), Window(limit: 0), Window(limit: 0, offset: 5), Window(limit: 1), Window(limit: 7, offset: 10),
        Window(limit: 7, offset: 8), Window(limit: 10, offset: 10), Window(limit: 25, offset: 3), Window(limit: 40),
        Window(offset: 13), Window(offset: 40), Window(limit: 5, offset: 38), Window(limit: 5, offset: 1_000_000_000),
    ]

    @Test("the slice of the table, by the fewest calls", arguments: Vendor.all, [0, 1, 10, 37, 40])
    func honest(_ vendor: Vendor, _ count: Int) async throws {
        let table = (0..<count).map { $0 * 3 + 1 }
        try await with(vendor, { _ in table }) { bridge, server in
            for window in Self.windows {
                let before = server.requests.count
                let answer = try await list(bridge, window)
                #expect(answer == Self.slice(table, window), "\(window)")
                #expect(
                    server.requests.count - before
                        == vendor.fewest.calls(rows: count, limit: window.limit, offset: window.offset),
                    "\(window)")
            }
        }
    }

    @Test(
        "a vendor that sends fewer rows than asked for, whatever its profile says",
        arguments: [
            Vendor(style: .offset, end: .total, declared: 10, cap: 4),
            Vendor(style: .offset, end: .more, declared: 10, cap: 4),
            Vendor(style: .fromZero, end: .total, declared: 10, cap: 4),
            Vendor(style: .fromOne, end: .total, declared: 10, cap: 4),
            Vendor(style: .offset, end: .nothing, declared: 10, cap: 4, shortPageEnds: false),
            Vendor(style: .fromOne, end: .nothing, declared: 4, cap: 4, shortPageEnds: false),
            Vendor(style: .cursor, end: .nothing, declared: 10, cap: 4),
            Vendor(style: .link, end: .emptyLastPage, declared: 10, cap: 4),
        ])
    func capped(_ vendor: Vendor) async throws {
        let table = Array(0..<38)
        try await with(vendor, { _ in table }) { bridge, server in
            for window in [Window(), Window(limit: 9), Window(limit: 9, offset: 3), Window(offset: 20)] {
                let before = server.requests.count
                let answer = try await list(bridge, window)
                #expect(answer == Self.slice(table, window), "\(window)")
                // As many pages of four as hold the rows, from the first on at worst; two for finding out, one for the end.
                let last = min(window.limit.map { $0 + window.offset } ?? 38, 38)
                #expect(server.requests.count - before <= (last + 3) / 4 + 3)
            }
        }
    }

    @Test("rows that come and go between two pages: nobody who stays is lost or repeated", arguments: Vendor.all)
    func changing(_ vendor: Vendor) async throws {
        var generator = Seeded(31)
        // Where a vendor pages by position and tells no total, a deletion cannot be seen.
        let deletes = [.cursor, .link].contains(vendor.style) || vendor.end == .total
        for _ in 0..<12 {
            let table = (0..<45).map { $0 * 10 }
            var tables = [table]
            for page in 1..<12 {
                var next = tables[page - 1]
                let place = Int.random(in: 0...next.count, using: &generator)
                if deletes, Bool.random(using: &generator), place < next.count {
                    next.remove(at: place)
                } else if Bool.random(using: &generator) {
                    next.append(Int.random(in: 0..<45, using: &generator) * 10 + page % 9 + 1)
                    next = Array(Set(next)).sorted()
                }
                tables.append(next)
            }
            let seen = tables
            try await with(vendor, { seen[min($0, seen.count - 1)] }) { bridge, server in
                let answer = try await list(bridge, Window())
                let last = seen[min(server.requests.count, seen.count) - 1]
                #expect(Set(answer).count == answer.count)
                let staying = Set(table).intersection(last)
                #expect(answer.filter(staying.contains) == staying.sorted())
            }
        }
    }

    @Test("a page beyond the end that says nobody is the end, though the total counted more")
    func nobodyBeyond() async throws {
        let engine = try CurlEngine()
        try await VendorServer.with { request, _ in
            request.query["offset"] == "0"
                ? #"{"total":9,"items":[{"id":1,"name":"Ana Teste"},{"id":2,"name":"Bia Teste"}]}"#
                : #"{"nobody":true}"#
        } _: { server in
            let rule = ("/outcomes", Optional(#"[{"when":{"body":{"/nobody":true}},"then":"empty"}]"#))
            let driver = RESTDriver(
                profile: try Sample.compile([rule]),
                tenant: RESTTenant(baseURL: server.baseURL, credentials: ["key": Secret("k-1")]),
                http: engine.channel(ChannelSettings()))
            let answer = try await list(Bridge(driver: driver, options: BridgeOptions()), Window())
            #expect(answer == [1, 2])
            #expect(server.requests.count == 2)
        }
        await engine.shutdown()
    }

    @Test("a cursor or a link that leads back, or the same page for ever, ends in an error", arguments: Style.allCases)
    func stuck(_ style: Style) async throws {
        let vendor = Vendor(style: style, end: .nothing)
        let engine = try CurlEngine()
        try await VendorServer.with { request, _ in
            let query = request.query.merging(["from": "0", "page": "1"]) { $1 }
            let page = VendorServer.Request(method: "GET", path: "", query: query, body: "")
            return vendor.answer(page, Array(0..<30)).replacing(#""next":"19""#, with: #""next":"9""#)
                .replacing("after=19", with: "after=9")
        } _: { server in
            let bridge = try bridge(vendor, server, engine)
            var code: ContractError.Code?
            do { _ = try await list(bridge, Window()) } catch { code = (error as? ContractError)?.code }
            #expect(code == .upstreamMalformed)
            #expect(server.requests.count <= 3)
        }
        await engine.shutdown()
    }
}
