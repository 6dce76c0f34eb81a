import Synchronization
import TestSupport
import Testing

@testable import Transport

/// Where connections may lead, by the address that is dialled.
@Suite(.timeLimit(.minutes(5))) struct AddressTests {
    @Test(arguments: [
        ("93.184.215.14", AddressPolicy.Class.public), ("2606:2800:21f::1", .public), ("172.32.0.1", .public),
        ("11.0.0.1", .public), ("100.128.0.1", .public), ("9.255.255.255", .public),
        ("127.0.0.1", .loopback), ("127.255.255.254", .loopback), ("::1", .loopback),
        ("10.0.0.1", .private), ("172.16.0.1", .private), ("172.31.255.255", .private), ("192.168.1.1", .private),
        ("100.64.0.1", .private), ("198.19.0.1", .private), ("fd12:3456::1", .private), ("fc00::1", .private),
        ("fec0::1", .private),
        ("169.254.169.254", .special), ("169.254.0.1", .special), ("0.0.0.0", .special), ("0.1.2.3", .special),
        ("224.0.0.1", .special), ("239.255.255.255", .special), ("255.255.255.255", .special), ("240.0.0.1", .special),
        ("192.0.0.192", .special), ("100.100.100.200", .special), ("168.63.129.16", .special), ("::", .special),
        ("fe80::1", .special), ("febf::1", .special), ("ff02::1", .special), ("fd00:ec2::254", .special),
        ("fd20:ce::254", .special),
        // IPv4 inside IPv6: mapped, translated, compatible, 6to4, NAT64 of both kinds, Teredo.
        ("::ffff:127.0.0.1", .loopback), ("::ffff:7f00:1", .loopback), ("::ffff:169.254.169.254", .special),
        ("::ffff:10.0.0.1", .private), ("::ffff:8.8.8.8", .public), ("::ffff:0:127.0.0.1", .loopback),
        ("::127.0.0.1", .loopback), ("::10.1.2.3", .private),
        ("2002:7f00:1::", .loopback), ("2002:a9fe:a9fe::1", .special), ("2002:808:808::1", .public),
        ("64:ff9b::10.0.0.1", .private), ("64:ff9b::169.254.169.254", .special), ("64:ff9b:1:7f00:0:100::", .loopback),
        ("2001:0:1:2:3:4:80ff:fffe", .loopback), ("2001:0:1:2:3:4:f5ff:fffe", .private),
    ]) func classes(_ text: String, _ kind: AddressPolicy.Class) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy.class(of: address) == kind)
        #expect(AddressPolicy().allows(address) == (kind == .public))
        #expect(AddressPolicy.unrestricted.allows(address))
        let all = AddressPolicy(naming: [.loopback, .private, .special])
        #expect(all.allows(address) == (kind != .special))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.9.8.7", true), ("10.1.0.0/16", "10.2.0.1", false), ("192.168.7.20", "192.168.7.20", true),
        ("192.168.7.20", "192.168.7.21", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("10.0.0.0/8", "2002:a00:1::", true), ("fd00::/8", "fd12::1", true), ("127.0.0.1", "127.0.0.2", false),
        ("::1", "::1", true), ("::1", "127.0.0.1", false), ("0.0.0.0/0", "10.0.0.1", true),
        // Comfort names no metadata service.
        ("0.0.0.0/0", "169.254.169.254", false), ("0.0.0.0/0", "0.0.0.0", false),
        ("100.64.0.0/10", "100.100.100.200", false),
        ("fc00::/7", "fd00:ec2::254", false), ("::/0", "fe80::1", false), ("::/0", "::ffff:169.254.169.254", false),
        ("169.254.0.0/16", "169.254.169.254", true), ("169.254.10.5", "169.254.10.5", true),
        ("169.254.10.5", "169.254.169.254", false), ("169.254.0.0/16", "::ffff:169.254.1.1", true),
        ("fe80::/10", "fe80::1", true), ("fd00:ec2::254", "fd00:ec2::254", true),
    ]) func ranges(_ range: String, _ text: String, _ allowed: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(AddressPolicy(ranges: [range]).allows(try #require(IPAddress(text))) == allowed)
    }

    @Test(arguments: [
        "", "x", "10", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.5/8",
        "::1/0", "::1/129", "fe80::1%eth0", "010.0.0.1", "0x7f.1", "10.0.0.0/08x", " 10.0.0.0/8", "1.2.3.4.5",
        "256.0.0.1", "10.0.0.1\u{0}.example.test", "::1\u{0}2",
    ]) func noNetworks(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test(arguments: [
        ("http://127.0.0.1:8081", "127.0.0.1", true), ("http://127.0.0.1:8081", "127.0.0.2", false),
        ("http://10.1.2.3/v1", "10.1.2.3", true), ("http://10.1.2.3/v1", "10.1.2.4", false),
        ("https://[::1]:8443/x", "::1", true), ("https://[fd00::1]", "fd00::1", true),
        ("http://localhost", "127.0.0.1", true), ("http://LOCALHOST:1", "::1", true),
        ("http://a.localhost", "127.0.0.1", true), ("http://localhost", "10.0.0.1", false),
        ("http://localhost.example.test", "127.0.0.1", false), ("https://example.test", "127.0.0.1", false),
        // Other spellings are not what an operator writes, nor is a literal that no clinic's system has.
        ("http://2130706433", "127.0.0.1", false), ("http://127.1", "127.0.0.1", false),
        ("http://169.254.169.254", "169.254.169.254", false), ("http://0.0.0.0", "0.0.0.0", false),
        ("", "127.0.0.1", false),
    ]) func whatAnAddressNamesByItself(_ url: String, _ text: String, _ allowed: Bool) throws {
        #expect(AddressPolicy().naming(hostOf: url).allows(try #require(IPAddress(text))) == allowed)
    }

    // MARK: Over sockets

    /// Runs a test against a server on loopback and an engine.
    private func withEngine(_ test: (RawServer, CurlEngine) async throws -> Void) async throws {
        let server = try RawServer(answerAll)
        defer { server.stop() }
        let engine = try CurlEngine()
        do {
            try await test(server, engine)
        } catch {
            await engine.shutdown(cancelling: true)
            throw error
        }
        await engine.shutdown(cancelling: true)
    }

    private func expectRefusal(_ channel: HTTPChannel, _ request: OutboundRequest) async throws {
        let error = try await channel.failure(of: request)
        #expect(error.kind == .addressRefused, "\(request.url)")
        #expect(error.phase == .connecting)
        #expect(!error.mayHaveReachedServer)
        #expect(!error.detail.contains("127"))
    }

    @Test func aNameThatLeadsInwardsIsRefused() async throws {
        try await withEngine { server, engine async throws in
            let url = "http://localhost:\(server.port)/"
            let closed = engine.channel(.init(addresses: AddressPolicy()))
            try await expectRefusal(closed, get(url))
            try await expectRefusal(closed, post(url, .unsafe))
            #expect(server.accepted == 0)
            let open = engine.channel(.init(addresses: AddressPolicy(naming: [.loopback])))
            #expect(try await open.get(url).text == "ok")
            let literal = AddressPolicy().naming(hostOf: server.url)
            #expect(try await engine.channel(.init(addresses: literal)).get(server.url).text == "ok")
        }
    }

    @Test(arguments: [
        "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "[::ffff:7f00:1]",
        "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "[::]", "0", "169.254.169.254", "[fe80::1]", "localhost", "LocalHost",
        "127.0.0.1",
    ]) func everySpellingIsJudgedByItsBytes(_ host: String) async throws {
        try await withEngine { server, engine async throws in
            let channel = engine.channel(.init(addresses: AddressPolicy(naming: [.private])))
            try await expectRefusal(channel, get("http://\(host):\(server.port)/"))
            #expect(server.accepted == 0)
        }
    }

    /// The same host and port, which another tenant may call: its connection is no way in.
    @Test func aKeptConnectionOfAnotherTenantIsRefused() async throws {
        try await withEngine { server, engine async throws in
            let url = "http://localhost:\(server.port)/"
            let open = engine.channel(.init(addresses: AddressPolicy(naming: [.loopback])))
            _ = try await open.get(url)
            try #require(try await open.get(url).reusedConnection)
            let closed = engine.channel(.init(addresses: AddressPolicy()))
            for request in [get(url), post(url, .idempotent), post(url, .unsafe)] {
                try await expectRefusal(closed, request)
            }
            #expect(server.requests.count == 2)
            #expect(try await open.get(url).text == "ok")
        }
    }
}
