import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Reads requests of one connection and answers them, or spoils the answer as a fault asks.
final class MockHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: MockState
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var tooLong = false
    private var endless: EndlessBody?

    private static let longestBody = 16 << 20

    init(_ state: MockState) { self.state = state }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.removeAll(keepingCapacity: true)
            tooLong = false
        case .body(let part):
            guard body.count + part.readableBytes <= Self.longestBody else {
                tooLong = true
                return
            }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let head else { return }
            self.head = nil
            if tooLong {
                var answer = MockState.adminFailure(413, "the body is too long for this mock")
                answer.headers = [("Connection", "close")]
                return send(answer, closing: true, context)
            }
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let request = MockRequest(
            method: head.method.rawValue, path: String(parts[0]), query: parts.count == 2 ? String(parts[1]) : "",
            headers: head.headers.map { ($0.name, $0.value) }, body: body)
        let plan = state.plan(request)
        let keeps = head.isKeepAlive
        guard plan.milliseconds > 0 else { return carryOut(plan, keeps: keeps, context) }
        let bound = context.loopBound
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(plan.milliseconds))) {
            let context = bound.value
            if context.channel.isActive { handler.value.carryOut(plan, keeps: keeps, context) }
        }
    }

    private func carryOut(_ plan: MockState.Plan, keeps: Bool, _ context: ChannelHandlerContext) {
        var answer = plan.answer
        switch plan.fault {
        case nil, .latency: send(answer, closing: !keeps, context)
        case .status(let code, let retryAfter):
            answer.status = code
            answer.headers = retryAfter.map { [("Retry-After", String($0))] } ?? []
            send(answer, closing: !keeps, context)
        case .reset: reset(context)
        case .resetMidBody:
            sendHalf(of: answer, context).whenComplete { [bound = context.loopBound] _ in
                Self.reset(bound.value)
            }
        case .truncate:
            sendHalf(of: answer, context).whenComplete { [bound = context.loopBound] _ in
                bound.value.close(promise: nil)
            }
        case .html:
            let page = "<!DOCTYPE html><html><head><title>Login</title></head><body><form>Entrar</form></body></html>"
            send(MockAnswer(200, page, contentType: "text/html; charset=utf-8"), closing: !keeps, context)
        case .empty: send(MockAnswer(200, []), closing: !keeps, context)
        case .badJSON:
            answer.body = Array(#"{"sucesso":true,"success":true,"dados":[{"nome": }"#.utf8)
            send(answer, closing: !keeps, context)
        case .endless:
            write(head(of: answer, length: nil), context)
            let endless = EndlessBody()
            self.endless = endless
            endless.pump(context)
        case .closeIdle: send(answer, closing: true, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        endless?.pump(context)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        endless = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Bytes

    private func head(of answer: MockAnswer, length: Int?) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(answer.headers.count + 2)
        if !answer.body.isEmpty || length != 0 { headers.add(name: "Content-Type", value: answer.contentType) }
        if let length { headers.add(name: "Content-Length", value: String(length)) }
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        return HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
    }

    private func write(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func write(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    }

    private func send(_ answer: MockAnswer, closing: Bool, _ context: ChannelHandlerContext) {
        write(head(of: answer, length: answer.body.count), context)
        if !answer.body.isEmpty { write(answer.body[...], context) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        if closing {
            sent.futureResult.whenComplete { [bound = context.loopBound] _ in bound.value.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    /// Promises the whole body and sends half of it.
    private func sendHalf(of answer: MockAnswer, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        write(head(of: answer, length: max(2, answer.body.count)), context)
        let half = answer.body[..<(answer.body.count / 2)]
        return context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: half)))))
    }

    private func reset(_ context: ChannelHandlerContext) { Self.reset(context) }

    /// Closes with RST instead of FIN: lingering on, for no time at all.
    private static func reset(_ context: ChannelHandlerContext) {
        let bound = context.loopBound
        let lingering = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        (lingering ?? context.eventLoop.makeSucceededVoidFuture()).whenComplete { _ in bound.value.close(promise: nil) }
    }
}

/// A body that goes on for as long as the caller takes it.
private final class EndlessBody {
    private let chunk = ByteBuffer(string: String(repeating: #"{"nome":"sem fim"},"#, count: 400))

    func pump(_ context: ChannelHandlerContext) {
        var left = 16
        while context.channel.isActive, context.channel.isWritable, left > 0 {
            context.writeAndFlush(
                NIOAny(HTTPServerResponsePart.body(.byteBuffer(chunk))), promise: nil)
            left -= 1
        }
        // The socket took all of it: let other connections have a turn.
        if context.channel.isActive, context.channel.isWritable {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.execute {
                let (body, context) = bound.value
                body.pump(context)
            }
        }
    }
}

extension ChannelHandlerContext {
    fileprivate var loopBound: NIOLoopBound<ChannelHandlerContext> { NIOLoopBound(self, eventLoop: eventLoop) }
}

/// The open connections, so that a mock that stops closes them.
final class ConnectionSet: Sendable {
    private struct Open {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var closed = false
    }

    private let open = Mutex(Open())

    func add(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        let isClosed = open.withLock {
            if !$0.closed { $0.channels[key] = channel }
            return $0.closed
        }
        if isClosed { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0.channels[key] = nil } }
    }

    /// Closes all; false if that was done before.
    func close() -> Bool {
        let channels: [any Channel]? = open.withLock {
            guard !$0.closed else { return nil }
            $0.closed = true
            return Array($0.channels.values)
        }
        guard let channels else { return false }
        for channel in channels { channel.close(promise: nil) }
        return true
    }
}
