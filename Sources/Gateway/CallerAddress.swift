import HTTPTypes
import NIOCore
import Transport

/// Where a call comes from.
struct CallerAddress: Equatable {
    let address: IPAddress
    /// A trusted proxy that does not say for whom it calls: it may be for anybody.
    let isSilentProxy: Bool

    /// Whether it is in one of the networks. A silent proxy is in none that merely holds its address: that is the network
    /// of the callers it should have told. It must be named by itself.
    func isAllowed(by networks: [AddressRange]) -> Bool {
        networks.contains { $0.contains(address) && (!isSilentProxy || $0.holdsOneAddress) }
    }

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")

    /// The peer's address, or where the peer is a trusted proxy the one that it says it forwards for: the last of
    /// `X-Forwarded-For` that is no trusted proxy, or the last one where all are. What stands before it, anybody can have
    /// written. Nil where it cannot be told.
    static func of(_ channel: any Channel, _ headers: HTTPFields, trusting proxies: [AddressRange]) -> CallerAddress? {
        guard let peer = peer(of: channel) else { return nil }
        return of(peer, forwarded: forwardedFor.map { headers[values: $0] } ?? [], trusting: proxies)
    }

    /// The address at the other end of the connection.
    static func peer(of channel: any Channel) -> IPAddress? {
        channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }?.unmapped
    }

    static func of(_ peer: IPAddress, forwarded: [String], trusting proxies: [AddressRange]) -> CallerAddress? {
        func isTrusted(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }
        guard isTrusted(peer) else { return CallerAddress(address: peer, isSilentProxy: false) }
        guard !forwarded.isEmpty else { return CallerAddress(address: peer, isSilentProxy: true) }
        return told(by: forwarded, isTrusted).map { CallerAddress(address: $0, isSilentProxy: false) }
    }

    private static func told(by forwarded: [String], _ isTrusted: (IPAddress) -> Bool) -> IPAddress? {
        let hops = forwarded.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        for hop in hops.reversed() {
            guard let address = read(hop) else { return nil }
            if !isTrusted(address) { return address }
        }
        // Nobody but proxies, or so it says: only the last one was seen by somebody who is believed.
        return hops.last.flatMap(read)
    }

    /// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`, as proxies write them.
    private static func read(_ hop: Substring) -> IPAddress? {
        var text = hop
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        if text.hasPrefix("[") { return IPAddress(String(text.dropFirst().prefix { $0 != "]" }))?.unmapped }
        if text.count(where: { $0 == ":" }) == 1 { text = text.prefix { $0 != ":" } }
        return IPAddress(String(text))?.unmapped
    }
}
