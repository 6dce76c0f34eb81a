/// Writes metrics in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
public struct Exposition: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    public private(set) var text = ""
    private var family = ""

    public init() {}

    /// Begins a family: all samples up to the next one are its.
    /// - Parameter help: one line.
    public mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        family = "\(name)"
        text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
    }

    /// The only series of its family.
    public mutating func sample(_ value: some BinaryInteger) { line("", [], "\(value)") }

    public mutating func sample(_ labels: [Label], _ value: some BinaryInteger) { line("", labels, "\(value)") }

    /// - Parameter value: finite.
    public mutating func sample(_ labels: [Label], _ value: Double) { line("", labels, "\(value)") }

    /// One series for each value of a label: 1 for the one that holds, 0 for the others.
    public mutating func state<Value: ClosedLabel & Equatable>(_ labels: [Label], _ state: Value) {
        for value in Value.all { sample(labels + [Label(value)], value == state ? 1 : 0) }
    }

    public mutating func histogram(_ labels: [Label], _ histogram: Histogram) {
        var count: UInt64 = 0
        for (bucket, bound) in zip(histogram.buckets, Histogram.bounds.map(\.text) + ["+Inf"]) {
            count &+= bucket
            line("_bucket", labels + [.bound(bound)], "\(count)")
        }
        line("_sum", labels, "\(histogram.seconds)")
        line("_count", labels, "\(count)")
    }

    private mutating func line(_ suffix: StaticString, _ labels: [Label], _ value: String) {
        text += family
        text += "\(suffix)"
        if !labels.isEmpty {
            // No value that a label can have needs escaping.
            text += "{" + labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }
}
