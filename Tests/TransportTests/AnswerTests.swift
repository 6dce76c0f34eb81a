import Foundation
import Glibc
import Testing
import Transport

@Suite struct AnswerTests {
    /// The answer to a GET when the server writes these bytes and closes.
    private func exchange(
        _ bytes: [UInt8], _ settings: ChannelSettings = .init()
    ) async throws -> Result<UpstreamAnswer, TransportError> {
        var result: Result<UpstreamAnswer, TransportError>?
        try await withServer(
            { connection in
                if connection.readRequest() != nil { connection.write(bytes) }
            }, settings
        ) { server, channel async throws in
            do throws(TransportError) {
                result = .success(try await channel.get(server.url))
            } catch {
                result = .failure(error)
            }
        }
        return try #require(result)
    }

    private func exchange(_ text: String, _ settings: ChannelSettings = .init()) async throws -> Result<
        UpstreamAnswer, TransportError
    > {
        try await exchange(Array(text.utf8), settings)
    }

    private func failure(_ text: String, _ settings: ChannelSettings = .init()) async throws -> TransportError {
        switch try await exchange(text, settings) {
        case .success(let answer): throw Unexpected(answer: answer.description)
        case .failure(let error): error
        }
    }

    @Test func headersAreReadInAnyCaseInOrderAndUnfolded() async throws {
        let answer = try await exchange(
            "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Interim: 2\r\n\r\n"
                + "HTTP/1.1 429 Slow down\r\nretry-AFTER:  7 \r\nX-Long: one\r\n two\r\nTransfer-Encoding: chunked\r\n"
                + "Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 3\r\n\r\n"
        ).get()
        #expect(answer.status == 429)
        #expect(answer.text == "ok")
        #expect(answer.headers.first("Retry-After") == "7")
        #expect(answer.headers.first("X-Interim") == nil)
        #expect(answer.headers.first("X-Trailer") == nil)
        #expect(answer.headers.first("X-Lon") == nil)
        let long = try #require(answer.headers.first("x-long"))
        #expect(long.split(separator: " ") == ["one", "two"])
        #expect(answer.headers.filter { $0.name == "Set-Cookie" }.map(\.value) == ["a", "b"])
    }

    @Test func noCookieComesBack() async throws {
        try await withServer({ connection in
            while connection.readRequest() != nil { connection.answer(headers: "Set-Cookie: a=1; Path=/\r\n") }
        }) { server, channel async throws in
            for _ in 0..<2 { _ = try await channel.get(server.url) }
            #expect(server.requests.map { $0.header("Cookie") } == [nil, nil])
        }
    }

    @Test(arguments: [
        ("gzip", "H4sIAAAAAAACA6tWysvPTVWyUnLMS1QISS0uSVWqBQApalA3FAAAAA=="),
        ("br", "iwmAeyJub21lIjoiQW5hIFRlc3RlIn0D"),
        ("zstd", "KLUv/SAUoQAAeyJub21lIjoiQW5hIFRlc3RlIn0="),
    ])
    func bodyIsDecompressed(_ encoding: String, _ base64: String) async throws {
        let answer = try await exchange(encoded(encoding, base64)).get()
        #expect(answer.text == #"{"nome":"Ana Teste"}"#)
    }

    /// A mebibyte of zeros in a few dozen bytes.
    @Test(arguments: [
        ("br", "W///j38CIB4LBHLvHwA="),
        ("zstd", "KLUv/aAAABAATAAACAABAPz/ORACAgAQAAIAEAACABAAAgAQAAIAEAACABAAAwAQAA=="),
    ])
    func sizeIsCountedAfterDecompression(_ encoding: String, _ base64: String) async throws {
        let bytes = encoded(encoding, base64)
        let answer = try await exchange(bytes, ChannelSettings(maxBodyBytes: 1 << 20)).get()
        #expect(answer.body.count == 1 << 20)
        let refused = try await exchange(bytes, ChannelSettings(maxBodyBytes: (1 << 20) - 1))
        let error = #expect(throws: TransportError.self) { try refused.get() }
        #expect(error?.kind == .tooLarge)
        #expect(error?.mayHaveReachedServer == true)
    }

    static let broken: [(String, TransportError.Kind, TransportError.Phase)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", .truncated, .receiving),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour", .truncated, .receiving),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n", .truncated, .receiving),
        // Libcurl has one code for a bad chunk and a broken connection.
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfour\r\n", .receive, .receiving),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfour", .badEncoding, .receiving),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nfour", .badEncoding, .receiving),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 4\r\n\r\nfour", .badEncoding, .receiving),
        ("HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\nfour", .protocolViolation, .receiving),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", .protocolViolation, .receiving),
        ("", .emptyAnswer, .waiting),
    ]

    @Test(arguments: broken.indices) func brokenAnswerIsAnError(_ index: Int) async throws {
        let (text, kind, phase) = Self.broken[index]
        let error = try await failure(text)
        #expect(error.kind == kind)
        #expect(error.phase == phase)
        #expect(error.mayHaveReachedServer)
    }

    @Test func endlessBodyIsCutOff() async throws {
        try await withServer(
            { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n\r\n")
                while connection.write([UInt8](repeating: 120, count: 65536)) {}
            }, ChannelSettings(maxBodyBytes: 1 << 20)
        ) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url))
            #expect(error.kind == .tooLarge)
        }
    }

    @Test func endlessHeadersAreCutOff() async throws {
        try await withServer({ connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write("X-More: \(String(repeating: "x", count: 1000))\r\n") {}
        }) { server, channel async throws in
            let error = try await channel.failure(of: get(server.url))
            #expect(error.kind == .tooLarge)
        }
    }

    private func encoded(_ encoding: String, _ base64: String) -> [UInt8] {
        let body = Array(Data(base64Encoded: base64) ?? Data())
        return Array("HTTP/1.1 200 OK\r\nContent-Encoding: \(encoding)\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
            + body
    }

    /// Slow is not wrong: whatever comes in time is an answer.
    @Test func anAnswerByteByByteIsAnAnswer() async throws {
        try await withServer({ connection in
            guard connection.readRequest() != nil else { return }
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nAna Teste".utf8 {
                connection.write([byte])
                usleep(500)
            }
        }) { server, channel async throws in
            #expect(try await channel.get(server.url).text == "Ana Teste")
        }
    }
}
