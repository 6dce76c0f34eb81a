import Glibc

extension AddressRange: CustomStringConvertible {
    /// As files write it: `203.0.113.0/24`, and an address alone for a network of one.
    public var description: String {
        let isFour = address.bytes.count == 4
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = address.bytes.withUnsafeBytes { bytes in
            inet_ntop(isFour ? AF_INET : AF_INET6, bytes.baseAddress, &text, socklen_t(text.count)) != nil
        }
        guard written else { return "?" }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return holdsOneAddress ? host : "\(host)/\(length)"
    }
}
