import Synchronization
import Transport

/// Watches what the doctor's calls send, and how long each takes.
final class Probe: HTTPSending {
    private struct Seen {
        var first: Result<CallTimings, TransportError>?
        var asked = 0
        var began: ContinuousClock.Instant?
        var took: [Duration] = []
        var logins: [Duration] = []
    }

    private let channel: HTTPChannel
    private let seen = Mutex(Seen())

    init(_ channel: HTTPChannel) { self.channel = channel }

    /// What came of the first request; nil while nothing has.
    var first: Result<CallTimings, TransportError>? { seen.withLock { $0.first } }
    /// How many requests went out.
    var asked: Int { seen.withLock { $0.asked } }
    /// Since the first request.
    var elapsed: Duration? { seen.withLock { $0.began.map { .now - $0 } } }
    /// How long the requests before the last one took, such as a login, or a server's own statement; nil where there was
    /// one only.
    var beforeLast: Duration? {
        seen.withLock { $0.took.count > 1 ? $0.took.dropLast().reduce(.zero, +) : nil }
    }
    /// How long logins took; nil where there was none.
    var logins: Duration? { seen.withLock { $0.logins.isEmpty ? nil : $0.logins.reduce(.zero, +) } }

    func send(_ request: OutboundRequest, deadline: ContinuousClock.Instant) async throws(TransportError)
        -> UpstreamAnswer
    {
        let start = ContinuousClock.now
        seen.withLock {
            $0.asked += 1
            $0.began = $0.began ?? start
        }
        do throws(TransportError) {
            let answer = try await channel.send(request, deadline: deadline)
            note(.success(answer.timings), request, since: start)
            return answer
        } catch {
            note(.failure(error), request, since: start)
            throw error
        }
    }

    private func note(
        _ result: Result<CallTimings, TransportError>, _ request: OutboundRequest, since start: ContinuousClock.Instant
    ) {
        let took = ContinuousClock.now - start
        seen.withLock {
            $0.first = $0.first ?? result
            $0.took.append(took)
            if request.isLogin { $0.logins.append(took) }
        }
    }
}
