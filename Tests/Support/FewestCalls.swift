/// How many pages must be fetched for a window, worked out from what the system can do and not from how Ponte does it.
public struct FewestCalls: Sendable {
    public enum Style: Sendable {
        /// Any offset, any size up to the maximum.
        case offset
        /// Pages begin at multiples of their size.
        case numbered
        /// From the first row on, one page after the other.
        case chained
        /// Everything at once.
        case single
    }

    public var style: Style
    /// Most rows of a page.
    public var maximum: Int
    /// Whether all pages have that many, and no other size can be asked for.
    public var isFixed: Bool
    /// Whether a full last page says that it is the last.
    public var tellsEnd: Bool

    public init(_ style: Style, maximum: Int, isFixed: Bool = false, tellsEnd: Bool) {
        self.style = style
        self.maximum = maximum
        self.isFixed = isFixed
        self.tellsEnd = tellsEnd
    }

    /// With n rows in the table, limit l and offset o, the pages of size s from the one that holds row o to the one that
    /// holds row min(o + l, n) - 1, at least one; and one more to see the end where the rows run out before the window
    /// does, the last page is full and the system does not tell.
    public func calls(rows n: Int, limit: Int?, offset o: Int) -> Int {
        if limit == 0 { return 0 }
        if style == .single { return 1 }
        let end = limit.map { o + $0 }
        let size = size(limit, o)
        let start =
            switch style {
            case .offset: o
            case .numbered: o / size * size
            case .chained, .single: 0
            }
        let last = min(end ?? n, n)
        let pages = max(1, (max(0, last - start) + size - 1) / size)
        let runsOut = end.map { $0 > n } ?? true
        return runsOut && !tellsEnd && n > start && (n - start) % size == 0 ? pages + 1 : pages
    }

    private func size(_ limit: Int?, _ o: Int) -> Int {
        guard let limit, !isFixed else { return maximum }
        switch style {
        case .offset: return min(maximum, limit)
        case .chained: return min(maximum, o + limit)
        case .single: return maximum
        case .numbered:
            // The smallest by which the window lies in as few pages as its rows fill; where there is none, the largest,
            // which takes one page more.
            let fewest = (limit - 1) / maximum + 1
            return (1...maximum).first { (o + limit - 1) / $0 - o / $0 + 1 == fewest } ?? maximum
        }
    }
}
