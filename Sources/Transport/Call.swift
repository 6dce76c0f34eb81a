/// One attempt of a caller to have a request answered, from the inbox to the answer.
///
/// `@unchecked Sendable`: the `let` members never change; `continuation` is set once, before the call enters the
/// inbox; every other `var` is touched by the engine's thread only, from the moment it takes the call from the inbox
/// until it resumes the continuation, and is read by the caller after that.
final class Call: @unchecked Sendable {
    enum State {
        /// Not yet taken from the inbox.
        case new
        /// Waits for a place of its channel, or (holding that one) for a place of the engine.
        case waitingForChannel, waitingForEngine
        case running(Transfer)
        case finished
    }

    let request: OutboundRequest
    let deadline: ContinuousClock.Instant
    /// A call that still waits then is given up: there would hardly be time for its answer. Not after the deadline.
    let latestStart: ContinuousClock.Instant
    let channel: ChannelState
    /// What it was admitted by; nil: nobody need be asked before it is dialled.
    let turn: ChannelHealth.Turn?
    var continuation: CheckedContinuation<Result<UpstreamAnswer, TransportError>, Never>?

    var state = State.new
    /// An earlier attempt had bytes on a connection.
    var mayHaveReachedServer = false
    /// A kept connection died and a fresh one was tried, which a `.safe` request has once.
    var retried = false
    /// When it left the queue.
    var started: ContinuousClock.Instant?

    // Links of `CallQueue`, and key and place in `DeadlineHeap`.
    var next: Call?
    unowned(unsafe) var previous: Call?
    var due: ContinuousClock.Instant
    var heapIndex = -1

    init(
        request: OutboundRequest, deadline: ContinuousClock.Instant, latestStart: ContinuousClock.Instant? = nil,
        channel: ChannelState, turn: ChannelHealth.Turn? = nil
    ) {
        self.request = request
        self.deadline = deadline
        self.latestStart = latestStart ?? deadline
        due = latestStart ?? deadline
        self.channel = channel
        self.turn = turn
    }

    var isFinished: Bool { if case .finished = state { true } else { false } }
}

/// First come, first served; any call can leave from the middle.
struct CallQueue {
    private var head: Call?
    // Kept alive by the chain that starts at `head`.
    private unowned(unsafe) var tail: Call?

    var first: Call? { head }

    mutating func append(_ call: Call) {
        call.previous = tail
        if let tail { tail.next = call } else { head = call }
        tail = call
    }

    mutating func remove(_ call: Call) {
        let next = call.next
        let previous = call.previous
        call.next = nil
        call.previous = nil
        if let next { next.previous = previous } else { tail = previous }
        if let previous { previous.next = next } else { head = next }
    }
}

/// Calls by the moment at which they are given up. Each call knows its place, so leaving early costs O(log n).
struct DeadlineHeap {
    private var calls: [Call] = []

    var first: Call? { calls.first }
    var count: Int { calls.count }

    mutating func insert(_ call: Call) {
        calls.append(call)
        call.heapIndex = calls.count - 1
        siftUp(calls.count - 1)
    }

    mutating func remove(_ call: Call) {
        let index = call.heapIndex
        guard index >= 0 else { return }
        call.heapIndex = -1
        let last = calls.removeLast()
        if index == calls.count { return }
        calls[index] = last
        last.heapIndex = index
        siftUp(index)
        siftDown(last.heapIndex)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0, calls[index].due < calls[(index - 1) / 2].due {
            exchange(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < calls.count && calls[child].due < calls[least].due { least = child }
            if least == index { return }
            exchange(index, least)
            index = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        calls.swapAt(one, other)
        calls[one].heapIndex = one
        calls[other].heapIndex = other
    }
}
