public import StrictConfig
import Tenancy

/// The golden pairs of one vendor, as they lie in a folder; what a login answers is `login.json` there.
public struct PairFolder: Sendable {
    public let pairs: [GoldenPair]
    public let login: [UInt8]?
    /// Files that are no part of a pair, such as an answer without its `.out.json`.
    public let strays: [String]

    /// - Parameter folder: may be absent; it has no pairs then.
    /// - Throws: the files that cannot be read.
    public init(_ folder: String) throws(ConfigError) {
        let names = (try? Files.names(in: folder)) ?? []
        func bytes(_ name: String) throws(ConfigError) -> [UInt8] {
            do {
                return try Files.read(Files.join(folder, name))
            } catch {
                throw ConfigError([ConfigFault(file: Files.join(folder, name), message: error.message)])
            }
        }
        var pairs: [GoldenPair] = []
        var strays: [String] = []
        var answers: [String: [UInt8]] = [:]
        for name in names where name != "login.json" {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            let isAnswer = parts.count == 3 && parts[1] == "in" && ["json", "html", "txt"].contains(parts[2])
            guard isAnswer, names.contains("\(parts[0]).out.json") else {
                let isMeaning =
                    parts.count == 3 && parts[1...] == ["out", "json"]
                    && names.contains { $0.hasPrefix("\(parts[0]).in.") }
                if !isMeaning { strays.append(name) }
                continue
            }
            let input = try bytes(name)
            answers[parts[0]] = input
            pairs.append(
                GoldenPair(
                    name: parts[0], input: input, inputType: parts[2], expected: try bytes("\(parts[0]).out.json")))
        }
        for index in pairs.indices { pairs[index].others = answers }
        self.pairs = pairs
        self.strays = strays
        login = try names.contains("login.json") ? bytes("login.json") : nil
    }
}
