// A fault of each kind, planted: `scripts/sanitize` first sees that its sanitizer reports it, suppressions and all.

import Glibc
import Synchronization

/// Runs a body on two threads at once, and waits for both.
func twice(_ body: @escaping @Sendable (Int) -> Void) {
    final class Turn: Sendable {
        let number: Int
        let body: @Sendable (Int) -> Void
        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) { (self.number, self.body) = (number, body) }
    }
    let threads = (0..<2).map { number in
        var thread = pthread_t()
        let turn = Unmanaged.passRetained(Turn(number, body)).toOpaque()
        pthread_create(
            &thread, nil,
            { turn in
                guard let turn else { return nil }
                let held = Unmanaged<Turn>.fromOpaque(turn).takeRetainedValue()
                for _ in 0..<100_000 { held.body(held.number) }
                return nil
            }, turn)
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

/// Two threads count, and each holds a lock of its own.
final class Race: @unchecked Sendable {
    // Guarded by nothing, which is the point.
    var counter = 0
    let one = Mutex(0)
    let other = Mutex(0)

    func count(_ turn: Int) {
        if turn == 0 { one.withLock { _ in counter += 1 } } else { other.withLock { _ in counter += 1 } }
    }
}

/// What is guarded by one lock is no race, and must not be reported.
final class Guarded: @unchecked Sendable {
    // Guarded by `lock`.
    var counter = 0
    let lock = Mutex(0)

    func count() {
        lock.withLock { held in
            held += 1
            counter += 1
        }
    }
}

func readBeyond() -> Int {
    let bytes = UnsafeMutablePointer<Int>.allocate(capacity: 4)
    defer { bytes.deallocate() }
    return bytes[4 + CommandLine.arguments.count - 1]
}

@main struct Planted {
    static func main() {
        switch CommandLine.arguments.last {
        case "race":
            let race = Race()
            twice { race.count($0) }
        case "guarded":
            let guarded = Guarded()
            twice { _ in guarded.count() }
        default: print(readBeyond())
        }
    }
}
