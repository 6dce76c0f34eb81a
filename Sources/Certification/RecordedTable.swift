/// The capability table in a driver's page: what stands between two comments, so that the page and the code cannot
/// drift apart.
public enum RecordedTable {
    /// - Parameter name: the profile's, where a page has tables of several.
    private static func begin(_ name: String?) -> String {
        let subject = name.map { " of \($0)" } ?? ""
        return "<!-- capabilities\(subject): written by the certification, see docs/conformance.md -->\n"
    }
    private static let end = "<!-- end of capabilities -->"

    /// The table in a page; nil where the page has no place for one.
    public static func table(of name: String, in page: String) -> String? {
        place(of: name, in: page).map { String(page[$0]) }
    }

    /// The page with another table; nil where it has no place for one.
    public static func page(_ page: String, with table: String, of name: String) -> String? {
        place(of: name, in: page).map { page.replacingCharacters(in: $0, with: table) }
    }

    private static func place(of name: String, in page: String) -> Range<String.Index>? {
        guard let begin = page.firstRange(of: begin(name)) ?? page.firstRange(of: begin(nil)),
            let end = page[begin.upperBound...].firstRange(of: end)
        else {
            return nil
        }
        return begin.upperBound..<end.lowerBound
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
