import Dispatch
import Glibc
import Synchronization

/// Writes lines to a file descriptor from a thread of its own, so that a reader who does not read holds up nobody who
/// logs. Lines wait in a bounded queue; those that find it full are dropped and counted, and the next line that finds
/// room comes after one that says how many were.
public final class LineWriter: Sendable {
    private struct State {
        var waiting: [[UInt8]] = []
        var bytes = 0
        var dropped = 0
        /// All of them, and those that the descriptor did not take.
        var lost = 0
        /// Whether the lines are JSON objects, as the last one was.
        var isJSON = true
        var isWriting = false
        var isRunning = false
        var flushes: [DispatchSemaphore] = []

        mutating func append(_ line: [UInt8]) {
            waiting.append(line)
            bytes += line.count
        }

        /// Puts in line what is to be said of dropped ones.
        mutating func appendNotice() {
            guard dropped > 0 else { return }
            append(LineWriter.notice(dropped, isJSON: isJSON))
            dropped = 0
        }

        /// Whether the thread has yet to begin.
        mutating func begin() -> Bool {
            defer { isRunning = true }
            return !isRunning
        }
    }

    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let descriptor: Int32
    private let most: Int

    /// - Parameters:
    ///   - descriptor: stays open; it is the caller's.
    ///   - most: bytes that wait at most, those being written not counted.
    public init(descriptor: Int32, most: Int = 4 << 20) {
        self.descriptor = descriptor
        self.most = most
    }

    /// Lines that nobody will ever read: they found the queue full, or the descriptor did not take them.
    public var linesLost: Int { state.withLock { $0.lost } }

    /// Queues a line, line feed included. Never waits for the descriptor.
    public func write(_ line: [UInt8]) {
        let (begins, wakes) = state.withLock { state in
            guard state.bytes + line.count <= most else {
                state.dropped += 1
                state.lost += 1
                return (false, false)
            }
            state.isJSON = line.first == UInt8(ascii: "{")
            state.appendNotice()
            state.append(line)
            return (state.begin(), !state.isWriting)
        }
        if begins { start() }
        if wakes { work.signal() }
    }

    /// Waits until everything queued is written, for that long at most; what was dropped meanwhile is said first.
    /// - Returns: whether it was.
    @discardableResult
    public func flush(within time: Duration) -> Bool {
        let done = DispatchSemaphore(value: 0)
        let (isDone, begins) = state.withLock { state in
            state.appendNotice()
            if state.waiting.isEmpty, !state.isWriting { return (true, false) }
            state.flushes.append(done)
            return (false, state.begin())
        }
        if isDone { return true }
        if begins { start() }
        work.signal()
        let (seconds, attoseconds) = time.components
        let wait = DispatchTimeInterval.milliseconds(Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
        return done.wait(timeout: .now() + wait) == .success
    }

    private static func notice(_ count: Int, isJSON: Bool) -> [UInt8] {
        let time = Timestamp.now()
        let line =
            isJSON
            ? #"{"time":"\#(time)","level":"warning","message":"log lines dropped","lines":\#(count)}"#
            : "\(time) warning log lines dropped lines=\(count)"
        return Array((line + "\n").utf8)
    }

    /// The thread lives as long as the process: the writer it keeps is standard output's, or a test's.
    private func start() {
        var id = pthread_t()
        let writer = Unmanaged.passRetained(self)
        let result = pthread_create(
            &id, nil,
            { argument in
                if let argument { Unmanaged<LineWriter>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, writer.toOpaque())
        guard result == 0 else {
            writer.release()
            state.withLock { $0.isRunning = false }
            return
        }
        pthread_detach(id)
    }

    private func run() -> Never {
        // Signals are for the threads that expect them.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        while true {
            work.wait()
            while let lines = take() { for line in lines { put(line) } }
        }
    }

    /// All that waits; nil, and whoever waits for that is told, when nothing does.
    private func take() -> [[UInt8]]? {
        let (lines, flushes): ([[UInt8]]?, [DispatchSemaphore]) = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                defer { state.flushes = [] }
                return (nil, state.flushes)
            }
            state.isWriting = true
            defer { (state.waiting, state.bytes) = ([], 0) }
            return (state.waiting, [])
        }
        for flush in flushes { flush.signal() }
        return lines
    }

    private func put(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                // Nobody will ever read it.
                state.withLock { $0.lost += 1 }
                return
            }
        }
    }
}
