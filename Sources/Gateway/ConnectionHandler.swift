import NIOCore
import NIOHTTP1

/// Asks the connection to send `100 Continue`, if the caller waits for it.
struct SendContinue: Sendable {}

/// What the server underneath leaves out of HTTP/1: `100 Continue` (RFC 9110, section 10.1.1), answers that a caller of
/// HTTP/1.0 understands (RFC 9112, section 6.1), and callers who reset their connection while they wait.
///
/// A caller who ends its side of the stream only is not gone: it may read yet.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Exchange {
        /// HTTP/1.0: no chunks, and the end of the connection is the end of the answer.
        let isOld: Bool
        var awaitsContinue: Bool
        var requestEnded = false
        var answerBegan = false
    }

    private let inFlight: InFlight
    /// Requests that are not answered to their end, in order: callers may send several ahead.
    private var exchanges: [Exchange] = []

    init(_ inFlight: InFlight) { self.inFlight = inFlight }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let isOld = (head.version.major, head.version.minor) < (1, 1)
            let expects = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
            exchanges.append(Exchange(isOld: isOld, awaitsContinue: expects && !isOld))
        case .body: last { $0.awaitsContinue = false }
        case .end:
            last { ($0.awaitsContinue, $0.requestEnded) = (false, true) }
            // The answer came before the end of the request.
            if endedEarly { context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    private func last(_ change: (inout Exchange) -> Void) {
        if let index = exchanges.indices.last { change(&exchanges[index]) }
    }

    /// An HTTP/1.0 request was answered though it had not ended.
    private var endedEarly = false

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is SendContinue else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        if let first = exchanges.first, first.awaitsContinue, !first.answerBegan {
            exchanges[0].awaitsContinue = false
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }
        promise?.succeed()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let first = exchanges.first else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            exchanges[0].answerBegan = true
            guard first.isOld else { return context.write(data, promise: promise) }
            head.version = .http1_0
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            exchanges.removeFirst()
            guard first.isOld else { return context.write(data, promise: promise) }
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(data, promise: written)
            if first.requestEnded {
                let channel = context.channel
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
            } else {
                endedEarly = true
            }
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Where the end of the connection is the end of the answer, only a reset shows that it broke off.
        if mode != .input, let first = exchanges.first, first.isOld, first.answerBegan,
            let socket = context.channel as? any SocketOptionProvider
        {
            _ = socket.setSoLinger(.init(l_onoff: 1, l_linger: 0))
            return context.close(mode: .all, promise: promise)
        }
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        inFlight.callerIsGone(ObjectIdentifier(context.channel))
        context.fireChannelInactive()
    }
}

/// Puts a `ConnectionHandler` where versions of HTTP can still be seen: the server underneath takes handlers behind
/// that place only.
final class ConnectionSetup: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    private let inFlight: InFlight

    init(_ inFlight: InFlight) { self.inFlight = inFlight }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionHandler(inFlight), position: .after(decoder))
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
