import Foundation
import Glibc
import TestSupport
import Testing

/// HTTP/1.1 byte by byte, over a socket of its own: what a client library would not send must be sendable.
enum RawHTTP {
    struct Failure: Error { let what: String }

    struct Answer: Sendable {
        let status: Int
        /// Names in lower case.
        let headers: [(name: String, value: String)]
        let body: [UInt8]
        /// All that the framing promised has come.
        let isComplete: Bool

        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// A connection whose blocking calls run outside of Swift's own threads.
    final class Connection: Sendable {
        private let descriptor: Int32

        /// - Parameter receiveBuffer: bytes that the system takes in before they are read; nil for its own choice.
        init(port: Int, receiveBuffer: Int32? = nil) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            if var size = receiveBuffer {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            // The initializer being past its stored properties, `deinit` closes the descriptor.
            guard result == 0 else { throw Failure(what: "cannot connect") }
            // So that a server that never answers fails the test.
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { Glibc.close(descriptor) }

        func send(_ bytes: [UInt8]) async {
            Leaks.sent(bytes)
            await Self.blocking { [descriptor] in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = uninterrupted {
                        rest.withUnsafeBytes {
                            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                    }
                    // The server may have said enough and hung up.
                    guard count > 0 else { return }
                    rest = rest.dropFirst(count)
                }
            }
        }

        /// Ends the connection with a reset, as a caller does that is gone.
        func hangUp() {
            var reset = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
            // Connecting to no family dissolves the connection, and the descriptor stays ours.
            var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
            connect(descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
        }

        /// Sends no more, and goes on reading.
        func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

        /// The head of the next answer, read byte by byte so that nothing after it is taken; nil when there is none.
        func readHead() async -> String? {
            await Self.blocking { [descriptor] in
                var bytes: [UInt8] = []
                var byte: [UInt8] = [0]
                while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
                    guard receive(descriptor, &byte) == 1 else { return nil }
                    bytes += byte
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }

        /// What has come, at least one byte and at most 64 KiB; nil at the end.
        func readSome(most: Int = 1 << 16) async -> [UInt8]? {
            await Self.blocking { [descriptor] in
                var chunk = [UInt8](repeating: 0, count: most)
                let count = receive(descriptor, &chunk)
                return count > 0 ? Array(chunk[0..<count]) : nil
            }
        }

        /// Sends byte after byte, one each millisecond, until the server ends the connection.
        func drip(_ byte: Character) async {
            await Self.blocking { [descriptor] in
                var byte = byte.asciiValue ?? 0
                // Gives up at last, so that a server that puts up with it fails the test.
                var left = 10_000
                while left > 0, Glibc.send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 {
                    left -= 1
                    usleep(1000)
                }
            }
        }

        /// Everything until the connection ends, and whether it ended in order rather than by a reset.
        func readToEndOrReset() async -> (bytes: [UInt8], inOrder: Bool) {
            await Self.blocking { [descriptor] in
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = receive(descriptor, &chunk)
                    guard count > 0 else {
                        if count < 0, errno == EAGAIN { Issue.record("the connection does not end") }
                        return (bytes, count == 0)
                    }
                    bytes += chunk[0..<count]
                }
            }
        }

        /// Everything until the server closes; nil when it does not within 20 seconds.
        func readToEnd() async -> [UInt8]? {
            await Self.blocking { [descriptor] in
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = receive(descriptor, &chunk)
                    if count == 0 { return bytes }
                    // A reset ends the answer as well.
                    if count < 0 { return errno == EAGAIN ? nil : bytes }
                    bytes += chunk[0..<count]
                }
            }
        }

        /// One answer with Content-Length, on a connection that goes on.
        func readOne() async -> Answer? {
            await Self.blocking { [descriptor] in
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    if let answer = RawHTTP.parse(bytes), answer.isComplete { return answer }
                    let count = receive(descriptor, &chunk)
                    guard count > 0 else { return nil }
                    bytes += chunk[0..<count]
                }
            }
        }

        private static func blocking<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
            await withCheckedContinuation { continuation in
                // A thread of its own: a shared pool would run dry of threads when many tests wait.
                Thread.detachNewThread { continuation.resume(returning: work()) }
            }
        }
    }

    /// Sends bytes as they are, and reads until the server closes.
    static func exchange(_ port: Int, _ text: String, then more: [UInt8] = []) async throws -> Answer {
        let connection = try Connection(port: port)
        await connection.send(Array(text.utf8) + more)
        guard let bytes = await connection.readToEnd(), let answer = parse(bytes) else {
            throw Failure(what: "no answer")
        }
        return answer
    }

    static func head(
        _ method: String, _ path: String, key: String? = "key-ana", _ headers: [String] = [], close: Bool = true
    ) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: ponte.example.test"]
        if let key { lines.append("X-API-Key: \(key)") }
        if close { lines.append("Connection: close") }
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n"
    }

    static func call(
        _ port: Int, _ method: String, _ path: String, key: String? = "key-ana", _ headers: [String] = [],
        body: String? = nil, type: String? = "application/json"
    ) async throws -> Answer {
        var headers = headers
        if let body {
            headers.append("Content-Length: \(body.utf8.count)")
            if let type { headers.append("Content-Type: \(type)") }
        }
        return try await exchange(port, head(method, path, key: key, headers) + (body ?? ""))
    }

    static func parse(_ bytes: [UInt8]) -> Answer? {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " "), first.count >= 2, let status = Int(first[1]) else {
            return nil
        }
        let headers: [(name: String, value: String)] = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
        let rest = bytes[(end + 4)...]
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        if header("transfer-encoding") == "chunked" {
            let (body, isComplete) = dechunk(rest)
            return Answer(status: status, headers: headers, body: body, isComplete: isComplete)
        }
        let length = header("content-length").flatMap { Int($0) } ?? 0
        return Answer(
            status: status, headers: headers, body: Array(rest.prefix(length)), isComplete: rest.count >= length)
    }

    private static func dechunk(_ bytes: ArraySlice<UInt8>) -> ([UInt8], Bool) {
        var rest = bytes
        var body: [UInt8] = []
        while let line = rest.firstIndex(of: 13) {
            guard let size = Int(String(decoding: rest[rest.startIndex..<line], as: UTF8.self), radix: 16) else {
                break
            }
            if size == 0 { return (body, true) }
            let start = line + 2
            guard rest.endIndex >= start + size + 2 else { break }
            body += rest[start..<(start + size)]
            rest = rest[(start + size + 2)...]
        }
        return (body, false)
    }
}
