/// By what something is known again without being known: a keyed hash (HMAC-SHA256) of 32 bytes. Prints masked.
public struct Mark: Sendable, Hashable, CustomStringConvertible {
    public let bytes: [UInt8]
    /// Bytes of each.
    static let size = 32

    public init(bytes: [UInt8]) { self.bytes = bytes }

    public var description: String { "mark(…)" }
}

/// A point of time that means the same after a restart, in milliseconds since 1970 (UTC).
public struct Moment: Sendable, Hashable, Comparable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The time of day when the process began to ask, and since then the time that has passed: setting the machine's
    /// clock makes nothing that is remembered look older or younger.
    public static func now() -> Moment { SteadyClock.shared.now() }

    public static func < (a: Moment, b: Moment) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (moment: Moment, duration: Duration) -> Moment {
        let (seconds, attoseconds) = duration.components
        return Moment(milliseconds: moment.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Whole seconds until a later moment, rounded up; at least 1.
    public func seconds(until later: Moment) -> Int {
        max(1, Int(clamping: (later.milliseconds - milliseconds + 999) / 1000))
    }
}
