import ClientContract
import UpstreamDriver

/// Where a walk over pages begins and how much it asks for at once, so that it makes the fewest calls.
struct PagePlan: Equatable {
    /// Clients of the system that stand before the first page.
    var start: Int
    /// Clients to ask for.
    var size: Int

    /// - Parameter direct: whether the system's offsets are the caller's, so that a walk can begin in the middle.
    init(_ paging: Capabilities.Paging, _ window: Window, direct: Bool) {
        let maximum = max(1, paging.fixed ?? paging.maximum)
        let wanted = window.limit.map { max(1, $0) }
        switch paging.style {
        case .single:
            self.init(start: 0, size: maximum)
        case _ where !direct:
            // How many rows will count is unknown: small pages would only mean more of them.
            self.init(start: 0, size: maximum)
        case .offset:
            self.init(start: window.offset, size: paging.fixed ?? min(maximum, wanted ?? maximum))
        case .numbered:
            if paging.fixed == nil, let wanted {
                self.init(offset: window.offset, wanted: wanted, maximum: maximum)
            } else {
                self.init(start: window.offset / maximum * maximum, size: maximum)
            }
        case .token:
            self.init(start: 0, size: paging.fixed ?? min(maximum, wanted.map { $0 + window.offset } ?? maximum))
        }
    }

    private init(start: Int, size: Int) {
        self.start = start
        self.size = size
    }

    /// Pages begin at multiples of their size, which can be chosen: the smallest size by which the fewest pages hold
    /// the window.
    private init(offset: Int, wanted: Int, maximum: Int) {
        let end = offset + wanted
        // No size needs fewer calls, and none smaller than this can do with them.
        let calls = (wanted - 1) / maximum + 1
        var size = (wanted - 1) / calls + 1
        while size <= maximum {
            let first = offset / size
            // So large must pages be for as many of them, from the same number on, to reach the end.
            let needed = (end - 1) / (first + calls) + 1
            if needed <= size {
                self.init(start: first * size, size: size)
                return
            }
            size = needed
        }
        self.init(start: offset / maximum * maximum, size: maximum)
    }
}
