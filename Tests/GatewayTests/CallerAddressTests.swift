import Tenancy
import Testing
import Transport

@testable import Gateway

@Suite struct CallerAddressTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let peer: String
        let forwarded: [String]
        let source: String?
        var testDescription: String { "\(peer), \(forwarded)" }

        init(_ peer: String, _ forwarded: [String], _ source: String?) {
            (self.peer, self.forwarded, self.source) = (peer, forwarded, source)
        }
    }

    static let cases = [
        // A peer that is no proxy speaks for itself, whatever it says.
        Case("198.51.100.9", [], "198.51.100.9"), Case("198.51.100.9", ["203.0.113.7"], "198.51.100.9"),
        // Behind a proxy the last stranger counts.
        Case("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        Case("10.0.0.1", ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        Case("10.0.0.1", ["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
        Case("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        Case("10.0.0.1", ["203.0.113.7,10.0.0.2 ,\t10.0.0.3"], "203.0.113.7"),
        // Spellings of proxies.
        Case("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        Case("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"), Case("10.0.0.1", ["2001:DB8:0::7"], "2001:db8::7"),
        Case("10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        // The proxy itself, and a chain of nothing but proxies.
        Case("10.0.0.1", [], "10.0.0.1"), Case("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        // Of which the caller may have written all but the last.
        Case("10.0.0.1", ["10.0.0.7, 10.5.5.5"], "10.5.5.5"), Case("10.0.0.1", ["10.0.0.7", "10.5.5.5"], "10.5.5.5"),
        Case("10.0.0.1", ["10.0.0.7, unknown"], nil), Case("10.0.0.1", ["unknown, 10.5.5.5"], nil),
        // What cannot be read is nobody.
        Case("10.0.0.1", ["unknown"], nil), Case("10.0.0.1", [""], nil), Case("10.0.0.1", ["203.0.113.7, "], nil),
        Case("10.0.0.1", ["203.0.113.7, _hidden"], nil), Case("10.0.0.1", ["203.0.113.777"], nil),
    ]

    @Test(arguments: cases) func whereACallComesFrom(_ sample: Case) throws {
        let proxies = [try #require(AddressRange("10.0.0.0/8") as AddressRange?)]
        let peer = try #require(IPAddress(sample.peer) as IPAddress?)
        let source = CallerAddress.of(peer, forwarded: sample.forwarded, trusting: proxies)
        #expect(source?.address == sample.source.flatMap { IPAddress($0) })
        #expect((source == nil) == (sample.source == nil))
    }

    /// A proxy that sends no `X-Forwarded-For` calls for anybody, from whatever network it is itself.
    @Test(
        arguments: [
            ([], ["10.0.0.0/8"], false), ([], ["10.0.0.1"], true), ([], ["10.0.0.1/32"], true),
            ([], ["10.0.0.2"], false), ([], [], false), (["10.0.0.2"], ["10.0.0.0/8"], true),
            (["203.0.113.7"], ["10.0.0.0/8"], false), (["203.0.113.7"], ["203.0.113.0/24"], true),
        ] as [([String], [String], Bool)])
    func aSilentProxyMustBeNamedItself(_ forwarded: [String], _ allow: [String], _ isAllowed: Bool) throws {
        let proxies = [try #require(AddressRange("10.0.0.0/8") as AddressRange?)]
        let peer = try #require(IPAddress("10.0.0.1") as IPAddress?)
        let source = try #require(CallerAddress.of(peer, forwarded: forwarded, trusting: proxies))
        let networks = allow.compactMap { AddressRange($0) }
        #expect(networks.count == allow.count)
        #expect(source.isAllowed(by: networks) == isAllowed)
    }

    @Test func aPaceLetsSomeThroughAtOnceAndTheRestEvenly() {
        let paces = KeyPaces()
        let start = ContinuousClock.now
        func take(after seconds: Int) -> Int? {
            paces.take(KeyDigest(of: "key-ana"), perMinute: 60, now: start + .seconds(seconds))
        }
        for _ in 0..<6 { #expect(take(after: 0) == nil) }
        #expect(take(after: 0) == 1)
        #expect(take(after: 1) == nil)
        #expect(take(after: 1) == 1)
        #expect(paces.take(KeyDigest(of: "key-bruno"), perMinute: 60, now: start) == nil)
        // Never more than a burst and the rest of an hour, however long it was quiet.
        let taken = (0..<3600).reduce(0) { count, second in count + (take(after: 100 + second) == nil ? 1 : 0) }
        #expect((3590...3606).contains(taken))
    }

    @Test func anIPv6NetworkCountsAsOneAddress() throws {
        func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text) as IPAddress?) }
        let count = ConnectionCount(most: 100, told: 8, perAddress: 2)
        #expect(!count.came(from: try address("2001:db8:0:1::1")))
        #expect(!count.came(from: try address("2001:db8:0:1:ffff::2")))
        #expect(count.came(from: try address("2001:db8:0:1::3")))
        #expect(!count.came(from: try address("2001:db8:0:2::1")))
        for last in 1...2 { #expect(!count.came(from: try address("192.0.2.\(last)"))) }
        count.left(try address("2001:db8:0:1::3"))
        count.left(try address("2001:db8:0:1::1"))
        #expect(!count.came(from: try address("2001:db8:0:1::4")))
    }
}
