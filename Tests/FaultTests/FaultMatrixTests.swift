import Foundation
import MockUpstream
import Testing
import Transport

/// Each fault under each operation, against the program that was built: what it answers, how often it asks the system,
/// whether it is well afterwards, and what it has kept.
@Suite struct FaultMatrixTests {
    /// The first rounds fill pools and caches.
    private static let rounds = 4
    private static let settled = 2
    /// Clinics with quick faults that are called at the same time: more would make a small machine too slow to tell a
    /// fault from its load.
    private static let lanes = 3

    @Test(.timeLimit(.minutes(10))) func everyFaultUnderEveryOperation() async throws {
        var mocks: [MockServer] = []
        let options = MockOptions(patients: Clinic.patients)
        for _ in 0...FaultRow.all.count { mocks.append(try await MockServer.start(options)) }
        let tenants = mocks.enumerated().map { PonteProcess.Tenant(id: "clinica-\($0)", baseURL: $1.baseURL) }
        let ponte = try await PonteProcess(tenants)
        let engine = try CurlEngine()
        let channel = engine.channel(ChannelSettings(maxInFlight: 64))
        let callers = tenants.map { Caller(channel: channel, port: ponte.port, key: $0.key) }
        let clinics = try FaultRow.all.enumerated().map { index, row in
            Clinic(
                row: row, fault: try #require(MockFault(row.fault)), mock: mocks[index + 1], caller: callers[index + 1],
                neighbour: callers[0])
        }

        var memory: [Double] = []
        var descriptors: [Int] = []
        for round in 1...Self.rounds {
            try await Self.play(clinics, round: round)
            memory.append(try ponte.memory())
            descriptors.append(try ponte.descriptors())
        }
        print("fault matrix: \(memory.map { Int($0) }) MB, \(descriptors) open files, by round")
        let growth = try #require(memory.last) - memory[Self.settled - 1]
        #expect(growth < 16, "\(memory) MB")
        let opened = try #require(descriptors.last) - descriptors[Self.settled - 1]
        #expect(opened <= 5, "\(descriptors) open files")

        for mock in mocks { await mock.stop() }
        #expect(await ponte.stop() == 0)
        await engine.shutdown()
        Self.expectNothingPersonal(in: ponte.text)
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

    private static func expectNothingPersonal(in output: String) {
        #expect(output.contains("outcome_unknown"))
        for secret in [
            "Silva", "Teste", "551197", "5521999999999", "example.test", "senha-de-demonstracao", "-for-tests",
        ] { #expect(!output.contains(secret), "the log has \(secret)") }
    }

    /// That a bomb goes off at the limit of bytes, and not because it is no gzip.
    @Test func aBombIsStoppedByItsSize() async throws {
        let mock = try await MockServer.start(MockOptions(patients: 1))
        let engine = try CurlEngine()
        let channel = engine.channel(ChannelSettings(maxBodyBytes: 1 << 20))
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
