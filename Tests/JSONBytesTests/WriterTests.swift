import JSONBytes
import Testing

@Suite("Writing")
struct WriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(capacity: 0)
        body(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test("what must be escaped is, and nothing else", arguments: UInt8.min...0x7F)
    func escapes(_ byte: UInt8) throws {
        let text = String(Unicode.Scalar(byte))
        let short: [UInt8: String] = [
            0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: "\\\"", 0x5C: "\\\\",
        ]
        let digits = String(byte, radix: 16)
        let long = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        let expected = short[byte] ?? (byte < 0x20 ? long : text)
        for before in 0...9 {
            for after in [0, 1, 7, 8] {
                let head = String(repeating: "x", count: before)
                let tail = String(repeating: "y", count: after)
                let output = written { $0.string(head + text + tail) }
                #expect(output == "\"\(head)\(expected)\(tail)\"")
                #expect(try document(output).root.string == head + text + tail)
            }
        }
    }

    @Test(
        "text beyond ASCII goes out as it is",
        arguments: ["é", "Conceição", "\u{1f600}", "\u{2028}", "\u{fffd}", "e\u{301}"])
    func unicode(_ text: String) {
        #expect(Array(written { $0.string(text) }.utf8) == Array("\"\(text)\"".utf8))
    }

    @Test(
        "a document's string, written with normalised escapes",
        arguments: [
            ("abc", "abc"), ("\\u0041", "A"), ("\\u00e7\\u00e3o", "ção"), ("\\/", "/"), ("\\u0022", "\\\""),
            ("\\u005c", "\\\\"),
            ("\\u000a", "\\n"), ("\\u0001", "\\u0001"), ("\\u001F", "\\u001f"), ("\\ud83d\\ude39", "\u{1f639}"),
            ("\\ud800", "\u{fffd}"),
            ("é\\té", "é\\té"), ("", ""), ("\\b\\f\\n\\r\\t\\\"\\\\", "\\b\\f\\n\\r\\t\\\"\\\\"), ("\\u007f", "\u{7f}"),
        ])
    func normalised(_ body: String, _ expected: String) throws {
        // Several in a row, so that one that outgrew its room would show.
        let document = try document("[\(Array(repeating: "\"\(body)\"", count: 40).joined(separator: ","))]")
        let output = document.withView { view in
            written { writer in
                for index in 1...40 {
                    writer.raw(UInt8(ascii: "<"))
                    writer.escaped(view, index)
                    writer.raw(UInt8(ascii: ">"))
                }
            }
        }
        #expect(output == String(repeating: "<\(expected)>", count: 40))
    }

    @Test("numbers, booleans and null", arguments: [0, -1, 42, Int.max, Int.min])
    func scalars(_ number: Int) {
        let output = written { writer in
            writer.raw("[")
            writer.number(number)
            writer.comma()
            writer.bool(true)
            writer.comma()
            writer.bool(false)
            writer.comma()
            writer.null()
            writer.raw("]")
        }
        #expect(output == "[\(number),true,false,null]")
    }

    @Test("commas only between values")
    func commas() {
        let output = written { writer in
            writer.comma()
            writer.raw("{")
            writer.comma()
            writer.key("a")
            writer.raw("[")
            writer.comma()
            writer.string("[")
            writer.comma()
            writer.string("{")
            writer.raw("]")
            writer.comma()
            writer.comma()
            writer.key("b\"")
            writer.null()
            writer.raw("}")
        }
        #expect(output == "{\"a\":[\"[\",\"{\"],\"b\\\"\":null}")
    }

    @Test("raw bytes of every kind, growing from nothing")
    func raw() {
        let body = [UInt8](repeating: 0x78, count: 1000)
        let output = written { writer in
            writer.raw(",")
            writer.raw("\u{e9}")
            writer.raw("")
            writer.raw([])
            writer.raw(body)
            writer.raw(body[10..<20])
            body.withUnsafeBufferPointer { writer.raw($0) }
            writer.raw(UnsafeBufferPointer(start: nil, count: 0))
        }
        #expect(output == ",é" + String(repeating: "x", count: 2010))
    }

    @Test("taking back", arguments: [(0, 0), (2, 2), (5, 5), (6, 5), (Int.max, 5), (-1, 0), (Int.min, 0)])
    func truncate(_ length: Int, _ expected: Int) {
        var writer = JSONWriter()
        writer.raw("abcde")
        writer.truncate(to: length)
        #expect(writer.count == expected)
        writer.raw("!")
        #expect(writer.withBytes { Array($0) } == Array("abcde".utf8.prefix(expected)) + [0x21])
    }

    @Test("an absurd capacity is a small one", arguments: [Int.min, -1, 0, 1])
    func capacity(_ capacity: Int) {
        var writer = JSONWriter(capacity: capacity)
        for _ in 0..<100 { writer.string("ab\u{1}") }
        #expect(writer.count == 100 * 10)
    }

    @Test("a long string of escapes fits")
    func manyEscapes() throws {
        let text = String(repeating: "\u{1}", count: 10_000)
        let output = written { $0.string(text) }
        #expect(output.utf8.count == 60_002)
        #expect(try document(output).root.string == text)
    }
}
