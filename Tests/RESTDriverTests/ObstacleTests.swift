import ClientContract
import TestSupport
import Testing
import Transport
import UpstreamDriver

@testable import Bridge
@testable import RESTDriver

/// What stands in the way of a connection, over real sockets, as the caller is told.
@Suite(.timeLimit(.minutes(5))) struct ObstacleTests {
    /// What a read and a create at an address end with.
    private func code(
        _ url: String, _ settings: ChannelSettings = ChannelSettings()
    ) async throws -> (code: ContractError.Code, retryAfter: Int?) {
        let engine = try CurlEngine()
        let driver = RESTDriver(
            profile: try Sample.compile(), tenant: RESTTenant(baseURL: url, credentials: ["key": Secret("k-1")]),
            http: engine.channel(settings))
        let context = CallContext(deadline: .now + .seconds(300), requestID: "req-1")
        let draft = try #require(Sample.ana)
        let read = await failure { _ = try await driver.client(ClientID("1"), context) }
        let create = await failure { _ = try await driver.create(draft, context) }
        await engine.shutdown(cancelling: true)
        let told = ContractError(try #require(read), system: "x")
        // Nothing was sent, and a create says so: its outcome is known.
        #expect(ContractError(try #require(create), system: "x").code == told.code)
        #expect(told.code.headers.contains("Retry-After") == (told.retryAfter != nil))
        return (told.code, told.retryAfter)
    }

    @Test func eachHasItsCode() async throws {
        let silent = try RawServer { $0.waitForClose() }
        let plain = try RawServer { connection in
            connection.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.waitForClose()
        }
        let gone = try RawServer { _ in }
        gone.stop()
        defer {
            silent.stop()
            plain.stop()
        }
        #expect(try await code(gone.url).code == .upstreamUnreachable)
        #expect(
            try await code("http://ponte.invalid", .init(connectTimeout: .seconds(30))).code == .upstreamNameUnknown)
        let short = ChannelSettings(connectTimeout: .milliseconds(100))
        #expect(try await code("https://127.0.0.1:\(silent.port)", short).code == .upstreamSilent)
        #expect(
            try await code("https://127.0.0.1:\(plain.port)", .init(connectTimeout: .seconds(30))).code == .upstreamTLS)
        let closed = ChannelSettings(addresses: AddressPolicy())
        let refused = try await code("http://localhost:\(plain.port)", closed)
        #expect(refused.code == .upstreamAddress)
        #expect(refused.retryAfter == nil)
    }
}
