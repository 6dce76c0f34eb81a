import JSONBytes
import Testing

@Suite("Limits")
struct LimitTests {
    @Test("nesting up to the limit and no further", arguments: [1, 2, 3, 127, 128, 500, 5000])
    func depth(_ limit: Int) throws {
        let limits = JSONLimits(depth: limit)
        let openers: [(open: String, close: String)] = [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")]
        for (open, close) in openers {
            let levels = open.hasPrefix("[{") ? 2 : 1
            let most = limit / levels
            func nested(_ count: Int) -> [UInt8] {
                Array((String(repeating: open, count: count) + "1" + String(repeating: close, count: count)).utf8)
            }
            #expect(refusal(nested(most), limits) == nil)
            let fault = try #require(refusal(nested(most + 1), limits))
            #expect(fault.reason == .tooDeep)
        }
    }

    @Test("the default limit is 128, and an empty array counts")
    func defaultDepth() {
        func empty(_ count: Int) -> [UInt8] {
            [UInt8](repeating: 0x5B, count: count) + [UInt8](repeating: 0x5D, count: count)
        }
        #expect(refusal(empty(128)) == nil)
        #expect(refusal(empty(129))?.reason == .tooDeep)
        #expect(refusal(empty(129))?.offset == 128)
    }

    @Test("siblings are not depth")
    func siblings() throws {
        let text = "[" + String(repeating: "[{\"a\":[]}],", count: 1000) + "[]]"
        #expect(refusal(Array(text.utf8), JSONLimits(depth: 4)) == nil)
    }

    @Test("no nesting at all allows scalars only", arguments: [0, -1, Int.min])
    func noDepth(_ limit: Int) {
        #expect(refusal([0x31], JSONLimits(depth: limit)) == nil)
        #expect(refusal(Array("[]".utf8), JSONLimits(depth: limit))?.reason == .tooDeep)
    }

    @Test("a hundred thousand brackets", arguments: ["[", "{\"a\":", "[[{\"\":"])
    func manyBrackets(_ opening: String) throws {
        let bytes = Array(String(repeating: opening, count: 100_000).utf8)
        #expect(refusal(bytes)?.reason == .tooDeep)
        // Without a bound they cost memory, not stack.
        #expect(refusal(bytes, JSONLimits(depth: .max))?.reason == .unterminated)
    }

    @Test("a hundred thousand levels, closed again, read as one value")
    func manyLevels() throws {
        let count = 100_000
        let bytes = [UInt8](repeating: 0x5B, count: count) + [UInt8](repeating: 0x5D, count: count)
        let document = try JSONDocument(bytes, limits: JSONLimits(depth: count))
        document.withView { view in
            #expect(view.next(0) == count)
            #expect(view.childCount(0) == 1)
            #expect(view.source(count - 1).count == 2)
            #expect(view.source(0).count == bytes.count)
        }
    }

    @Test("length up to the limit and no further")
    func length() throws {
        let bytes = Array("[12345]".utf8)
        #expect(refusal(bytes, JSONLimits(bytes: bytes.count)) == nil)
        let fault = try #require(refusal(bytes, JSONLimits(bytes: bytes.count - 1)))
        #expect(fault.reason == .tooLong)
        #expect(fault.offset == bytes.count - 1)
    }

    @Test("absurd limits do no harm", arguments: [0, -1, Int.min])
    func absurdLength(_ limit: Int) {
        #expect(refusal([0x31], JSONLimits(bytes: limit))?.reason == .tooLong)
    }

    @Test("no limit exceeds what a token can hold")
    func longest() {
        var limits = JSONLimits(bytes: .max)
        #expect(limits.bytes == JSONLimits.longest)
        limits.bytes = .max
        #expect(limits.bytes == JSONLimits.longest)
        #expect(JSONLimits.longest < Int(UInt32.max))
    }

    @Test("the tape grows with its document", arguments: [1, 15, 16, 17, 1000, 100_000])
    func growth(_ count: Int) throws {
        let text = "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]"
        let root = try document(text).root
        #expect(root.elements.count == count)
        #expect(root.elements.allSatisfy { $0.int == 1 })
    }
}
