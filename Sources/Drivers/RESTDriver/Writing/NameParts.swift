import ClientContract
import DriverSupport
import JSONBytes

/// A name in the places that a vendor has for it; blank for nothing.
struct NameParts {
    var first = ""
    var middle = ""
    var rest = ""
}

extension NameParts {
    /// Parts a name after its first word, or where the record parts it as far as the name is still the same there.
    init(firstAndRestOf name: String, like record: NameParts) {
        let words = name.split(separator: " ").map(String.init)
        var middle = 0
        var rest = 0
        if record.middle.isEmpty {
            rest = NameBorder.place(in: words, by: .firstWord, first: record.first, rest: record.rest)
            middle = rest
        } else {
            (middle, rest) = NameBorder.places(
                in: words, first: record.first, middle: record.middle, rest: record.rest)
        }
        guard middle > 1 || rest > 1 else {
            // The rest as it came, with whatever stands between its words.
            let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            first = parts.first.map(String.init) ?? name
            self.rest = parts.count > 1 ? PersonText.trimmed(String(parts[1])) : ""
            return
        }
        first = words.prefix(middle).joined(separator: " ")
        self.middle = words[middle..<rest].joined(separator: " ")
        self.rest = words.dropFirst(rest).joined(separator: " ")
    }
}

extension RecordWriter {
    /// Whether an update writes a name to several places of a record, and reading shows what stands in them.
    var partsName: Bool {
        (fields[.name]?.shapes[.update] ?? []).contains { $0.spot.partsName }
            && (fields[.name]?.shapes[.detail] ?? []).contains { $0.spot.partsName && $0.each == nil }
    }

    /// The name's parts in a record as it was read.
    func nameParts(of record: JSONValue?) -> NameParts {
        guard let record else { return NameParts() }
        for lens in fields[.name]?.shapes[.detail] ?? [] where lens.each == nil {
            func text(_ value: JSONValue?) -> String {
                guard let value, let text = value.string, !lens.absent.contains(value.source) else { return "" }
                return text
            }
            func text(at pointer: JSONPointer) -> String { text(record.at(pointer, foldCase: foldCase)) }
            switch lens.spot {
            case .firstAndRest(let first, let rest, let middle, _):
                return NameParts(
                    first: text(at: first), middle: middle.map { text(at: $0) } ?? "", rest: text(at: rest))
            case .givenAndFamily(let given, let family):
                let value = record.at(given, foldCase: foldCase)
                let words = value?.kind == .array ? value?.elements.map { text($0) } : [text(value)]
                return NameParts(
                    first: (words ?? []).filter { !$0.isEmpty }.joined(separator: " "), rest: text(at: family))
            case .value, .areaAndNumber: continue
            }
        }
        return NameParts()
    }
}

extension Lens.Spot {
    /// Whether a name is cut up here.
    fileprivate var partsName: Bool {
        switch self {
        case .firstAndRest, .givenAndFamily: true
        case .value, .areaAndNumber: false
        }
    }
}
