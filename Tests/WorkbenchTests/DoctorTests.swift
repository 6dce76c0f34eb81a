import ClientContract
import Foundation
import MockUpstream
import Tenancy
import Testing
import Transport

@testable import Workbench

@Suite struct DoctorTests {
    private typealias Seen = (findings: [Doctor.Finding], counts: [MockOperation: Int])

    private func examine(
        _ options: MockOptions = MockOptions(patients: 40), known: [SearchTerm] = [], verifyOnly: Bool = false,
        _ prepare: (MockServer) -> Void = { _ in }, plan: (String) throws -> TenantPlan = { try Shipped.demo(at: $0) }
    ) async throws -> Seen {
        let mock = try await MockServer.start(options)
        prepare(mock)
        let engine = try CurlEngine()
        let doctor = Doctor(try plan(mock.baseURL), engine: engine, known: known)
        let findings = verifyOnly ? await doctor.verify() : await doctor.examine()
        let counts = mock.requests.counts
        // First the system: a login that nobody answers goes on for the others who might wait for it.
        await mock.stop()
        await engine.shutdown()
        return (findings, counts)
    }

    /// The demonstration's tenant with another address, profile or time.
    private func demo(
        at baseURL: String, call: String = "10s", profile: (name: String, text: String)? = nil
    ) throws -> TenantPlan {
        try Shipped.tenant(
            """
            { "driver": "rest", "profile": "agenda-demo", "baseURL": "\(baseURL)",
              "credentials": { "user": { "env": "USER_OF_DEMO" }, "password": { "env": "PASSWORD_OF_DEMO" } },
              "timeouts": { "connect": "500ms", "call": "\(call)" } }
            """, profile: profile,
            secrets: ["USER_OF_DEMO": MockOptions().user, "PASSWORD_OF_DEMO": MockOptions().password])
    }

    private func belle(at baseURL: String) throws -> TenantPlan {
        try Shipped.tenant(
            """
            { "driver": "rest", "profile": "belle", "baseURL": "\(baseURL)", "settings": { "unit": "1" },
              "credentials": { "token": { "env": "TOKEN" } } }
            """, searchBy: #"["cpf"]"#, secrets: ["TOKEN": MockOptions().accessToken])
    }

    @Test func aSoundSystemIsFoundSound() async throws {
        let (findings, counts) = try await examine()
        #expect(
            findings.map(\.name) == [
                "name", "connection", "credentials", "list", "get", "search by phone", "search by cpf",
                "search by email",
            ])
        let others = findings.filter { $0.verdict != .good }
        #expect(others.isEmpty, "\(others)")
        #expect(findings.filter { $0.name != "credentials" }.allSatisfy { $0.took != nil })
        #expect(findings.first { $0.name == "credentials" }?.seen.contains("a login of their own") == true)
        #expect(counts[.create] == nil)
        #expect(counts[.update] == nil)
        #expect(counts[.list] == 1)
        #expect((counts[.search] ?? 0) >= 6)
    }

    @Test func nothingPersonalIsSaid() async throws {
        let (findings, _) = try await examine()
        let said = findings.map { $0.seen + $0.advice }.joined(separator: "\n")
        for text in personal { #expect(!said.contains(text)) }
    }

    /// Some systems lock an account that keeps trying.
    @Test func rejectedCredentialsAreNamedAndNotTriedOn() async throws {
        let (findings, counts) = try await examine(plan: { try Shipped.demo(at: $0, password: "errada") })
        let credentials = try #require(findings.first { $0.name == "credentials" })
        #expect(credentials.verdict == .bad)
        #expect(credentials.seen.contains("401"))
        #expect(credentials.advice.contains("upstream.credentials.password"))
        #expect(findings.drop { $0.name != "credentials" }.dropFirst().allSatisfy { $0.verdict == .skipped })
        #expect(counts == [.login: 1])
    }

    @Test func aSystemThatIsDownIsNamedOnce() async throws {
        let mock = try await MockServer.start()
        let baseURL = mock.baseURL
        await mock.stop()
        let engine = try CurlEngine()
        let findings = await Doctor(try Shipped.demo(at: baseURL), engine: engine).examine()
        await engine.shutdown()
        let connection = try #require(findings.first { $0.name == "connection" })
        #expect(connection.verdict == .bad)
        #expect(connection.advice.contains("port"))
        #expect(findings.count { $0.verdict == .bad } == 1)
    }

    @Test func httpsToAPortWithoutTLSIsNamed() async throws {
        let (findings, _) = try await examine(plan: { try demo(at: $0.replacing("http://", with: "https://")) })
        let connection = try #require(findings.first { $0.name == "connection" })
        #expect(connection.verdict == .bad)
        #expect(connection.seen.contains("TLS"))
        #expect(connection.advice.contains("http://"))
    }

    /// What a port that speaks TLS does to a request in clear.
    @Test func aPortThatClosesWithoutAnAnswerMayWantTLS() async throws {
        let (findings, _) = try await examine { $0.inject(.noReply) }
        let connection = try #require(findings.first { $0.name == "connection" })
        #expect(connection.verdict == .bad)
        #expect(connection.advice.contains("https://"))
    }

    @Test func aMuteSystemIsNamed() async throws {
        let (findings, _) = try await examine {
            $0.inject(.blackhole(before: true))
        } plan: {
            try demo(at: $0, call: "1s")
        }
        let connection = try #require(findings.first { $0.name == "connection" })
        #expect(connection.verdict == .bad)
        #expect(connection.advice.contains("upstream.timeouts.call"))
    }

    @Test func aSlowCallIsDoubtful() async throws {
        let (findings, _) = try await examine {
            $0.inject(.latency(milliseconds: 1200), operation: .get)
        } plan: {
            try demo(at: $0, call: "4s")
        }
        let get = try #require(findings.first { $0.name == "get" })
        #expect(get.verdict == .doubtful)
        #expect(get.advice.contains("4s"))
    }

    @Test func aPageOfHTMLIsNoEmptyList() async throws {
        let (findings, _) = try await examine {
            $0.inject(.html, operation: .list)
            $0.inject(.html, operation: .search)
        }
        let list = try #require(findings.first { $0.name == "list" })
        #expect(list.verdict == .bad)
        #expect(list.seen.contains("web page"))
        #expect(list.advice.contains("baseURL"))
        // The same advice is said once.
        #expect(findings.first { $0.name == "search by cpf" }?.advice == #"As for "list"."#)
    }

    @Test func anEmptyClinicIsDoubtful() async throws {
        let (findings, _) = try await examine(MockOptions(patients: 0))
        #expect(findings.first { $0.name == "list" }?.verdict == .doubtful)
        #expect(findings.first { $0.name == "get" }?.verdict == .skipped)
        // Nobody was found, and nobody could have been: that proves half of a search.
        #expect(findings.first { $0.name == "search by cpf" }?.verdict == .doubtful)
    }

    @Test func anUnknownHostEndsIt() async throws {
        let engine = try CurlEngine()
        let plan = try Shipped.demo(at: "http://nobody.ponte.invalid")
        let findings = await Doctor(plan, engine: engine).examine()
        await engine.shutdown()
        #expect(findings.first?.verdict == .bad)
        #expect(findings.dropFirst().allSatisfy { $0.verdict == .skipped })
    }

    /// The pretend system ignores a parameter that it does not know, as real ones do.
    @Test func anIgnoredFilterIsNamed() async throws {
        let shipped = String(decoding: try Shipped.bytes("Config/drivers/agenda-demo.json"), as: UTF8.self)
        let misspelt = shipped.replacing(#""cpf": "{term}""#, with: #""cpff": "{term}""#)
        #expect(misspelt != shipped)
        let (findings, _) = try await examine(plan: { try demo(at: $0, profile: ("agenda-demo", misspelt)) })
        let search = try #require(findings.first { $0.name == "search by cpf" })
        #expect(search.verdict == .bad)
        #expect(search.seen.contains("filter is ignored"))
        #expect(search.advice.contains("parameter"))
        #expect(findings.first { $0.name == "search by phone" }?.verdict == .good)
    }

    @Test func aWrongSpellingIsNamed() async throws {
        let shipped = String(decoding: try Shipped.bytes("Config/drivers/agenda-demo.json"), as: UTF8.self)
        // The e-mail is asked for by a member that holds none.
        let wrong = shipped.replacing(#""email": "{term}""#, with: #""nome": "{term}""#)
        #expect(wrong != shipped)
        let (findings, _) = try await examine(plan: { try demo(at: $0, profile: ("agenda-demo", wrong)) })
        let search = try #require(findings.first { $0.name == "search by email" })
        #expect(search.verdict == .bad)
        #expect(search.seen.contains("0 of 5 clients of the list are found by their own email"))
    }

    /// A system, or a gateway before it, that fails where it should say that nobody is there.
    @Test func anIdThatNobodyHasIsAskedFor() async throws {
        let (findings, counts) = try await examine {
            $0.inject(.status(500, retryAfter: nil), operation: .get, after: 1)
        }
        let get = try #require(findings.first { $0.name == "get" })
        #expect(counts[.get] == 2)
        #expect(get.verdict == .doubtful)
        #expect(get.seen.contains("an id that nobody has: failed (500)"))
        #expect(get.advice.contains("outcome rule"))
    }

    @Test(arguments: [
        ("17", "2147483646"), ("0b5f6c1e-8d7a-4c55-9f3e-2a6b1c9d8e70", "ffffffff-ffff-4fff-bfff-fffffffffffe"),
        ("65a1b2c3d4e5f60718293a4b", "ffffffffffffffffffffffff"), ("pac-1001", "ponte-ninguem"),
    ])
    func anIdThatNobodyHasLooksLikeTheSystems(_ id: String, _ nobody: String) {
        #expect(Doctor.nobody(like: ClientID(id)) == ClientID(nobody))
    }

    /// A system of which only one lookup is known.
    @Test func aSystemWithoutAListIsTriedBySomebodyWhoIsKnown() async throws {
        let options = MockOptions(dialect: .belle, patients: 18)
        let alone = try await examine(options, plan: belle).findings
        let search = try #require(alone.first { $0.name == "search by cpf" })
        #expect(search.verdict == .doubtful)
        #expect(search.advice.contains("--known cpf="))
        #expect(alone.first { $0.name == "connection" }?.verdict == .good)
        #expect(alone.first { $0.name == "credentials" }?.verdict == .good)

        let there = try #require(SearchTerm("20000000108", as: .cpf))
        let told = try await examine(options, known: [there], plan: belle).findings
        #expect(told.first { $0.name == "search by cpf" }?.verdict == .good, "\(told)")

        let absent = try #require(SearchTerm("98765432100", as: .cpf))
        let missed = try await examine(options, known: [absent], plan: belle).findings
        #expect(missed.first { $0.name == "search by cpf" }?.verdict == .bad)
        #expect(!missed.contains { $0.seen.contains("98765432100") || $0.advice.contains("98765432100") })
    }

    @Test func aVerificationIsOneCallThatReads() async throws {
        let (findings, counts) = try await examine(verifyOnly: true)
        #expect(findings.map(\.name) == ["name", "connection", "credentials"])
        #expect(findings.allSatisfy { $0.verdict == .good })
        #expect(counts == [.login: 1, .list: 1])

        let lookup = try await examine(MockOptions(dialect: .belle, patients: 18), verifyOnly: true, plan: belle)
        #expect(lookup.findings.allSatisfy { $0.verdict == .good }, "\(lookup.findings)")
        #expect(lookup.counts == [.search: 1])
    }

    @Test func aVerificationThatFailsSaysWhy() async throws {
        let (findings, _) = try await examine(verifyOnly: true) {
            $0.inject(.status(404, retryAfter: nil), operation: .list)
        }
        #expect(findings.last?.name == "list")
        #expect(findings.last?.verdict == .bad)
        #expect(findings.last?.advice.contains("baseURL") == true)
    }
}
