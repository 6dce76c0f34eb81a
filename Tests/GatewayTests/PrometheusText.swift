/// Metrics, read as strictly as the exposition format 0.0.4 and the conventions of names are written.
struct PrometheusText {
    struct Failure: Error, CustomStringConvertible { let description: String }

    struct Series: Hashable, CustomStringConvertible {
        let name: String
        let labels: [String: String]
        var description: String {
            "\(name)\(labels.sorted { $0.key < $1.key }.map { "{\($0.key)=\($0.value)}" }.joined())"
        }
    }

    private(set) var samples: [Series: Double] = [:]
    private(set) var types: [String: String] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure(description: "the last line has no end") }
        var family: String?
        var help: String?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            if line.hasPrefix("# HELP "), words.count == 4, Self.isName(words[2]) {
                help = words[2]
            } else if line.hasPrefix("# TYPE "), words.count == 4 {
                guard help == words[2], types[words[2]] == nil, ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Failure(description: "unexpected: \(line)") }
                guard (words[3] == "counter") == words[2].hasSuffix("_total") else {
                    throw Failure(description: "the name does not fit its type: \(line)")
                }
                (family, types[words[2]]) = (words[2], words[3])
            } else {
                let (series, value) = try Self.sample(line)
                guard let family, Self.names(family, types[family]).contains(series.name) else {
                    throw Failure(description: "outside of its family: \(line)")
                }
                guard samples.updateValue(value, forKey: series) == nil else {
                    throw Failure(description: "twice: \(line)")
                }
            }
        }
        for (name, type) in types where type == "histogram" { try checkHistogram(name) }
    }

    subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples[Series(name: name, labels: labels)]
    }

    /// The samples of one tenant.
    func of(tenant: String) -> [Series: Double] { samples.filter { $0.key.labels["tenant"] == tenant } }

    private static func names(_ family: String, _ type: String?) -> [String] {
        type == "histogram" ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.first.map { $0 &- 0x30 >= 10 } == true
            && text.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5F }
    }

    private static func sample(_ line: Substring) throws -> (Series, Double) {
        func fault() -> Failure { Failure(description: "no sample: \(line)") }
        let name = line.prefix { $0 != "{" && $0 != " " }
        var rest = line[name.endIndex...]
        var labels: [String: String] = [:]
        if rest.hasPrefix("{") {
            guard let end = rest.lastIndex(of: "}") else { throw fault() }
            for pair in rest[rest.index(after: rest.startIndex)..<end].split(
                separator: ",", omittingEmptySubsequences: false)
            {
                let parts = pair.split(separator: "=", maxSplits: 1)
                // Nothing that is written here is ever escaped.
                guard parts.count == 2, isName(parts[0]), parts[1].count >= 3, parts[1].first == "\"",
                    parts[1].last == "\"", !parts[1].dropFirst().dropLast().contains(where: { "\"\\".contains($0) }),
                    labels.updateValue(String(parts[1].dropFirst().dropLast()), forKey: String(parts[0])) == nil
                else { throw fault() }
            }
            rest = rest[rest.index(after: end)...]
        }
        guard isName(name), rest.first == " ", let value = Double(rest.dropFirst()), value.isFinite else {
            throw fault()
        }
        return (Series(name: String(name), labels: labels), value)
    }

    private func checkHistogram(_ name: String) throws {
        let counts = samples.filter { $0.key.name == name + "_count" }
        let buckets = samples.filter { $0.key.name == name + "_bucket" }
        for (series, count) in counts {
            let own = buckets.compactMap { bucket, value -> (Double, Double)? in
                var labels = bucket.labels
                guard let bound = labels.removeValue(forKey: "le"), labels == series.labels else { return nil }
                return (bound == "+Inf" ? .infinity : Double(bound) ?? .nan, value)
            }.sorted { $0.0 < $1.0 }
            let values = own.map(\.1)
            guard own.last?.0 == .infinity, values.last == count, values == values.sorted(),
                samples[Series(name: name + "_sum", labels: series.labels)] != nil
            else { throw Failure(description: "no histogram: \(series)") }
        }
        guard buckets.count == counts.count * 14 else { throw Failure(description: "stray buckets of \(name)") }
    }
}
