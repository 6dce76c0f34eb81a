import JSONBytes
import Testing

/// A document on which RFC 8259 leaves the reader free, and what ours does with it.
///
/// | case | RFC 8259 | here |
/// | --- | --- | --- |
/// | numbers too large, too small or too precise for a double | section 6: limits are free | accepted; the digits are kept, `double` is nil beyond its range, 0 below it |
/// | integers of more than 64 bits | section 6 | accepted; `int` is nil, `scalarText` has all digits |
/// | an escaped surrogate without its other half | section 8.2: unpredictable | accepted; reads as U+FFFD and `hasLoneSurrogate` says so |
/// | invalid UTF-8, overlong forms, UTF-8 of surrogates, Latin-1 | section 8.1: must be UTF-8 | refused |
/// | UTF-16 and UTF-32, with or without a mark | section 8.1 | refused |
/// | a byte order mark before UTF-8 | section 8.1: may be ignored | refused, with that reason |
/// | repeated keys | section 4: unpredictable | accepted; `members` has all, a lookup answers the last |
/// | nesting | section 9: limits are free | refused beyond `JSONLimits.depth`, 128 unless asked |
/// | length | section 9 | refused beyond `JSONLimits.bytes`, 256 MiB unless asked |
struct Open: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        case number(int: Int?, double: Double?)
        case text(String, lone: Bool)
        case refused(JSONSyntaxError.Reason, Int)
    }

    let name: String
    let bytes: [UInt8]
    let outcome: Outcome
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ outcome: Outcome) {
        self.name = name
        bytes = Array(text.utf8)
        self.outcome = outcome
    }

    init(_ name: String, hex text: String, _ outcome: Outcome) {
        self.name = name
        bytes = hex(text) ?? []
        self.outcome = outcome
    }
}

extension Open {
    static let all = numbers + surrogates + encodings

    static let numbers: [Open] = [
        Open("double, huge negative exponent", "123.456e-789", .number(int: nil, double: 0)),
        Open("double, underflow", "123e-10000000", .number(int: nil, double: 0)),
        Open(
            "double, exponent of many digits", "0.4e\(String(repeating: "0", count: 60))66999",
            .number(int: nil, double: nil)),
        Open("double, negative overflow", "-1e+9999", .number(int: nil, double: nil)),
        Open("double, positive overflow", "1.5e+9999", .number(int: nil, double: nil)),
        Open("double, overflow of an integer", "-123123e100000", .number(int: nil, double: nil)),
        Open("double, just beyond", "1e309", .number(int: nil, double: nil)),
        Open("double, largest", "1.7976931348623157e308", .number(int: nil, double: .greatestFiniteMagnitude)),
        Open("double, smallest", "5e-324", .number(int: nil, double: .leastNonzeroMagnitude)),
        Open("integer beyond 64 bits", "100000000000000000000", .number(int: nil, double: 1e20)),
        Open(
            "integer beyond 64 bits, negative", "-123123123123123123123123123123",
            .number(int: nil, double: -1.2312312312312312e29)),
        Open("integer, largest", "9223372036854775807", .number(int: .max, double: 0x1p63)),
        Open("integer, smallest", "-9223372036854775808", .number(int: .min, double: -0x1p63)),
        Open("integer, one beyond", "9223372036854775808", .number(int: nil, double: 0x1p63)),
        Open(
            "integer that a double rounds", "9007199254740993",
            .number(int: 9_007_199_254_740_993, double: 9_007_199_254_740_992)),
        Open("negative zero", "-0", .number(int: 0, double: 0)),
        Open("integer written as a fraction", "1.0", .number(int: nil, double: 1)),
        Open("integer written with an exponent", "1e3", .number(int: nil, double: 1000)),
        Open("integer of a thousand digits", String(repeating: "9", count: 1000), .number(int: nil, double: nil)),
    ]

    static let surrogates: [Open] = [
        Open("high, alone", "\"\\uDADA\"", .text("\u{fffd}", lone: true)),
        Open("high, then text", "\"\\ud800abc\"", .text("\u{fffd}abc", lone: true)),
        Open("high, then another escape", "\"\\uD800\\n\"", .text("\u{fffd}\n", lone: true)),
        Open("high, then a letter's escape", "\"\\uD888\\u1234\"", .text("\u{fffd}\u{1234}", lone: true)),
        Open("two highs", "\"\\uD800\\uD800\"", .text("\u{fffd}\u{fffd}", lone: true)),
        Open("two highs, then text", "\"\\uD800\\uD800\\n\"", .text("\u{fffd}\u{fffd}\n", lone: true)),
        Open("high, then a pair", "\"\\uD800\\uD834\\uDD1E\"", .text("\u{fffd}\u{1d11e}", lone: true)),
        Open("pair, then a high", "\"\\uD834\\uDD1E\\uD800\"", .text("\u{1d11e}\u{fffd}", lone: true)),
        Open("low, alone", "\"\\uDFAA\"", .text("\u{fffd}", lone: true)),
        Open("low, then text", "\"\\udc00abc\"", .text("\u{fffd}abc", lone: true)),
        Open("halves exchanged", "\"\\uDd1e\\uD834\"", .text("\u{fffd}\u{fffd}", lone: true)),
        Open("high, then an escaped backslash", "\"\\ud800\\\\udc00\"", .text("\u{fffd}\\udc00", lone: true)),
        Open("highest high, alone", "\"\\udbff\"", .text("\u{fffd}", lone: true)),
        Open("lowest low, alone", "\"\\udc00\"", .text("\u{fffd}", lone: true)),
        Open("pair", "\"\\ud834\\udd1e\"", .text("\u{1d11e}", lone: false)),
        Open("replacement character itself", "\"\\ufffd\u{fffd}\"", .text("\u{fffd}\u{fffd}", lone: false)),
    ]

    static let encodings: [Open] = [
        Open("UTF-8 mark, empty object", hex: "EF BB BF 7B 7D", .refused(.byteOrderMark, 0)),
        Open("UTF-16, big-endian", hex: "00 5B 00 22 00 E9 00 22 00 5D", .refused(.unexpectedByte, 0)),
        Open("UTF-16, little-endian", hex: "5B 00 22 00 E9 00 22 00 5D 00", .refused(.unexpectedByte, 1)),
        Open("UTF-16, little-endian, mark", hex: "FF FE 5B 00 22 00 E9 00 22 00 5D 00", .refused(.unexpectedByte, 0)),
        Open("UTF-32, big-endian", hex: "00 00 00 5B 00 00 00 5D", .refused(.unexpectedByte, 0)),
        Open("Latin-1", hex: "5B 22 E9 22 5D", .refused(.invalidUTF8, 2)),
        Open("lone continuation byte", hex: "5B 22 81 22 5D", .refused(.invalidUTF8, 2)),
        Open("overlong, two bytes", hex: "5B 22 C0 AF 22 5D", .refused(.invalidUTF8, 2)),
        Open("overlong, six bytes", hex: "5B 22 FC 83 BF BF BF BF 22 5D", .refused(.invalidUTF8, 2)),
        Open("overlong, six bytes of zero", hex: "5B 22 FC 80 80 80 80 80 22 5D", .refused(.invalidUTF8, 2)),
        Open("surrogate in UTF-8", hex: "5B 22 ED A0 80 22 5D", .refused(.invalidUTF8, 2)),
        Open("beyond Unicode", hex: "5B 22 F4 BF BF BF 22 5D", .refused(.invalidUTF8, 2)),
        Open("cut sequence", hex: "5B 22 E0 FF 22 5D", .refused(.invalidUTF8, 2)),
        Open("text, then bytes of no encoding", hex: "5B 22 E6 97 A5 D1 88 FA 22 5D", .refused(.invalidUTF8, 7)),
    ]
}
