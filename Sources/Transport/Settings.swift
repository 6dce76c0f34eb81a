/// Limits of one engine: one thread, one pool of connections.
public struct EngineOptions: Sendable {
    /// Calls on the wire at once, over all channels. More wait; a free place goes to the channel that has the fewest, and
    /// no channel gets more than three quarters of them (but one).
    public var maxInFlight: Int
    /// Calls that may wait, over all channels, and no channel more than three quarters of them (but one); one more fails
    /// at once with `.saturated`.
    public var maxQueued: Int
    /// Connections kept open. `nil`: a quarter above `maxInFlight`. Never below `maxInFlight`, or libcurl reconnects
    /// all the time.
    public var maxConnections: Int?

    public init(maxInFlight: Int = 256, maxQueued: Int = 8192, maxConnections: Int? = nil) {
        self.maxInFlight = max(1, maxInFlight)
        self.maxQueued = max(0, maxQueued)
        self.maxConnections = maxConnections
    }

    var connectionLimit: Int { max(maxConnections ?? 0, maxInFlight + maxInFlight / 4 + 16) }
}

/// How one tenant's calls go out. Printing it shows no path and no password.
public struct ChannelSettings: Sendable, CustomStringConvertible, CustomReflectable {
    /// For name, TCP and TLS together; the call's deadline counts as well.
    public var connectTimeout: Duration
    /// Most bytes of an answer's body, counted after decompression.
    public var maxBodyBytes: Int
    /// Calls of this channel on the wire at once, at most the engine's share. More wait, first come first served.
    public var maxInFlight: Int
    /// Calls of this channel that may wait for a place or their turn; one more fails at once with `.saturated`.
    public var maxQueued: Int
    /// Calls in a period, counted when they are dialled. More wait their turn; those whose turn comes after half of their time fail at once with
    /// `.saturated`.
    public var paces: [Pace]
    /// How often a request may be sent again after a failure that may pass.
    public var retries: Int
    public var breaker: BreakerSettings
    /// Identical `.safe` requests that are under way at the same time share one call.
    public var sharesReads: Bool
    /// What the system answers, and how it fails, decides about later calls: breaker, requested and learned pauses, usual
    /// times. Off for a peer that is no clinic's system.
    public var adapts: Bool
    /// PEM file of the authorities to trust instead of the system's.
    public var caFile: String?
    /// PEM file of the certificate shown to the server.
    public var clientCertificateFile: String?
    /// PEM file of its key.
    public var clientKeyFile: String?
    public var clientKeyPassword: String?
    /// Speak HTTP/2 over TLS where the server offers it. `.unsafe` requests use HTTP/1.1 all the same.
    public var http2: Bool
    public var userAgent: String
    /// A connection idle for longer is not used again: keep it below the server's own idle timeout. Whole seconds.
    public var connectionMaxAge: Duration
    /// A connection that was opened longer ago is not used for another call, however busy it was: so a name that leads
    /// elsewhere, another certificate or another firewall rule is noticed. Whole seconds, at least one. A stream of
    /// HTTP/2 that joins others under way does not count as another use. Now and then a call also closes what is idle
    /// and too old by its own channel's measure, of other channels of the engine too.
    public var connectionLifetime: Duration
    /// Where connections may lead.
    public var addresses: AddressPolicy

    public init(
        connectTimeout: Duration = .seconds(3), maxBodyBytes: Int = 16 << 20, maxInFlight: Int = 16,
        maxQueued: Int? = nil, paces: [Pace] = [], retries: Int = 2, breaker: BreakerSettings = .init(),
        sharesReads: Bool = true, adapts: Bool = true, caFile: String? = nil, clientCertificateFile: String? = nil,
        clientKeyFile: String? = nil,
        clientKeyPassword: String? = nil, http2: Bool = false, userAgent: String = "Ponte",
        connectionMaxAge: Duration = .seconds(50), connectionLifetime: Duration = .seconds(300),
        addresses: AddressPolicy = .unrestricted
    ) {
        self.connectTimeout = connectTimeout
        self.maxBodyBytes = maxBodyBytes
        self.maxInFlight = max(1, maxInFlight)
        self.maxQueued = maxQueued.map { max(0, $0) } ?? Self.usualQueue(self.maxInFlight)
        self.paces = paces
        self.retries = max(0, retries)
        self.breaker = breaker
        self.sharesReads = sharesReads
        self.adapts = adapts
        self.caFile = caFile
        self.clientCertificateFile = clientCertificateFile
        self.clientKeyFile = clientKeyFile
        self.clientKeyPassword = clientKeyPassword
        self.http2 = http2
        self.userAgent = userAgent
        self.connectionMaxAge = connectionMaxAge
        self.connectionLifetime = connectionLifetime
        self.addresses = addresses
    }

    /// Every call goes out once, as it is, whatever came before.
    public static var direct: ChannelSettings { ChannelSettings(retries: 0, sharesReads: false, adapts: false) }

    /// How many may wait where nobody says: the time that they may wait is the narrower limit for most systems.
    public static func usualQueue(_ inFlight: Int) -> Int { max(64, inFlight * 16) }

    public var description: String {
        "channel: \(maxInFlight) in flight, connect \(connectTimeout), body \(maxBodyBytes) bytes"
            + (http2 ? ", HTTP/2" : "") + (caFile == nil ? "" : ", own CA")
            + (clientCertificateFile == nil ? "" : ", client certificate")
    }

    public var customMirror: Mirror { Mirror(reflecting: description) }
}

extension Duration {
    /// Rounded up, so that a timer never fires early; at most 24 days, which libcurl can hold.
    var wholeMilliseconds: Int {
        if self <= .zero { return 0 }
        if self >= .seconds(2_000_000) { return 2_000_000_000 }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
