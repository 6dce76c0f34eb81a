import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// What a server's CapabilityStatement takes from a profile, and what it does not.
@Suite struct StatementTests {
    private static let all =
        #"[{"code":"read"},{"code":"search-type"},{"code":"create"},{"code":"update"},{"code":"patch"}]"#

    private func statement(_ patient: String) -> String {
        #"{"resourceType":"CapabilityStatement","rest":[{"mode":"client"},{"mode":"server","resource":[{"type":"Observation"},{"type":"Patient"\#(patient.isEmpty ? "" : "," + patient)}]}]}"#
    }

    private func server(_ metadata: UpstreamAnswer) -> Script {
        Script { request, _ in
            if request.url.hasSuffix("/metadata") { return metadata }
            if request.url.contains("Patient?") { return .fhir(Sample.bundle([Sample.patient("")])) }
            return .fhir(Sample.patient(#""name":[{"text":"Ana"}]"#), headers: [("ETag", "W/\"1\"")])
        }
    }

    private func narrowed(_ metadata: UpstreamAnswer) async throws -> (FHIRDriver, Script) {
        let http = server(metadata)
        let driver = try Sample.driver(http, ["metadata": "true"])
        _ = try? await driver.client(ClientID("p1"), Sample.context)
        return (driver, http)
    }

    @Test func whatTheServerLacksIsTakenOut() async throws {
        let patient =
            #""interaction":[{"code":"read"},{"code":"search-type"},{"code":"update"}],"versioning":"no-version","conditionalCreate":false,"searchParam":[{"name":"identifier"},{"name":"telecom"},{"name":"name"}]"#
        let (driver, http) = try await narrowed(.fhir(statement(patient)))
        #expect(driver.capabilities.operations == [.get, .list, .search, .update])
        #expect(!driver.capabilities.operations.contains(.create))
        #expect(
            driver.capabilities.searches.keys.sorted { $0.rawValue < $1.rawValue } == [.cpf, .email, .name, .phone])
        #expect(driver.plan.parameters[.phone] == ["telecom"])
        #expect(driver.plan.updateStyle == .put)
        #expect(!driver.plan.ifNoneExist && !driver.plan.ifMatch)
        let draft = try #require(Sample.ana)
        #expect(await failure { _ = try await driver.create(draft, Sample.context) }?.name == "unsupported")
        _ = try await driver.update(ClientID("p1"), ClientPatch(name: "Ana"), Sample.context)
        #expect(http.last?.method == "PUT" && http.last?.header("If-Match") == nil)
    }

    @Test func contactPointsAreFoundByTheirKindWhereTheServerHasNoMore() async throws {
        let listed = #""searchParam":[{"name":"identifier"},{"name":"phone"},{"name":"email"}]"#
        let (driver, _) = try await narrowed(.fhir(statement(listed)))
        #expect(driver.plan.parameters[.phone] == ["phone"] && driver.plan.parameters[.email] == ["email"])
    }

    @Test func parametersThatAreNotListedCannotBeSearchedBy() async throws {
        let (driver, _) = try await narrowed(.fhir(statement(#""searchParam":[{"name":"identifier"}]"#)))
        #expect(Set(driver.capabilities.searches.keys) == [.cpf])
        let phone = SearchTerm.phone(try #require(PhoneNumber("5531988880001")))
        let error = await failure {
            _ = try await driver.candidates(for: phone, attempt: 0, PageRequest(.offset(0), size: 5), Sample.context)
        }
        #expect(error?.name == "unsupported")
    }

    @Test func whatItDoesNotSpeakOfStays() async throws {
        for body in [
            statement(""), statement(#""interaction":[],"searchParam":[]"#), statement(#""interaction":\#(Self.all)"#),
        ] {
            let (driver, _) = try await narrowed(.fhir(body))
            #expect(driver.capabilities.operations == Set(Capabilities.Operation.allCases))
            #expect(driver.capabilities.searches.count == 4)
            #expect(driver.plan.updateStyle == .patch && driver.plan.ifMatch && driver.plan.ifNoneExist)
        }
    }

    @Test(arguments: [
        (500, "{}"), (404, "<html>"), (200, "<html>"), (200, "{}"), (200, #"{"resourceType":"CapabilityStatement"}"#),
        (401, ""),
    ]) func aStatementThatCannotBeHadDisablesNothing(_ status: Int, _ body: String) async throws {
        let (driver, http) = try await narrowed(.fhir(body, status: status))
        #expect(driver.capabilities.operations == Set(Capabilities.Operation.allCases))
        #expect(try await driver.client(ClientID("p1"), Sample.context).name == "Ana")
        // It is left alone for a while.
        #expect(http.requests.count { $0.url.hasSuffix("/metadata") } == 1)
    }

    @Test func anUnreachableStatementDisablesNothing() async throws {
        let http = Script { request, _ in
            if request.url.hasSuffix("/metadata") {
                throw TransportError(kind: .deadline, phase: .waiting, mayHaveReachedServer: true, detail: "slow")
            }
            return .fhir(Sample.patient(#""name":[{"text":"Ana"}]"#))
        }
        let driver = try Sample.driver(http, ["metadata": "true"])
        #expect(try await driver.client(ClientID("p1"), Sample.context).name == "Ana")
    }

    @Test func itIsReadOnceForAll() async throws {
        let http = server(.fhir(statement("")))
        let driver = try Sample.driver(http, ["metadata": "true"])
        #expect(http.requests.isEmpty, "not before the first call")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { _ = try await driver.client(ClientID("p1"), Sample.context) }
            }
            try await group.waitForAll()
        }
        #expect(http.requests.count { $0.url.hasSuffix("/metadata") } == 1)
        #expect(http.requests.count == 21)
    }

    @Test func aProfileCanLeaveItOut() async throws {
        let http = server(.fhir(statement(#""interaction":[{"code":"read"}]"#)))
        let driver = try Sample.driver(http)
        _ = try await driver.client(ClientID("p1"), Sample.context)
        #expect(http.requests.count == 1)
    }
}
