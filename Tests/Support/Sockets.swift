import Glibc

/// Calls a function of the system until no signal interrupts it: with a time limit on a socket, the system does not take
/// such calls up again by itself.
package func uninterrupted(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// What has come on a socket: how many bytes were put at the buffer's beginning, 0 at the end, negative (see `errno`) when
/// there is none.
package func receive(_ socket: Int32, _ buffer: inout [UInt8]) -> Int {
    uninterrupted { recv(socket, &buffer, buffer.count, 0) }
}

/// A file of the system's own, such as a table under /proc, to its end: it has no size, by which Foundation would stop after
/// a page. Empty where there is none.
package func systemFile(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while case let count = uninterrupted({ read(file, &chunk, chunk.count) }), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}
