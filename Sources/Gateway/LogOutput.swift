import Glibc
import JSONBytes
public import Logging
public import Tenancy

/// Where Ponte's log goes, and in what form.
public enum LogOutput {
    /// Writes a line, line feed included.
    public typealias Sink = @Sendable ([UInt8]) -> Void

    /// Standard output. Flush it before the process ends.
    public static let standardOutput = LineWriter(descriptor: STDOUT_FILENO)

    /// A logger that writes JSON lines, or text for a person.
    public static func logger(
        level: ServerSettings.LogLevel, format: ServerSettings.LogFormat,
        sink: @escaping Sink = { standardOutput.write($0) }
    ) -> Logger {
        var logger = Logger(label: "ponte") { _ in LineLogHandler(format: format, sink: sink) }
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }
}

/// All that a line of the log may hold beside its time, level and message. What is not named here is left out, whoever
/// logs it: a field is added here, with what its values are, before it is used.
enum LogField: String, CaseIterable {
    /// Ponte's own, or the caller's where it cannot be data.
    case requestId
    /// From fixed sets of words: `method`, the template of a route, a stable code, the name of an error's type, words.
    case method, route, code, failure, reason
    /// Names from the configuration; of a credential its name, never its value.
    case tenant, key, host, credential
    /// Ids of tenants; of withdrawn keys with their names, `tenant/key`.
    case added, replaced, removed, kept, withdrawn
    /// Members of bodies that nobody used, by names that cannot be data, with counts.
    case ignored
    /// Numbers and flags.
    case status, ms, rows, broken, port, seconds, connections, faults, lines
}

/// Writes each event as one line.
private struct LineLogHandler: LogHandler {
    let format: ServerSettings.LogFormat
    let sink: LogOutput.Sink
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(format: ServerSettings.LogFormat, sink: @escaping LogOutput.Sink) {
        self.format = format
        self.sink = sink
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
            .filter { LogField(rawValue: $0.key) != nil }.sorted { $0.key < $1.key }
        var writer = JSONWriter(capacity: 256)
        switch format {
        case .json:
            writer.raw("{\"time\":")
            writer.string(Timestamp.now())
            writer.raw(",\"level\":")
            writer.string(event.level.rawValue)
            writer.raw(",\"message\":")
            writer.string("\(event.message)")
            for (key, value) in all {
                writer.raw(",")
                writer.key(key)
                json(value, to: &writer)
            }
            writer.raw("}\n")
        case .text:
            let pairs = all.map { " \($0.key)=\($0.value)" }.joined()
            let line = "\(Timestamp.now()) \(event.level.rawValue) \(event.message)\(pairs)"
            // A line break inside a message would look like a second line.
            writer.raw(Array(line.utf8).map { $0 < 0x20 ? UInt8(ascii: " ") : $0 })
            writer.raw("\n")
        }
        sink(writer.finish())
    }

    private func json(_ value: Logger.Metadata.Value, to writer: inout JSONWriter) {
        switch value {
        case .stringConvertible(let number as Int): writer.number(number)
        case .stringConvertible(let flag as Bool): writer.bool(flag)
        case .stringConvertible(let number as Double) where number.isFinite: writer.raw(Array("\(number)".utf8))
        default: writer.string("\(value)")
        }
    }
}

enum Timestamp {
    /// UTC with milliseconds (RFC 3339): `2026-01-31T23:59:59.999Z`.
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func padded(_ number: Int, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1))-\(padded(Int(parts.tm_mday)))"
        let clock = "\(padded(Int(parts.tm_hour))):\(padded(Int(parts.tm_min))):\(padded(Int(parts.tm_sec)))"
        return "\(day)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }
}
