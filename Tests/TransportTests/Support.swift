import Foundation
import TestSupport
import Testing
import Transport

/// Far enough away never to matter in a test that passes.
func soon(_ seconds: Int = 30) -> ContinuousClock.Instant { .now + .seconds(seconds) }

/// Runs a test against a raw server and a channel; both end with it.
/// - Parameter policies: without them every call goes out once, as it is.
func withServer(
    _ handler: @escaping @Sendable (RawServer.Connection) -> Void, _ settings: ChannelSettings = .init(),
    _ options: EngineOptions = .init(), policies: Bool = false, _ test: (RawServer, HTTPChannel) async throws -> Void
) async throws {
    let server = try RawServer(handler)
    defer { server.stop() }
    let engine = try CurlEngine(options)
    do {
        try await test(server, engine.channel(policies ? settings : settings.withoutPolicies))
    } catch {
        await engine.shutdown(cancelling: true)
        throw error
    }
    await engine.shutdown(cancelling: true)
}

/// Answers `ok` to everything for as long as the peer likes.
@Sendable func answerAll(_ connection: RawServer.Connection) {
    while connection.readRequest() != nil { connection.answer() }
}

extension HTTPSending {
    /// A `.safe` GET.
    func get(_ url: String, redirects: Int = 0, deadline: ContinuousClock.Instant = soon()) async throws(TransportError)
        -> UpstreamAnswer
    {
        try await send(OutboundRequest(url: url, repeatability: .safe, redirects: redirects), deadline: deadline)
    }

    /// An `.unsafe` POST with a body.
    func create(_ url: String, deadline: ContinuousClock.Instant = soon()) async throws(TransportError)
        -> UpstreamAnswer
    {
        try await send(
            OutboundRequest(method: "POST", url: url, body: Array("nome=Ana".utf8), repeatability: .unsafe),
            deadline: deadline)
    }

    /// The error of a call that must fail.
    func failure(of request: OutboundRequest, deadline: ContinuousClock.Instant = soon()) async throws
        -> TransportError
    {
        do {
            let answer = try await send(request, deadline: deadline)
            throw Unexpected(answer: answer.description)
        } catch let error as TransportError {
            return error
        }
    }
}

extension ChannelSettings {
    /// The same without policies.
    var withoutPolicies: ChannelSettings {
        var settings = self
        (settings.retries, settings.sharesReads, settings.adapts) = (0, false, false)
        settings.maxQueued = 10_000
        return settings
    }
}

/// Between two looks at what is being waited for: many tests wait at the same time, and spinning would starve the others.
func moment() async { try? await Task.sleep(for: .milliseconds(1)) }

struct Unexpected: Error { let answer: String }

func get(_ url: String) -> OutboundRequest { OutboundRequest(url: url, repeatability: .safe) }

func post(_ url: String, _ repeatability: Repeatability) -> OutboundRequest {
    OutboundRequest(method: "POST", url: url, body: Array("nome=Ana".utf8), repeatability: repeatability)
}

extension UpstreamAnswer {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A switch that threads and tasks wait for.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// Blocks a server's thread; gives up after a minute so that a broken test ends.
    func wait() { _ = semaphore.wait(timeout: .now() + 60) }
    func open() { semaphore.signal() }
}
