import ClientContract
import Logging
import Metering
import Tenancy

/// Everything that may be logged and counted of a request. There is no path, no query, no address, no header and no body here, and
/// nothing else of a request reaches a log.
struct AccessRecord: Sendable {
    let requestID: String
    /// One of the methods that the contract uses, or "other".
    let method: String
    /// The route's template, `/clients/{id}`; "none" where nothing answers.
    var route = "none"
    /// The same for counts.
    var counted = CountedRoute.none
    /// Whose key the caller has.
    var tenant: Tenant?
    var keyName: String?
    var status = 0
    /// What was answered; `callerGone` when nobody was there to read an answer.
    var outcome = Outcome.ok
    /// How many clients were answered, by whatever route; of a list that broke off, how many the connection took before.
    var rows: Int?
    /// What failed inside Ponte, by its type's name.
    var failure: String?
    /// Members of the body that nobody used, by name.
    var ignored = IgnoredMembers()
    /// The answer broke off after its head was sent.
    var broken = false
    let began = ContinuousClock.now

    init(requestID: String, method: String) {
        self.requestID = requestID
        self.method = ["GET", "POST", "PATCH", "HEAD", "PUT", "DELETE", "OPTIONS"].contains(method) ? method : "other"
    }

    private var level: Logger.Level {
        if status >= 500 || (broken && outcome != .callerGone) { return failure == nil ? .warning : .error }
        return route.hasPrefix("/health/") ? .debug : .info
    }

    /// The request is over: counts it and logs it.
    func end(_ logger: Logger, _ meter: ServerMeter) {
        let time = ContinuousClock.now - began
        let answered = outcome == .ok && status == 503 ? .notReady : outcome
        (tenant?.meter ?? meter.nobody).requestEnded(counted, answered, after: time, broke: broken)
        log(to: logger, time)
    }

    private func log(to logger: Logger, _ time: Duration) {
        let level = level
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "requestId": .string(requestID), "method": .string(method), "route": .string(route),
            "status": .stringConvertible(status), "ms": .stringConvertible(Self.milliseconds(time)),
        ]
        if let tenant { metadata["tenant"] = .string(tenant.id) }
        if let keyName { metadata["key"] = .string(keyName) }
        if outcome != .ok { metadata["code"] = .string(outcome.value) }
        if let rows { metadata["rows"] = .stringConvertible(rows) }
        if let failure { metadata["failure"] = .string(failure) }
        if !ignored.isEmpty {
            let counts = ignored.counts.sorted { $0.key < $1.key }
            metadata["ignored"] = .string(counts.map { "\($0.key)=\($0.value)" }.joined(separator: ","))
        }
        if broken { metadata["broken"] = .stringConvertible(true) }
        logger.log(level: level, "request", metadata: metadata)
    }

    /// To a tenth of a millisecond.
    private static func milliseconds(_ time: Duration) -> Double {
        let (seconds, attoseconds) = time.components
        return Double(seconds * 10_000 + attoseconds / 100_000_000_000_000) / 10
    }
}
