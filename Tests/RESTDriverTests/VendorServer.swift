import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A vendor's server that answers as the test says, on a socket of its own. What it was asked is on record.
final class VendorServer: Sendable {
    struct Request: Sendable {
        let method: String
        let path: String
        /// The last value of each parameter.
        let query: [String: String]
        let body: String
    }

    /// Gets a request and how many came before it; answers the body, JSON.
    typealias Handler = @Sendable (Request, Int) async -> String

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let log: Log
    let baseURL: String

    var requests: [Request] { log.requests.withLock { $0 } }

    fileprivate final class Log: Sendable {
        let requests = Mutex<[Request]>([])
        let handler: Handler
        init(_ handler: @escaping Handler) { self.handler = handler }
    }

    private init(_ handler: @escaping Handler) async throws {
        let log = Log(handler)
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(VendorHandler(log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        baseURL = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    /// Runs a test against a server that stops with it.
    static func with(
        _ handler: @escaping Handler, _ body: (VendorServer) async throws -> Void
    ) async throws {
        let server = try await VendorServer(handler)
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func stop() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }
}

private final class VendorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: VendorServer.Log
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ log: VendorServer.Log) { self.log = log }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, "")
        case .body(let part): body += String(buffer: part)
        case .end:
            guard let head, let address = URLComponents(string: head.uri) else { return context.close(promise: nil) }
            let query = (address.queryItems ?? []).reduce(into: [:]) { $0[$1.name] = $1.value ?? "" }
            let request = VendorServer.Request(
                method: head.method.rawValue, path: address.path, query: query, body: body)
            let number = log.requests.withLock { requests in
                requests.append(request)
                return requests.count - 1
            }
            let (handler, channel) = (log.handler, context.channel)
            Task {
                let answer = ByteBuffer(string: await handler(request, number))
                let headers: HTTPHeaders = [
                    "Content-Type": "application/json", "Content-Length": "\(answer.readableBytes)",
                ]
                channel.write(
                    HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: headers)), promise: nil)
                channel.write(HTTPServerResponsePart.body(.byteBuffer(answer)), promise: nil)
                channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
            }
        }
    }
}
