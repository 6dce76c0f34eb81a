/// What an answer says about the system as a whole, whatever it says about the request.
public enum AnswerMeaning: Sendable, Equatable {
    /// It works: also when it refuses this request.
    case alive
    /// It does not work at present.
    case failing
    /// It wants fewer calls.
    case limited
}

/// How an answer reads to whoever knows the system.
public struct AnswerReading: Sendable, Equatable {
    public var meaning: AnswerMeaning
    /// Seconds for which it asks to be left alone.
    public var retryAfter: Int?

    public init(_ meaning: AnswerMeaning, retryAfter: Int? = nil) {
        self.meaning = meaning
        self.retryAfter = retryAfter
    }

    /// By the status alone: 429 wants fewer calls, 5xx fails. 501 and 505 are about the request.
    public init(byStatusOf answer: UpstreamAnswer) {
        switch answer.status {
        case 429: self.init(.limited, retryAfter: RetryAfter.seconds(answer.headers))
        case 501, 505: self.init(.alive)
        case 500...: self.init(.failing, retryAfter: RetryAfter.seconds(answer.headers))
        default: self.init(.alive)
        }
    }
}

/// A breaker changed its state, for an operator to see.
public enum BreakerTransition: Sendable, Equatable {
    /// - Parameters:
    ///   - reason: a stable word: a kind of failure such as `connect`, or `status_503`.
    ///   - time: until the first probe.
    case opened(reason: String, for: Duration)
    case closed
}
