extension PhoneNumber {
    /// Reads one number as people and systems write it: with or without `+55`, `0055`, a trunk 0, a carrier code,
    /// punctuation or an extension, which is left out.
    ///
    /// Digits without `+` or `00` that can be a Brazilian number are one; but where the context's source is the caller
    /// and they are a mobile of another country as well, they are that (`51 9…` with eleven digits: Peru rather than
    /// Porto Alegre), unless a parenthesis or slash marks the area code. Anything else is a foreign number when its
    /// country code is assigned: 7 to 15 digits after `+` or `00`, 10 to 15 otherwise. Numbers without an area code are
    /// read only when the context names one.
    /// - Returns: nil when the text holds no usable number, or several.
    public init?(_ text: String, context: PhoneContext = PhoneContext()) {
        self.init(text, context: context, whole: false)
    }

    /// - Parameter whole: refuse an extension rather than leave it out.
    init?(_ text: String, context: PhoneContext, whole: Bool) {
        var text = text
        guard let number = text.withUTF8({ PhoneNumber(utf8: $0, context: context, whole: whole) }) else { return nil }
        self = number
    }

    /// The same, from UTF-8.
    public init?(utf8 bytes: UnsafeBufferPointer<UInt8>, context: PhoneContext = PhoneContext()) {
        self.init(utf8: bytes, context: context, whole: false)
    }

    init?(utf8 bytes: UnsafeBufferPointer<UInt8>, context: PhoneContext, whole: Bool) {
        guard let spelling = PhoneSpelling(bytes, whole: whole), let number = spelling.number(context) else {
            return nil
        }
        self = number
    }

    /// Reads every number in a field that may hold several (`11 99999-9999 / 3333-4444`), in order, once each.
    public static func all(in text: String, context: PhoneContext = PhoneContext()) -> [PhoneNumber] {
        var numbers: [PhoneNumber] = []
        var text = text
        text.withUTF8 { bytes in
            each(utf8: bytes, context: context) { if !numbers.contains($0) { numbers.append($0) } }
        }
        return numbers
    }

    /// The same, from UTF-8, without an array: `body` gets each number, repeated ones included.
    public static func each(
        utf8 bytes: UnsafeBufferPointer<UInt8>, context: PhoneContext = PhoneContext(), _ body: (PhoneNumber) -> Void
    ) {
        // Nearly always there is one.
        if let spelling = PhoneSpelling(bytes, whole: true), !spelling.slash, let number = spelling.number(context) {
            return body(number)
        }
        var area = context.areaCode
        var none = true
        func read(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
            let here = PhoneContext(areaCode: area, source: context.source)
            guard let number = PhoneNumber(utf8: piece, context: here, whole: true) else { return false }
            body(number)
            none = false
            // The second of two numbers often leaves out the area code of the first.
            if let parts = number.brazilianParts { area = parts.area }
            return true
        }
        PhonePieces.each(bytes) { piece, digits in
            if !read(piece), digits > 11 {
                PhonePieces.words(piece) { words, isLast in (isLast || PhoneNumber(utf8: words) != nil) && read(words) }
            }
        }
        if none, let whole = PhoneNumber(utf8: bytes, context: context), whole.isBrazilian { body(whole) }
    }
}

/// The digits of one number, and what its spelling says about them.
private struct PhoneSpelling {
    /// The number without its leading zeros.
    private var digits: UInt64 = 0
    private var count = 0
    private var zeros = 0
    private var plus = false
    /// It holds a slash, which may stand between an area code and a number or between two numbers.
    private(set) var slash = false
    /// It begins with a parenthesis: what follows is an area code, unless a + says otherwise.
    private var bracket = false

    init?(_ bytes: UnsafeBufferPointer<UInt8>, whole: Bool) {
        var index = 0
        var end = bytes.count
        while end > 0, 0x09...0x20 ~= bytes[end - 1] { end -= 1 }
        while index < end, 0x09...0x20 ~= bytes[index] { index += 1 }
        while index < end {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "0") where count == 0:
                zeros += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard count < 17 else { return nil }
                digits = digits * 10 + UInt64(byte &- 0x30)
                count += 1
            case UInt8(ascii: " "), UInt8(ascii: ")"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), 0x09:
                continue
            case UInt8(ascii: "("):
                if count == 0 { bracket = true }
            case UInt8(ascii: "+"):
                guard count == 0, zeros == 0, !plus else { return nil }
                plus = true
            case UInt8(ascii: "/"):
                slash = true
            case UInt8(ascii: "x") where count == 0 && zeros == 1, UInt8(ascii: "X") where count == 0 && zeros == 1:
                // 0xx11: any carrier code.
                continue
            default:
                let blank = byte < 0x80 ? 0 : Punctuation.length(bytes, index - 1)
                if blank > 0 {
                    index += blank - 1
                    continue
                }
                // What follows a whole number is an extension ("ramal 12"), unless it is another number; before it, the
                // text is no number.
                guard !whole, count >= 8, PhoneSpelling.startsExtension(byte),
                    bytes[index...].count(where: { $0 &- 0x30 < 10 }) < 8
                else { return nil }
                return
            }
        }
    }

    private static func startsExtension(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "*")
            || byte == UInt8(ascii: ":")
    }

    /// The number that they are.
    func number(_ context: PhoneContext) -> PhoneNumber? {
        guard count >= 7, let number = plus || zeros >= 2 ? international : domestic(context) else { return nil }
        let national = slash || (bracket && !plus && zeros < 2)
        return national && !number.isBrazilian ? nil : number
    }

    /// After `+` or `00`.
    private var international: PhoneNumber? {
        if leads(55) { return brazilianWithCountry }
        let marked = plus ? zeros == 0 : zeros == 2
        if marked, let foreign = PhonePlan.foreign(digits, count) { return PhoneNumber(e164: foreign) }
        // No such country: zeros that fill up a field, or a + before the area code.
        return brazilian
    }

    private func domestic(_ context: PhoneContext) -> PhoneNumber? {
        if zeros == 0, count >= 12, leads(55) { return brazilianWithCountry }
        if context.source == .caller, zeros == 0, !bracket, !slash, ForeignMobiles.contain(digits, count) {
            return PhoneNumber(e164: digits)
        }
        if let brazilian { return brazilian }
        switch count {
        case 8, 9:
            guard let code = context.areaCode, code > 0, PhonePlan.isAreaCode(UInt64(code)), !isNationwide else {
                return nil
            }
            let national = UInt64(code) * PhonePlan.power(count) + digits
            return PhonePlan.isNational(national, count + 2) ? brazil(national, count + 2) : nil
        case 12, 13:
            guard zeros == 1 else { break }
            // Trunk 0 and a carrier code, or a stray 0 before 55: two digits too many either way.
            let national = digits % PhonePlan.power(count - 2)
            return PhonePlan.isNational(national, count - 2) ? brazil(national, count - 2) : nil
        default: break
        }
        // Fewer than ten digits, a trunk 0 left out, could be anything.
        guard zeros == 0, !isFiller, let foreign = PhonePlan.foreign(digits, count), foreign >= PhonePlan.power(9)
        else {
            return nil
        }
        return PhoneNumber(e164: foreign)
    }

    /// Area code and subscriber number, or 0800 and the like.
    private var brazilian: PhoneNumber? {
        if PhonePlan.isNational(digits, count) { return brazil(digits, count) }
        return zeros <= 1 && count == 10 && PhonePlan.isService(digits) ? brazil(digits, count) : nil
    }

    /// 55 and a national number, with a needless trunk 0 between them or without, and a carrier code behind that.
    private var brazilianWithCountry: PhoneNumber? {
        if 15...16 ~= count {
            let national = digits % PhonePlan.power(count - 5)
            let isTrunk = digits / PhonePlan.power(count - 3) == 550
            return isTrunk && PhonePlan.isNational(national, count - 5) ? brazil(national, count - 5) : nil
        }
        guard 12...14 ~= count else { return nil }
        let rest = digits % PhonePlan.power(count - 2)
        let length = rest < PhonePlan.power(count - 3) ? count - 3 : count - 2
        guard PhonePlan.isNational(rest, length) || (length == 10 && PhonePlan.isService(rest)) else { return nil }
        return brazil(rest, length)
    }

    private func brazil(_ national: UInt64, _ length: Int) -> PhoneNumber {
        PhoneNumber(e164: 55 * PhonePlan.power(length) + national)
    }

    private func leads(_ code: UInt64) -> Bool { digits / PhonePlan.power(count - 2) == code }

    /// 4004-1234 and the like: the same everywhere, never behind an area code.
    private var isNationwide: Bool { count == 8 && PhonePlan.isNationwide(digits) }

    /// (11) 1111-1111 and the like: it has the shape of a national number and cannot be one.
    private var isFiller: Bool {
        count <= 11 && PhonePlan.isAreaCode(digits / PhonePlan.power(count - 2))
            && digits % 10_000_000 % 1_111_111 == 0
    }
}
