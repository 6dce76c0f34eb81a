/// How often each pair of two labels came about.
public struct CounterGrid<Row: ClosedLabel, Column: ClosedLabel>: Sendable {
    private var counts: [UInt64]
    private let columns: Int

    init() {
        columns = Column.all.count
        counts = Array(repeating: 0, count: Row.all.count * columns)
    }

    mutating func add(_ row: Row, _ column: Column) { counts[row.index * columns + column.index] &+= 1 }

    public subscript(row: Row, column: Column) -> UInt64 { counts[row.index * columns + column.index] }

    /// The pairs that came about, in the order of the labels.
    public var entries: [(row: Row, column: Column, count: UInt64)] {
        let (rows, columns) = (Row.all, Column.all)
        return counts.enumerated().filter { $0.element > 0 }.map { index, count in
            (rows[index / columns.count], columns[index % columns.count], count)
        }
    }
}

/// How long something took, from 5 ms to a minute.
public struct Histogram: Sendable {
    /// Upper bounds in seconds, and as they are written. The last bucket has none.
    static let bounds: [(seconds: Double, text: String)] = [
        (0.005, "0.005"), (0.01, "0.01"), (0.025, "0.025"), (0.05, "0.05"), (0.1, "0.1"), (0.25, "0.25"), (0.5, "0.5"),
        (1, "1"), (2.5, "2.5"), (5, "5"), (10, "10"), (30, "30"), (60, "60"),
    ]
    private static let nanoseconds = bounds.map { Int64($0.seconds * 1e9) }

    /// Not cumulative; one more than there are bounds.
    private(set) var buckets = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sum: UInt64 = 0

    public var count: UInt64 { buckets.reduce(0, &+) }
    var seconds: Double { Double(sum) / 1e9 }

    mutating func add(_ duration: Duration) {
        // A day is as good as anything beyond.
        let (seconds, attoseconds) = min(max(duration, .zero), .seconds(86_400)).components
        let time = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let place = Self.nanoseconds.firstIndex { time <= $0 } ?? Self.nanoseconds.count
        buckets[place] &+= 1
        sum &+= UInt64(time)
    }
}

/// What came of the latest requests, in slices of time that are forgotten one by one.
struct RecentRequests: Sendable {
    private struct Slice {
        var number = -1
        var requests = 0
        var failures = 0
    }

    static let minutes = 5
    private static let secondsEach: Int64 = 30

    private var slices = [Slice](repeating: Slice(), count: RecentRequests.minutes * 2)

    mutating func add(failed: Bool, at time: Duration) {
        let number = Int(time.components.seconds / Self.secondsEach)
        let index = number % slices.count
        if slices[index].number != number { slices[index] = Slice(number: number) }
        slices[index].requests += 1
        if failed { slices[index].failures += 1 }
    }

    func counts(at time: Duration) -> (requests: Int, failures: Int) {
        let number = Int(time.components.seconds / Self.secondsEach)
        return slices.filter { $0.number >= 0 && number - $0.number < slices.count }
            .reduce((0, 0)) { ($0.requests + $1.requests, $0.failures + $1.failures) }
    }
}
