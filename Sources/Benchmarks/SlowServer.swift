import NIOCore
import NIOPosix

/// The benchmark's other side, run as a process of its own so that its work is not counted: answers every request
/// after a fixed delay. Prints its port, ends when its input does.
///
/// As lean as may be, because it shares the machine with what is measured: it takes every read for one whole request
/// (true of a GET without pipelining) and writes one prepared answer.
enum SlowServer {
    /// - Parameter arguments: the delay in milliseconds.
    static func run(_ arguments: [String]) async throws {
        let delay = TimeAmount.milliseconds(arguments.first.flatMap { Int64($0) } ?? 200)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let queue = try await loop.submit { NIOLoopBound(AnswerQueue(delay, on: loop), eventLoop: loop) }.get()
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LateAnswer(queue.value))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: 0).get()
        print(server.localAddress?.port ?? 0)
        flushOutput()
        await Task.detached { while readLine() != nil {} }.value
        try await server.close()
        try await group.shutdownGracefully()
    }
}

/// Answers in the order of the requests: with one delay for all, a queue and one timer are enough.
private final class AnswerQueue {
    private let delay: TimeAmount
    private let loop: any EventLoop
    private var waiting = CircularBuffer<(due: NIODeadline, context: ChannelHandlerContext)>()
    private let answer = ByteBuffer(
        string: """
            HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n\
            {"id":"1","nome":"Ana Teste"}
            """)

    init(_ delay: TimeAmount, on loop: any EventLoop) {
        self.delay = delay
        self.loop = loop
    }

    func add(_ context: ChannelHandlerContext) {
        if delay == .zero { return send(context) }
        waiting.append((.now() + delay, context))
        if waiting.count == 1 { setTimer() }
    }

    private func setTimer() {
        guard let first = waiting.first else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(deadline: first.due) { bound.value.answerDue() }
    }

    private func answerDue() {
        let now = NIODeadline.now()
        while let first = waiting.first, first.due <= now {
            waiting.removeFirst()
            send(first.context)
        }
        setTimer()
    }

    private func send(_ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(answer), promise: nil)
    }
}

private final class LateAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let queue: AnswerQueue

    init(_ queue: AnswerQueue) { self.queue = queue }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { queue.add(context) }
}
