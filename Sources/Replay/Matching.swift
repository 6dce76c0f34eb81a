import JSONBytes
import StrictConfig

/// A place where something else came than was wanted.
struct Difference: Sendable {
    let pointer: JSONPointer
    let want: String
    let got: String
}

/// Compares JSON with what a spec wants: members in any order, everything else exactly, and where a value is not fixed
/// a matcher, an object of one member whose name begins with `$`.
enum Matching {
    /// `{"$is": …}`
    enum Form: String, CaseIterable {
        /// A string that is not empty.
        case id, text
        case number
        /// Whatever it is, as long as it is there.
        case anything
        /// Not there. For members of objects only.
        case absent
    }

    static let matchers = ["$is", "$has", "$contains"]

    /// Reports what a matcher cannot be given.
    static func check(_ matcher: String, _ argument: ConfigNode) {
        switch matcher {
        case "$is": _ = argument.choice(Form.self)
        case "$has": if argument.kind != .object { argument.expected("an object") }
        default: _ = argument.string()
        }
    }

    /// - Parameters:
    ///   - got: nil when there is nothing.
    ///   - partial: members that are not wanted may be there.
    static func compare(
        _ want: JSONValue, _ got: JSONValue?, at pointer: JSONPointer, partial: Bool = false,
        _ differences: inout [Difference]
    ) {
        func differ() {
            differences.append(Difference(pointer: pointer, want: shown(want), got: got.map(shown) ?? "nothing"))
        }
        if let matcher = want.members.first, want.members.count == 1, matcher.key.hasPrefix("$") {
            if matcher.key == "$has", got?.kind == .object {
                return compare(matcher.value, got, at: pointer.appending("$has"), partial: true, &differences)
            }
            if !fits(matcher.key, matcher.value, got) { differ() }
            return
        }
        guard let got, got.kind == want.kind else { return differ() }
        switch want.kind {
        case .null, .true, .false: break
        case .number: if got.source != want.source { differ() }
        case .string: if Array((got.string ?? "").utf8) != Array((want.string ?? "").utf8) { differ() }
        case .array:
            let (wanted, came) = (want.elements, got.elements)
            for index in 0..<max(wanted.count, came.count) {
                let place = pointer.appending(index)
                guard index < wanted.count else {
                    differences.append(Difference(pointer: place, want: "nothing", got: shown(came[index])))
                    continue
                }
                guard index < came.count else {
                    differences.append(Difference(pointer: place, want: shown(wanted[index]), got: "nothing"))
                    continue
                }
                compare(wanted[index], came[index], at: place, &differences)
            }
        case .object:
            for member in want.members {
                compare(member.value, got[member.key], at: pointer.appending(member.key), &differences)
            }
            var names: Set<String> = []
            for member in got.members {
                let place = pointer.appending(member.key)
                if !names.insert(member.key).inserted {
                    differences.append(Difference(pointer: place, want: "one member of this name", got: "several"))
                } else if !partial, want[member.key] == nil {
                    differences.append(Difference(pointer: place, want: "nothing", got: shown(member.value)))
                }
            }
        }
    }

    private static func fits(_ matcher: String, _ argument: JSONValue, _ got: JSONValue?) -> Bool {
        switch (matcher, argument.string.flatMap(Form.init(rawValue:))) {
        case ("$is", .absent): got == nil
        case ("$is", .anything): got != nil
        case ("$is", .id), ("$is", .text): got?.string?.isEmpty == false
        case ("$is", .number): got?.kind == .number
        case ("$contains", _): argument.string.map { got?.string?.contains($0) == true } ?? false
        default: false
        }
    }

    /// JSON on one line, cut where it is long.
    static func shown(_ value: JSONValue) -> String {
        var text = ""
        write(value, to: &text)
        return text.count > 400 ? text.prefix(400) + "…" : text
    }

    private static func write(_ value: JSONValue, to text: inout String) {
        switch value.kind {
        case .array:
            text += "["
            for (index, element) in value.elements.enumerated() {
                if index > 0 { text += ", " }
                write(element, to: &text)
            }
            text += "]"
        case .object:
            text += "{"
            for (index, member) in value.members.enumerated() {
                text += index > 0 ? ", \"\(member.key)\": " : "\"\(member.key)\": "
                write(member.value, to: &text)
            }
            text += "}"
        default: text += String(decoding: value.source, as: UTF8.self)
        }
    }
}
