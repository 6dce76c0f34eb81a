/// One searchable value of all rows, as one run of bytes: small, and quick to scan (some milliseconds for the phones of
/// 200,000 patients). Values stand between line feeds, which no value holds, so a hit never spans two.
struct ScanColumn: Sendable {
    private var bytes: [UInt8] = [separator]
    /// Where each entry begins in `bytes`, ascending, and the row that it belongs to.
    private var starts: [UInt32] = []
    private var owners: [UInt32] = []
    /// The entry of each row.
    private var entryOfRow: [UInt32] = []
    private var wasted = 0

    private static let separator: UInt8 = 0x0A
    private static let blank: UInt8 = 0

    mutating func append(_ values: [String]) {
        entryOfRow.append(UInt32(truncatingIfNeeded: starts.count))
        owners.append(UInt32(truncatingIfNeeded: entryOfRow.count - 1))
        write(values)
    }

    mutating func replace(_ row: Int, _ values: [String]) {
        let entry = Int(entryOfRow[row])
        let end = entry + 1 < starts.count ? Int(starts[entry + 1]) : bytes.count
        for index in Int(starts[entry])..<end where bytes[index] != Self.separator { bytes[index] = Self.blank }
        wasted += end - Int(starts[entry])
        entryOfRow[row] = UInt32(truncatingIfNeeded: starts.count)
        owners.append(UInt32(truncatingIfNeeded: row))
        write(values)
        if wasted > 65_536, wasted > bytes.count / 2 { compact() }
    }

    /// The rows, ascending, with a value that holds `needle`, or that is `needle` if `whole`.
    func rows(with needle: String, whole: Bool) -> [Int] {
        var wanted = needle.utf8.filter { $0 != Self.separator && $0 != Self.blank }
        guard !wanted.isEmpty else { return [] }
        if whole { wanted = [Self.separator] + wanted + [Self.separator] }
        var rows = Set<UInt32>()
        Self.search(bytes, for: wanted) { position in
            rows.insert(owners[entry(at: position + (whole ? 1 : 0))])
        }
        return rows.map(Int.init).sorted()
    }

    /// Horspool's search: looks at about one byte in as many as the needle has.
    private static func search(_ bytes: [UInt8], for needle: [UInt8], _ found: (Int) -> Void) {
        let last = needle.count - 1
        var skips = [Int](repeating: needle.count, count: 256)
        for index in 0..<last { skips[Int(needle[index])] = last - index }
        bytes.withUnsafeBufferPointer { hay in
            needle.withUnsafeBufferPointer { needle in
                skips.withUnsafeBufferPointer { skips in
                    var end = last
                    while end < hay.count {
                        var back = 0
                        while back <= last, hay[end - back] == needle[last - back] { back += 1 }
                        if back > last { found(end - last) }
                        end += skips[Int(hay[end])]
                    }
                }
            }
        }
    }

    /// The last entry that begins at or before a position.
    private func entry(at position: Int) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle]) <= position { low = middle } else { high = middle }
        }
        return low
    }

    private mutating func write(_ values: [String]) {
        starts.append(UInt32(truncatingIfNeeded: bytes.count))
        for value in values where !value.isEmpty {
            bytes.append(contentsOf: value.utf8.lazy.map { $0 == Self.separator || $0 == Self.blank ? 0x20 : $0 })
            bytes.append(Self.separator)
        }
    }

    private mutating func compact() {
        var fresh = ScanColumn()
        for row in entryOfRow.indices {
            let entry = Int(entryOfRow[row])
            let end = entry + 1 < starts.count ? Int(starts[entry + 1]) : bytes.count
            let run = bytes[Int(starts[entry])..<end]
            fresh.entryOfRow.append(UInt32(truncatingIfNeeded: fresh.starts.count))
            fresh.owners.append(UInt32(truncatingIfNeeded: row))
            fresh.starts.append(UInt32(truncatingIfNeeded: fresh.bytes.count))
            fresh.bytes.append(contentsOf: run)
        }
        self = fresh
    }
}
