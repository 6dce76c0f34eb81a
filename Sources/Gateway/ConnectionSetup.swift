import Glibc
import Logging
import Metering
import NIOCore
import NIOHTTP1
import Synchronization
import Transport

/// How many connections are open, and how many may be.
final class ConnectionCount: Sendable {
    let most: Int
    /// Connections beyond `most` that are told so at the same time; more wait until they are accepted.
    let told: Int
    /// Most from one address; nil for any number.
    private let mostPerAddress: Int?
    /// Addresses from which any number may come.
    private let proxies: [AddressRange]
    private let open = Mutex(0)
    /// Whoever has one IPv6 address has 2⁶⁴ of them: these count together.
    private let byAddress = Mutex<[IPAddress: Int]>([:])

    init(most: Int, told: Int, perAddress: Int? = nil, proxies: [AddressRange] = []) {
        self.most = most
        self.told = told
        mostPerAddress = perAddress
        self.proxies = proxies
    }

    /// Counts a connection of an address.
    /// - Returns: whether it is one too many; it counts until `left(_:)` all the same.
    func came(from address: IPAddress) -> Bool {
        guard let mostPerAddress, !proxies.contains(where: { $0.contains(address) }) else { return false }
        return byAddress.withLock { counts in
            counts[address.subscriber, default: 0] += 1
            return (counts[address.subscriber] ?? 0) > mostPerAddress
        }
    }

    func left(_ address: IPAddress) {
        guard mostPerAddress != nil else { return }
        byAddress.withLock { counts in
            guard let count = counts[address.subscriber] else { return }
            counts[address.subscriber] = count > 1 ? count - 1 : nil
        }
    }

    /// - Returns: how many there are with this one.
    func opened() -> Int {
        open.withLock {
            $0 += 1
            return $0
        }
    }

    func closed() { open.withLock { $0 -= 1 } }
}

/// Sets a connection up: puts handlers where bytes and versions of HTTP can still be seen (the server underneath takes
/// handlers behind that place only), counts it, and keeps the system's buffers small.
final class ConnectionSetup: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// Bytes of an answer that the system holds before the network wants them. With more, a list would be read from the
    /// clinic's system far ahead of its reader.
    static let mostUnsent = 128 << 10

    private let options: GatewayOptions
    private let inFlight: InFlight
    private let count: ConnectionCount
    private let meter: ServerMeter
    private let logger: Logger

    init(
        _ options: GatewayOptions, _ inFlight: InFlight, _ count: ConnectionCount, _ meter: ServerMeter,
        _ logger: Logger
    ) {
        self.options = options
        self.inFlight = inFlight
        self.count = count
        self.meter = meter
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let number = count.opened()
        meter.connectionOpened()
        context.channel.closeFuture.whenComplete { [count, meter] _ in
            count.closed()
            meter.connectionClosed()
        }
        guard number <= count.most + count.told else {
            meter.connectionRefused()
            return context.close(promise: nil)
        }
        var isOneTooMany = number > count.most
        if let address = CallerAddress.peer(of: context.channel) {
            if count.came(from: address) { isOneTooMany = true }
            context.channel.closeFuture.whenComplete { [count] _ in count.left(address) }
        }
        if isOneTooMany { meter.connectionRefused() }
        let unsent = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_NOTSENT_LOWAT))
        // A socket that does not know the option works without.
        try? context.channel.syncOptions?.setOption(unsent, value: Self.mostUnsent)
        let connection = ConnectionHandler(options, inFlight, meter, logger, isOneTooMany: isOneTooMany)
        let wire = WireHandler(options, connection)
        connection.wire = wire
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(connection, position: .after(decoder))
            try pipeline.addHandler(wire, position: .first)
            // In front of all others: the rest of the pipeline sees bytes in clear.
            if let certificates = options.certificates {
                try pipeline.addHandler(certificates.handler(), position: .first)
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
