import Synchronization
package import Transport

/// Stands in for the network: answers by a closure and keeps what was asked.
package final class Script: HTTPSending {
    package typealias Handler = @Sendable (OutboundRequest, Int) async throws -> UpstreamAnswer
    private let asked = Mutex<[OutboundRequest]>([])
    private let handler: Handler

    /// - Parameter handler: gets the request and how many came before it. What it throws beside a `TransportError` is a
    ///   fault of the test.
    package init(_ handler: @escaping Handler) { self.handler = handler }

    /// Answers these in order, the last one for ever.
    package convenience init(_ answers: UpstreamAnswer...) {
        self.init { _, index in answers[min(index, answers.count - 1)] }
    }

    package func send(
        _ request: OutboundRequest, deadline: ContinuousClock.Instant
    ) async throws(TransportError) -> UpstreamAnswer {
        let index = asked.withLock { requests in
            requests.append(request)
            return requests.count - 1
        }
        do {
            return try await handler(request, index)
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(
                kind: .internal, phase: .queued, mayHaveReachedServer: false, detail: "the test's handler failed")
        }
    }

    package var requests: [OutboundRequest] { asked.withLock { $0 } }
    package var last: OutboundRequest? { requests.last }
}

extension OutboundRequest {
    package var text: String { String(decoding: body ?? [], as: UTF8.self) }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

extension UpstreamAnswer {
    package static func json(
        _ body: String, status: Int = 200, headers: [(name: String, value: String)] = [],
        type: String = "application/json"
    ) -> UpstreamAnswer {
        UpstreamAnswer(status: status, headers: [("Content-Type", type)] + headers, body: Array(body.utf8))
    }
}
