import Foundation
import Glibc
import Synchronization

/// One request as it came over the wire.
package struct RawRequest: Sendable {
    /// Which connection, counted from 1 in the order of acceptance.
    package let connection: Int
    /// Which request on that connection, from 1.
    package let turn: Int
    package let line: String
    package let headerLines: [String]
    package let body: [UInt8]

    package func header(_ name: String) -> String? {
        let prefix = name.lowercased() + ":"
        return headerLines.first { $0.lowercased().hasPrefix(prefix) }
            .map { $0.dropFirst(prefix.count).trimmingCharacters(in: .whitespaces) }
    }
}

/// A server on 127.0.0.1 that does with each connection what the test says, byte by byte: one thread per connection.
package final class RawServer: Sendable {
    /// One accepted connection, used by its own thread; `shutDown` comes from the server.
    package final class Connection: Sendable {
        package let number: Int
        private let socket: Int32
        private let server: RawServer
        private let state = Mutex((pending: [UInt8](), turn: 0))

        init(number: Int, socket: Int32, server: RawServer) {
            self.number = number
            self.socket = socket
            self.server = server
        }

        /// `nil` when the peer closes.
        package func readRequest() -> RawRequest? {
            state.withLock { state in
                let blank: [UInt8] = [13, 10, 13, 10]
                var end: Int?
                while true {
                    end = state.pending.firstRange(of: blank)?.upperBound
                    if end != nil { break }
                    guard receive(&state.pending) else { return nil }
                }
                guard let end else { return nil }
                let head = String(decoding: state.pending[..<(end - 4)], as: UTF8.self)
                state.pending.removeFirst(end)
                var lines = head.components(separatedBy: "\r\n")
                let line = lines.removeFirst()
                let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
                while state.pending.count < length ?? 0 {
                    guard receive(&state.pending) else { return nil }
                }
                let body = Array(state.pending.prefix(length ?? 0))
                state.pending.removeFirst(body.count)
                state.turn += 1
                let request = RawRequest(
                    connection: number, turn: state.turn, line: line, headerLines: lines, body: body)
                server.log.withLock { $0.append(request) }
                return request
            }
        }

        @discardableResult
        package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// False when the peer is gone.
        @discardableResult
        package func write(_ bytes: [UInt8]) -> Bool {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = uninterrupted {
                    rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                }
                if sent <= 0 { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        package func answer(_ body: String = "ok", status: String = "200 OK", headers: String = "") {
            write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }

        /// Blocks until the peer closes.
        package func waitForClose() {
            var nothing: [UInt8] = []
            while receive(&nothing) {}
        }

        package func shutDown() { shutdown(socket, Int32(SHUT_RDWR)) }

        fileprivate func close() { Glibc.close(socket) }

        private func receive(_ into: inout [UInt8]) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = TestSupport.receive(socket, &buffer)
            if count > 0 { into.append(contentsOf: buffer[..<count]) }
            return count > 0
        }
    }

    package let port: Int
    package var url: String { "http://127.0.0.1:\(port)" }
    private let listener: Int32
    private let log = Mutex<[RawRequest]>([])
    private let connections = Mutex<(open: [Int: Connection], accepted: Int, stopped: Bool)>(([:], 0, false))
    private let handler: @Sendable (Connection) -> Void

    package var requests: [RawRequest] { log.withLock { $0 } }
    package var accepted: Int { connections.withLock { $0.accepted } }

    package init(_ handler: @escaping @Sendable (Connection) -> Void) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try listenOnLoopback(listener)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        let open = connections.withLock { state in
            state.stopped = true
            return Array(state.open.values)
        }
        for connection in open { connection.shutDown() }
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let socket = Int32(uninterrupted { Int(accept(listener, nil, nil)) })
            if socket < 0 { return }
            let connection: Connection? = connections.withLock { state in
                if state.stopped { return nil }
                state.accepted += 1
                let connection = Connection(number: state.accepted, socket: socket, server: self)
                state.open[state.accepted] = connection
                return connection
            }
            guard let connection else {
                close(socket)
                continue
            }
            Thread.detachNewThread { [self] in
                handler(connection)
                _ = connections.withLock { $0.open.removeValue(forKey: connection.number) }
                connection.close()
            }
        }
    }
}

/// Binds and listens on a free port, which is returned.
package func listenOnLoopback(_ socket: Int32) throws -> Int {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
        guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
        if bind(socket, pointer, length) != 0 || listen(socket, 512) != 0 { return -1 }
        return getsockname(socket, pointer, &length)
    }
    guard socket >= 0, result == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
    return Int(UInt16(bigEndian: address.sin_port))
}
