import ClientContract
import Testing

@testable import Gateway

/// The backstop for calls that do not keep their deadline themselves.
@Suite(.timeLimit(.minutes(1))) struct InFlightTests {
    private final class Connection: Sendable {}

    /// The watch sleeps until the earliest deadline: one that is earlier still must wake it.
    @Test func anEarlierDeadlineThatComesLaterIsNotSleptThrough() async throws {
        let inFlight = InFlight()
        let watch = Task { await inFlight.keepSweeping() }
        let (one, other) = (Connection(), Connection())
        let far = Task {
            try await inFlight.run(on: ObjectIdentifier(one), until: .now + .seconds(3600), .read) {
                try await Task.sleep(for: .seconds(3600))
            }
        }
        while inFlight.sleepsUntil == nil { await Task.yield() }
        let deadline = ContinuousClock.now + .milliseconds(100)
        let error = await #expect(throws: ContractError.self) {
            try await inFlight.run(on: ObjectIdentifier(other), until: deadline, .read) {
                try await Task.sleep(for: .seconds(3600))
            }
        }
        let late = ContinuousClock.now - deadline
        #expect(error?.code == .deadline)
        // 20 ms are meant; rounds of 100 ms after a grace of 250 would not always do.
        #expect(late >= .zero && late < .seconds(2))
        far.cancel()
        await #expect(throws: ContractError.self) { try await far.value }
        watch.cancel()
        await watch.value
    }

    @Test func anAnswerThatComesFirstCounts() async throws {
        let inFlight = InFlight()
        let watch = Task { await inFlight.keepSweeping() }
        let connection = Connection()
        for number in 0..<100 {
            let value = try await inFlight.run(on: ObjectIdentifier(connection), until: .now + .seconds(60), .write) {
                number
            }
            #expect(value == number)
        }
        watch.cancel()
        await watch.value
    }
}
