/// The numbering plans, as far as telling numbers apart needs them.
enum PhonePlan {
    /// Ten to the power of 0 to 18.
    static func power(_ exponent: Int) -> UInt64 {
        var value: UInt64 = 1
        var rest = exponent
        while rest > 0 {
            value *= 10
            rest -= 1
        }
        return value
    }

    /// Whether digits are a Brazilian area code and a subscriber number that can exist behind it: nine digits that
    /// begin with 9, or eight that begin with 2 to 9 (6 to 9 for mobiles of before the ninth digit).
    static func isNational(_ national: UInt64, _ count: Int) -> Bool {
        switch count {
        case 10: isAreaCode(national / 100_000_000) && national / 10_000_000 % 10 >= 2
        case 11: isAreaCode(national / 1_000_000_000) && national / 100_000_000 % 10 == 9
        default: false
        }
    }

    /// Whether ten digits are a number without an area code, its 0 left out: 0300, 0303, 0500, 0800, 0900.
    static func isService(_ national: UInt64) -> Bool {
        switch national / 10_000_000 {
        case 300, 303, 500, 800, 900: true
        default: false
        }
    }

    /// Whether eight digits are a number without an area code: 300X, 400X, 4020, 4370, 4864.
    static func isNationwide(_ digits: UInt64) -> Bool {
        switch digits / 10_000 {
        case 3000...3009, 4000...4009, 4020, 4370, 4864: true
        default: false
        }
    }

    /// The 67 area codes in use (Anatel, Código Nacional).
    static func isAreaCode(_ code: UInt64) -> Bool {
        switch code {
        case 11...19, 21, 22, 24, 27, 28, 31...35, 37, 38, 41...49, 51, 53...55, 61...69, 71, 73...75, 77, 79, 81...89,
            91...99:
            true
        default: false
        }
    }

    /// The number of another country that digits are, its code included; nil where none can be: the code is assigned
    /// (ITU-T E.164, list of country codes) and, for North America and Russia, the length fits. A trunk 0 between the
    /// code and the number (`+44 (0)20 …`) is left out.
    static func foreign(_ digits: UInt64, _ count: Int) -> UInt64? {
        guard 7...15 ~= count, let length = codeLength(digits, count) else { return nil }
        let code = digits / power(count - length)
        let national = digits % power(count - length)
        switch code {
        // Area and exchange codes begin with 2 to 9.
        case 1:
            let plausible = national / 1_000_000_000 >= 2 && national / 1_000_000 % 10 >= 2
            return count == 11 && plausible ? digits : nil
        case 7: return count == 11 ? digits : nil
        default: break
        }
        guard national < power(count - length - 1), !keepsZero(code) else { return digits }
        guard count > 7, national >= power(count - length - 2) else { return nil }
        return code * power(count - length - 1) + national
    }

    /// How many of the digits are the country code; nil where it is not assigned.
    private static func codeLength(_ digits: UInt64, _ count: Int) -> Int? {
        let three = digits / power(count - 3)
        switch three / 100 {
        case 1, 7: return 1
        default: break
        }
        switch three / 10 {
        case 20, 27, 30...34, 36, 39...41, 43...49, 51...54, 56...58, 60...66, 81, 82, 84, 86, 90...95, 98: return 2
        default: break
        }
        switch three {
        case 211...213, 216, 218, 220...258, 260...269, 290, 291, 297...299, 350...359, 370...378, 380...383, 385...387,
            389, 420, 421, 423, 500...509, 590...599, 670, 672...683, 685...692, 800, 808, 850, 852, 853, 855, 856, 870,
            878, 880...883, 886, 888, 960...968, 970...977, 979, 992...996, 998:
            return 3
        default: return nil
        }
    }

    /// Whether the numbers behind a country code may begin with 0: Italy, and whoever has no trunk 0.
    private static func keepsZero(_ code: UInt64) -> Bool {
        switch code {
        case 39, 225, 226, 229, 241, 242, 250, 378, 800, 881, 888, 992: true
        default: false
        }
    }
}

/// Characters that carry nothing: blanks, dashes and the invisible marks that copying a number brings along.
enum Punctuation {
    /// Length in bytes of such a character beyond ASCII at an offset; 0 when it is another.
    static func length(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int {
        let left = bytes.count - offset
        switch bytes[offset] {
        // No-break space, soft hyphen.
        case 0xC2 where left >= 2:
            return bytes[offset + 1] == 0xA0 || bytes[offset + 1] == 0xAD ? 2 : 0
        case 0xE2 where left >= 3:
            switch (bytes[offset + 1], bytes[offset + 2]) {
            // U+2000 to U+2015: spaces, zero widths, direction marks, dashes; U+202A to U+202F: directions, narrow space.
            case (0x80, 0x80...0x95), (0x80, 0xAA...0xAF): return 3
            // U+2060 to U+2069: word joiner, isolates; U+2212: minus.
            case (0x81, 0xA0...0xA9), (0x88, 0x92): return 3
            default: return 0
            }
        // Byte order mark.
        case 0xEF where left >= 3:
            return bytes[offset + 1] == 0xBB && bytes[offset + 2] == 0xBF ? 3 : 0
        default:
            return 0
        }
    }
}
