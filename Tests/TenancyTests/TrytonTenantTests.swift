import Foundation
import StrictConfig
import Tenancy
import Testing

/// Tenants whose system is a GNU Health.
@Suite struct TrytonTenantTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let path: String
        /// JSON in its place; nil takes it away.
        let value: String?
        let pointer: String
        let says: String

        init(_ path: String, _ value: String?, at pointer: String? = nil, _ says: String) {
            (self.path, self.value, self.pointer, self.says) = (path, value, pointer ?? path, says)
        }

        var testDescription: String { "\(path) \(value ?? "removed")" }
    }

    static let refusals = [
        Refusal("/upstream/database", nil, at: "/upstream", "lacks the member \"database\""),
        Refusal("/upstream/database", #""""#, "must not be empty"),
        Refusal("/upstream/database", #""a/b""#, "is not a database's name"),
        Refusal("/upstream/database", #""..""#, "is not a database's name"),
        Refusal("/upstream/database", #""gh?x""#, "is not a database's name"),
        Refusal("/upstream/database", "5", "expected a database's name"),
        Refusal("/upstream/profile", #""agenda-demo""#, "is not a member of the driver \"tryton\""),
        Refusal("/upstream/baseURL", nil, at: "/upstream", "lacks the member \"baseURL\""),
        Refusal("/upstream/credentials/user", nil, at: "/upstream", "lacks the credential \"user\""),
        Refusal("/upstream/credentials/password", nil, at: "/upstream", "lacks the credential \"password\""),
        Refusal("/upstream/credentials/pasword", #"{"env":"AURORA_USER"}"#, "did you mean \"password\""),
        Refusal("/upstream/settings/unit", #""3""#, "has none"),
    ]

    @Test(arguments: refusals) func refuses(_ refusal: Refusal) throws {
        let value = try refusal.value.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
        }
        let path = refusal.path.split(separator: "/").map(String.init)
        let document = Document.setting(TestConfiguration.fullTenant(driver: "tryton"), path, value)
        let faults = try TestConfiguration().faults(ofTenant: document)
        #expect(faults.map(\.pointer) == [refusal.pointer])
        #expect(faults.first?.message.contains(refusal.says) == true, "\(faults)")
    }

    @Test func acceptsTheFullFile() throws {
        let configuration = try TestConfiguration()
        #expect(try configuration.faults(ofTenant: TestConfiguration.fullTenant(driver: "tryton")) == [])
        #expect(configuration.load().tenants.map(\.id) == ["clinica-aurora"])
    }

    @Test func otherDriversHaveNoDatabase() throws {
        let document = Document.setting(TestConfiguration.fullTenant(), ["upstream", "database"], "gh")
        let faults = try TestConfiguration().faults(ofTenant: document)
        #expect(faults.map(\.pointer) == ["/upstream/database"])
    }
}
