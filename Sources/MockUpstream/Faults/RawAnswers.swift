import NIOCore
import NIOHTTP1

/// Bytes that go out past the HTTP encoder, for answers that it would not write. The connection ends with them: whatever
/// is asked on it afterwards is not answered.
struct RawAnswers {
    /// The place of the HTTP encoder: what it writes goes out as it is.
    private let context: ChannelHandlerContext

    /// Nil if the connection is being taken down.
    init?(_ handler: ChannelHandlerContext) {
        guard let context = try? handler.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self) else {
            return nil
        }
        self.context = context
    }

    private enum Framing {
        case length(Int)
        case chunked
        /// The end of the connection ends the body.
        case none
    }

    /// A head that says that the connection will close.
    private static func head(_ answer: MockAnswer, _ framing: Framing, more: String = "") -> [UInt8] {
        var text =
            "HTTP/1.1 \(HTTPResponseStatus(statusCode: answer.status))\r\nContent-Type: \(answer.contentType)\r\n"
        switch framing {
        case .length(let count): text += "Content-Length: \(count)\r\n"
        case .chunked: text += "Transfer-Encoding: chunked\r\n"
        case .none: break
        }
        for header in answer.headers { text += "\(header.name): \(header.value)\r\n" }
        return Array((text + "Connection: close\r\n\(more)\r\n").utf8)
    }

    private static func chunk(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10]
    }

    // MARK: Sending

    /// Sends an answer as a fault of the bytes on the wire spoils it.
    /// - Returns: what is to be pumped from now on, if it has no end.
    func send(_ answer: MockAnswer, spoiltBy fault: MockFault) -> EndlessBytes? {
        let whole = { Self.head(answer, .length(answer.body.count)) + answer.body }
        switch fault {
        case .slicer(let bytes): drip(whole()[...], by: bytes, pause: .zero)
        case .bandwidth(let bytesPerSecond): drip(whole(), bytesPerSecond: bytesPerSecond)
        case .slowClose(let milliseconds):
            send(Self.head(answer, .none) + answer.body, closingAfter: .milliseconds(Int64(milliseconds)))
        case .badChunk:
            let half = Self.chunk(answer.body.prefix(answer.body.count / 2))
            send(Self.head(answer, .chunked) + half + Array("zz\r\n".utf8) + answer.body.suffix(2))
        case .random(let seed):
            var dice = Dice(UInt64(seed), 3)
            send((0..<4_096).map { _ in UInt8(dice.roll(256)) })
        case .endless:
            let text = String(repeating: #"{"nome":"sem fim"},"#, count: 400)
            return endless(Self.head(answer, .chunked), Self.chunk(text.utf8))
        case .endlessHeaders:
            let line = "X-Sem-Fim: \(String(repeating: "x", count: 1_000))\r\n"
            return endless(Self.head(answer, .chunked).dropLast(2), Array(line.utf8))
        case .gzipBomb:
            let head = Self.head(answer, .chunked, more: "Content-Encoding: gzip\r\n")
            return endless(head + Self.chunk(GzipBomb.beginning), Self.chunk(GzipBomb.repeated))
        default: send(whole())
        }
        return nil
    }

    /// Sends bytes at once, and closes the connection some time after they have gone.
    private func send(_ bytes: [UInt8], closingAfter wait: TimeAmount = .zero) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in
            bound.value.eventLoop.scheduleTask(in: wait) { bound.value.close(promise: nil) }
        }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: sent)
    }

    /// Sends bytes in pieces, each when the one before has gone and a pause is over, and closes the connection.
    private func drip(_ bytes: ArraySlice<UInt8>, by size: Int, pause: TimeAmount) {
        guard context.channel.isActive else { return }
        guard !bytes.isEmpty else { return context.close(promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        sent.futureResult.whenSuccess {
            let next: @Sendable () -> Void = { bound.value.0.drip(bytes.dropFirst(size), by: size, pause: pause) }
            // Never at once: a long answer would be as many calls within each other.
            if pause == .zero {
                bound.value.1.eventLoop.execute(next)
            } else {
                bound.value.1.eventLoop.scheduleTask(in: pause, next)
            }
        }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes.prefix(size))), promise: sent)
    }

    /// Sends bytes at a rate, in pieces of a fiftieth of a second where that is a byte and more.
    private func drip(_ bytes: [UInt8], bytesPerSecond rate: Int) {
        let size = max(1, rate / 50)
        drip(bytes[...], by: size, pause: .nanoseconds(Int64(size) * 1_000_000_000 / Int64(rate)))
    }

    /// Sends a beginning, and then the same bytes over and over until the caller leaves.
    private func endless(_ beginning: some Collection<UInt8>, _ repeated: [UInt8]) -> EndlessBytes {
        context.write(NIOAny(ByteBuffer(bytes: beginning)), promise: nil)
        let endless = EndlessBytes(context, ByteBuffer(bytes: repeated))
        endless.pump()
        return endless
    }
}

/// Bytes that go on for as long as the caller takes them.
final class EndlessBytes {
    private let context: ChannelHandlerContext
    private let bytes: ByteBuffer

    init(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        self.context = context
        self.bytes = bytes
    }

    /// Sends until the socket takes no more; to be called again when it does.
    func pump() {
        var left = 16
        while context.channel.isActive, context.channel.isWritable, left > 0 {
            context.writeAndFlush(NIOAny(bytes), promise: nil)
            left -= 1
        }
        // The socket took all of it: let other connections have a turn.
        guard context.channel.isActive, context.channel.isWritable else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.pump() }
    }
}

/// A gzip stream (RFC 1952) of one endless block of blanks: 158 of them for each byte.
enum GzipBomb {
    /// Header, the block's head (not the last one, fixed codes), one literal blank and one repetition of it.
    static let beginning: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF] + pack(blockHead + [blank, repetition])
    /// Repetitions that end with a byte: eight of thirteen bits.
    static let repeated: [UInt8] = (0..<640).flatMap { _ in pack(Array(repeating: repetition, count: 8)) }

    // RFC 1951, section 3.2.6: bits in the order in which they are sent.
    private static let blockHead = ["0", "10"]
    private static let blank = "01010000"
    /// 258 bytes from a distance of 1.
    private static let repetition = "11000101" + "00000"

    private static func pack(_ codes: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (place, bit) in codes.joined().utf8.enumerated() {
            if place % 8 == 0 { bytes.append(0) }
            if bit == UInt8(ascii: "1") { bytes[place / 8] |= 1 << UInt8(place % 8) }
        }
        return bytes
    }
}
