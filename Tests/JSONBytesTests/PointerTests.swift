import JSONBytes
import Testing

@Suite("JSON Pointer (RFC 6901)")
struct PointerTests {
    static let sample = """
        {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\\\j": 5, "k\\"l": 6, " ": 7, "m~n": 8}
        """

    @Test(
        "the examples of section 5",
        arguments: [
            ("/foo", "[\"bar\", \"baz\"]"), ("/foo/0", "\"bar\""), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
        ])
    func examples(_ text: String, _ expected: String) throws {
        let root = try document(Self.sample).root
        let pointer = try #require(JSONPointer(text))
        #expect(root[pointer].map { String(decoding: $0.source, as: UTF8.self) } == expected)
        #expect(pointer.description == text)
    }

    @Test("the empty pointer is the whole document")
    func whole() throws {
        let root = try document(Self.sample).root
        let pointer = try #require(JSONPointer(""))
        #expect(pointer == .root)
        #expect(pointer.description == "")
        #expect(root[pointer]?.index == 0)
    }

    @Test(
        "what is no pointer",
        arguments: [
            "foo", "foo/bar", "~0", "~", "/~", "/~2", "/~a", "/a~", "/a~/b", "/~~0", "#/foo", " /foo", "/~é", "/a/~",
        ])
    func refused(_ text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test(
        "what a token decodes to",
        arguments: [
            ("/~01", ["~1"]), ("/~10", ["/0"]), ("/~0~1", ["~/"]), ("//", ["", ""]), ("/a//b", ["a", "", "b"]),
            ("/a/", ["a", ""]),
            ("/%41", ["%41"]), ("/é", ["é"]), ("/~1\u{301}", ["/\u{301}"]), ("/~0\u{301}/x", ["~\u{301}", "x"]),
            ("/\u{0}", ["\u{0}"]),
        ])
    func tokens(_ text: String, _ expected: [String]) throws {
        let pointer = try #require(JSONPointer(text))
        #expect(pointer.steps.map { String(decoding: $0.name, as: UTF8.self) } == expected)
        #expect(Array(pointer.description.utf8) == Array(text.utf8))
        #expect(expected.reduce(JSONPointer.root) { $0.appending($1) } == pointer)
    }

    @Test(
        "array indices: digits, no sign, no leading zero, inside the array",
        arguments: [
            ("/0", 10), ("/1", 11), ("/2", 12), ("/3", nil), ("/00", nil), ("/01", nil), ("/-", nil), ("/-1", nil),
            ("/+1", nil),
            ("/1.0", nil), ("/1e0", nil), ("/", nil), ("/ 1", nil), ("/1 ", nil), ("/a", nil), ("/0x1", nil),
            ("/\u{661}", nil),
            ("/9223372036854775807", nil), ("/9223372036854775808", nil), ("/18446744073709551616", nil), ("/0/0", nil),
            ("/0/", nil),
        ] as [(String, Int?)])
    func indices(_ text: String, _ expected: Int?) throws {
        let root = try document("[10,11,12]").root
        #expect(try root[#require(JSONPointer(text))]?.int == expected)
    }

    @Test("the same token is a name in an object")
    func digitsAsName() throws {
        let root = try document("{\"0\":1,\"01\":2,\"-\":3,\"a\":{\"1\":[5,6]}}").root
        func int(_ text: String) throws -> Int? { try root[#require(JSONPointer(text))]?.int }
        #expect(try int("/0") == 1)
        #expect(try int("/01") == 2)
        #expect(try int("/-") == 3)
        #expect(try int("/a/1/1") == 6)
        #expect(try int("/a/2") == nil)
        #expect(try int("/0/0") == nil)
    }

    @Test("from a value inside, and without regard to case")
    func relative() throws {
        let document = try document("{\"Itens\":[{\"Fone\":{\"DDD\":11}}]}")
        let item = try #require(document.root["Itens"]?.elements.first)
        #expect(item[try #require(JSONPointer("/Fone/DDD"))]?.int == 11)
        #expect(item[try #require(JSONPointer("/fone/ddd"))] == nil)
        let pointer = try #require(JSONPointer("/itens/0/fone/ddd"))
        #expect(document.withView { $0.find(pointer, foldCase: true) } != nil)
        #expect(document.withView { $0.find(pointer) } == nil)
    }

    @Test("joining")
    func joining() throws {
        let pointer = JSONPointer.root.appending("a/b").appending(2).appending(JSONPointer.root.appending("~"))
        #expect(pointer.description == "/a~1b/2/~0")
        #expect(JSONPointer(pointer.description) == pointer)
        #expect(JSONPointer.root.appending(-1).steps.first?.position == nil)
    }
}
