import ClientContract
import Glibc
import JSONBytes

/// Small reading of JSON that all of this driver does.
enum FHIRText {
    /// The elements of an array; a single value counts as an array of one, since some servers forget the brackets.
    static func elements(_ view: JSONView, _ index: Int) -> [Int] {
        guard index >= 0 else { return [] }
        guard view.kind(index) == .array else { return view.kind(index) == .object ? [index] : [] }
        var elements: [Int] = []
        var child = index + 1
        let end = view.next(index)
        while child < end {
            elements.append(child)
            child = view.next(child)
        }
        return elements
    }

    /// A member's value that is not null.
    static func member(_ view: JSONView, _ object: Int, _ name: StaticString) -> Int? {
        guard object >= 0, view.kind(object) == .object else { return nil }
        let end = view.next(object)
        var key = object + 1
        var found: Int?
        name.withUTF8Buffer { name in
            while key < end {
                if view.text(key, equals: name), view.kind(key + 1) != .null { found = key + 1 }
                key = view.next(key + 1)
            }
        }
        return found
    }

    static func name(_ view: JSONView, _ key: Int) -> String { string(view, key) }

    static func equals(_ view: JSONView, _ index: Int, _ text: String) -> Bool {
        guard view.kind(index) == .string else { return false }
        var text = text
        return text.withUTF8 { view.text(index, equals: $0) }
    }

    /// The text of a string, or the digits of a number.
    static func string(_ view: JSONView, _ index: Int) -> String {
        view.isEscaped(index)
            ? String(decoding: view.decoded(index), as: UTF8.self) : String(decoding: view.slice(index), as: UTF8.self)
    }

    /// Whether a scalar holds anything but blanks.
    static func isFilled(_ view: JSONView, _ index: Int) -> Bool {
        switch view.kind(index) {
        case .string, .number: view.slice(index).contains { $0 > 0x20 }
        default: false
        }
    }

    static func isEmail(_ view: JSONView, _ index: Int) -> Bool {
        view.kind(index) == .string && PersonText.isEmail(PersonText.trimmed(string(view, index)))
    }

    static func cpf(_ view: JSONView, _ index: Int) -> CPF? {
        let isNumber = view.kind(index) == .number
        guard isNumber || view.kind(index) == .string else { return nil }
        return view.isEscaped(index) ? CPF(string(view, index)) : CPF(utf8: view.slice(index), padding: isNumber)
    }

    /// The CPF that a value holds.
    static func cpf(_ value: JSONValue?) -> CPF? {
        value.flatMap { value in value.document.withView { cpf($0, value.index) } }
    }

    /// Sets a member from a text: its bytes where nothing must be trimmed.
    static func set(_ field: ClientField, _ view: JSONView, _ index: Int, _ builder: inout ClientBuilder) {
        let slice = view.slice(index)
        // Beyond ASCII and behind a backslash, a blank has other spellings.
        let isPlain =
            !view.isEscaped(index) && (slice.first ?? 0x20) &- 0x21 < 0x5E && (slice.last ?? 0x20) &- 0x21 < 0x5E
        if isPlain {
            builder.set(field, view, index)
        } else {
            builder.set(field, PersonText.trimmed(string(view, index)))
        }
    }

    /// Today in UTC, `YYYY-MM-DD`.
    static func today() -> String {
        var seconds = time(nil)
        var date = tm()
        gmtime_r(&seconds, &date)
        return Birthday(year: Int(date.tm_year) + 1900, month: Int(date.tm_mon) + 1, day: Int(date.tm_mday))?.iso ?? ""
    }
}
