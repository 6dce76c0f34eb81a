import NIOCore
import NIOPosix

/// The soak's other side, run as a process of its own so that its sockets are not counted: many hosts, which close idle
/// connections after times of their own. Prints their ports in one line, ends when its input does.
///
/// It takes every read for one whole request (true of a GET without pipelining) and does what the path says.
enum SoakServer {
    /// - Parameter arguments: how many hosts.
    static func run(_ arguments: [String]) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var ports: [String] = []
        for _ in 0..<(arguments.first.flatMap { Int($0) } ?? 200) {
            let host = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(SoakHandler())
                    }
                }
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: "127.0.0.1", port: 0).get()
            ports.append("\(host.localAddress?.port ?? 0)")
        }
        print(ports.joined(separator: " "))
        flushOutput()
        await Task.detached { while readLine() != nil {} }.value
        try await group.shutdownGracefully()
    }
}

private final class SoakHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let body = #"{"id":"1","nome":"Ana Teste"}"#
    private var requests = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        requests += 1
        let path = String(buffer: unwrapInboundIn(data)).split(separator: " ").dropFirst().first ?? ""
        switch path {
        case "/close": send(headers: "Connection: close\r\n", context) { $0.close(promise: nil) }
        case "/broken": send(missing: 10, context) { $0.close(promise: nil) }
        case "/never": break
        default:
            let request = requests
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            send(context) { context in
                // As systems do with connections that nobody uses.
                let channel = NIOLoopBound(context, eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: .milliseconds(.random(in: 5...400))) {
                    if bound.value.requests == request { channel.value.close(promise: nil) }
                }
            }
        }
    }

    private func send(
        headers: String = "", missing: Int = 0, _ context: ChannelHandlerContext,
        then: @escaping @Sendable (ChannelHandlerContext) -> Void
    ) {
        let text = """
            HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(Self.body.utf8.count + missing)\r\n\
            \(headers)\r\n\(Self.body)
            """
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sent.futureResult.whenSuccess { then(bound.value) }
        context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: sent)
    }
}
