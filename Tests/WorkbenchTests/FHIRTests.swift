import Foundation
import MockUpstream
import Tenancy
import Testing
import Transport
import UpstreamDriver

@testable import Workbench

/// What integrators of FHIR servers are told: what their resources look like is no profile's.
@Suite struct FHIRTests {
    private func hapi(at baseURL: String, profile: (name: String, text: String)? = nil) throws -> TenantPlan {
        let name = profile.map { String($0.name.dropFirst("fhir/".count)) } ?? "hapi"
        return try Shipped.tenant(
            #"{ "driver": "fhir", "profile": "\#(name)", "baseURL": "\#(baseURL)" }"#, profile: profile)
    }

    private func openmrs(at baseURL: String) throws -> TenantPlan {
        let options = MockOptions()
        return try Shipped.tenant(
            """
            { "driver": "fhir", "profile": "openmrs", "baseURL": "\(baseURL)",
              "settings": { "location": "8d6c993e-c2cc-11de-8d13-0010c6dffd0f" },
              "credentials": { "user": { "env": "USER_OF_FHIR" }, "password": { "env": "PASSWORD_OF_FHIR" } } }
            """, searchBy: #"["cpf", "name"]"#,
            secrets: ["USER_OF_FHIR": options.user, "PASSWORD_OF_FHIR": options.password])
    }

    private func examine(
        _ dialect: MockOptions.Dialect, patients: Int = 30, _ plan: (String) throws -> TenantPlan
    ) async throws -> [Doctor.Finding] {
        let mock = try await MockServer.start(MockOptions(dialect: dialect, patients: patients))
        let engine = try CurlEngine()
        let findings = await Doctor(try plan(mock.baseURL), engine: engine).examine()
        await mock.stop()
        await engine.shutdown()
        return findings
    }

    /// The driver's own complaint about a page, and what is advised.
    private func advice(links: String) async throws -> String {
        let plan = try hapi(at: "https://fhir.example.test/fhir")
        let body = #"{"resourceType":"Bundle","type":"searchset","link":[\#(links)]}"#
        let http = CannedHTTP { _, _ in
            UpstreamAnswer(
                status: 200, headers: [("Content-Type", "application/fhir+json")], body: Array(body.utf8))
        }
        let context = CallContext(deadline: .now + .seconds(60), requestID: "test")
        do throws(UpstreamError) {
            _ = try await plan.driver.make(http).page(PageRequest(.offset(0), size: 10), context)
            Issue.record("the page was taken")
            return ""
        } catch {
            return Advice.upstream(error, plan)
        }
    }

    @Test func aNextLinkToAnInnerAddressIsTheServersMatter() async throws {
        let said = try await advice(
            links: #"{"relation":"next","url":"http://hapi.internal:8080/fhir?_getpages=1"}"#)
        #expect(said.contains("server_address"))
        #expect(said.contains("X-Forwarded"))
        #expect(!said.contains("golden pair"))
    }

    @Test func whatIsNoBundleIsNotHeldAgainstTheProfile() async throws {
        let plan = try hapi(at: "https://fhir.example.test/fhir")
        let said = Advice.upstream(.malformed("the answer to a search is not a Bundle"), plan)
        #expect(said.contains("docs/drivers/fhir.md"))
        #expect(!said.contains("ponte test"))
    }

    /// The server's own statement is read first, and is no login.
    @Test func basicCredentialsAreNoLoginOfTheirOwn() async throws {
        let findings = try await examine(.fhirOpenMRS, openmrs)
        let credentials = try #require(findings.first { $0.name == "credentials" })
        #expect(credentials.verdict == .good, "\(findings)")
        #expect(credentials.seen == "accepted")
    }

    /// The server keeps phones in four spellings: whoever looks for one client only may hit the one that is asked for.
    @Test func phonesInSeveralSpellingsShowThemselves() async throws {
        let shipped = String(decoding: try Shipped.bytes("Config/drivers/fhir/hapi.json"), as: UTF8.self)
        let start = try #require(shipped.firstRange(of: #""phones": {"#)?.lowerBound)
        let list = try #require(shipped[start...].firstRange(of: #/"search": \[[^\]]*\]/#))
        let poor = shipped.replacingCharacters(in: list, with: #""search": ["international"]"#)
            .replacing(#""name": "hapi""#, with: #""name": "poor""#)
        let all = try await examine(.fhirHAPI) { try hapi(at: $0) }
        #expect(all.first { $0.name == "search by phone" }?.verdict == .good, "\(all)")

        let some = try await examine(.fhirHAPI) { try hapi(at: $0, profile: ("fhir/poor", poor)) }
        let search = try #require(some.first { $0.name == "search by phone" })
        #expect(search.verdict == .bad, "\(search)")
        #expect(search.seen.contains("of 5 clients of the list are found by their own phone"))
        #expect(!search.seen.hasPrefix("0"))
        #expect(search.advice.contains("several spellings"))
    }

    /// What the server's own statement denies is promised by nobody who asked it, and with a word of caution by those who
    /// did not.
    @Test func theReportFollowsTheServersStatement() async throws {
        let shipped = String(decoding: try Shipped.bytes("Config/drivers/fhir/hapi.json"), as: UTF8.self)
        // A search parameter that the server's statement does not name.
        let hopeful = shipped.replacing(#""phone": ["telecom", "phone"]"#, with: #""phone": ["handy"]"#)
            .replacing(#""name": "hapi""#, with: #""name": "hopeful""#)
        #expect(hopeful.contains("handy"))
        let mock = try await MockServer.start(MockOptions(dialect: .fhirHAPI, patients: 30))
        let engine = try CurlEngine()
        let plan = try hapi(at: mock.baseURL, profile: ("fhir/hopeful", hopeful))
        let findings = await Doctor(plan, engine: engine).examine()
        await mock.stop()
        await engine.shutdown()
        #expect(findings.first { $0.name == "search by phone" }?.verdict == .skipped, "\(findings)")

        let live = Homologation(plan, findings: findings).markdown
        #expect(live.contains("| telefone | não |"))
        #expect(live.contains("a configurar na interface da Clinia: CPF ou e-mail."))
        #expect(!live.contains("CapabilityStatement"))

        let paper = Homologation(plan).markdown
        #expect(paper.contains("| telefone | sim |"))
        #expect(paper.contains("CapabilityStatement"))
        #expect(Explanation(plan).text.contains("CapabilityStatement"))
        #expect(!Explanation(try Shipped.demo(at: "http://127.0.0.1:1")).text.contains("CapabilityStatement"))
    }
}
