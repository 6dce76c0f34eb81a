public import JSONBytes

/// One fault in a configuration file: where it is, what was expected, and the nearest valid name.
public struct ConfigFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    /// JSON pointer of the faulty value (RFC 6901).
    public let pointer: String
    public let line: Int
    public let column: Int
    public let message: String

    public init(file: String, pointer: String = "", line: Int = 1, column: Int = 1, message: String) {
        self.file = file
        self.pointer = pointer
        self.line = line
        self.column = column
        self.message = message
    }

    public var description: String {
        let place = pointer.isEmpty ? "(the whole file)" : pointer
        // Files are called whatever their folder holds, and messages list names that stand in them.
        return NearestName.printable("\(file):\(line):\(column): \(place): \(message)")
    }
}

/// Several faults of one file.
public struct ConfigError: Error, Sendable, CustomStringConvertible {
    public let faults: [ConfigFault]
    public init(_ faults: [ConfigFault]) { self.faults = faults }
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Where the faults of one file are gathered, so that a reader sees all of them at once.
public final class ConfigReport {
    public let file: String
    public private(set) var faults: [ConfigFault] = []

    public init(file: String) { self.file = file }

    public func add(_ fault: ConfigFault) { faults.append(fault) }

    /// Reads a file's bytes; nil, with a fault, when they are not JSON.
    public func root(_ bytes: [UInt8]) -> ConfigNode? {
        do {
            let value = try JSONDocument(bytes, limits: JSONLimits(depth: 64, bytes: 4 << 20)).root
            return ConfigNode(value: value, pointer: .root, report: self)
        } catch {
            add(
                ConfigFault(
                    file: file, line: error.line, column: error.column, message: "is not JSON: \(error.reason.rawValue)"
                ))
            return nil
        }
    }

    public func check() throws(ConfigError) {
        if !faults.isEmpty { throw ConfigError(faults) }
    }
}

/// A value of a configuration file, with its place. Reading one reports what is wrong and answers nil, so that one
/// pass finds every fault.
public struct ConfigNode {
    public let value: JSONValue
    public let pointer: JSONPointer
    public let report: ConfigReport

    public var kind: JSONKind { value.kind }

    /// Reports a fault at this value.
    public func fault(_ message: String) {
        let (line, column) = value.position
        report.add(
            ConfigFault(file: report.file, pointer: pointer.description, line: line, column: column, message: message))
    }

    /// Reports a fault of this value's name: its place is where the name stands. For members only.
    private func faultOfName(_ message: String) {
        // A member's value follows its name, which is a string without anything below it.
        let start = value.document.withView { Int($0.token(value.index - 1).start) - 1 }
        let before = value.document.bytes.prefix(start)
        let line = 1 + before.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        let column = 1 + start - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
        report.add(
            ConfigFault(file: report.file, pointer: pointer.description, line: line, column: column, message: message))
    }

    /// What this value is, for messages: never its content.
    private var found: String {
        switch kind {
        case .null: "null"
        case .true, .false: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    public func expected(_ what: String) { fault("expected \(what), found \(found)") }

    // MARK: Objects

    /// The value as an object whose members are all known: an unknown or repeated one is a fault that names the
    /// nearest valid name. `$schema` is allowed at the root, `$comment` everywhere.
    public func object(_ known: [String]) -> ConfigObject? {
        for (name, node) in entries() where !known.contains(name) {
            if name == "$schema" && pointer.steps.isEmpty { continue }
            node.faultOfName(NearestName.unknown("member", name, known))
        }
        return kind == .object ? ConfigObject(node: self) : nil
    }

    /// The members of an object whose names are free, in order. `$comment` is none of them; a repeated name is a fault.
    public func entries(_ what: String = "an object") -> [(name: String, node: ConfigNode)] {
        guard kind == .object else {
            expected(what)
            return []
        }
        // Compared by bytes, as JSON does: Swift's own equality would take two spellings of "é" for one.
        var seen: Set<[UInt8]> = []
        return value.members.compactMap { member in
            let node = ConfigNode(value: member.value, pointer: pointer.appending(member.key), report: report)
            if !seen.insert(Array(member.key.utf8)).inserted { node.faultOfName("stands twice in the same object") }
            return member.key == "$comment" ? nil : (member.key, node)
        }
    }

    /// The elements of an array, in order.
    public func elements(_ what: String = "an array") -> [ConfigNode] {
        guard kind == .array else {
            expected(what)
            return []
        }
        return value.elements.enumerated().map {
            ConfigNode(value: $0.element, pointer: pointer.appending($0.offset), report: report)
        }
    }

    /// The value as one element or an array of them.
    public func oneOrMore() -> [ConfigNode] { kind == .array ? elements() : [self] }

    // MARK: Scalars

    /// A text without NUL and halves of surrogate pairs.
    public func string(_ what: String = "a string", allowEmpty: Bool = false) -> String? {
        guard let text = value.string else {
            expected(what)
            return nil
        }
        guard allowEmpty || !text.isEmpty else {
            fault("must not be empty")
            return nil
        }
        guard !value.hasLoneSurrogate, !text.utf8.contains(0) else {
            fault("is not text: it holds NUL or half of a surrogate pair")
            return nil
        }
        return text
    }

    public func bool() -> Bool? {
        guard let bool = value.bool else {
            expected("true or false")
            return nil
        }
        return bool
    }

    /// A whole number in a range, written without fraction and exponent.
    public func int(_ range: ClosedRange<Int>) -> Int? {
        guard kind == .number else {
            expected("a whole number")
            return nil
        }
        guard let int = value.int, range.contains(int) else {
            fault("must be a whole number from \(range.lowerBound) to \(range.upperBound), written as digits only")
            return nil
        }
        return int
    }

    /// One of a few names.
    public func choice<Choice>(_ choices: KeyValuePairs<String, Choice>) -> Choice? {
        let names = choices.map(\.key)
        guard let text = value.string else {
            expected("one of " + names.map { "\"\($0)\"" }.joined(separator: ", "))
            return nil
        }
        guard let choice = choices.first(where: { $0.key == text }) else {
            fault(NearestName.unknown("value", text, names))
            return nil
        }
        return choice.value
    }

    /// One of an enumeration's names.
    public func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        guard let text = value.string else {
            expected("one of " + names.map { "\"\($0)\"" }.joined(separator: ", "))
            return nil
        }
        guard let choice = Choice(rawValue: text) else {
            fault(NearestName.unknown("value", text, names))
            return nil
        }
        return choice
    }

    /// A length of time: a number and `ms`, `s`, `m`, `h` or `d`, such as `"10s"`.
    public func duration(_ range: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400 * 366))) -> Duration? {
        guard let text = value.string else {
            expected("a duration such as \"10s\"")
            return nil
        }
        let digits = text.utf8.prefix { $0 &- 0x30 < 10 }
        guard !digits.isEmpty,
            let unit = ConfigNode.units.first(where: { text.utf8.dropFirst(digits.count).elementsEqual($0.name.utf8) })
        else {
            fault("is not a duration: write a number and ms, s, m, h or d, such as \"10s\"")
            return nil
        }
        let (milliseconds, overflow) = (Int(Substring(digits)) ?? .max).multipliedReportingOverflow(
            by: unit.milliseconds)
        let duration = Duration.milliseconds(overflow ? .max : milliseconds)
        guard range.contains(duration) else {
            fault("must be from \(ConfigNode.text(range.lowerBound)) to \(ConfigNode.text(range.upperBound))")
            return nil
        }
        return duration
    }

    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// A duration as a file writes it, in the largest unit that divides it.
    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow, scaled != 0 || attoseconds != 0 else { return overflow ? "\(seconds)s" : "0s" }
        let milliseconds = Int(scaled) + Int(attoseconds / 1_000_000_000_000_000)
        let unit = units.first { milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// A JSON pointer (RFC 6901).
    public func jsonPointer() -> JSONPointer? {
        guard let text = value.string else {
            expected("a JSON pointer such as \"/dados/itens\"")
            return nil
        }
        guard let pointer = JSONPointer(text) else {
            fault("is not a JSON pointer: it begins with /, and writes ~ as ~0 and / as ~1 (RFC 6901)")
            return nil
        }
        return pointer
    }
}

/// An object whose member names were checked.
public struct ConfigObject {
    public let node: ConfigNode

    /// A member, or nil when it is not there.
    public func optional(_ name: String) -> ConfigNode? {
        node.value[name].map { ConfigNode(value: $0, pointer: node.pointer.appending(name), report: node.report) }
    }

    /// A member that must be there.
    public func required(_ name: String) -> ConfigNode? {
        guard let member = optional(name) else {
            node.fault("lacks the member \"\(name)\"")
            return nil
        }
        return member
    }
}
