import MockUpstream
import Testing
import Transport

/// Ponte with a clinic for each fault, each with a pretend system of its own, and one whose system is well.
struct FaultBench {
    let ponte: PonteProcess
    let clinics: [Clinic]
    private let mocks: [MockServer]
    private let engine: CurlEngine

    /// - Parameter breaks: whether a system that keeps failing is left alone for a while, as is usual.
    static func start(_ rows: [FaultRow], breaks: Bool) async throws -> FaultBench {
        var mocks: [MockServer] = []
        let options = MockOptions(patients: Clinic.patients)
        for _ in 0...rows.count { mocks.append(try await MockServer.start(options)) }
        let tenants = mocks.enumerated().map { PonteProcess.Tenant(id: "clinica-\($0)", baseURL: $1.baseURL) }
        let ponte = try await PonteProcess(tenants, breaks: breaks)
        let engine = try CurlEngine()
        // Nothing but the calls themselves: what is tried again or held back is Ponte's to decide.
        var settings = ChannelSettings.direct
        settings.maxInFlight = 64
        let channel = engine.channel(settings)
        let callers = tenants.map { Caller(channel: channel, port: ponte.port, key: $0.key) }
        let clinics = try rows.enumerated().map { index, row in
            Clinic(
                row: row, fault: try #require(MockFault(row.fault)), mock: mocks[index + 1], caller: callers[index + 1],
                neighbour: callers[0])
        }
        return FaultBench(ponte: ponte, clinics: clinics, mocks: mocks, engine: engine)
    }

    /// Stops everything, and sees that Ponte ended well and printed nothing of anybody.
    func stop() async {
        #expect(await ponte.stop() == 0)
        for mock in mocks { await mock.stop() }
        await engine.shutdown()
        let output = ponte.text
        #expect(output.contains(#""status":"#))
        let secrets = [
            "Silva", "Teste", "551197", "5521999999999", "example.test", "senha-de-demonstracao", "-for-tests",
        ]
        for secret in secrets { #expect(!output.contains(secret), "the log has \(secret)") }
    }
}
