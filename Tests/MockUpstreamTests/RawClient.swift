import Glibc
import JSONBytes
import TestSupport

@testable import MockUpstream

/// A caller on a bare socket: it sees bytes, closes and resets as they come.
final class RawClient {
    enum Ending: Equatable { case closed, reset, timedOut }

    struct Answer {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON.
        func json() throws -> JSONValue { try JSONDocument(body).root }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Unexpected(description: "cannot connect: errno \(errno)") }
        // Only so that a test that would hang fails instead.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    // MARK: Sending

    func send(_ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil) throws {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: mock.test\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        let bytes = Array((text + "\r\n" + (body ?? "")).utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Unexpected(description: "cannot send: errno \(errno)") }
            sent += count
        }
    }

    func call(
        _ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil
    ) throws -> Answer {
        try send(method, target, headers: headers, body: body)
        return try readAnswer()
    }

    // MARK: Reading

    /// An answer whose length its head gives.
    func readAnswer() throws -> Answer {
        var answer = try readHead()
        let length = answer.header("Content-Length").flatMap { Int($0) } ?? 0
        while buffer.count < length {
            if let ending = receive() { throw Unexpected(description: "\(ending) within a body") }
        }
        answer.body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return answer
    }

    func readHead() throws -> Answer {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = (0..<max(0, buffer.count - 3)).first(where: { Array(buffer[$0..<$0 + 4]) == mark }) {
                let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
                buffer.removeFirst(end + 4)
                var answer = Answer()
                answer.status = Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    let value = line[line.index(after: colon)...].drop { $0 == " " }
                    answer.headers.append((String(line[..<colon]), String(value)))
                }
                return answer
            }
            if let ending = receive() { throw Unexpected(description: "\(ending) within a head") }
        }
    }

    /// Reads until the other side ends it, or until `limit` bytes have come.
    func readToEnd(limit: Int = .max) -> (bytes: [UInt8], ending: Ending?) {
        while buffer.count < limit {
            if let ending = receive() { return (buffer, ending) }
        }
        return (buffer, nil)
    }

    /// Whether nothing has come so far.
    var isSilent: Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return buffer.isEmpty && poll(&poller, 1, 0) == 0
    }

    /// Segments with data that the system has received; nil where it does not count them.
    var segmentsReceived: Int? {
        // tcpi_data_segs_in of Linux's struct tcp_info, which glibc's does not have.
        let offset = 152
        var info = [UInt8](repeating: 0, count: 256)
        var length = socklen_t(info.count)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0, length >= offset + 4 else {
            return nil
        }
        return Int(info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
    }

    private func receive() -> Ending? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = TestSupport.receive(descriptor, &chunk)
        if count > 0 {
            buffer.append(contentsOf: chunk[..<count])
            return nil
        }
        if count == 0 { return .closed }
        return errno == ECONNRESET ? .reset : .timedOut
    }
}

/// Runs a test against a mock of its own and stops it afterwards.
@discardableResult
func withMock<Result>(
    _ options: MockOptions = MockOptions(patients: 40), _ body: (MockServer) async throws -> Result
) async throws -> Result {
    let server = try await MockServer.start(options)
    do {
        let result = try await body(server)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}
