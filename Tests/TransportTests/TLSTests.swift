import Testing
import Transport

@Suite struct TLSTests {
    private func withServer(
        _ start: (Certificates) async throws -> TLSServer, host: String = "IP:127.0.0.1",
        fault: Certificates.Fault? = nil, _ test: (TLSServer, CurlEngine, Certificates) async throws -> Void
    ) async throws {
        let certificates = try Certificates(host: host, fault: fault)
        let server = try await start(certificates)
        let engine = try CurlEngine()
        let result: Result<Void, any Error>
        do { result = .success(try await test(server, engine, certificates)) } catch { result = .failure(error) }
        await engine.shutdown(cancelling: true)
        try await server.stop()
        try result.get()
    }

    @Test func ownAuthorityIsTrusted() async throws {
        try await withServer({ try await .start($0) }) { server, engine, files async throws in
            let channel = engine.channel(.init(caFile: files.path("ca.pem")))
            let answer = try await channel.get(server.url)
            #expect(answer.text == "h1")
            #expect(answer.timings.tls > .zero)
            #expect(try await channel.get(server.url).reusedConnection)
        }
    }

    @Test func unknownAuthorityIsNot() async throws {
        try await withServer({ try await .start($0) }) { server, engine, files async throws in
            // A connection that another channel may use is no way round the check.
            _ = try await engine.channel(.init(caFile: files.path("ca.pem"))).get(server.url)
            let error = try await engine.channel(.init()).failure(of: post(server.url, .unsafe))
            #expect(error.kind == .certificate)
            #expect(error.phase == .handshaking)
            #expect(error.mayHaveReachedServer == false)
            let safe = try await engine.channel(.init()).failure(of: get(server.url))
            #expect(safe.kind == .certificate)
        }
    }

    /// A channel's authorities are its own: neither another channel's nor the machine's count.
    @Test func pinnedAuthoritiesAreTheOnlyOnes() async throws {
        let stranger = try Certificates()
        try await withServer({ try await .start($0) }) { server, engine, files async throws in
            #expect(try await engine.channel(.init(caFile: files.path("ca.pem"))).get(server.url).text == "h1")
            for request in [get(server.url), post(server.url, .unsafe)] {
                let error = try await engine.channel(.init(caFile: stranger.path("ca.pem"))).failure(of: request)
                #expect(error.kind == .certificate)
                #expect(!error.mayHaveReachedServer)
            }
        }
    }

    @Test func certificateOfAnotherHostIsNot() async throws {
        try await withServer({ try await .start($0) }, host: "DNS:other.example.test") {
            server, engine, files async throws in
            let error = try await engine.channel(.init(caFile: files.path("ca.pem"))).failure(of: get(server.url))
            #expect(error.kind == .certificate)
            #expect(error.mayHaveReachedServer == false)
        }
    }

    /// An operator who reads the detail knows what to ask the clinic for.
    @Test func certificatesAreToldApart() async throws {
        func detail(
            _ host: String = "IP:127.0.0.1", fault: Certificates.Fault? = nil, trusted: Bool = true
        ) async throws -> String {
            var detail = ""
            try await withServer({ try await .start($0) }, host: host, fault: fault) {
                server, engine, files async throws in
                let channel = engine.channel(trusted ? .init(caFile: files.path("ca.pem")) : .init())
                let error = try await channel.failure(of: post(server.url, .unsafe))
                #expect(error.kind == .certificate)
                #expect(!error.mayHaveReachedServer)
                // The same handle again: what it noted the first time must not stay.
                #expect(try await channel.failure(of: get(server.url)).detail == error.detail)
                detail = error.detail
            }
            return detail
        }
        #expect(try await detail(fault: .expired) == "the server's certificate has expired")
        #expect(try await detail("DNS:other.example.test") == "the server's certificate is for another name")
        #expect(
            try await detail(fault: .signedByItself) == "the server's certificate is signed by itself and not trusted")
        #expect(
            try await detail(trusted: false) == "the server's certificate is from an authority that is not trusted")
    }

    @Test func oldTLSIsRefused() async throws {
        try await withServer({ try await .start($0, maximumVersion: .tlsv11) }) { server, engine, files async throws in
            let error = try await engine.channel(.init(caFile: files.path("ca.pem"))).failure(of: get(server.url))
            #expect(error.kind == .tls)
            #expect(error.phase == .handshaking)
            #expect(error.mayHaveReachedServer == false)
        }
    }

    @Test func missingFilesAreCertificateErrors() async throws {
        try await withServer({ try await .start($0) }) { server, engine, files async throws in
            let noCA = try await engine.channel(.init(caFile: files.path("none.pem"))).failure(of: get(server.url))
            #expect(noCA.kind == .ownFile)
            let settings = ChannelSettings(
                caFile: files.path("ca.pem"), clientCertificateFile: files.path("none.pem"),
                clientKeyFile: files.path("client.key"))
            let noCertificate = try await engine.channel(settings).failure(of: get(server.url))
            #expect(noCertificate.kind == .ownFile)
            #expect(!noCertificate.mayHaveReachedServer)
        }
    }

    /// Two tenants, one server: the one without a certificate must not ride on the other one's connection.
    @Test func clientCertificateIsOfItsChannelOnly() async throws {
        try await withServer({ try await .start($0, clientCertificate: true) }) { server, engine, files async throws in
            let with = engine.channel(
                .init(
                    caFile: files.path("ca.pem"), clientCertificateFile: files.path("client.pem"),
                    clientKeyFile: files.path("client.key")))
            let without = engine.channel(.init(caFile: files.path("ca.pem")))
            #expect(try await with.get(server.url).text == "h1")
            let error = try await without.failure(of: get(server.url))
            #expect([.tls, .receive, .emptyAnswer].contains(error.kind))
            #expect(try await with.get(server.url).reusedConnection)
        }
    }

    @Test func streamsOfOneConnectionAreOneChannels() async throws {
        try await withServer({ try await .start($0, http2: true) }) { server, engine, files async throws in
            let settings = ChannelSettings(maxInFlight: 16, caFile: files.path("ca.pem"), http2: true)
            let channels = [engine.channel(settings), engine.channel(settings)]
            try await withThrowingTaskGroup(of: UpstreamAnswer.self) { group in
                for number in 0..<32 { group.addTask { try await channels[number % 2].get(server.url) } }
                for try await answer in group { #expect(answer.httpVersion == .http2) }
            }
            #expect(server.connections == channels.count)
        }
    }

    @Test func http2CallsShareAConnection() async throws {
        try await withServer({ try await .start($0, http2: true) }) { server, engine, files async throws in
            // Each stream's connection is judged, too.
            let addresses = AddressPolicy(naming: [.loopback])
            let channel = engine.channel(
                .init(maxInFlight: 16, caFile: files.path("ca.pem"), http2: true, addresses: addresses))
            try await withThrowingTaskGroup(of: UpstreamAnswer.self) { group in
                for _ in 0..<64 { group.addTask { try await channel.get(server.url) } }
                for try await answer in group {
                    #expect(answer.httpVersion == .http2)
                    #expect(answer.text == "h2")
                }
            }
            #expect(server.connections == 1)
            // A create has a connection of its own, and no stream beside it.
            let created = try await channel.create(server.url)
            #expect(created.httpVersion == .http11)
            #expect(server.connections == 2)
            #expect(try await channel.get(server.url).httpVersion == .http2)
            #expect(server.connections == 2)
        }
    }

    @Test func http2IsOnlySpokenWhenAskedFor() async throws {
        try await withServer({ try await .start($0, http2: true) }) { server, engine, files async throws in
            let answer = try await engine.channel(.init(caFile: files.path("ca.pem"))).get(server.url)
            #expect(answer.httpVersion == .http11)
        }
    }
}
