import ClientContract

/// A name that a record keeps in several places, where the contract has one text: the clinic's border between them stays
/// as long as a new name shows where it was.
package enum NameBorder {
    /// Where a name is parted when nothing on record says otherwise.
    package enum Habit: Sendable {
        /// After its first word.
        case firstWord
        /// Before its last word.
        case lastWord

        func border(of count: Int) -> Int {
            switch self {
            case .firstWord: min(count, 1)
            case .lastWord: count > 1 ? count - 1 : count
            }
        }
    }

    /// How many words of a name stand before the border.
    /// - Parameters:
    ///   - first: what stands before the border on record; blank for nothing.
    ///   - rest: what stands behind it.
    package static func place(in words: [String], by habit: Habit, first: String, rest: String) -> Int {
        let usual = habit.border(of: words.count)
        let (first, rest, new) = (keys(first), keys(rest), words.map(PersonText.nameKey))
        // What is parted by habit is parted by habit again.
        guard !first.isEmpty, first.count != habit.border(of: first.count + rest.count) else { return usual }
        let ends = !rest.isEmpty && rest.count < new.count && new.suffix(rest.count).elementsEqual(rest)
        switch habit {
        case .firstWord:
            if new.starts(with: first) { return first.count }
            return ends ? new.count - rest.count : usual
        case .lastWord:
            if ends { return new.count - rest.count }
            return rest.isEmpty && new == first ? first.count : usual
        }
    }

    /// The two borders of a name in three places, of which the middle one holds something on record.
    /// - Returns: the number of words before the middle, and before the rest.
    package static func places(
        in words: [String], first: String, middle: String, rest: String
    ) -> (middle: Int, rest: Int) {
        let (firsts, middles, rests) = (keys(first), keys(middle), keys(rest))
        let new = words.map(PersonText.nameKey)
        if !firsts.isEmpty, new.starts(with: firsts + middles) {
            return (firsts.count, firsts.count + middles.count)
        }
        let border = place(in: words, by: .firstWord, first: first, rest: middle + " " + rest)
        let ends = !rests.isEmpty && new.suffix(rests.count).elementsEqual(rests)
        return (border, ends ? max(border, new.count - rests.count) : border)
    }

    private static func keys(_ name: String) -> [String] {
        PersonText.nameKey(name).split(separator: " ").map(String.init)
    }
}
