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
    private var endless: EndlessBytes?

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
        let answer = plan.answer
        guard let fault = plan.fault else { return send(answer, closing: !keeps, context) }
        if let spoilt = answer.spoilt(by: fault) { return send(spoilt, closing: !keeps, context) }
        switch fault {
        case .closeIdle: send(answer, closing: true, context)
        case .blackhole: break
        case .noReply: context.close(promise: nil)
        case .reset, .resetAtAccept: context.reset()
        case .resetAfterHead:
            write(head(of: answer, length: max(2, answer.body.count)), context)
            flush(context) { $0.reset() }
        case .resetMidBody: sendHalf(of: answer, context) { $0.reset() }
        case .truncate: sendHalf(of: answer, context) { $0.close(promise: nil) }
        default:
            guard let raw = RawAnswers(context) else { return context.close(promise: nil) }
            endless = raw.send(answer, spoiltBy: fault)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        endless?.pump()
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
    private func sendHalf(
        of answer: MockAnswer, _ context: ChannelHandlerContext,
        then: @escaping @Sendable (ChannelHandlerContext) -> Void
    ) {
        write(head(of: answer, length: max(2, answer.body.count)), context)
        write(answer.body[..<(answer.body.count / 2)], context)
        flush(context, then: then)
    }

    /// Sends what was written.
    private func flush(
        _ context: ChannelHandlerContext, then: @escaping @Sendable (ChannelHandlerContext) -> Void
    ) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenComplete { [bound = context.loopBound] _ in then(bound.value) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: sent)
    }
}

/// Resets a connection as soon as it is there.
final class ResetAtOnce: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelActive(context: ChannelHandlerContext) { context.reset() }
}

extension ChannelHandlerContext {
    fileprivate var loopBound: NIOLoopBound<ChannelHandlerContext> { NIOLoopBound(self, eventLoop: eventLoop) }

    /// Closes with RST instead of FIN: lingering on, for no time at all.
    fileprivate func reset() {
        let lingering = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        (lingering ?? eventLoop.makeSucceededVoidFuture()).whenComplete { [bound = loopBound] _ in
            bound.value.close(promise: nil)
        }
    }
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
