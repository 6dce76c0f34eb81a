import JSONBytes
import Testing

/// Bytes that RFC 8259 does not allow, why we say so, and where.
struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let reason: JSONSyntaxError.Reason
    let offset: Int
    var testDescription: String { name }

    init(_ text: String, _ reason: JSONSyntaxError.Reason, _ offset: Int) {
        name = String(text.prefix(40)).debugDescription
        bytes = Array(text.utf8)
        self.reason = reason
        self.offset = offset
    }

    init(hex text: String, _ reason: JSONSyntaxError.Reason, _ offset: Int) {
        name = text
        bytes = hex(text) ?? []
        self.reason = reason
        self.offset = offset
    }
}

extension Refused {
    static let all = structures + arrays + objects + literals + numbers + strings + invalidText

    static let structures: [Refused] = [
        Refused("", .empty, 0), Refused(" ", .empty, 1), Refused("\n\n", .empty, 2),
        Refused("[1]x", .trailingBytes, 3), Refused("[1]]", .trailingBytes, 3), Refused("{}}", .trailingBytes, 2),
        Refused("[][]", .trailingBytes, 2), Refused("1 2", .trailingBytes, 2), Refused("1]", .trailingBytes, 1),
        Refused("\"a\" \"b\"", .trailingBytes, 4), Refused("{\"a\":\"b\"}#", .trailingBytes, 9),
        Refused("{\"a\":\"b\"}/**/", .trailingBytes, 9), Refused("{\"a\":\"b\"}//", .trailingBytes, 9),
        Refused("{\"a\": true} \"x\"", .trailingBytes, 12), Refused("[],", .trailingBytes, 2),
        Refused("null,", .trailingBytes, 4), Refused("*", .unexpectedByte, 0), Refused("<.>", .unexpectedByte, 0),
        Refused("<null>", .unexpectedByte, 0), Refused("[<null>]", .unexpectedByte, 1),
        Refused("]", .unexpectedByte, 0),
        Refused("}", .unexpectedByte, 0), Refused(",", .unexpectedByte, 0), Refused(":", .unexpectedByte, 0),
        Refused("é", .unexpectedByte, 0), Refused("[é]", .unexpectedByte, 1), Refused("å", .unexpectedByte, 0),
        Refused("/*a*/1", .unexpectedByte, 0), Refused("//\n1", .unexpectedByte, 0), Refused("#1", .unexpectedByte, 0),
        Refused("'a'", .unexpectedByte, 0), Refused("\\u0020[]", .unexpectedByte, 0),
        Refused("[\u{b}]", .unexpectedByte, 1), Refused("[\u{c}]", .unexpectedByte, 1),
        Refused("[\u{0}]", .unexpectedByte, 1),
        Refused("\u{c}[]", .unexpectedByte, 0), Refused("[]\u{0}", .trailingBytes, 2),
        Refused("\u{0}", .unexpectedByte, 0),
        Refused("[\u{a0}]", .unexpectedByte, 1), Refused("[\u{2060}]", .unexpectedByte, 1),
        Refused("\u{feff}", .byteOrderMark, 0), Refused("\u{feff}{}", .byteOrderMark, 0),
        Refused("[\u{feff}]", .unexpectedByte, 1), Refused("!", .unexpectedByte, 0),
        Refused("<html>", .unexpectedByte, 0),
        Refused("abc", .unexpectedByte, 0), Refused("callback({})", .unexpectedByte, 0),
        Refused(")]}',\n[]", .unexpectedByte, 0), Refused("while(1);[]", .unexpectedByte, 0),
    ]

    static let arrays: [Refused] = [
        Refused("[", .unterminated, 1), Refused("[[", .unterminated, 2), Refused("[1", .unterminated, 2),
        Refused("[1,", .unterminated, 3), Refused("[1,\n1\n,1", .unterminated, 8), Refused("[[]", .unterminated, 3),
        Refused("[\"\"", .unterminated, 3), Refused("[{}", .unterminated, 3), Refused("[null", .unterminated, 5),
        Refused("[ ", .unterminated, 2), Refused("[1 true]", .unexpectedByte, 3), Refused("[1 2]", .unexpectedByte, 3),
        Refused("[1:2]", .unexpectedByte, 2), Refused("[\"\":1]", .unexpectedByte, 3),
        Refused("[\"a\" \"b\"]", .unexpectedByte, 5), Refused("[\"\"],", .trailingBytes, 4),
        Refused("[,1]", .unexpectedByte, 1),
        Refused("[,]", .unexpectedByte, 1), Refused("[1,,2]", .unexpectedByte, 3), Refused("[1,]", .unexpectedByte, 3),
        Refused("[1,,]", .unexpectedByte, 3), Refused("[\"\",]", .unexpectedByte, 4),
        Refused("[3[4]]", .unexpectedByte, 2),
        Refused("[a]", .unexpectedByte, 1), Refused("[1}", .unexpectedByte, 2), Refused("[}", .unexpectedByte, 1),
        Refused("[{]", .unexpectedByte, 2), Refused("[[]}", .unexpectedByte, 3),
        Refused("[   , \"\"]", .unexpectedByte, 4),
        Refused("[*]", .unexpectedByte, 1), Refused("[;]", .unexpectedByte, 1), Refused("[1;2]", .unexpectedByte, 2),
        Refused("['a']", .unexpectedByte, 1), Refused("[\n", .unterminated, 2), Refused("[}]", .unexpectedByte, 1),
        Refused("[1,,,]", .unexpectedByte, 3), Refused("[:]", .unexpectedByte, 1), Refused("[()]", .unexpectedByte, 1),
    ]

    static let objects: [Refused] = [
        Refused("{", .unterminated, 1), Refused("{ ", .unterminated, 2), Refused("{\"a\"", .unterminated, 4),
        Refused("{\"a\" ", .unterminated, 5), Refused("{\"a\":", .unterminated, 5),
        Refused("{\"a\":1", .unterminated, 6),
        Refused("{\"a\":1,", .unterminated, 7), Refused("{\"a\":{", .unterminated, 6),
        Refused("{\"a", .unterminated, 3),
        Refused("{\"", .unterminated, 2), Refused("{\"a\":1,\"b\"", .unterminated, 10),
        Refused("{\"a\":\"b\"", .unterminated, 8),
        Refused("{\"a\"}", .unexpectedByte, 4), Refused("{\"a\":}", .unexpectedByte, 5),
        Refused("{\"a\" 1}", .unexpectedByte, 5),
        Refused("{\"a\" b}", .unexpectedByte, 5), Refused("{\"a\"::1}", .unexpectedByte, 5),
        Refused("{:\"b\"}", .unexpectedByte, 1), Refused("{\"a\",1}", .unexpectedByte, 4),
        Refused("{1:1}", .unexpectedByte, 1),
        Refused("{a:1}", .unexpectedByte, 1), Refused("{'a':1}", .unexpectedByte, 1),
        Refused("{null:null}", .unexpectedByte, 1),
        Refused("{[]:1}", .unexpectedByte, 1), Refused("{{}:1}", .unexpectedByte, 1),
        Refused("{,}", .unexpectedByte, 1),
        Refused("{]", .unexpectedByte, 1), Refused("{\"a\":1]", .unexpectedByte, 6),
        Refused("{\"a\":1,}", .unexpectedByte, 7),
        Refused("{\"a\":1,,}", .unexpectedByte, 7), Refused("{\"a\":1,,\"b\":2}", .unexpectedByte, 7),
        Refused("{\"a\":1 \"b\":2}", .unexpectedByte, 7), Refused("{\"a\":1;\"b\":2}", .unexpectedByte, 6),
        Refused("{\"a\":\"b\",c}", .unexpectedByte, 9), Refused("{\"a\":/*x*/1}", .unexpectedByte, 5),
        Refused("{\"a\":'b'}", .unexpectedByte, 5), Refused("{\"a\"=1}", .unexpectedByte, 4),
        Refused("{\"a\":1,1}", .unexpectedByte, 7), Refused("{é:1}", .unexpectedByte, 1),
        Refused("{\"a\":b}", .unexpectedByte, 5),
        Refused("{\"a\":1}{\"b\":2}", .trailingBytes, 7), Refused("{\"a\":,\"b\":1}", .unexpectedByte, 5),
    ]

    static let literals: [Refused] = [
        Refused("[nul]", .badLiteral, 1), Refused("[tru]", .badLiteral, 1), Refused("[fals]", .badLiteral, 1),
        Refused("nul", .badLiteral, 0), Refused("tru", .badLiteral, 0), Refused("fals", .badLiteral, 0),
        Refused("n", .badLiteral, 0), Refused("t", .badLiteral, 0), Refused("f", .badLiteral, 0),
        Refused("[True]", .unexpectedByte, 1), Refused("[TRUE]", .unexpectedByte, 1), Refused("[tRUE]", .badLiteral, 1),
        Refused("[None]", .unexpectedByte, 1), Refused("[NULL]", .unexpectedByte, 1), Refused("[nULL]", .badLiteral, 1),
        Refused("truex", .trailingBytes, 4), Refused("nulll", .trailingBytes, 4),
        Refused("[truefalse]", .unexpectedByte, 5),
        Refused("[nan]", .badLiteral, 1), Refused("[NaN]", .unexpectedByte, 1),
        Refused("[undefined]", .unexpectedByte, 1),
        Refused("[Infinity]", .unexpectedByte, 1), Refused("[inf]", .unexpectedByte, 1),
        Refused("[false1]", .unexpectedByte, 6),
    ]

    static let numbers: [Refused] =
        badNumbers.map { Refused("[\($0)]", .badNumber, 1) }
        + runOnNumbers.map { Refused("[\($0)]", .unexpectedByte, 1 + $1) }
        + loneNumbers

    private static let badNumbers: [String] = [
        "-", "-a", "-NaN", "-Infinity", "-foo", "--1", "-.1", "- 1", "-+1", "00", "01", "-01", "-00", "012", "-012",
        "007",
        "0.", "1.", "-1.", "0.e1", "1.e1", "2.e3", "2.e-3", "2.e+3", "0.3e", "0.3e+", "0e", "0e+", "0E", "0E+",
        "1e", "1.0e",
        "1.0e-", "1.0e+", "1e+-2", "1ee2", "9.e+", "1eE2", "1e-", "-1e", "-2.", "-0.",
    ]

    /// With the place of the first byte that is none of a number's.
    private static let runOnNumbers: [(String, Int)] = [
        ("+1", 0), ("++1234", 0), (".5", 0), (".-1", 0), (".2e-3", 0), ("Inf", 0), ("\u{ff11}", 0), ("\u{661}", 0),
        ("$1", 0),
        ("0x1", 1), ("0x42", 1), ("1a", 1), ("1_000", 1), ("1.2a-3", 3), ("1.8011670033376514H-308", 18),
        ("0.1.2", 3),
        ("1+2", 1), ("1-2", 1), ("-1x", 2), ("1 000.0", 2), ("0b1", 1), ("1e1.5", 3), ("1e1e1", 3),
        ("1\u{0}", 1), ("1/2", 1), ("0o7", 1), ("1n", 1),
    ]

    private static let loneNumbers: [Refused] = [
        Refused("-", .badNumber, 0), Refused("1.", .badNumber, 0), Refused("1e", .badNumber, 0),
        Refused("01", .badNumber, 0),
        Refused("1.5.5", .trailingBytes, 3),
    ]

    static let strings: [Refused] = badStrings.map { Refused($0, $1, $2) }

    private static let badStrings: [(String, JSONSyntaxError.Reason, Int)] = [
        ("\"", .unterminated, 1), ("\"a", .unterminated, 2), ("[\"a", .unterminated, 3), ("\"\\\"", .unterminated, 3),
        ("[\"asd]", .unterminated, 6), ("\"\\", .unterminated, 2), ("[\"\\", .unterminated, 3),
        ("\"\\a\"", .badEscape, 1), ("\"\\x00\"", .badEscape, 1), ("\"\\'\"", .badEscape, 1),
        ("\"\\0\"", .badEscape, 1),
        ("\"\\U0041\"", .badEscape, 1), ("\"\\N\"", .badEscape, 1), ("\"\\v\"", .badEscape, 1),
        ("\"\\e\"", .badEscape, 1),
        ("\"\\ \"", .badEscape, 1), ("\"\\\n\"", .badEscape, 1), ("\"\\\t\"", .badEscape, 1),
        ("\"\\é\"", .badEscape, 1),
        ("\"\\\u{0}\"", .badEscape, 1), ("\"\\{\"", .badEscape, 1), ("\"\\1\"", .badEscape, 1),
        ("\"\\\u{1f300}\"", .badEscape, 1),
        ("\"\\u\"", .badEscape, 1), ("\"\\u0\"", .badEscape, 1), ("\"\\u00\"", .badEscape, 1),
        ("\"\\u00A\"", .badEscape, 1),
        ("\"\\u00G0\"", .badEscape, 1), ("\"\\u-123\"", .badEscape, 1), ("\"\\u+123\"", .badEscape, 1),
        ("\"\\u 123\"", .badEscape, 1), ("\"\\u123é\"", .badEscape, 1), ("\"\\uqqqq\"", .badEscape, 1),
        ("\"\\u{41}\"", .badEscape, 1), ("\"\\u0x41\"", .badEscape, 1), ("\"\\uD834\\uDd\"", .badEscape, 7),
        ("\"\\uD800\\u\"", .badEscape, 7), ("\"\\uD800\\u1\"", .badEscape, 7), ("\"\\uD800\\u1x\"", .badEscape, 7),
        ("\"\\uD800\\x\"", .badEscape, 7), ("\"\\uD800\\", .unterminated, 8), ("\"\\ud800", .unterminated, 7),
        ("\"a\u{0}a\"", .controlCharacter, 2), ("\"new\nline\"", .controlCharacter, 4),
        ("\"\t\"", .controlCharacter, 1),
        ("\"\r\"", .controlCharacter, 1), ("\"\u{1f}\"", .controlCharacter, 1),
        ("\"abcdefghi\u{1}\"", .controlCharacter, 10),
        ("{\"a\nb\":1}", .controlCharacter, 3), ("{\"\\x\":1}", .badEscape, 2), ("\"\\\\\\\"", .unterminated, 5),
        ("\"\"\"", .trailingBytes, 2), ("\"a\"b", .trailingBytes, 3), ("\"`\\u007\"", .badEscape, 2),
        ("[\\n]", .unexpectedByte, 1),
    ]

    static let invalidText: [Refused] =
        badSequences.map { Refused(hex: "22 \($0) 22", .invalidUTF8, 1) } + badPlaces

    /// Well-formed UTF-8 is table 3-7 of the Unicode Standard.
    private static let badSequences: [String] = [
        "80", "BF", "C0 80", "C0 AF", "C1 BF", "C2", "C2 22", "C2 C2", "C3 28", "DF 7F", "DF C0", "E0 80 80",
        "E0 9F BF",
        "E0 A0", "E0 A0 7F", "E0 A0 C0", "E0 FF", "E1 80", "E1 80 C0", "E1 7F 80", "E2 82", "ED A0 80", "ED AF BF",
        "ED B0 80",
        "ED BF BF", "ED A0 80 ED B0 80", "EF BF", "F0 80 80 80", "F0 8F BF BF", "F0 90 80", "F0 90 80 7F",
        "F0 90 80 C0",
        "F0 9F 98", "F1 80 80", "F1 C0 80 80", "F4 90 80 80", "F4 BF BF BF", "F4 8F BF", "F5 80 80 80",
        "F7 BF BF BF",
        "F8 88 80 80 80", "FC 84 80 80 80 80", "FE", "FF", "FF FE", "E9", "E7 E3 6F", "81", "E6 97 E6",
        "FC 83 BF BF BF BF",
    ]

    private static let badPlaces: [Refused] = [
        Refused(hex: "5B 22 61 62 63 64 65 66 67 68 FF 22 5D", .invalidUTF8, 10),
        Refused(hex: "7B 22 B9 22 3A 22 30 22 7D", .invalidUTF8, 2),
        Refused(hex: "5B 22 E5", .invalidUTF8, 2), Refused(hex: "5B 22 E2 82", .invalidUTF8, 2),
        Refused(hex: "5B FF 5D", .unexpectedByte, 1), Refused(hex: "FF", .unexpectedByte, 0),
        Refused(hex: "E5", .unexpectedByte, 0),
        Refused(hex: "5B 31 E5 5D", .unexpectedByte, 2), Refused(hex: "5B 30 E5 5D", .unexpectedByte, 2),
        Refused(hex: "5B 31 65 31 E5 5D", .unexpectedByte, 4), Refused(hex: "22 5C E5 22", .badEscape, 1),
        Refused(hex: "22 5C 75 E5 22", .badEscape, 1), Refused(hex: "EF BB BF", .byteOrderMark, 0),
        Refused(hex: "EF BB BF 7B 7D", .byteOrderMark, 0), Refused(hex: "EF BB", .unexpectedByte, 0),
        Refused(hex: "FE FF 00 5B 00 5D", .unexpectedByte, 0),
        Refused(hex: "FF FE 5B 00 5D 00", .unexpectedByte, 0),
        Refused(hex: "00 5B 00 5D", .unexpectedByte, 0), Refused(hex: "5B 00 5D 00", .unexpectedByte, 1),
        Refused(hex: "5B 22 FF 22 5D", .invalidUTF8, 2),
        Refused(hex: "5B 00 22 00 E9 00 22 00 5D", .unexpectedByte, 1),
    ]
}
