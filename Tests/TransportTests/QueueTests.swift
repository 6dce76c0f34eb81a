import Testing

@testable import Transport

/// The order in which waiting calls go, which no caller can see from outside.
@Suite struct QueueTests {
    private func call(_ seconds: Int, _ base: ContinuousClock.Instant) -> Call {
        Call(request: get("http://127.0.0.1/"), deadline: base + .seconds(seconds), channel: ChannelState(.init()))
    }

    @Test func firstComeFirstServedThoughSomeLeave() {
        let base = ContinuousClock.now
        let calls = (0..<6).map { call($0, base) }
        var queue = CallQueue()
        for call in calls { queue.append(call) }
        for leaving in [0, 3, 5] { queue.remove(calls[leaving]) }
        queue.append(calls[3])
        var order: [Int] = []
        while let first = queue.first {
            queue.remove(first)
            order.append(calls.firstIndex { $0 === first } ?? -1)
        }
        #expect(order == [1, 2, 4, 3])
    }

    @Test func earliestDeadlineIsFirstThoughSomeLeave() {
        let base = ContinuousClock.now
        var generator = SystemRandomNumberGenerator()
        var calls = (0..<300).map { call($0 / 2, base) }.shuffled(using: &generator)
        var heap = DeadlineHeap()
        for call in calls { heap.insert(call) }
        for _ in 0..<100 { heap.remove(calls.removeLast()) }
        #expect(heap.count == 200)
        var seen: [ContinuousClock.Instant] = []
        while let first = heap.first {
            heap.remove(first)
            seen.append(first.deadline)
        }
        #expect(seen == calls.map(\.deadline).sorted())
    }
}
