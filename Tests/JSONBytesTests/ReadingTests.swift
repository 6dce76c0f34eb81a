import JSONBytes
import Testing

@Suite("Reading values")
struct ReadingTests {
    @Test("well-formed UTF-8 and nothing else: every sequence of two bytes")
    func twoBytes() throws {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max where first >= 0x80 || second >= 0x80 {
                check([first, second])
            }
        }
    }

    @Test("well-formed UTF-8 and nothing else: the borders of three and four bytes")
    func borders() throws {
        let borders: [UInt8] = [0x00, 0x22, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        let leads: [UInt8] = [0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFE]
        for lead in leads {
            for second in borders {
                for third in borders {
                    check([lead, second, third])
                    for fourth in borders { check([lead, second, third, fourth]) }
                }
            }
        }
    }

    /// Compares with the standard library's own check.
    private func check(_ body: [UInt8]) {
        let special = body.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
        let valid = String(validating: body, as: UTF8.self)
        let document = try? JSONDocument([0x22] + body + [0x22])
        if special {
            // A quote or control in it is refused for itself, unless UTF-8 was wrong before.
            #expect(document == nil)
        } else {
            #expect(document?.root.string.map { Array($0.utf8) } == valid.map { Array($0.utf8) }, "\(body)")
        }
    }

    @Test("every scalar of the first plane, escaped and not")
    func scalars() throws {
        for value in UInt32(0x20)...0xFFFF {
            guard let scalar = Unicode.Scalar(value), value != 0x22, value != 0x5C else { continue }
            let digits = String(value, radix: 16)
            let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            let text = String(scalar)
            let elements = try document("[\"\(escape)\",\"\(text)\"]").root.elements
            guard elements.map(\.string) == [text, text] else {
                Issue.record("U+\(digits)")
                return
            }
        }
    }

    @Test(
        "long strings with something special at every place",
        arguments: ["\\\"", "é", "\\u00e9", "\u{1f600}", "\\ud83d\\ude39"])
    func longStrings(_ special: String) throws {
        let decoded = try #require(try document("\"\(special)\"").root.string)
        for offset in 0..<8 {
            for before in 0...33 {
                for after in [0, 1, 5, 8, 16, 31] {
                    let head = String(repeating: "x", count: before)
                    let tail = String(repeating: "y", count: after)
                    let space = String(repeating: " ", count: offset)
                    let root = try document("\(space)[\"\(head)\(special)\(tail)\",\"z\"]").root
                    #expect(root.elements.map(\.string) == ["\(head)\(decoded)\(tail)", "z"])
                }
            }
        }
    }

    @Test("accessors answer only for their own kind")
    func kinds() throws {
        let root = try document("{\"s\":\"7\",\"n\":7,\"t\":true,\"f\":false,\"0\":null,\"a\":[7],\"o\":{\"x\":7}}")
            .root
        let members = Dictionary(uniqueKeysWithValues: root.members.map { ($0.key, $0.value) })
        #expect(root.members.map(\.key) == ["s", "n", "t", "f", "0", "a", "o"])
        #expect(
            members.mapValues(\.kind) == [
                "s": .string, "n": .number, "t": .true, "f": .false, "0": .null, "a": .array, "o": .object,
            ])
        #expect(members.compactMapValues(\.string) == ["s": "7"])
        #expect(members.compactMapValues(\.scalarText) == ["s": "7", "n": "7"])
        #expect(members.compactMapValues(\.int) == ["n": 7])
        #expect(members.compactMapValues(\.double) == ["n": 7])
        #expect(members.compactMapValues(\.bool) == ["t": true, "f": false])
        #expect(members.filter { $0.value.isNull }.map(\.key) == ["0"])
        #expect(members.filter { !$0.value.elements.isEmpty }.map(\.key) == ["a"])
        #expect(members.filter { !$0.value.members.isEmpty }.map(\.key) == ["o"])
        #expect(members.compactMapValues { $0["x"]?.int } == ["o": 7])
        #expect(
            members.mapValues { String(decoding: $0.source, as: UTF8.self) } == [
                "s": "\"7\"", "n": "7", "t": "true", "f": "false", "0": "null", "a": "[7]", "o": "{\"x\":7}",
            ])
    }

    @Test("a repeated key: the last one counts, all are listed")
    func repeatedKeys() throws {
        let root = try document("{\"a\":1,\"b\":2,\"\\u0061\":3,\"A\":4}").root
        #expect(root["a"]?.int == 3)
        #expect(root["A"]?.int == 4)
        #expect(root.members.map(\.key) == ["a", "b", "a", "A"])
    }

    @Test(
        "members by name without regard to case",
        arguments: [
            ("nome", "{\"NOME\":1}", 1), ("Nome", "{\"nome\":1,\"NOME\":2}", 2), ("nome", "{\"nome\":1,\"NOME\":2}", 1),
            ("nome", "{\"NOME\":2,\"nome\":1}", 1), ("nome", "{\"\\u004eOME\":5}", 5), ("nome", "{\"nom\":1}", nil),
            ("nome", "{\"NOMES\":1}", nil), ("é", "{\"É\":1}", nil), ("aÉb", "{\"AÉB\":1}", 1), ("[", "{\"{\":1}", nil),
            ("@", "{\"`\":1}", nil), ("", "{\"\":1}", 1), ("", "{\"a\":1}", nil), ("nome", "[1]", nil),
            ("nome", "{}", nil),
        ] as [(String, String, Int?)])
    func foldCase(_ name: String, _ text: String, _ expected: Int?) throws {
        let found = try document(text).withView { view in
            view.member(Array(name.utf8), of: 0, foldCase: true).map { String(decoding: view.slice($0), as: UTF8.self) }
        }
        #expect(found == expected.map(String.init))
    }

    @Test(
        "a key matches by its decoded text, whole",
        arguments: [
            ("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("ab", "abc", false), ("", "", true),
            ("a\\u0062c", "abc", true), ("a\\u0062c", "abcd", false), ("a\\u0062cd", "abc", false),
            ("\\u00e9", "é", true),
            ("\\ud83d\\ude39", "\u{1f639}", true), ("\\/", "/", true), ("\\/", "\\/", false),
            ("e\u{301}", "\u{e9}", false),
            ("abcdefgh", "abcdefgh", true), ("abcdefgh", "abcdefgx", false), ("abcdefghi", "abcdefghx", false),
            ("abcdefghijklmnopq", "abcdefghijklmnopq", true), ("xbcdefghijklmnopq", "abcdefghijklmnopq", false),
        ])
    func keyText(_ key: String, _ name: String, _ expected: Bool) throws {
        let document = try document("{\"\(key)\":1}")
        let equal = document.withView { view in
            Array(name.utf8).withUnsafeBufferPointer { view.text(1, equals: $0) }
        }
        #expect(equal == expected)
        #expect((document.root[name] != nil) == expected)
    }

    @Test(
        "counting and indexing children",
        arguments: [
            ("[]", 0), ("[1]", 1), ("[[1,2],{\"a\":3},4]", 3), ("{}", 0), ("{\"a\":[1,2],\"b\":{\"c\":1}}", 2),
            ("1", 0), ("\"a\"", 0),
            ("null", 0),
        ])
    func children(_ text: String, _ count: Int) throws {
        let document = try document(text)
        document.withView { view in
            #expect(view.childCount(0) == count)
            let isArray = view.kind(0) == .array
            for position in [Int.min, -1, 0, 1, 2, 3, Int.max] {
                #expect((view.element(position, of: 0) != nil) == (isArray && position >= 0 && position < count))
            }
        }
    }

    @Test("a value outlives the document's last mention")
    func lifetime() throws {
        func inner() throws -> JSONValue? { try document("{\"a\":[\"Bruno Exemplo\"]}").root["a"]?.elements.first }
        #expect(try inner()?.string == "Bruno Exemplo")
        let length = try document("[1,2,3]").withView { view in
            (0..<view.next(0)).map { view.slice($0).count }.reduce(0, +)
        }
        #expect(length == 10)
    }

    @Test("a view's closure may throw, and its error arrives typed")
    func throwing() throws {
        struct Stop: Error, Equatable {}
        let document = try document("1")
        #expect(throws: Stop()) { try document.withView { _ throws(Stop) in throw Stop() } }
    }

    @Test("an index that the document does not have stops the program, whatever is in memory there")
    func strayIndex() async {
        await #expect(processExitsWith: .failure) {
            let document = try JSONDocument(Array("[1]".utf8))
            _ = document.withView { $0.kind(2) }
        }
        await #expect(processExitsWith: .failure) {
            let document = try JSONDocument(Array("[1]".utf8))
            _ = document.withView { $0.slice(-1).count }
        }
    }

    @Test("one document, read by many tasks")
    func sharing() async throws {
        let document = try document("[" + (0..<500).map { "{\"id\":\($0)}" }.joined(separator: ",") + "]")
        let sums = await withTaskGroup(of: Int.self, returning: [Int].self) { group in
            for _ in 0..<8 { group.addTask { document.root.elements.compactMap { $0["id"]?.int }.reduce(0, +) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == Array(repeating: 124_750, count: 8))
    }

    @Test("printing a value shows nothing of the document")
    func printing() throws {
        let root = try document("{\"nome\":\"Ana Teste\"}").root
        for text in ["\(root)", String(reflecting: root), "\(root.document)", String(reflecting: root.document)] {
            #expect(!text.contains("Ana"))
            #expect(!text.contains("65, 110"))
        }
    }
}
