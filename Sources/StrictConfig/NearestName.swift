/// Suggestions for misspelt names.
public enum NearestName {
    /// The known name that takes the fewest edits, when it is near enough to be meant.
    public static func of(_ name: String, in known: [String]) -> String? {
        let scored = known.map { (name: $0, distance: distance(name.lowercased(), $0.lowercased())) }
        guard let best = scored.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        let length = best.name.count
        return best.distance <= max(1, length / 3) && best.distance < length ? best.name : nil
    }

    /// `unknown member "phne": did you mean "phone"? Known: …`
    public static func unknown(_ what: String, _ name: String, _ known: [String]) -> String {
        let scalars = name.unicodeScalars
        let shown = printable(String(String.UnicodeScalarView(scalars.prefix(60)))) + (scalars.count > 60 ? "…" : "")
        guard !known.isEmpty else { return "unknown \(what) \"\(shown)\": none is allowed here" }
        let guess = of(name, in: known).map { ": did you mean \"\($0)\"?" } ?? "."
        return "unknown \(what) \"\(shown)\"\(guess) Known: \(known.sorted().joined(separator: ", "))"
    }

    /// A text from a file on one line and without anything that moves a terminal's cursor.
    package static func printable(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// Edit distance with transpositions of neighbours (optimal string alignment).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(80)), b = Array(b.prefix(80))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
