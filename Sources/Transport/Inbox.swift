import CCurl
import Glibc
import Synchronization

/// How callers reach the engine's thread. It is woken only by the message that finds the inbox empty.
final class Inbox: Sendable {
    enum Message: Sendable {
        case submit(Call)
        case cancel(Call)
        /// The channel's breaker opened: nobody waits for it any longer.
        case refuseWaiting(ChannelState, TransportError)
        /// Free the channel's pooled handles.
        case forget(ChannelState)
        case stop(cancelling: Bool)
    }

    private struct State {
        var messages: [Message] = []
        var closed = false
        var finished = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// An eventfd, in the engine's epoll.
    let wake: Int32
    private let state = Mutex(State())

    init() throws(TransportError) {
        wake = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if wake < 0 { throw .internalFailure("no eventfd to be had") }
    }

    deinit { Glibc.close(wake) }

    /// False once the engine shuts down: the message was not taken.
    func submit(_ call: Call) -> Bool {
        post(.submit(call), evenIfClosed: false)
    }

    /// The engine takes no more calls.
    var isClosed: Bool { state.withLock { $0.closed } }

    func post(_ message: Message) {
        _ = post(message, evenIfClosed: true)
    }

    private func post(_ message: Message, evenIfClosed: Bool) -> Bool {
        let (taken, wasEmpty) = state.withLock { state in
            if state.finished || (state.closed && !evenIfClosed) { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        if wasEmpty { signal() }
        return taken
    }

    /// Takes no more calls and asks the thread to end.
    func close(cancelling: Bool) {
        state.withLock { $0.closed = true }
        post(.stop(cancelling: cancelling))
    }

    /// Swaps the waiting messages with `messages`, which is empty.
    func take(into messages: inout [Message]) {
        state.withLock { swap(&$0.messages, &messages) }
    }

    func waitUntilFinished() async {
        await withCheckedContinuation { continuation in
            let finished = state.withLock { state in
                if !state.finished { state.waiters.append(continuation) }
                return state.finished
            }
            if finished { continuation.resume() }
        }
    }

    /// The thread's last act.
    func finish() {
        let waiters = state.withLock { state in
            state.finished = true
            state.messages = []
            return exchange(&state.waiters, with: [])
        }
        for waiter in waiters { waiter.resume() }
    }

    private func signal() {
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }
}

private func exchange<T>(_ place: inout T, with new: T) -> T {
    let old = place
    place = new
    return old
}
