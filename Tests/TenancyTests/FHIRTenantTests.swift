import Foundation
import StrictConfig
import Tenancy
import Testing

/// Tenants of the driver "fhir".
@Suite struct FHIRTenantTests {
    private func tenant(
        _ profile: String, _ credentials: [String] = [], settings: [String: String] = [:], baseURL: String? = nil
    ) -> Any {
        var document = TestConfiguration.fullTenant()
        var upstream: [String: Any] = [
            "driver": "fhir", "profile": profile, "baseURL": baseURL ?? "https://fhir.example.test/r4",
            "settings": settings,
        ]
        upstream["credentials"] = Dictionary(uniqueKeysWithValues: credentials.map { ($0, ["env": "AURORA_USER"]) })
        if baseURL == "" { upstream["baseURL"] = nil }
        document["upstream"] = upstream
        return document
    }

    private func faults(_ tenant: Any) throws -> [ConfigFault] {
        let configuration = try TestConfiguration()
        for name in ["azure", "openmrs"] { try configuration.copyFHIRProfile(name) }
        return try configuration.faults(ofTenant: tenant)
    }

    @Test func theCredentialsChooseTheWayToSignIn() throws {
        for credentials in [[], ["token"], ["user", "password"], ["key"]] {
            #expect(try faults(tenant("hapi", credentials)) == [], "\(credentials)")
        }
        #expect(
            try faults(
                tenant(
                    "hapi", ["clientID", "clientSecret"],
                    settings: ["tokenURL": "https://login.example.test/token", "scope": "x", "cpfSystem": "urn:x:y"]))
                == [])
        for credentials in [["user"], ["token", "key"], ["tokn"]] {
            let fault = try #require(try faults(tenant("hapi", credentials)).first)
            #expect(fault.pointer == "/upstream")
            #expect(fault.message.contains("none of the server's ways to sign in"))
            #expect(fault.message.contains("user and password"))
        }
    }

    /// A wish that the system cannot fulfil is said, and one that it can is not.
    @Test(arguments: [("hapi", "create", false), ("nilo", "create", true), ("nilo", "reject", false)])
    func aWishForAnotherRecordThatCannotBeIsWarnedOf(_ profile: String, _ action: String, _ isWarned: Bool) throws {
        let configuration = try TestConfiguration()
        if profile != "hapi" { try configuration.copyFHIRProfile(profile) }
        let credentials = profile == "nilo" ? ["key"] : []
        var document = Document.setting(tenant(profile, credentials), ["clients", "onDuplicate"], action)
        document = Document.setting(document, ["clients", "searchBy"], ["cpf"])
        try configuration.write("tenants/clinica-aurora.json", document)
        let loaded = configuration.load()
        #expect(loaded.faults == [])
        #expect(loaded.warnings.map(\.pointer) == (isWarned ? ["/clients/onDuplicate"] : []))
        #expect(loaded.warnings.allSatisfy { $0.message.contains("makes no other record") })
    }

    @Test func settingsAreThoseOfTheProfileAndOfTheWayToSignIn() throws {
        let oauth = ["clientID", "clientSecret"]
        let cases: [(Any, String, String)] = [
            (tenant("azure", oauth), "/upstream", "lacks the setting \"tokenURL\""),
            (
                tenant("azure", oauth, settings: ["tokenURL": "login"]), "/upstream/settings/tokenURL",
                "must begin with http"
            ),
            (
                tenant("hapi", settings: ["tokenURL": "https://a.example.test"]), "/upstream/settings/tokenURL",
                "unknown setting"
            ),
            (tenant("openmrs", ["user", "password"]), "/upstream", "lacks the setting \"location\""),
            (
                tenant("openmrs", ["user", "password"], settings: ["location": "1", "unit": "2"]),
                "/upstream/settings/unit", "unknown setting"
            ),
            (tenant("hapi", baseURL: ""), "/upstream", "lacks the member \"baseURL\""),
            (tenant("hapy"), "/upstream/profile", "did you mean \"hapi\""),
            (tenant("agenda-demo"), "/upstream/profile", "unknown profile"),
        ]
        for (tenant, pointer, message) in cases {
            let faults = try faults(tenant)
            #expect(faults.count == 1)
            #expect(faults.first?.pointer == pointer)
            #expect(faults.first?.message.contains(message) == true, "\(faults)")
        }
    }

    @Test func aProfileWithFaultsOrWithoutAFolderHarmsOnlyItsTenants() throws {
        let configuration = try TestConfiguration()
        try configuration.write("drivers/fhir/hapi.json", #"{"name":"hapi"}"#)
        try configuration.write("tenants/clinica-aurora.json", tenant("hapi"))
        let loaded = configuration.load()
        #expect(loaded.faults.contains { $0.file.hasSuffix("drivers/fhir/hapi.json") })
        #expect(loaded.faults.contains { $0.message.contains("has faults of its own") })
        #expect(loaded.profiles == ["agenda-demo"])
        try configuration.remove("drivers/fhir")
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        #expect(configuration.load().faults == [])
    }

    @Test func aChangedProfileIsNoticed() throws {
        let configuration = try TestConfiguration()
        let before = configuration.load()
        try configuration.write("drivers/fhir/other.json", "{}")
        #expect(before.stamp() != before.stampWhenRead)
    }

    @Test func allShippedProfilesAreSound() throws {
        let configuration = try TestConfiguration()
        for name in ["azure", "google", "nilo", "openmrs"] { try configuration.copyFHIRProfile(name) }
        let loaded = configuration.load()
        #expect(loaded.faults == [])
        #expect(
            loaded.profiles == ["agenda-demo"] + ["azure", "google", "hapi", "nilo", "openmrs"].map { "fhir/" + $0 })
    }
}
