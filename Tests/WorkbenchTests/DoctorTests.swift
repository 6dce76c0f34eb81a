import MockUpstream
import Testing
import Transport

@testable import Workbench

@Suite struct DoctorTests {
    private func examine(
        _ options: MockOptions = MockOptions(patients: 40), password: String? = nil,
        _ prepare: (MockServer) -> Void = { _ in }
    ) async throws -> (findings: [Doctor.Finding], counts: [MockOperation: Int]) {
        let mock = try await MockServer.start(options)
        prepare(mock)
        let engine = try CurlEngine()
        let plan = try Shipped.demo(at: mock.baseURL, password: password)
        let findings = await Doctor(plan, engine: engine).examine()
        let counts = mock.requests.counts
        await engine.shutdown()
        await mock.stop()
        return (findings, counts)
    }

    @Test func aSoundSystemIsFoundSound() async throws {
        let (findings, counts) = try await examine()
        #expect(
            findings.map(\.name) == [
                "name", "connection", "list", "get", "search by phone", "search by cpf", "search by email",
            ])
        let bad = findings.filter { $0.verdict != .good }
        // The pretend system searches parts of texts and is told so by nobody who cannot be there.
        #expect(bad.isEmpty, "\(bad)")
        #expect(counts[.create] == nil)
        #expect(counts[.update] == nil)
        #expect((counts[.search] ?? 0) >= 6)
    }

    @Test func nothingPersonalIsSaid() async throws {
        let (findings, _) = try await examine()
        let said = findings.map { $0.seen + $0.advice }.joined(separator: "\n")
        for text in personal { #expect(!said.contains(text)) }
    }

    @Test func wrongCredentialsAreNamed() async throws {
        let (findings, _) = try await examine(password: "errada")
        let list = try #require(findings.first { $0.name == "list" })
        #expect(list.verdict == .bad)
        #expect(list.seen.contains("credentials rejected"))
        #expect(list.advice.contains("new credentials"))
    }

    @Test func aSystemThatIsDownIsNamed() async throws {
        let mock = try await MockServer.start()
        let baseURL = mock.baseURL
        await mock.stop()
        let engine = try CurlEngine()
        let findings = await Doctor(try Shipped.demo(at: baseURL), engine: engine).examine()
        await engine.shutdown()
        let connection = try #require(findings.first { $0.name == "connection" })
        #expect(connection.verdict == .bad)
        #expect(connection.advice.contains("port"))
        #expect(findings.first { $0.name == "list" }?.verdict == .bad)
    }

    @Test func aPageOfHTMLIsNoEmptyList() async throws {
        let (findings, _) = try await examine { $0.inject(.html, operation: .list) }
        let list = try #require(findings.first { $0.name == "list" })
        #expect(list.verdict == .bad)
        #expect(list.seen.contains("malformed") || list.seen.contains("failed"))
    }

    @Test func anEmptyClinicIsDoubtful() async throws {
        let (findings, _) = try await examine(MockOptions(patients: 0))
        #expect(findings.first { $0.name == "list" }?.verdict == .doubtful)
        #expect(findings.first { $0.name == "get" }?.verdict == .skipped)
    }

    @Test func anUnknownHostEndsIt() async throws {
        let engine = try CurlEngine()
        let plan = try Shipped.demo(at: "http://nobody.ponte.invalid")
        let findings = await Doctor(plan, engine: engine).examine()
        await engine.shutdown()
        #expect(findings.first?.verdict == .bad)
        #expect(findings.dropFirst().allSatisfy { $0.verdict == .skipped })
    }
}
