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
