import CCurl
import Glibc

/// The sockets that libcurl wants watched, kept in epoll from one transfer to the next.
///
/// Libcurl takes a socket's interest away at the end of each transfer and gives it back at the next one. Sockets that
/// this table opened itself stay registered meanwhile, which saves two system calls per transfer; it also closes
/// them, so it always knows what the kernel has. Others (the resolver's socket pairs) are deregistered at once, since
/// libcurl closes those without telling. Belongs to the engine's thread.
final class SocketTable {
    private struct Entry {
        /// Events that the kernel reports; 0: not registered.
        var registered: UInt32 = 0
        /// Events that libcurl waits for; 0: idle.
        var wanted: UInt32 = 0
        var ours = false
    }

    let epoll: Int32
    private var entries: [Entry] = []

    init(epoll: Int32) { self.epoll = epoll }

    /// Libcurl's interest in a socket: `CURL_POLL_IN` …, `CURL_POLL_REMOVE`.
    func watch(_ socket: Int32, _ interest: Int32) {
        guard socket >= 0 else { return }
        makeRoom(for: socket)
        let index = Int(socket)
        let events: UInt32 =
            switch interest {
            case CURL_POLL_IN: EPOLLIN.rawValue
            case CURL_POLL_OUT: EPOLLOUT.rawValue
            case CURL_POLL_INOUT: EPOLLIN.rawValue | EPOLLOUT.rawValue
            default: 0
            }
        entries[index].wanted = events
        if events == 0 {
            if !entries[index].ours { deregister(socket) }
        } else if events != entries[index].registered {
            register(socket, events)
        }
    }

    /// What the kernel reported, as libcurl's `CURL_CSELECT_` bits. `nil`: nobody waits for it. An idle socket that
    /// reports something (the server closed it, mostly) leaves epoll, or it would be reported for ever.
    func bits(_ socket: Int32, _ events: UInt32) -> Int32? {
        guard socket >= 0, Int(socket) < entries.count else { return nil }
        let wanted = entries[Int(socket)].wanted
        if wanted == 0 {
            deregister(socket)
            return nil
        }
        let broken = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        var bits: Int32 = 0
        if wanted & EPOLLIN.rawValue != 0, broken || events & EPOLLIN.rawValue != 0 { bits |= CURL_CSELECT_IN }
        if wanted & EPOLLOUT.rawValue != 0, broken || events & EPOLLOUT.rawValue != 0 { bits |= CURL_CSELECT_OUT }
        return bits
    }

    func open(_ address: curl_sockaddr) -> curl_socket_t {
        let socket = socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
        if socket >= 0 {
            makeRoom(for: socket)
            entries[Int(socket)] = Entry(ours: true)
        }
        return socket
    }

    fileprivate func close(_ socket: Int32) -> Int32 {
        if socket >= 0, Int(socket) < entries.count { entries[Int(socket)] = Entry() }
        return Glibc.close(socket)
    }

    private func makeRoom(for socket: Int32) {
        while entries.count <= Int(socket) { entries.append(Entry()) }
    }

    private func register(_ socket: Int32, _ events: UInt32) {
        var event = epoll_event()
        event.events = events
        event.data.fd = socket
        let known = entries[Int(socket)].registered != 0
        var result = epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event)
        // The number went to another socket behind our back.
        if result != 0, errno == ENOENT { result = epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) }
        if result != 0, errno == EEXIST { result = epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) }
        // Out of kernel memory: the call ends at its deadline, which libcurl's timer keeps.
        entries[Int(socket)].registered = result == 0 ? events : 0
    }

    private func deregister(_ socket: Int32) {
        guard entries[Int(socket)].registered != 0 else { return }
        var event = epoll_event()
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event)
        entries[Int(socket)].registered = 0
    }
}

private func table(_ pointer: UnsafeMutableRawPointer?) -> SocketTable? {
    pointer.map { Unmanaged<SocketTable>.fromOpaque($0).takeUnretainedValue() }
}

let closeSocket: curl_closesocket_callback = { user, socket in
    table(user)?.close(socket) ?? Glibc.close(socket)
}
