import Foundation
import Glibc
import Testing
import Transport

@testable import Gateway

/// TLS for callers, with certificates made by `openssl`.
@Suite(.timeLimit(.minutes(1))) struct InboundTLSTests {
    private final class Files {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ponte-inbound-\(UUID().uuidString)")
        var certificate: String { folder.appending(path: "ponte.pem").path }
        var key: String { folder.appending(path: "ponte.key").path }

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try make()
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        /// A new certificate in place of the old one.
        func make() throws {
            let status = try Self.openssl([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=ponte test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                certificate,
            ])
            guard status == 0 else { throw Failed() }
        }

        /// A copy that later ones do not touch.
        func copy() throws -> String {
            let path = folder.appending(path: "copy-\(UUID().uuidString).pem").path
            try FileManager.default.copyItem(atPath: certificate, toPath: path)
            return path
        }

        struct Failed: Error {}

        static func openssl(_ arguments: [String]) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
    }

    private func with(
        headTimeout: Duration? = nil, _ body: (RunningGateway, Files, InboundCertificates) async throws -> Void
    ) async throws {
        let files = try Files()
        let certificates = try InboundCertificates(certificateFile: files.certificate, keyFile: files.key)
        var options = GatewayOptions()
        options.certificates = certificates
        if let headTimeout { options.headTimeout = headTimeout }
        let gateway = try await RunningGateway.start(FakeSystem(), options)
        do { try await body(gateway, files, certificates) } catch {
            try await gateway.stop()
            throw error
        }
        try await gateway.stop()
    }

    private func request(_ gateway: RunningGateway) -> OutboundRequest {
        OutboundRequest(
            url: "https://127.0.0.1:\(gateway.port)/clients/id-0", headers: [("X-API-Key", "key-ana")],
            repeatability: .safe)
    }

    private func settings(trusting file: String) -> ChannelSettings {
        var settings = ChannelSettings.direct
        settings.caFile = file
        return settings
    }

    /// The status of one call over TLS, trusting one certificate.
    private func status(_ gateway: RunningGateway, trusting file: String) async throws -> Int {
        let engine = try CurlEngine()
        let channel = engine.channel(settings(trusting: file))
        let result: Result<Int, TransportError>
        do throws(TransportError) {
            result = .success(try await channel.send(request(gateway), deadline: .now + .seconds(20)).status)
        } catch {
            result = .failure(error)
        }
        await engine.shutdown()
        return try result.get()
    }

    @Test func callersAreAnsweredOverTLS() async throws {
        try await with { gateway, files, _ async throws in
            #expect(try await status(gateway, trusting: files.certificate) == 200)
        }
    }

    /// Pipes in the files' places: nobody waits for what will not come.
    @Test func aPipeIsNoCertificate() async throws {
        try await with { gateway, files, certificates async throws in
            let old = try files.copy()
            for path in [files.key, files.certificate] {
                try FileManager.default.removeItem(atPath: path)
                try #require(mkfifo(path, 0o600) == 0)
                #expect(throws: InboundCertificates.Failure.self) { try certificates.reload() }
            }
            #expect(try await status(gateway, trusting: old) == 200)
        }
    }

    /// Plain bytes get no HTTP answer, and hold up nobody.
    @Test func plainHTTPIsNotAnswered() async throws {
        try await with { gateway, files, _ async throws in
            let connection = try RawHTTP.Connection(port: gateway.port)
            await connection.send(Array(RawHTTP.head("GET", "/health/live", [], close: true).utf8))
            let answer = await connection.readOne()
            #expect(answer?.status != 200)
            #expect(try await status(gateway, trusting: files.certificate) == 200)
        }
    }

    @Test func aHandshakeThatDripsIsCutOff() async throws {
        try await with(headTimeout: .seconds(1)) { gateway, files, _ async throws in
            let engine = try CurlEngine()
            let channel = engine.channel(settings(trusting: files.certificate))
            #expect(try await channel.send(request(gateway), deadline: .now + .seconds(20)).status == 200)
            // The first bytes of a record that says how long it is, and nothing at all.
            for beginning in [[0x16, 0x03, 0x01, 0x40, 0x00], []] as [[UInt8]] {
                let connection = try RawHTTP.Connection(port: gateway.port)
                await connection.send(beginning)
                async let dripping: Void = { if !beginning.isEmpty { await connection.drip("a") } }()
                #expect(await connection.readToEndOrReset().bytes.isEmpty)
                await dripping
            }
            #expect(gateway.log.all.filter { $0.contains("\"code\":\"head_late\"") }.count == 2)
            // That time was for the handshake alone.
            let kept = try await channel.send(request(gateway), deadline: .now + .seconds(20))
            #expect(kept.status == 200 && kept.reusedConnection)
            await engine.shutdown()
        }
    }

    @Test func oldTLSIsRefused() async throws {
        try await with { gateway, files, _ async throws in
            func connects(_ version: String) throws -> Bool {
                try Files.openssl([
                    "s_client", "-connect", "127.0.0.1:\(gateway.port)", version, "-cipher", "DEFAULT@SECLEVEL=0",
                    "-CAfile",
                    files.certificate, "-verify_return_error",
                ]) == 0
            }
            #expect(try connects("-tls1_2"))
            #expect(try !connects("-tls1_1"))
        }
    }

    @Test func aNewCertificateIsShownToNewConnections() async throws {
        try await with { gateway, files, certificates async throws in
            let old = try files.copy()
            try files.make()
            #expect(try await status(gateway, trusting: old) == 200)
            try certificates.reload()
            #expect(try await status(gateway, trusting: files.certificate) == 200)
            await #expect(throws: TransportError.self) { try await status(gateway, trusting: old) }
            // Files that make no sense change nothing.
            try Data("nothing".utf8).write(to: URL(filePath: files.certificate))
            #expect(throws: InboundCertificates.Failure.self) { try certificates.reload() }
        }
    }

    @Test func filesThatDoNotBelongTogetherAreNamedWithoutTheirPaths() throws {
        let (one, other) = (try Files(), try Files())
        do {
            _ = try InboundCertificates(certificateFile: one.certificate, keyFile: other.key)
            Issue.record("it was taken")
        } catch {
            #expect(error.description.contains("belong together"))
            #expect(!error.description.contains(one.folder.path))
        }
    }
}
