import NIOSSL
import Synchronization
import Tenancy

/// The certificate chain and key that callers are shown, read from PEM files; TLS 1.2 and newer (RFC 9325).
///
/// Connections keep what they began with; after `reload` new ones get the files' new content.
public final class InboundCertificates: Sendable {
    /// What is wrong with the files. It names no path and quotes nothing of them.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    private let certificateFile: String
    private let keyFile: String
    private let current: Mutex<NIOSSLContext>

    /// - Throws: `Failure` when the files cannot be read, are no PEM, or do not belong together.
    public init(certificateFile: String, keyFile: String) throws(Failure) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        current = Mutex(try Self.context(certificateFile, keyFile))
    }

    /// Reads the files again. On a failure everything stays as it was.
    public func reload() throws(Failure) {
        let next = try Self.context(certificateFile, keyFile)
        current.withLock { $0 = next }
    }

    /// A handler for one connection.
    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: current.withLock { $0 }) }

    private static func context(_ certificateFile: String, _ keyFile: String) throws(Failure) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(try Files.read(certificateFile))
        } catch {
            throw Failure(description: "the certificate file (listen.tls.certificateFile) is no readable PEM file")
        }
        guard !chain.isEmpty else {
            throw Failure(description: "the certificate file (listen.tls.certificateFile) holds no certificate")
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: try Files.read(keyFile), format: .pem)
        } catch {
            throw Failure(description: "the key file (listen.tls.keyFile) is no readable PEM key without a password")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Failure(description: "certificate and key (listen.tls) do not belong together")
        }
    }
}
