import JSONBytes
import Testing

/// A document that RFC 8259 allows, and what it says.
struct Accepted: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let expected: @Sendable () -> Tree
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ expected: @autoclosure @escaping @Sendable () -> Tree) {
        self.name = name
        self.text = text
        self.expected = expected
    }
}

extension Accepted {
    static let all = structures + numbers + strings + whiteSpace

    static let structures: [Accepted] = [
        Accepted("array, empty", "[]", .array([])),
        Accepted("array, space inside", "[ ]", .array([])),
        Accepted("array, empty string in it", "[\"\"]", .array([.string("")])),
        Accepted("array, nested empty arrays", "[[],[[]]]", .array([.array([]), .array([.array([])])])),
        Accepted("array, false", "[false]", .array([.bool(false)])),
        Accepted("array, true", "[true]", .array([.bool(true)])),
        Accepted("array, null", "[null]", .array([.null])),
        Accepted(
            "array, all kinds", "[null, 1, \"1\", {}, [], true]",
            .array([.null, .number("1"), .string("1"), .object([]), .array([]), .bool(true)])),
        Accepted("array, new line before the end", "[1\n]", .array([.number("1")])),
        Accepted("array, space before it", " [1]", .array([.number("1")])),
        Accepted("array, space after it", "[2] ", .array([.number("2")])),
        Accepted(
            "array, several nulls", "[1,null,null,null,2]",
            .array([.number("1"), .null, .null, .null, .number("2")])),
        Accepted("object, empty", "{}", .object([])),
        Accepted("object, space inside", "{ }", .object([])),
        Accepted("object, one member", "{\"a\":\"b\"}", .object(["a": .string("b")])),
        Accepted("object, two members", "{\"a\":1, \"b\":2}", .object(["a": .number("1"), "b": .number("2")])),
        Accepted("object, empty key", "{\"\":0}", .object(["": .number("0")])),
        Accepted(
            "object, repeated key", "{\"a\":\"b\",\"a\":\"c\"}", .object(["a": .string("b"), "a": .string("c")])),
        Accepted(
            "object, repeated key and value", "{\"a\":\"b\",\"a\":\"b\"}",
            .object(["a": .string("b"), "a": .string("b")])),
        Accepted("object, escaped NUL in key", "{\"foo\\u0000bar\": 42}", .object(["foo\u{0}bar": .number("42")])),
        Accepted(
            "object, extreme numbers", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
            .object(["min": .number("-1.0e+28"), "max": .number("1.0e+28")])),
        Accepted(
            "object, long strings", "{\"x\":[{\"id\": \"\(String(repeating: "x", count: 40))\"}], \"id\": \"y\"}",
            .object([
                "x": .array([.object(["id": .string(String(repeating: "x", count: 40))])]), "id": .string("y"),
            ])),
        Accepted(
            "object, escaped text", "{\"t\":\"\\u041f\\u043e\\u043b\" }",
            .object(["t": .string("\u{41f}\u{43e}\u{43b}")])),
        Accepted("object, new lines", "{\n\"a\": \"b\"\n}", .object(["a": .string("b")])),
        Accepted("object, nested empty objects", "{\"a\":{\"b\":{}}}", .object(["a": .object(["b": .object([])])])),
        Accepted("lone false", "false", .bool(false)),
        Accepted("lone true", "true", .bool(true)),
        Accepted("lone null", "null", .null),
        Accepted("lone number", "42", .number("42")),
        Accepted("lone negative number", "-0.1", .number("-0.1")),
        Accepted("lone string", "\"asd\"", .string("asd")),
        Accepted("lone empty string", "\"\"", .string("")),
        Accepted("lone digit", "7", .number("7")),
        Accepted(
            "object and array, interleaved", "{\"a\":[{\"b\":[{}]}],\"c\":[[],{}]}",
            .object([
                "a": .array([.object(["b": .array([.object([])])])]), "c": .array([.array([]), .object([])]),
            ])),
    ]

    static let numbers: [Accepted] =
        numberTexts.map { digits in Accepted("number \(digits)", "[\(digits)]", .array([.number(digits)])) }
        + numberPlaces

    private static let numberTexts: [String] = [
        "0", "-0", "1", "-1", "9", "10", "123", "-123", "0.0", "-0.0", "0.5", "123.456", "123.456789",
        "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "0e1", "0e+1", "0E1", "0e0", "1e1", "1E22", "1E-2", "1E+2", "123e45", "123e65", "123.456e78",
        "123e-10000000",
        "20e1", "1.5e-300", "-1e-1", "100000000000000000000000", "9007199254740993", "-9223372036854775808",
        "9223372036854775808", "1.7976931348623157e308", "5e-324", "0.1e1", "1.0", "1e005", "1.00000",
    ]

    private static let numberPlaces: [Accepted] = [
        Accepted("number after space", "[ 4]", .array([.number("4")])),
        Accepted("number before space", "[4 ]", .array([.number("4")])),
        Accepted("number before comma", "[4,5]", .array([.number("4"), .number("5")])),
        Accepted("number before brace", "{\"a\":4}", .object(["a": .number("4")])),
    ]

    static let strings: [Accepted] = stringTexts.map { name, body, decoded in
        Accepted("string, \(name)", "[\"\(body)\"]", .array([.string(decoded)]))
    }

    private static let stringTexts: [(String, String, String)] = [
        ("all simple escapes", "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\u{8}\u{c}\n\r\t"),
        ("escaped solidus", "\\/", "/"), ("solidus", "/", "/"),
        ("escaped quote", "\\\"", "\""), ("escaped backslash", "\\\\", "\\"),
        ("escaped backslash and a letter", "\\\\a", "\\a"), ("escaped backslash and n", "\\\\n", "\\n"),
        ("two escaped backslashes", "\\\\\\\\", "\\\\"),
        ("u-escape of a digit, lower case", "\\u0061\\u30af\\u30EA\\u30b9", "a\u{30af}\u{30ea}\u{30b9}"),
        ("u-escape, mixed case", "\\uFaDe\\uaBcD", "\u{fade}\u{abcd}"),
        ("u-escape of NUL", "\\u0000", "\u{0}"), ("u-escape of a control", "\\u0012", "\u{12}"),
        ("u-escape of a quote", "\\u0022", "\""), ("u-escape of a backslash", "\\u005C", "\\"),
        ("u-escape of DEL", "\\u007f", "\u{7f}"), ("u-escape of two bytes", "\\u0123", "\u{123}"),
        ("u-escape of two bytes, lowest", "\\u0080", "\u{80}"),
        ("u-escape of two bytes, highest", "\\u07ff", "\u{7ff}"),
        ("u-escape of three bytes", "\\u0821", "\u{821}"), ("u-escape of three bytes, lowest", "\\u0800", "\u{800}"),
        ("u-escape below the surrogates", "\\ud7ff", "\u{d7ff}"),
        ("u-escape above the surrogates", "\\ue000", "\u{e000}"),
        ("u-escape of a no-break space", "\\u00A0", "\u{a0}"),
        ("u-escape of a zero width joiner", "\\u200D", "\u{200d}"),
        ("u-escape of an invisible plus", "\\u2064", "\u{2064}"),
        ("u-escape of a line separator", "\\u2028\\u2029", "\u{2028}\u{2029}"),
        ("u-escape of a non-character", "\\uFFFE", "\u{fffe}"), ("u-escape of U+FFFF", "\\uFFFF", "\u{ffff}"),
        ("u-escape of the byte order mark", "\\uFEFF", "\u{feff}"),
        ("surrogate pair", "\\uD834\\uDd1e", "\u{1d11e}"), ("surrogate pair, lowest", "\\ud800\\udc00", "\u{10000}"),
        ("surrogate pair, highest", "\\uDBFF\\uDFFF", "\u{10ffff}"),
        ("surrogate pairs, two", "\\ud83d\\ude39\\ud83d\\udc8d", "\u{1f639}\u{1f48d}"),
        ("surrogate pair, last of a plane", "\\uD83F\\uDFFE", "\u{1fffe}"),
        ("non-character of plane one", "\u{1fffe}", "\u{1fffe}"), ("highest scalar", "\u{10ffff}", "\u{10ffff}"),
        ("one byte", "\u{7f}", "\u{7f}"), ("two bytes", "\u{80}\u{7ff}", "\u{80}\u{7ff}"),
        ("three bytes", "\u{800}\u{ffff}", "\u{800}\u{ffff}"), ("four bytes", "\u{10000}", "\u{10000}"),
        ("accents", "Conceição, Íris e José", "Conceição, Íris e José"),
        ("decomposed accent", "e\u{301}", "e\u{301}"), ("accents as escapes", "Concei\\u00e7\\u00e3o", "Conceição"),
        ("byte order mark inside", "\u{feff}", "\u{feff}"), ("line separators", "\u{2028}\u{2029}", "\u{2028}\u{2029}"),
        ("space", " ", " "), ("what looks like a comment", "a/*b*/c/*d//e", "a/*b*/c/*d//e"),
        ("what looks like structure", "[{]},:", "[{]},:"), ("emoji", "\u{1f600}", "\u{1f600}"),
        ("one letter", "a", "a"), ("u and digits without a backslash", "u0041", "u0041"),
        ("escape last", "abc\\n", "abc\n"), ("escape first", "\\nabc", "\nabc"),
    ]

    static let whiteSpace: [Accepted] = [
        Accepted(
            "space around all", " \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n1 \t\r\n, \t\r\n\"b\":[ \t\r\n] \t\r\n} \t\r\n",
            .object(["a": .number("1"), "b": .array([])])),
        Accepted("new line at the end", "[\"a\"]\n", .array([.string("a")])),
        Accepted("carriage return at the end", "1\r", .number("1")),
        Accepted("tab before", "\t\"a\"", .string("a")),
        Accepted(
            "many spaces", String(repeating: " ", count: 100) + "[]" + String(repeating: "\n", count: 100), .array([])),
        Accepted(
            "spaces in nested arrays", "[ [ ] , [ 1 , 2 ] ]",
            .array([.array([]), .array([.number("1"), .number("2")])])),
    ]
}
