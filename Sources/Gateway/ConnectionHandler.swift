import ClientContract
import HTTPTypes
import Logging
import Metering
import NIOCore
import NIOHTTP1

/// Asks the connection to send `100 Continue`, if the caller waits for it.
struct SendContinue: Sendable {}

/// What the server underneath leaves out of HTTP/1: refusing what is not sound HTTP, `100 Continue` (RFC 9110, section
/// 10.1.1), answers that a caller of HTTP/1.0 understands (RFC 9112, section 6.1), and callers who reset their connection
/// while they wait.
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
        /// The connection ends with the answer.
        let isLast: Bool
        var awaitsContinue: Bool
        var requestEnded = false
        var answerBegan = false
    }

    /// How long a refused caller may take to read why.
    private static let linger = TimeAmount.seconds(2)

    private let options: GatewayOptions
    private let inFlight: InFlight
    private let meter: ServerMeter
    private let logger: Logger
    private let isOneTooMany: Bool
    /// Watches the bytes of this connection; both live as long as its pipeline.
    weak var wire: WireHandler?
    private var context: ChannelHandlerContext?
    /// Requests that are not answered to their end, in order: callers may send several ahead.
    private var exchanges: [Exchange] = []
    /// The connection ends with the answer to the request that came last, which may be answered before it has ended.
    private var lastBegan = false
    /// Nothing that comes from now on is a request.
    private(set) var isDeaf = false
    private var isRefused = false
    var isAnswering: Bool { !exchanges.isEmpty }

    init(
        _ options: GatewayOptions, _ inFlight: InFlight, _ meter: ServerMeter, _ logger: Logger, isOneTooMany: Bool
    ) {
        self.options = options
        self.inFlight = inFlight
        self.meter = meter
        self.logger = logger
        self.isOneTooMany = isOneTooMany
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if isOneTooMany { refuse(.init(ContractError(.tooManyConnections, retryAfter: 1))) }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            wire?.headCame()
            if let fault = RequestHead.fault(&head) { return fail(Self.malformed(fault)) }
            let isOld = RequestHead.isOld(head)
            let expects = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
            lastBegan = RequestHead.isLast(head)
            exchanges.append(Exchange(isOld: isOld, isLast: lastBegan, awaitsContinue: expects && !isOld))
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let piece):
            wire?.bodyCame(piece.readableBytes)
            last { $0.awaitsContinue = false }
        case .end:
            wire?.requestEnded()
            last { ($0.awaitsContinue, $0.requestEnded) = (false, true) }
            if lastBegan { isDeaf = true }
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

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Nothing more comes, and nothing more goes.
        if isRefused, case .inputClosed? = event as? ChannelEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Refusals

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        guard !isDeaf else { return }
        switch error {
        case .headerOverflow:
            fail(ContractError(.headersTooLarge, "A request's head has at most \(options.headerBytes) bytes."), error)
        default: fail(Self.malformed("it is not framed as HTTP asks"), error)
        }
    }

    private static func malformed(_ fault: String) -> ContractError {
        ContractError(.invalidInput, "The request is not sound HTTP/1.1: \(fault).")
    }

    /// Ends a connection on which no request can follow. Where requests wait for their answers they get them first, from
    /// the server underneath, which then says the rest.
    private func fail(_ error: ContractError, _ cause: HTTPParserError = .unknown) {
        guard !exchanges.isEmpty else { return refuse(.init(error)) }
        isDeaf = true
        context?.fireErrorCaught(cause)
    }

    /// Answers a method that the parser does not know. The path is looked at all the same.
    func refuseMethod(_ target: String) {
        guard exchanges.isEmpty else { return fail(Self.malformed("the method is unknown")) }
        do {
            let path = target.prefix { $0 != "?" }
            _ = try Route.find(method: "other", path: path, prefix: options.pathPrefix)
        } catch {
            var refusal = Refusal(error.error)
            if case .wrongMethod(let methods, let template) = error {
                refusal.allow = methods
                refusal.record.route = template
            }
            refuse(refusal)
        }
    }

    /// A head, or the handshake before it, began and did not end in time. There is nothing to answer yet.
    func headIsLate() {
        isDeaf = true
        var record = AccessRecord(requestID: RequestIdentity.new(), method: "other")
        (record.status, record.outcome) = (Outcome.headLate.status, .headLate)
        record.end(logger, meter)
        context?.channel.close(promise: nil)
    }

    private struct Refusal {
        let error: ContractError
        var allow: String?
        var record = AccessRecord(requestID: RequestIdentity.new(), method: "other")

        init(_ error: ContractError) { self.error = error }
    }

    /// Answers in place of the server underneath, which has seen no request, and ends the connection. What the caller
    /// still sends is read and forgotten for a while: a reset would take the answer from it.
    private func refuse(_ refusal: Refusal) {
        guard let context, !isRefused else { return }
        (isDeaf, isRefused) = (true, true)
        var record = refusal.record
        let answer = Answer.problem(refusal.error, requestID: record.requestID, allow: refusal.allow)
        (record.status, record.outcome) = (answer.status, .error(refusal.error.code))
        record.end(logger, meter)
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status))
        for field in answer.head(requestID: record.requestID) {
            head.headers.add(name: field.name.rawName, value: field.value)
        }
        head.headers.add(name: "Content-Length", value: String(answer.body.count))
        head.headers.add(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        let lingering = context.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in lingering.cancel() }
    }

    // MARK: Answers

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
            guard first.isLast else { return context.write(data, promise: promise) }
            if first.isOld { head.version = .http1_0 }
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            exchanges.removeFirst()
            if exchanges.isEmpty { wire?.answerEnded(context) }
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
