import Glibc

/// One connection to 127.0.0.1 with blocking calls: HTTP/1.1 as far as these benchmarks need it.
final class PlainConnection {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var start = 0

    /// - Parameter receiveBuffer: bytes that the system takes in before they are read; nil for its own choice.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no more sockets: \(errno)") }
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
        guard result == 0 else { throw Failure(description: "cannot connect to port \(port): \(errno)") }
    }

    deinit { close(descriptor) }

    func send(_ method: String, _ target: String, _ headers: [String] = [], body: String = "") throws {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers
        let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
        var rest = Array(((lines + length).joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(description: "the server hung up") }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads a head; the names in small letters.
    func head() throws -> (status: Int, headers: [String: String]) {
        var lines = try line().split(separator: " ")
        guard lines.count > 1, let status = Int(lines.remove(at: 1)) else { throw Failure(description: "no HTTP") }
        var headers: [String: String] = [:]
        while true {
            let line = try line()
            if line.isEmpty { return (status, headers) }
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
    }

    /// Reads a body to its end.
    /// - Parameter paused: called after each piece.
    func body(_ headers: [String: String], _ paused: (Int) -> Void = { _ in }) throws -> [UInt8] {
        var body: [UInt8] = []
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            try take(length, into: &body)
            return body
        }
        while true {
            guard let size = Int(try line(), radix: 16) else { throw Failure(description: "the list broke off") }
            try take(size, into: &body)
            guard try line().isEmpty else { throw Failure(description: "a chunk has no end") }
            if size == 0 { return body }
            paused(size)
        }
    }

    private func line() throws -> String {
        while true {
            if let end = pending[start...].firstIndex(of: 10) {
                let text = String(decoding: pending[start..<max(start, end - 1)], as: UTF8.self)
                start = end + 1
                return text
            }
            try more()
        }
    }

    private func take(_ count: Int, into body: inout [UInt8]) throws {
        var left = count
        while left > 0 {
            if start == pending.count { try more() }
            let piece = min(left, pending.count - start)
            body += pending[start..<(start + piece)]
            start += piece
            left -= piece
        }
    }

    private func more() throws {
        pending.removeFirst(start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw Failure(description: "the connection ended early") }
        pending += chunk[..<count]
    }
}
