import Glibc
import JSONBytes

/// The places that a shape reads, as a trie over their pointers: one walk over a record finds all of them, whatever
/// the order of its members.
struct PlaceIndex: Sendable {
    private struct Node {
        /// Keys of this node: a range of `keys`.
        var keys: Range<Int> = 0..<0
        /// Array positions of this node: a range of `positions`.
        var positions: Range<Int> = 0..<0
    }

    /// Trivial on purpose: looking at one counts no references.
    private struct Key {
        /// The name's first sixteen bytes, zero-padded: with the length, all that most names need.
        let head: Head
        let length: Int32
        /// Where the name begins in `names`.
        let offset: Int32
        /// Slot of the value itself, or -1.
        let slot: Int32
        /// Node of what lies below, or -1.
        let child: Int32
    }

    private struct Head: Equatable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        init() {}

        init(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
            var index = min(count, 16) - 1
            while index >= 0 {
                if index < 8 { low = low << 8 | UInt64(bytes[index]) } else { high = high << 8 | UInt64(bytes[index]) }
                index -= 1
            }
        }

        /// The same from memory with at least sixteen readable bytes.
        @inline(__always)
        init(readable bytes: UnsafePointer<UInt8>, _ count: Int) {
            let raw = UnsafeRawPointer(bytes)
            low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
            high = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            if count < 8 {
                low &= (1 << UInt64(count * 8)) &- 1
                high = 0
            } else if count < 16 {
                high &= (1 << UInt64((count - 8) * 8)) &- 1
            }
        }
    }

    private struct Position {
        let position: Int
        let slot: Int32
        let child: Int32
    }

    private var nodes: [Node] = []
    private var keys: [Key] = []
    /// The bytes of all names.
    private var names: [UInt8] = []
    private var positions: [Position] = []
    private let foldCase: Bool
    /// Pointers by slot.
    let pointers: [JSONPointer]
    /// Slot of the record itself (the empty pointer), or nil.
    private let rootSlot: Int?

    init(_ pointers: [JSONPointer], foldCase: Bool) {
        self.pointers = pointers
        self.foldCase = foldCase
        rootSlot = pointers.firstIndex(of: .root)
        _ = build(
            pointers.enumerated().map { (slot: $0.offset, steps: $0.element.steps[...]) }.filter { !$0.steps.isEmpty })
    }

    private mutating func build(_ paths: [(slot: Int, steps: ArraySlice<JSONPointer.Step>)]) -> Int32 {
        let index = nodes.count
        nodes.append(Node())
        var order: [JSONPointer.Step] = []
        var groups: [JSONPointer.Step: [(slot: Int, steps: ArraySlice<JSONPointer.Step>)]] = [:]
        for path in paths {
            guard let step = path.steps.first else { continue }
            if groups[step] == nil { order.append(step) }
            groups[step, default: []].append((path.slot, path.steps.dropFirst()))
        }
        var ownKeys: [Key] = []
        var ownPositions: [Position] = []
        for step in order {
            let group = groups[step] ?? []
            let slot = group.first { $0.steps.isEmpty }.map { Int32($0.slot) } ?? -1
            let deeper = group.filter { !$0.steps.isEmpty }
            let child = deeper.isEmpty ? -1 : build(deeper)
            let name = foldCase ? step.name.map(PlaceIndex.folded) : step.name
            // A byte too many, so that an empty name has an address too.
            let head = (name + [0]).withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map { Head($0, name.count) } ?? Head()
            }
            ownKeys.append(
                Key(head: head, length: Int32(name.count), offset: Int32(names.count), slot: slot, child: child))
            names += name
            if let position = step.position {
                ownPositions.append(Position(position: position, slot: slot, child: child))
            }
        }
        nodes[index].keys = keys.count..<(keys.count + ownKeys.count)
        keys += ownKeys
        nodes[index].positions = positions.count..<(positions.count + ownPositions.count)
        positions += ownPositions
        return Int32(index)
    }

    /// Notes, for each slot, the token of its value in this record; -1 where there is none.
    @inline(__always)
    func locate(_ view: JSONView, _ record: Int, _ slots: UnsafeMutableBufferPointer<Int32>) {
        slots.update(repeating: -1)
        if let rootSlot { slots[rootSlot] = Int32(truncatingIfNeeded: record) }
        nodes.withUnsafeBufferPointer { nodes in
            keys.withUnsafeBufferPointer { keys in
                names.withUnsafeBufferPointer { names in
                    walk(view, record, 0, Tables(nodes: nodes, keys: keys, names: names), slots)
                }
            }
        }
    }

    private struct Tables {
        let nodes: UnsafeBufferPointer<Node>
        let keys: UnsafeBufferPointer<Key>
        let names: UnsafeBufferPointer<UInt8>
    }

    private func walk(
        _ view: JSONView, _ index: Int, _ node: Int, _ tables: Tables, _ slots: UnsafeMutableBufferPointer<Int32>
    ) {
        switch view.kind(index) {
        case .object:
            let range = tables.nodes[node].keys
            let end = view.next(index)
            let readable = Int(view.token(index).end)
            var key = index + 1
            // Members mostly come in the order of the record before: look from where the last one was found.
            var expected = range.lowerBound
            // A bit for each key that was met and has places below it.
            var met: UInt64 = 0
            while key < end {
                let value = key + 1
                let found = match(view, key, range, tables, expected, readable)
                if found >= 0 {
                    let entry = tables.keys[found]
                    expected = found + 1
                    if entry.slot >= 0 { slots[Int(entry.slot)] = Int32(truncatingIfNeeded: value) }
                    if entry.child >= 0 {
                        let bit: UInt64 = 1 << UInt64(found & 63)
                        // Of a repeated member the last one counts, whole. Keys that share a bit do no harm: nothing was
                        // found below this one then.
                        if met & bit != 0 { forget(Int(entry.child), tables, slots) }
                        met |= bit
                        walk(view, value, Int(entry.child), tables, slots)
                    }
                }
                key = view.next(value)
            }
        case .array:
            for entry in positions[tables.nodes[node].positions] {
                guard let value = view.element(entry.position, of: index) else { continue }
                if entry.slot >= 0 { slots[Int(entry.slot)] = Int32(truncatingIfNeeded: value) }
                if entry.child >= 0 { walk(view, value, Int(entry.child), tables, slots) }
            }
        default: break
        }
    }

    /// Nothing was found below this node after all.
    private func forget(_ node: Int, _ tables: Tables, _ slots: UnsafeMutableBufferPointer<Int32>) {
        for entry in tables.keys[tables.nodes[node].keys] {
            if entry.slot >= 0 { slots[Int(entry.slot)] = -1 }
            if entry.child >= 0 { forget(Int(entry.child), tables, slots) }
        }
    }

    /// The index of the key that a member's name is, or -1.
    @inline(__always)
    private func match(
        _ view: JSONView, _ key: Int, _ range: Range<Int>, _ tables: Tables, _ expected: Int, _ readable: Int
    ) -> Int {
        if foldCase || view.isEscaped(key) { return slowMatch(view, key, range, tables) }
        let token = view.token(key)
        let start = Int(token.start)
        let length = Int(token.end) - start
        let base = view.bytes + start
        let head = start + 16 <= readable ? Head(readable: base, length) : Head(base, length)
        var candidate = expected < range.upperBound ? expected : range.lowerBound
        for _ in range {
            let entry = tables.keys[candidate]
            if entry.head == head, Int(entry.length) == length,
                length <= 16 || rest(base, of: entry, in: tables.names, equals: length)
            {
                return candidate
            }
            candidate += 1
            if candidate == range.upperBound { candidate = range.lowerBound }
        }
        return -1
    }

    private func rest(
        _ base: UnsafePointer<UInt8>, of entry: Key, in names: UnsafeBufferPointer<UInt8>, equals length: Int
    ) -> Bool {
        guard let own = names.baseAddress else { return false }
        return memcmp(base + 16, own + Int(entry.offset) + 16, length - 16) == 0
    }

    private func slowMatch(_ view: JSONView, _ key: Int, _ range: Range<Int>, _ tables: Tables) -> Int {
        var name = view.decoded(key)
        if foldCase { name = name.map(PlaceIndex.folded) }
        return range.first { index in
            let entry = tables.keys[index]
            return tables.names[Int(entry.offset)..<Int(entry.offset + entry.length)].elementsEqual(name)
        } ?? -1
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
