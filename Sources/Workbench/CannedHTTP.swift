import Synchronization
import Transport

/// Stands in for a clinic's system: answers what it was given, and keeps what it was asked.
final class CannedHTTP: HTTPSending {
    /// From the request and how many came before it.
    typealias Answer = @Sendable (OutboundRequest, Int) -> UpstreamAnswer
    private let asked = Mutex<[OutboundRequest]>([])
    private let answer: Answer

    init(_ answer: @escaping Answer) { self.answer = answer }

    var requests: [OutboundRequest] { asked.withLock { $0 } }

    func send(_ request: OutboundRequest, deadline: ContinuousClock.Instant) async throws(TransportError)
        -> UpstreamAnswer
    {
        let before = asked.withLock {
            $0.append(request)
            return $0.count - 1
        }
        return answer(request, before)
    }
}
