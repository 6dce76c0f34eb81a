import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// A certificate authority with a server's and a client's certificate, made by `openssl` in a folder of its own.
final class Certificates: Sendable {
    private let folder: URL

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// What may be wrong with the server's certificate.
    enum Fault { case expired, signedByItself }

    /// - Parameter host: what the server's certificate is for.
    init(host: String = "IP:127.0.0.1", fault: Fault? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("ponte-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try authority("ca")
        switch fault {
        case nil: try certificate("server", host)
        case .expired: try expiredCertificate("server", host)
        case .signedByItself: try authority("server", ["-addext", "subjectAltName=\(host)"])
        }
        try certificate("client", "DNS:client.example.test")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func authority(_ name: String, _ more: [String] = []) throws {
        try openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=Ponte test authority", "-out", path(name + ".pem")]
                + more + newKey(name))
    }

    /// One whose last day was yesterday.
    private func expiredCertificate(_ name: String, _ alternative: String) throws {
        try openssl(
            [
                "req", "-new", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(alternative)", "-out",
                path(name + ".csr"),
            ] + newKey(name))
        try openssl([
            "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-days", "-1",
            "-copy_extensions", "copy", "-out", path(name + ".pem"),
        ])
    }

    private func certificate(_ name: String, _ alternative: String) throws {
        try openssl(
            [
                "req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                "-addext", "subjectAltName=\(alternative)", "-addext", "basicConstraints=critical,CA:FALSE",
                "-out", path(name + ".pem"),
            ] + newKey(name))
    }

    private func newKey(_ name: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path(name + ".key")]
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw POSIXError(.EIO) }
    }
}

/// Answers every request over TLS with the protocol it came by, and counts connections.
final class TLSServer: Sendable {
    private let channel: any Channel
    private let counter: Counter
    let url: String

    /// Handshaken connections.
    var connections: Int { counter.value }

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    static func start(
        _ certificates: Certificates, http2: Bool = false, clientCertificate: Bool = false,
        maximumVersion: TLSVersion? = nil
    ) async throws -> TLSServer {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.path("server.pem")).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.path("server.key"), format: .pem)))
        tls.applicationProtocols = http2 ? ["h2", "http/1.1"] : ["http/1.1"]
        tls.maximumTLSVersion = maximumVersion
        tls.minimumTLSVersion = .tlsv1
        if clientCertificate {
            tls.trustRoots = .file(certificates.path("ca.pem"))
            tls.certificateVerification = .noHostnameVerification
        }
        let context = try NIOSSLContext(configuration: tls)
        let counter = Counter()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }.flatMap {
                    channel.configureHTTP2SecureUpgrade(
                        h2ChannelConfigurator: { channel in
                            counter.add()
                            return channel.configureHTTP2Pipeline(mode: .server) { stream in
                                stream.eventLoop.makeCompletedFuture {
                                    try stream.pipeline.syncOperations.addHandlers(
                                        HTTP2FramePayloadToHTTP1ServerCodec(), Answerer("h2"))
                                }
                            }.map { _ in }
                        },
                        http1ChannelConfigurator: { channel in
                            counter.add()
                            return channel.pipeline.configureHTTPServerPipeline().flatMap {
                                channel.eventLoop.makeCompletedFuture {
                                    try channel.pipeline.syncOperations.addHandler(Answerer("h1"))
                                }
                            }
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSServer(channel, counter)
    }

    private init(_ channel: any Channel, _ counter: Counter) {
        self.channel = channel
        self.counter = counter
        url = "https://127.0.0.1:\(channel.localAddress?.port ?? 0)/"
    }

    func stop() async throws { try await channel.close() }
}

private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let text: String

    init(_ text: String) { self.text = text }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["content-length": "\(text.utf8.count)"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// A client that will not have our certificate is what some tests are about.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
