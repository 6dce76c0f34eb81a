import ClientContract
import Synchronization
import UpstreamDriver

/// The ids that a walk has met.
final class SeenClients: Sendable {
    private let ids = Mutex(TextSet())

    /// The clients that come for the first time.
    func new(among clients: [Client]) throws(UpstreamError) -> [Client] {
        let new: [Client]? = ids.withLock { ids in
            var new: [Client] = []
            for client in clients {
                switch ids.insert(client.id.text) {
                case true?: new.append(client)
                case false?: continue
                case nil: return nil
                }
            }
            return new
        }
        guard let new else { throw .malformed("its ids are too long to be remembered") }
        return new
    }
}

/// Texts, kept whole in one piece of memory: 200,000 ids of 36 bytes take a third of what a set of strings does, and no
/// allocation each (docs/adr/0007-windows-over-any-paging.md). Whole, not as hashes: two that collide would lose a client.
struct TextSet {
    /// Each text in UTF-8 behind its length: one byte, or 255 and four more.
    private var bytes: [UInt8] = []
    /// Where texts begin, plus one; 0 is free. Open addressing with linear probing, at most three quarters full.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)
    private(set) var count = 0

    /// - Returns: whether the text is new; nil where there is no room for more.
    mutating func insert(_ text: String) -> Bool? {
        var text = text
        return text.withUTF8 { insert($0) }
    }

    private mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let slot = slot(for: text)
        guard slots[slot] == 0 else { return false }
        guard let place = UInt32(exactly: bytes.count + 1), let length = UInt32(exactly: text.count) else { return nil }
        if length < 255 {
            bytes.append(UInt8(length))
        } else {
            bytes.append(255)
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        }
        bytes.append(contentsOf: text)
        slots[slot] = place
        count += 1
        return true
    }

    /// The slot that holds a text, or the free one that it belongs into.
    private func slot(for text: UnsafeBufferPointer<UInt8>) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var hasher = Hasher()
            hasher.combine(bytes: UnsafeRawBufferPointer(text))
            var slot = hasher.finalize() & (slots.count - 1)
            while slots[slot] != 0, !TextSet.isEqual(text, TextSet.text(bytes, at: Int(slots[slot]) - 1)) {
                slot = (slot + 1) & (slots.count - 1)
            }
            return slot
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for place in old where place != 0 {
            let free = bytes.withUnsafeBufferPointer { slot(for: TextSet.text($0, at: Int(place) - 1)) }
            slots[free] = place
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> UnsafeBufferPointer<UInt8> {
        var start = place + 1
        var length = Int(bytes[place])
        if length == 255 {
            length = bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            start += 4
        }
        return UnsafeBufferPointer(rebasing: bytes[start..<(start + length)])
    }

    private static func isEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        a.count == b.count && a.elementsEqual(b)
    }
}
