/// Takes a field that holds several numbers apart.
enum PhonePieces {
    /// Calls `body` with each part that may be a number, and its number of digits.
    static func each(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>, Int) -> Void) {
        var start = 0
        var digits = 0
        var onlyZeros = true
        func end(at index: Int, resume: Int) {
            if digits > 0 { body(UnsafeBufferPointer(rebasing: bytes[start..<index]), digits) }
            start = resume
            digits = 0
            onlyZeros = true
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            var length = 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if byte != UInt8(ascii: "0") { onlyZeros = false }
            case UInt8(ascii: " "), UInt8(ascii: ")"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), 0x09:
                break
            case UInt8(ascii: "("), UInt8(ascii: "+"):
                if digits >= 8 { end(at: index, resume: index) }
            case UInt8(ascii: "/"):
                // 11/99999-9999: after an area code it parts nothing.
                if digits > 3 || digits == 1 { end(at: index, resume: index + 1) }
            case UInt8(ascii: "x") where digits == 1 && onlyZeros, UInt8(ascii: "X") where digits == 1 && onlyZeros:
                break
            default:
                let blank = byte < 0x80 ? 0 : Punctuation.length(bytes, index)
                if blank > 0 {
                    length = blank
                } else {
                    length = PhoneExtension.length(bytes, index) ?? 1
                    end(at: index, resume: index + length)
                }
            }
            index += length
        }
        end(at: bytes.count, resume: bytes.count)
    }

    /// Numbers that only blanks and dashes part: `body` gets the words from one on, more and more of them, until it
    /// says that they were a number; and whether two blanks, a dash of its own or the end follow.
    static func words(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>, Bool) -> Bool) {
        var start = 0
        for index in 0...bytes.count where index == bytes.count || bytes[index] == UInt8(ascii: " ") {
            // Nothing so long is one number, and no field may cost the square of its length.
            if index - start > 64 { start = index }
            let rest = bytes[index...]
            // 1. 11 99999-9999
            if isListNumber(bytes[start..<index]) {
                start = index
                continue
            }
            let isLast = rest.isEmpty || rest.starts(with: " - ".utf8) || rest.starts(with: "  ".utf8)
            if body(UnsafeBufferPointer(rebasing: bytes[start..<index]), isLast) { start = index }
        }
    }

    /// Whether a word is the number of a list's entry: one digit, and a dot or a parenthesis.
    private static func isListNumber(_ word: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var digits = 0
        for byte in word {
            switch byte {
            case UInt8(ascii: "1")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: " "), UInt8(ascii: "("): continue
            case UInt8(ascii: "."), UInt8(ascii: ")"): if digits != 1 { return false }
            default: return false
            }
        }
        return digits == 1 && (word.last == UInt8(ascii: ".") || word.last == UInt8(ascii: ")"))
    }
}

/// What follows a word such as "ramal": digits that belong to no number.
enum PhoneExtension {
    /// Words that stand before nothing else.
    private static let certain = [
        "ramal", "ramais", "ram", "rm", "ext", "extens", "sala", "apto", "apt", "ap", "apartamento", "bloco", "lote",
    ]
    /// Words that may stand before a number, too (`r` is a residence as well): only where nothing else follows.
    private static let uncertain = ["r", "x"]

    /// Length in bytes of such a word and its digits at an offset; nil when there is none.
    static func length(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int? {
        guard offset == 0 || !isLetter(bytes[offset - 1]) else { return nil }
        var word = ""
        var index = offset
        while index < bytes.count, isLetter(bytes[index]) {
            // Letters beyond ASCII stand in no word of the list but "extensão", of which the beginning counts.
            if bytes[index] >= 0x80 {
                if word != "extens" { return nil }
            } else if word != "extens" {
                word.unicodeScalars.append(Unicode.Scalar(bytes[index] | 0x20))
            }
            index += 1
            if word.utf8.count > 12 { return nil }
        }
        if word.isEmpty {
            guard bytes[offset] == UInt8(ascii: "#") else { return nil }
            index += 1
        }
        let isCertain = certain.contains(word)
        guard isCertain || word.isEmpty || uncertain.contains(word) else { return nil }
        while index < bytes.count, isMark(bytes[index]) { index += 1 }
        let first = index
        while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
        guard 1...5 ~= index - first else { return nil }
        // A hyphen or a dot inside digits: a number of its own.
        if index + 1 < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "."),
            bytes[index + 1] &- 0x30 < 10
        {
            return nil
        }
        if !isCertain {
            let next = bytes[index...].first { $0 != UInt8(ascii: " ") } ?? UInt8(ascii: "/")
            guard next &- 0x30 >= 10, next != UInt8(ascii: "("), next != UInt8(ascii: "+") else { return nil }
        }
        return index - offset
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= 0x80 || (byte | 0x20) &- 0x61 < 26 }

    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "#")
    }
}
