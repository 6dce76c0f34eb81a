import Foundation
import Synchronization
import Testing

@testable import Idempotency

/// What is remembered does not grow old, or young, because somebody sets the machine's clock.
@Suite struct SteadyClockTests {
    /// A machine's two clocks.
    private final class Machine: Sendable {
        private let state = Mutex((wall: Moment(milliseconds: 1_800_000_000_000), steady: ContinuousClock.now))

        func pass(_ time: Duration) {
            state.withLock { state in
                state.wall = state.wall + time
                state.steady += time
            }
        }

        func set(forward time: Duration) { state.withLock { $0.wall = $0.wall + time } }

        var clock: SteadyClock {
            SteadyClock(
                wall: { state.withLock { $0.wall } }, steady: { [self] in state.withLock { $0.steady } })
        }
    }

    static let jumps = [Duration.seconds(86_400), .seconds(-86_400), .seconds(31), .seconds(-31), .seconds(40_000_000)]

    @Test(arguments: Kind.allCases, jumps) func aCreateSettlesWhenItsTimeHasPassed(_ kind: Kind, _ jump: Duration)
        async throws
    {
        try await kind.withStore { store async throws in
            let machine = Machine()
            let clock = machine.clock
            let memory = CreateMemory(store: store, keepFor: .seconds(3600), now: { clock.now() })
            let ana = memory.person(cpf: nil, line: "5511999999999", name: "ana teste")
            _ = try await memory.began(ana, after: try await memory.earlier(of: ana), settling: .seconds(30))
            machine.set(forward: jump)
            // Not settled: it is not sent again. Not forgotten either.
            #expect(try await memory.earlier(of: ana).unsettled == 30)
            machine.pass(.seconds(29))
            #expect(try await memory.earlier(of: ana).unsettled == 1)
            machine.pass(.seconds(2))
            // Nor does it take a day longer.
            #expect(try await memory.earlier(of: ana).unsettled == nil)
            #expect(try await memory.earlier(of: ana).open.count == 1)
            machine.pass(.seconds(3600))
            #expect(try await memory.earlier(of: ana).open.isEmpty)
        }
    }

    @Test(arguments: Kind.allCases, jumps) func aKeyIsKeptForItsTime(_ kind: Kind, _ jump: Duration) async throws {
        try await kind.withStore { store async throws in
            let machine = Machine()
            let clock = machine.clock
            let memory = CreateMemory(store: store, keepFor: .seconds(3600), now: { clock.now() })
            guard case .fresh(let ticket) = try await memory.begin("k", request: ["a"], within: .seconds(10)) else {
                Issue.record("the key was taken")
                return
            }
            machine.set(forward: jump)
            guard case .running(10) = try await memory.begin("k", request: ["a"], within: .seconds(10)) else {
                Issue.record("the lease ended, or grew, with the clock")
                return
            }
            await memory.end(ticket, .made("7"))
            machine.set(forward: jump)
            machine.pass(.seconds(3599))
            guard case .made("7") = try await memory.begin("k", request: ["a"], within: .seconds(10)) else {
                Issue.record("the key was forgotten before its time")
                return
            }
            machine.pass(.seconds(2))
            guard case .fresh = try await memory.begin("k", request: ["a"], within: .seconds(10)) else {
                Issue.record("the key was kept beyond its time")
                return
            }
        }
    }

    @Test func itBeginsWithTheTimeOfDay() {
        let wall = Int64(Date().timeIntervalSince1970 * 1000)
        // Far more than this test takes, far less than another time zone.
        #expect(abs(Moment.now().milliseconds - wall) < 600_000)
    }
}

/// The time of day is asked in a few places only, where a day or a date is meant. Everything that has a deadline or a
/// lifetime goes by `ContinuousClock`, which nobody can set.
@Suite struct WallClockTests {
    /// By file below Sources, and why.
    static let places = [
        "Gateway/LogOutput.swift": "the time of a line of the log",
        "Tenancy/CalendarDay.swift": "the last day of a key",
        "Transport/Policies/RetryAfter.swift": "a date in Retry-After, where the answer has none of its own",
        "Drivers/RESTDriver/Formats/Encodings.swift": "the same, for a vendor's own header; today, for birthdays",
        "Drivers/FHIRDriver/Reading/FHIRText.swift": "today, for birthdays",
        "Idempotency/SteadyClock.swift": "once, when the process begins",
        "Metering/ProcessFacts.swift": "when the process began, for process_start_time_seconds",
        "ponte/ReportCommand.swift": "the day of a report",
    ]

    @Test func theTimeOfDayIsAskedInAFewPlacesOnly() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let names = try #require(FileManager.default.enumerator(atPath: sources.path)).compactMap { $0 as? String }
        let asks = try Regex(
            #"\bDate\(\)|\bDate\.now|\bDate\(timeIntervalSinceNow|[^.\w]time\((nil|&)|CLOCK_REALTIME|gettimeofday|timeIntervalSinceNow|\.wallDeadline"#
        )
        var found: Set<String> = []
        for name in names where name.hasSuffix(".swift") {
            // What stands in for a clinic's system, and what measures, is not Ponte.
            if name.hasPrefix("MockUpstream/") || name.hasPrefix("Benchmarks/") { continue }
            let text = try String(contentsOf: sources.appending(path: name), encoding: .utf8)
            if text.firstMatch(of: asks) != nil { found.insert(name) }
        }
        #expect(found == Set(Self.places.keys))
    }
}
