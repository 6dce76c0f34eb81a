import NIOCore
import NIOTLS

/// Watches a connection's bytes, in front of the HTTP parser, so that a peer who is slow on purpose cannot keep it:
/// handshakes and heads that do not end, bodies that nobody wants, answers that are not read.
final class WireHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Bytes of an answer that a reader must take in each `writeTimeout`, or all that wait.
    static let leastTaken = 64 << 10

    private let headTimeout: TimeAmount
    private let writeTimeout: TimeAmount
    private let connection: ConnectionHandler
    private let awaitsHandshake: Bool

    // What comes in.
    private var isInRequest = false
    private var headBegan = false
    private var heads = 0
    /// Bytes of bodies among those that were just handed on.
    private var bodyBytes = 0
    /// The end of a body came with bytes that may begin the next head: its first line is not looked at again.
    private var mayHaveBegun = false
    /// The beginning of a first line, until its method is known.
    private var held = ByteBuffer()
    private var inputDeadline: Scheduled<Void>?

    // What goes out.
    private var sent = 0
    private var takenBefore = 0
    private var waitsSince = NIODeadline.now()
    private var outputCheck: Scheduled<Void>?

    init(_ options: GatewayOptions, _ connection: ConnectionHandler) {
        headTimeout = .init(options.headTimeout)
        writeTimeout = .init(options.writeTimeout)
        self.connection = connection
        awaitsHandshake = options.certificates != nil
    }

    // MARK: The handshake

    /// It has as long as a head, from the beginning of the connection on.
    func handlerAdded(context: ChannelHandlerContext) {
        if awaitsHandshake { awaitInput(context) { _ in self.connection.headIsLate() } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { cancelInput() }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !connection.isDeaf else { return }
        var bytes = unwrapInboundIn(data)
        if !isInRequest, !headBegan, !mayHaveBegun {
            if held.readableBytes > 0 {
                held.writeBuffer(&bytes)
                bytes = held
                held = ByteBuffer()
            }
            switch RequestLine.read(bytes.readableBytesView) {
            case .ordinary: break
            case .incomplete:
                held = bytes
                return awaitHead(context)
            case .unknownMethod(let target): return connection.refuseMethod(target)
            }
        }
        let (before, wasInRequest) = (heads, isInRequest)
        bodyBytes = 0
        let isBlank = bytes.readableBytesView.allSatisfy { $0 == 10 || $0 == 13 }
        context.fireChannelRead(wrapInboundOut(bytes))
        guard !isInRequest else { return }
        let rest: Rest
        if heads > before {
            rest = Self.rest(of: bytes, heads - before, bodyBytes)
        } else {
            rest = wasInRequest ? .unknown : .part
        }
        switch rest {
        case .nothing: break
        case .unknown:
            // The end of a body came: bytes of the next head follow it if there are more than its own, and chunks have
            // frames of their own, so that they cannot be counted.
            mayHaveBegun = bytes.readableBytes != bodyBytes
        case .part:
            // Blank lines before a head are nothing yet (RFC 9112, section 2.2).
            guard !isBlank else { return }
            headBegan = true
            awaitHead(context)
        }
    }

    /// What stands behind the last request of bytes in which one began and ended.
    private enum Rest {
        case nothing, part, unknown
    }

    private static func rest(of bytes: ByteBuffer, _ heads: Int, _ bodyBytes: Int) -> Rest {
        let view = bytes.readableBytesView
        guard bodyBytes == 0 else {
            // Of several requests nobody can tell whose these are.
            guard heads == 1, let end = headEnd(view) else { return .unknown }
            return view.endIndex - end == bodyBytes ? .nothing : .unknown
        }
        guard let last = view.lastIndex(where: { $0 != 10 && $0 != 13 }) else { return .nothing }
        // Blank lines at the end: the last head's, and some that may stand before the next one.
        let blank = view[view.index(after: last)...].filter { $0 == 10 }.count
        return blank > 1 ? .nothing : .part
    }

    /// Where the first head ends.
    private static func headEnd(_ view: ByteBufferView) -> Int? {
        var lineIsEmpty = false
        for index in view.indices where view[index] != 13 {
            if view[index] == 10, lineIsEmpty { return index + 1 }
            lineIsEmpty = view[index] == 10
        }
        return nil
    }

    /// A head was read to its end.
    func headCame() {
        isInRequest = true
        (headBegan, mayHaveBegun) = (false, false)
        heads += 1
        cancelInput()
    }

    /// A piece of a body was read.
    func bodyCame(_ count: Int) { bodyBytes += count }

    /// A request was read to its end.
    func requestEnded() {
        isInRequest = false
        cancelInput()
    }

    /// A request was answered: what is left of it has as long as a head.
    func answerEnded(_ context: ChannelHandlerContext) {
        if isInRequest { awaitInput(context) { $0.channel.close(promise: nil) } }
    }

    private func awaitHead(_ context: ChannelHandlerContext) {
        awaitInput(context) { context in
            // An answer that is under way is not cut off for what follows it.
            if self.connection.isAnswering { self.awaitHead(context) } else { self.connection.headIsLate() }
        }
    }

    private func awaitInput(_ context: ChannelHandlerContext, _ late: @escaping (ChannelHandlerContext) -> Void) {
        guard inputDeadline == nil else { return }
        inputDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: headTimeout) {
            self.inputDeadline = nil
            late(context)
        }
    }

    private func cancelInput() {
        inputDeadline?.cancel()
        inputDeadline = nil
    }

    // MARK: What goes out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if waiting(context) == 0 { (takenBefore, waitsSince) = (sent, .now()) }
        sent += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
        checkOutput(context, in: writeTimeout)
    }

    private func checkOutput(_ context: ChannelHandlerContext, in time: TimeAmount) {
        guard outputCheck == nil else { return }
        outputCheck = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.checkOutput(context) }
    }

    private func checkOutput(_ context: ChannelHandlerContext) {
        outputCheck = nil
        let waiting = waiting(context)
        guard waiting > 0 else { return }
        let now = NIODeadline.now()
        if sent - waiting - takenBefore >= Self.leastTaken {
            (takenBefore, waitsSince) = (sent - waiting, now)
        } else if now >= waitsSince + writeTimeout {
            // Through all handlers: an answer that only the end of the connection ends must not look whole.
            return context.channel.close(promise: nil)
        }
        checkOutput(context, in: max(.milliseconds(1), waitsSince + writeTimeout - now))
    }

    /// Bytes that the system has not taken yet.
    private func waiting(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    private func stop() {
        cancelInput()
        outputCheck?.cancel()
        outputCheck = nil
    }
}
