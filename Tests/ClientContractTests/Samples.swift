import ClientContract
import TestSupport

typealias Seeded = TestSupport.Seeded

extension Seeded {
    mutating func digits(_ count: Int) -> String {
        var text = ""
        for _ in 0..<count { text += String(Int.random(in: 0...9, using: &self)) }
        return text
    }
}

let areaCodes = [
    11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 32, 33, 34, 35, 37, 38, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 51, 53, 54, 55, 61, 62, 63, 64, 65, 66, 67, 68, 69, 71, 73, 74, 75, 77, 79, 81, 82, 83, 84, 85, 86, 87, 88, 89,
    91, 92, 93, 94, 95, 96, 97, 98, 99,
]

/// The check digits of nine digits, by the rule as Receita Federal words it.
func cpfChecks(_ base: String) -> String {
    var digits = base.compactMap(\.wholeNumberValue)
    for _ in 0..<2 {
        let top = digits.count + 1
        let rest = digits.enumerated().reduce(0) { $0 + $1.element * (top - $1.offset) } % 11
        digits.append(rest < 2 ? 0 : 11 - rest)
    }
    return digits.suffix(2).map(String.init).joined()
}

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// What a phone text reads as: its digits, or nil.
func digits(_ text: String, area: Int? = nil) -> String? {
    PhoneNumber(text, context: PhoneContext(areaCode: area))?.digits
}
