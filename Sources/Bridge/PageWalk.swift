import ClientContract
import UpstreamDriver

/// Walks over a system's pages so that no client is lost or repeated, whatever its page style
/// (docs/adr/0007-windows-over-any-paging.md).
///
/// Copies of a walk share what they have seen: go on with one of them only.
struct PageWalk: Sendable {
    typealias Fetch = @Sendable (PageRequest) async throws(UpstreamError) -> ClientPage

    /// Most pages in a row without any row though the system says that more follow.
    static let mostEmptyPages = 20
    /// Most pages in a row of which every row is passed over.
    static let mostPassedPages = 1_000
    /// Most pages in a row that hold nobody new though they differ, as after many rows were inserted.
    static let mostRepeatedPages = 20

    private let paging: Capabilities.Paging
    private let window: Window
    private let mostRows: Int?
    private let fetch: Fetch

    /// Clients still to pass over.
    private var skip: Int
    /// Clients still wanted; nil for all.
    private var remaining: Int?
    private var start: Int
    private var size: Int
    private var place: PageRequest.Place
    private var done: Bool
    /// Whether the last page was read, or all that is wanted.
    var isDone: Bool { done }
    private var failure: UpstreamError?
    /// Nothing was taken from a page yet, so that the walk can still begin elsewhere.
    private var isFirst = true
    private var isRebased = false
    /// The system sends more than it is asked for.
    private var isOversized = false

    private let seen = SeenClients()
    private var tokens: Set<PageToken> = []
    /// What the page before said.
    private var total: Int?
    private var newPages = 0
    private var repeatedPages = 0
    /// Times in a row that the walk went back, and pages that are still read again therefore.
    private var returns = 0
    private var rereadPages = 0
    /// The last page, where nobody on it was new.
    private var repeated: [ClientID] = []
    private var emptyPages = 0
    private var passedPages = 0
    /// Rows that the system sent so far.
    private(set) var rows = 0

    /// - Parameters:
    ///   - skipsRows: whether rows of the system are passed over, so that its offsets are not the caller's.
    ///   - mostRows: rows beyond which the answer is taken for an ignored filter.
    init(
        _ paging: Capabilities.Paging, window: Window, skipsRows: Bool, mostRows: Int? = nil,
        fetch: @escaping Fetch
    ) {
        self.paging = paging
        self.mostRows = mostRows
        self.fetch = fetch
        // Far beyond any clinic, and far from overflow.
        func sane(_ number: Int) -> Int { min(max(0, number), 1 << 40) }
        self.window = Window(limit: window.limit.map(sane), offset: sane(window.offset))
        // Where pages may be short in the middle, a row's offset is not known before all pages in front of it are.
        let plan = PagePlan(paging, self.window, direct: !skipsRows && paging.shortPageEnds)
        start = plan.start
        size = plan.size
        place = .offset(plan.start)
        skip = self.window.offset - plan.start
        remaining = self.window.limit
        done = self.window.limit == 0
    }

    /// The next clients, without those passed over; nil at the end. Never empty. A walk that failed fails again.
    mutating func next() async throws(UpstreamError) -> [Client]? {
        if let failure { throw failure }
        do throws(UpstreamError) {
            return try await pull()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func pull() async throws(UpstreamError) -> [Client]? {
        while !done {
            let page = try await fetch(PageRequest(place, size: size))
            if isFirst, try beginsElsewhere(page) { continue }
            isFirst = false
            if try goesBack(from: page) { continue }
            rows += page.rows
            // What a system announces is not fetched first.
            if let mostRows, rows > mostRows || (hasMore(page) != false && page.total ?? 0 > mostRows) {
                throw .malformed("it answered too many clients: \(Bridge.ignored)")
            }
            let new = try seen.new(among: page.clients)
            try goOn(after: page, new: new.count)
            let kept = keep(new)
            if !kept.isEmpty { return kept }
        }
        return nil
    }

    /// The part of a page's new clients that the window wants.
    private mutating func keep(_ new: [Client]) -> [Client] {
        var kept = new[...]
        let passed = min(skip, kept.count)
        skip -= passed
        kept = kept.dropFirst(passed)
        if let remaining {
            kept = kept.prefix(remaining)
            self.remaining = remaining - kept.count
            if self.remaining == 0 { done = true }
        }
        return Array(kept)
    }

    // MARK: The first page

    /// Whether the first page shows that the system keeps to another size than it was asked for. Then it is set aside,
    /// since it need not hold what its number says, and the walk begins elsewhere.
    private mutating func beginsElsewhere(_ page: ClientPage) throws(UpstreamError) -> Bool {
        guard case .offset(let offset) = place, paging.style == .offset || paging.style == .numbered else {
            return false
        }
        if page.rows > size, start > 0 {
            // It has a size of its own, or sends everything: this page may be any part of the whole.
            begin(at: 0, size: min(max(1, paging.fixed ?? paging.maximum), page.rows))
            return true
        }
        let isBeyond = page.total.map { offset + page.rows > $0 && page.rows > 0 } ?? false
        guard paging.style == .numbered, page.rows < size, hasMore(page) == true || isBeyond else { return false }
        guard paging.fixed == nil else {
            if paging.shortPageEnds { throw .malformed("its pages are shorter than the fixed size they should have") }
            return false
        }
        if start == 0 {
            // Its pages are smaller than asked for, and it numbers them by their own size.
            size = max(1, page.rows)
            return false
        }
        // By its own size the window may lie in a page further on. In this very page it would prove nothing: it can be
        // the rest of larger pages as well.
        if isRebased || page.rows == 0 || window.offset / page.rows == offset / size {
            begin(at: 0, size: max(1, paging.maximum))
        } else {
            isRebased = true
            begin(at: window.offset / page.rows * page.rows, size: page.rows)
        }
        return true
    }

    private mutating func begin(at start: Int, size: Int) {
        self.start = start
        self.size = size
        place = .offset(start)
        skip = window.offset - start
    }

    // MARK: Rows deleted meanwhile

    /// Whether rows were deleted since the page before, so that those behind them moved up and this page may begin too
    /// late. The walk goes back by as many rows then; whoever comes again is known.
    private mutating func goesBack(from page: ClientPage) throws(UpstreamError) -> Bool {
        guard case .offset(let offset) = place, let now = page.total else { return false }
        let deleted = max(0, (total ?? now) - now)
        total = now
        guard deleted > 0, offset > 0 else { return false }
        let pages = (deleted - 1) / size + 1
        let back = paging.style == .numbered ? pages * size : deleted
        guard start == 0 || offset - start >= back else {
            // Who stood in front of the window cannot be told from who stood in it.
            throw .malformed("more of its clients went away while they were read than had been read")
        }
        returns += 1
        guard returns < PageWalk.mostRepeatedPages else { throw .malformed("its total changes with every page") }
        place = .offset(max(0, offset - back))
        rereadPages = pages
        return true
    }

    // MARK: The next page

    /// What a page says about more to come: in so many words, or by a total.
    private func hasMore(_ page: ClientPage) -> Bool? {
        if let more = page.more { return more }
        guard let total = page.total, case .offset(let offset) = place else { return nil }
        return offset + page.rows < total
    }

    private mutating func goOn(after page: ClientPage, new: Int) throws(UpstreamError) {
        let more = hasMore(page)
        if page.rows > size { isOversized = true }
        if paging.style == .single || more == false {
            done = true
            return
        }
        if paging.style == .token {
            guard let token = page.next else {
                if page.more == true { throw .malformed("it says that more clients follow, but not where") }
                done = true
                return
            }
            guard tokens.insert(token).inserted else { throw .malformed("its pages lead in a circle") }
            place = .token(token)
        } else {
            let isShort = page.rows < size && paging.shortPageEnds
            if page.rows == 0 ? more == nil || isOversized : more == nil && isShort {
                done = true
                return
            }
            if case .offset(let offset) = place {
                let step = paging.style == .numbered || page.rows == 0 ? size : page.rows
                place = .offset(offset + step)
            }
        }
        try count(page, new: new, more: more)
    }

    /// Ends a walk that gets nowhere.
    private mutating func count(_ page: ClientPage, new: Int, more: Bool?) throws(UpstreamError) {
        let isReread = rereadPages > 0
        rereadPages = max(0, rereadPages - 1)
        if new > 0 {
            newPages += 1
            (returns, repeatedPages, emptyPages, passedPages) = (0, 0, 0, 0)
            repeated = []
        } else if page.rows == 0 {
            emptyPages += 1
            guard emptyPages < PageWalk.mostEmptyPages else {
                throw .malformed("it says that more clients follow and sends none")
            }
        } else if page.clients.isEmpty {
            passedPages += 1
            guard passedPages < PageWalk.mostPassedPages else {
                throw .malformed("it sends page after page of records that do not count")
            }
        } else if !isReread {
            try countRepeated(page, more: more)
        }
    }

    /// A page on which nobody is new. Rows that were inserted meanwhile push pages into the next ones, but then these
    /// differ.
    private mutating func countRepeated(_ page: ClientPage, more: Bool?) throws(UpstreamError) {
        let ids = page.clients.map(\.id)
        let isSame = ids == repeated
        repeated = ids
        repeatedPages += 1
        if more == nil, paging.style != .token, isOversized {
            // It sent everything at once, again.
            done = true
        } else if isSame, !mayRepeat(page) {
            // A system whose pages differed before answers its last page, or its first, beyond the end. Any other does
            // not page at all, and rows are missing.
            guard more == nil, paging.style != .token, newPages > 1 else {
                throw .malformed("it repeats a page instead of going on")
            }
            done = true
        } else if repeatedPages >= PageWalk.mostRepeatedPages {
            throw .malformed("it repeats its pages instead of going on")
        }
    }

    /// Whether a page can honestly come again: where short pages end nothing, pages are made to overlap.
    private func mayRepeat(_ page: ClientPage) -> Bool {
        paging.style == .offset && !paging.shortPageEnds && page.rows < size
    }
}
