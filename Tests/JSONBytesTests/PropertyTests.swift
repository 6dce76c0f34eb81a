import Foundation
import JSONBytes
import Testing

@Suite("Properties")
struct PropertyTests {
    @Test("a random tree, written and read, is the same tree", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var source = Seeded(seed)
        for _ in 0..<50 {
            let tree = Tree.random(6, using: &source)
            let document = try JSONDocument(tree.bytes)
            #expect(Tree(document.root) == tree)
            #expect(document.withView { Tree($0, 0) } == tree)
        }
    }

    @Test("every value's own bytes are a document of that value", arguments: 100..<110 as Range<UInt64>)
    func source(_ seed: UInt64) throws {
        var source = Seeded(seed)
        let document = try JSONDocument(Tree.random(6, using: &source).bytes)
        func check(_ value: JSONValue) throws {
            #expect(Tree(try JSONDocument(value.source).root) == Tree(value))
            for child in value.elements { try check(child) }
            for member in value.members { try check(member.value) }
        }
        try check(document.root)
    }

    @Test("white space between tokens changes nothing", arguments: 200..<220 as Range<UInt64>)
    func whiteSpace(_ seed: UInt64) throws {
        var source = Seeded(seed)
        let tree = Tree.random(5, using: &source)
        var spaced: [UInt8] = []
        var inString = false
        var escaped = false
        for byte in tree.bytes {
            let structural = !inString && [0x5B, 0x5D, 0x7B, 0x7D, 0x3A, 0x2C].contains(byte)
            func space() { for _ in 0..<source.below(4) { spaced.append(source.pick([0x20, 0x09, 0x0A, 0x0D])) } }
            if structural { space() }
            spaced.append(byte)
            if structural { space() }
            if byte == 0x22, !escaped { inString.toggle() }
            escaped = byte == 0x5C && !escaped
        }
        #expect(Tree(try JSONDocument(spaced).root) == tree)
    }

    /// Documents with something wrong in them, most of them, given to both readers.
    ///
    /// Foundation's reader differs from RFC 8259, and so from ours, in what `foundationDiffers` lists; everywhere else
    /// both must agree on what is JSON.
    @Test("agrees with Foundation on mutated documents", arguments: 300..<340 as Range<UInt64>)
    func differential(_ seed: UInt64) throws {
        var source = Seeded(seed)
        var accepted = 0
        for _ in 0..<250 {
            var bytes = Tree.random(4, using: &source).bytes
            for _ in 0..<source.below(4) { mutate(&bytes, using: &source) }
            let ours = refusal(bytes)
            let theirs = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            if ours == nil { accepted += 1 }
            if (ours == nil) != theirs, !foundationDiffers(bytes, ours) {
                Issue.record("ours: \(ours.map { "\($0)" } ?? "accepted"), Foundation: \(theirs), bytes: \(bytes)")
            }
        }
        // The comparison means something only if both answers occur.
        #expect(accepted > 10)
        #expect(accepted < 250)
    }

    private static let alphabet = Array(
        "{}[]:,\"\\ \n\t0123456789-+.eEtrufalsnbx/\u{0}\u{1f}\u{7f}é\u{feff}\u{1f600}".utf8)

    private func mutate(_ bytes: inout [UInt8], using source: inout Seeded) {
        guard !bytes.isEmpty else { return }
        let place = source.below(bytes.count)
        switch source.below(6) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = source.pick(Self.alphabet)
        case 2: bytes.insert(source.pick(Self.alphabet), at: place)
        case 3: bytes[place] ^= 1 << source.below(8)
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + source.below(8)))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + source.below(8))], at: place)
        }
    }

    /// Where Foundation may answer otherwise: it refuses numbers beyond a double and half surrogate pairs, takes a comma
    /// before a closing bracket and a byte order mark, and reads UTF-16 and UTF-32.
    private func foundationDiffers(_ bytes: [UInt8], _ ours: JSONSyntaxError?) -> Bool {
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) || bytes.prefix(4).contains(0) {
            return true
        }
        guard let ours else {
            guard let document = try? JSONDocument(bytes) else { return false }
            return document.withView { view in
                (0..<view.next(0)).contains { index in
                    let value = view.token(index)
                    let isHuge =
                        value.kind == .number
                        && Double(String(decoding: view.slice(index), as: UTF8.self))?.isFinite != true
                    return isHuge || value.flags & JSONToken.loneSurrogate != 0
                }
            }
        }
        if ours.reason == .byteOrderMark { return true }
        guard ours.reason == .unexpectedByte, ours.offset < bytes.count else { return false }
        let last = bytes[..<ours.offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return last == UInt8(ascii: ",") && [UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[ours.offset])
    }
}
