import Glibc

/// An address of IPv4 or IPv6, by its bytes: every spelling of it is the same value.
public struct IPAddress: Sendable, Hashable {
    /// Four or sixteen bytes, the first one first.
    public let bytes: [UInt8]

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `192.0.2.1` or `2001:db8::1` as `inet_pton` does: no zones, no octal or shortened forms.
    public init?(_ text: String) {
        // To C, a text ends at its first NUL.
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    /// The literal that stands as the host of an absolute URL; nil for a name.
    public init?(hostOf url: String) {
        guard let host = (try? Origin(ofURL: url))?.host else { return nil }
        self.init(host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host)
    }

    /// The address of IPv4 where this is one mapped into IPv6 (`::ffff:192.0.2.1`), as a socket for both families shows
    /// its peers; else the address itself.
    public var unmapped: IPAddress { IPAddress.mapped.contains(self) ? IPAddress(Array(bytes[12...])) : self }
    private static let mapped = AddressRange.known("::ffff:0:0/96")

    /// What one subscriber has: the address itself for IPv4, its network of 64 bits for IPv6 (RFC 6177), as that network's
    /// first address.
    public var subscriber: IPAddress {
        bytes.count == 16 ? IPAddress(bytes.prefix(8) + [UInt8](repeating: 0, count: 8)) : self
    }

    /// The address in a `sockaddr_in` or `sockaddr_in6`; nil for every other family, or one that is cut short.
    init?(socketAddress: UnsafeRawBufferPointer) {
        guard socketAddress.count >= 2 else { return nil }
        switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
        // Family and port come before the address; in IPv6 the flow label, too.
        case AF_INET where socketAddress.count >= 8: self.init(Array(socketAddress[4..<8]))
        case AF_INET6 where socketAddress.count >= 24: self.init(Array(socketAddress[8..<24]))
        default: return nil
        }
    }

    /// The IPv4 address that this one stands for: itself, or the one inside an IPv6 address that is mapped to it or is
    /// translated to it on the way. Nil for other IPv6 addresses.
    var innerIPv4: IPAddress? {
        if bytes.count == 4 { return self }
        func inner(_ positions: [Int]) -> IPAddress { IPAddress(positions.map { bytes[$0] }) }
        // :: and ::1 are addresses of their own.
        if bytes.dropLast().allSatisfy({ $0 == 0 }) { return nil }
        for (range, positions) in IPAddress.translated where range.contains(self) { return inner(positions) }
        // Teredo (RFC 4380, section 4) hides the client's address behind all ones.
        if IPAddress.teredo.contains(self) { return IPAddress(bytes[12...].map { ~$0 }) }
        return nil
    }

    private static let teredo = AddressRange.known("2001::/32")
    /// Where the four bytes of IPv4 stand.
    private static let translated: [(AddressRange, [Int])] = [
        // Mapped and compatible (RFC 4291, section 2.5.5), translated (RFC 2765).
        (.known("::ffff:0:0/96"), [12, 13, 14, 15]), (.known("::/96"), [12, 13, 14, 15]),
        (.known("::ffff:0:0:0/96"), [12, 13, 14, 15]),
        // NAT64 (RFC 6052, section 2.1; RFC 8215) and 6to4 (RFC 3056).
        (.known("64:ff9b::/96"), [12, 13, 14, 15]), (.known("64:ff9b:1::/48"), [6, 7, 9, 10]),
        (.known("2002::/16"), [2, 3, 4, 5]),
    ]
}

/// A network: an address and how many of its leading bits count (RFC 4632).
public struct AddressRange: Sendable, Hashable {
    let address: IPAddress
    /// Of 32 bits, or 128.
    let length: Int

    /// Reads `10.0.0.0/8`, or an address alone for a network of one. Nil where it cannot be read, or where bits beyond
    /// the length are set: `10.0.0.5/8` may mean one address or sixteen million.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }),
                let number = Int(parts[1]), number <= length
            else { return nil }
            length = number
        }
        self.address = address
        self.length = length
        for (index, byte) in address.bytes.enumerated() where byte & ~mask(index) != 0 { return nil }
    }

    /// A network of one.
    init(_ address: IPAddress) {
        self.address = address
        length = address.bytes.count * 8
    }

    /// One of our own, written in this module.
    static func known(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("one of our own is not a network") }
        return range
    }

    /// The bits of a byte that count.
    private func mask(_ index: Int) -> UInt8 {
        let bits = min(8, max(0, length - index * 8))
        return bits == 0 ? 0 : ~UInt8(0) << UInt8(8 - bits)
    }

    /// Whether an address of the same family lies in this network.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return zip(address.bytes, other.bytes).enumerated().allSatisfy { index, pair in
            (pair.0 ^ pair.1) & mask(index) == 0
        }
    }

    /// Whether it holds more addresses than a network with so many leading bits of its family.
    public func isWider(thanIPv4 four: Int, IPv6 six: Int) -> Bool { length < (address.bytes.count == 4 ? four : six) }

    /// A network of one.
    public var holdsOneAddress: Bool { length == address.bytes.count * 8 }

    func contains(_ other: AddressRange) -> Bool { length <= other.length && contains(other.address) }
}
