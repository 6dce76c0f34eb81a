import Foundation
import MockUpstream
import Testing
import Transport

extension Trait where Self == ConditionTrait {
    /// Other tests at the same time would be in the way of times and memory. `scripts/test` runs these by themselves.
    fileprivate static var alone: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["PONTE_FAULTS"] == "1",
            "PONTE_FAULTS=1 swift test --filter FaultTests")
    }
}

/// Each fault under each operation, against the program that was built: what it answers, how often it asks the system,
/// whether it is well afterwards, and what it has kept.
@Suite(.serialized) struct FaultMatrixTests {
    /// The first rounds fill pools and caches.
    private static let rounds = 4
    private static let settled = 2
    /// Clinics with quick faults that are called at the same time: more would make a small machine too slow to tell a
    /// fault from its load.
    private static let lanes = 3

    @Test(.alone, .timeLimit(.minutes(10))) func everyFaultUnderEveryOperation() async throws {
        // No breaker: it would open before all was asked, and stand before what is to be seen.
        let bench = try await FaultBench.start(FaultRow.all, breaks: false)
        var memory: [Double] = []
        var descriptors: [Int] = []
        for round in 1...Self.rounds {
            try await Self.play(bench.clinics, round: round)
            memory.append(try bench.ponte.memory())
            descriptors.append(try bench.ponte.descriptors())
        }
        print("fault matrix: \(memory.map { Int($0) }) MB, \(descriptors) open files, by round")
        let growth = try #require(memory.last) - memory[Self.settled - 1]
        #expect(growth < 16, "\(memory) MB")
        let opened = try #require(descriptors.last) - descriptors[Self.settled - 1]
        #expect(opened <= 5, "\(descriptors) open files")

        await bench.stop()
    }

    private static func play(_ clinics: [Clinic], round: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for clinic in clinics where clinic.row.isSlow {
                group.addTask { try await clinic.play(round: round) }
            }
            let quick = clinics.filter { !$0.row.isSlow }
            for lane in 0..<lanes {
                let share = quick.enumerated().filter { $0.offset % lanes == lane }.map(\.element)
                group.addTask { for clinic in share { try await clinic.play(round: round) } }
            }
            try await group.waitForAll()
        }
    }

    /// Systems that keep failing are left alone, and asked again when the time that Ponte tells is over.
    @Test(.alone, .timeLimit(.minutes(5))) func theSystemIsBackWithinOneBreakerWindow() async throws {
        let rows = FaultRow.all.filter { $0.read != .served && !$0.isSlow }
        let bench = try await FaultBench.start(rows, breaks: true)
        await withTaskGroup(of: Void.self) { group in
            for clinic in bench.clinics {
                group.addTask { await clinic.breakAndComeBack() }
            }
        }
        await bench.stop()
    }

    /// That a bomb goes off at the limit of bytes, and not because it is no gzip.
    @Test func aBombIsStoppedByItsSize() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 1))
        let engine = try CurlEngine()
        var settings = ChannelSettings.direct
        settings.maxBodyBytes = 1 << 20
        let channel = engine.channel(settings)
        let request = OutboundRequest(
            url: "\(mock.baseURL)/api/pacientes", headers: [("X-Mock-Fault", "gzip-bomb")], repeatability: .unsafe)
        let error = await #expect(throws: TransportError.self) {
            try await channel.send(request, deadline: .now + .seconds(60))
        }
        #expect(error?.kind == .tooLarge)
        await engine.shutdown()
        await mock.stop()
    }

    /// docs/faults.md has a line for each fault, in this order.
    @Test func thePageForOperatorsIsTheMatrix() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/faults.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.hasPrefix("| ") && $0.contains("| `") } == FaultRow.all.map(\.line))
    }
}
