import StrictConfig
import Tenancy
import Testing
import Transport

/// `upstream.addresses`, and what `upstream.baseURL` names by itself.
@Suite struct AddressMemberTests {
    private func policy(_ baseURL: String, _ addresses: [String]?) throws -> AddressPolicy {
        let configuration = try TestConfiguration()
        var document: Any = TestConfiguration.fullTenant()
        document = Document.setting(document, ["upstream", "baseURL"], baseURL)
        document = Document.setting(document, ["upstream", "addresses"], addresses)
        try configuration.write("tenants/clinica-aurora.json", document)
        let loaded = configuration.load()
        #expect(loaded.faults.isEmpty)
        return try #require(loaded.tenants.first).channel.addresses
    }

    @Test(
        arguments: [
            ("https://api.example.test", nil, "8.8.8.8", true), ("https://api.example.test", nil, "10.0.0.1", false),
            ("https://api.example.test", nil, "127.0.0.1", false), ("https://api.example.test", [], "127.0.0.1", false),
            ("http://127.0.0.1:8081", nil, "127.0.0.1", true), ("http://127.0.0.1:8081", nil, "127.0.0.2", false),
            ("http://localhost:8081", nil, "::1", true), ("http://192.168.7.20/api", nil, "192.168.7.20", true),
            ("http://192.168.7.20/api", ["loopback"], "192.168.7.20", true),
            ("https://api.example.test", ["private"], "10.0.0.1", true),
            ("https://api.example.test", ["private"], "127.0.0.1", false),
            ("https://api.example.test", ["loopback"], "::ffff:127.0.0.1", true),
            ("https://api.example.test", ["10.1.0.0/16"], "10.1.2.3", true),
            ("https://api.example.test", ["10.1.0.0/16"], "10.2.2.3", false),
            ("https://api.example.test", ["private", "loopback", "0.0.0.0/0"], "169.254.169.254", false),
            ("https://api.example.test", ["169.254.169.254"], "169.254.169.254", true),
        ] as [(String, [String]?, String, Bool)])
    func whatATenantNames(_ baseURL: String, _ addresses: [String]?, _ text: String, _ allowed: Bool) throws {
        #expect(try policy(baseURL, addresses).allows(try #require(IPAddress(text))) == allowed)
    }

    /// Everybody compares them in one spelling; a path is the system's own.
    @Test(
        arguments: [
            ("HTTPS://API.Example.Test/V1/", "https://api.example.test/V1"),
            ("Http://LOCALHOST:8081", "http://localhost:8081"),
            ("http://[FD00::1]", "http://[fd00::1]"),
        ])
    func schemeAndHostAreReadInLowerCase(_ written: String, _ read: String) throws {
        let configuration = try TestConfiguration()
        let document = Document.setting(TestConfiguration.fullTenant(), ["upstream", "baseURL"], written)
        try configuration.write("tenants/clinica-aurora.json", document)
        let loaded = configuration.load()
        #expect(loaded.faults.isEmpty)
        #expect(loaded.tenants.first?.upstream.baseURL == read)
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST", true), ("127.0.0.1", true), ("127.8.9.10", true), ("::1", true),
        ("::ffff:127.0.0.1", true), ("127.0.0.1.example.test", false), ("127.example.test", false), ("", false),
        ("localhost.example.test", false), ("10.0.0.1", false), ("0.0.0.0", false), ("::", false),
    ])
    func loopbackIsAnAddressAndNoBeginning(_ host: String, _ isLoopback: Bool) {
        #expect(AddressPolicy.isLoopback(host: host) == isLoopback)
        #expect(
            AddressPolicy.isLoopback(hostOf: "http://\(host.contains(":") ? "[\(host)]" : host):8080/v1") == isLoopback)
    }

    /// Nothing that could be called is refused when it is called only.
    @Test(arguments: [
        "http://169.254.169.254/latest", "HTTP://169.254.169.254", "http://0.0.0.0:8080", "http://[fe80::1]",
        "http://[::ffff:a9fe:a9fe]",
    ])
    func aLiteralThatCouldNeverBeCalledIsAFault(_ baseURL: String) throws {
        let document = Document.setting(TestConfiguration.fullTenant(), ["upstream", "baseURL"], baseURL)
        let faults = try TestConfiguration().faults(ofTenant: document)
        #expect(faults.map(\.pointer) == ["/upstream/baseURL"])
    }

    @Test(arguments: [
        "public", "special", "Private", "10.0.0.5/8", "10.0.0.0/33", "example.test", "127.1", "fe80::1%eth0", "",
    ])
    func refuses(_ text: String) throws {
        let document = Document.setting(TestConfiguration.fullTenant(), ["upstream", "addresses"], [text])
        let faults = try TestConfiguration().faults(ofTenant: document)
        #expect(faults.map(\.pointer) == ["/upstream/addresses/0"])
    }
}
