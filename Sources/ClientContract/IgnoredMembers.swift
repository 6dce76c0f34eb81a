/// The members of a body that nobody uses, counted by name: what an operator may see of them.
///
/// A name is the caller's text, so that only what could be a program's identifier is shown: at most 40 ASCII letters,
/// digits and underscores, a small letter or an underscore first (a capital may begin a person's name), without four digits
/// in a row (underscores between them do not count). Every other name, and every one beyond the first sixteen, counts as `other`.
public struct IgnoredMembers: Sendable, Equatable {
    /// Most names of one body.
    public static let mostNames = 16
    static let other = "other"

    /// How often each name was there.
    public private(set) var counts: [String: Int] = [:]

    public init() {}

    public var isEmpty: Bool { counts.isEmpty }

    public mutating func count(_ name: String) {
        let isKnown = counts[name] != nil || counts.keys.count { $0 != Self.other } < Self.mostNames
        counts[isKnown && Self.isIdentifier(name) ? name : Self.other, default: 0] += 1
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard 1...40 ~= name.utf8.count else { return false }
        var digits = 0
        for (index, byte) in name.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if index == 0 || digits == 4 { return false }
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                if index == 0 { return false }
                digits = 0
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digits = 0
            case UInt8(ascii: "_"): break
            default: return false
            }
        }
        return true
    }
}
