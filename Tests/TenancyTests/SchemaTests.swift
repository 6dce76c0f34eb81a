import Foundation
import StrictConfig
import Tenancy
import Testing

/// The JSON Schemas and the decoder say the same: whatever the one names, requires or forbids, so does the other.
@Suite struct SchemaTests {
    enum Kind: String, CaseIterable, Sendable {
        case server, tenant
        /// A tenant's file with the driver "tryton".
        case tryton

        var schema: String { self == .server ? "server" : "tenant" }
        var driver: String? { self == .server ? nil : self == .tryton ? "tryton" : "rest" }
    }

    /// One object of a schema, and where it stands in the full document.
    struct Place {
        let path: [String]
        let schema: [String: Any]
    }

    private func schema(_ kind: Kind) throws -> [String: Any] {
        let file = TestConfiguration.repository.appending(path: "Config/schema/\(kind.schema).schema.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    private func full(_ kind: Kind) -> [String: Any] {
        kind.driver.map(TestConfiguration.fullTenant(driver:)) ?? TestConfiguration.fullServer()
    }

    private func faults(_ kind: Kind, _ document: Any) throws -> [ConfigFault] {
        let configuration = try TestConfiguration()
        switch kind {
        case .server: return try configuration.faults(ofServer: document)
        case .tenant, .tryton:
            // One of its choices needs a database.
            try configuration.write("server.json", ["idempotency": ["database": "creates.db"]])
            return try configuration.faults(ofTenant: document)
        }
    }

    /// Every value of the schema, objects first.
    private func places(_ schema: [String: Any], _ path: [String] = []) -> [Place] {
        var places = [Place(path: path, schema: schema)]
        for (name, value) in schema["properties"] as? [String: Any] ?? [:] where !name.hasPrefix("$") {
            if let value = value as? [String: Any] { places += self.places(value, path + [name]) }
        }
        if let items = schema["items"] as? [String: Any] { places += self.places(items, path + ["0"]) }
        return places
    }

    @Test(arguments: Kind.allCases) func knownMembersAgree(_ kind: Kind) throws {
        var checked = 0
        for place in places(try schema(kind)) where place.schema["additionalProperties"] as? Bool == false {
            let known = Set(try #require(place.schema["properties"] as? [String: Any]).keys).filter {
                !$0.hasPrefix("$")
            }
            let document = Document.setting(full(kind), place.path + ["zzzzzzzzzzzzzzzz"], 1)
            let fault = try #require(try faults(kind, document).first { $0.message.contains("zzzzzzzzzzzzzzzz") })
            let told = fault.message.components(separatedBy: "Known: ").last?.components(separatedBy: ", ") ?? []
            #expect(Set(told) == known, "at /\(place.path.joined(separator: "/"))")
            checked += 1
        }
        #expect(checked == (kind == .server ? 13 : 11))
    }

    /// What an object must have: always, and with the driver that the document names.
    private func required(_ schema: [String: Any], _ driver: String?) -> Set<String> {
        var required = schema["required"] as? [String] ?? []
        for branch in schema["allOf"] as? [[String: Any]] ?? [] where driver != nil {
            let condition = Document.value(branch, ["if", "properties", "driver", "const"]) as? String
            if condition == driver { required += Document.value(branch, ["then", "required"]) as? [String] ?? [] }
        }
        return Set(required)
    }

    @Test(arguments: Kind.allCases) func requiredMembersAgree(_ kind: Kind) throws {
        for place in places(try schema(kind)) {
            let required = required(place.schema, kind.driver)
            for name in (place.schema["properties"] as? [String: Any] ?? [:]).keys where !name.hasPrefix("$") {
                guard Document.value(full(kind), place.path + [name]) != nil else { continue }
                // The profile of this test has no address of its own.
                if kind == .tenant, name == "baseURL" || name == "credentials" { continue }
                let faults = try faults(kind, Document.setting(full(kind), place.path + [name], nil))
                #expect(faults.isEmpty == !required.contains(name), "without \(name) at \(place.path): \(faults)")
            }
        }
    }

    @Test(arguments: Kind.allCases) func typesAgree(_ kind: Kind) throws {
        let samples: [String: Any] = [
            "string": "zz", "integer": 3, "boolean": true, "array": [Any](), "object": [String: Any](),
            "null": NSNull(),
        ]
        for place in places(try schema(kind)) where !place.path.isEmpty {
            let type = place.schema["type"] as? String ?? "string"
            for (name, sample) in samples where name != type {
                let faults = try faults(kind, Document.setting(full(kind), place.path, sample))
                #expect(!faults.isEmpty, "\(name) in place of \(type) at \(place.path)")
            }
        }
    }

    @Test(arguments: Kind.allCases) func choicesAgree(_ kind: Kind) throws {
        for place in places(try schema(kind)) {
            guard let choices = place.schema["enum"] as? [String] else { continue }
            for choice in choices {
                // Alone in its list, so that it is not named twice.
                let inList = place.path.last == "0"
                let path = inList ? Array(place.path.dropLast()) : place.path
                // Each driver has members of its own.
                let base = path == ["upstream", "driver"] ? TestConfiguration.fullTenant(driver: choice) : full(kind)
                var document = Document.setting(base, path, inList ? [choice] as Any : choice)
                // Another driver has profiles and credentials of its own.
                if path == ["upstream", "driver"], choice == "fhir" {
                    document = Document.setting(document, ["upstream", "profile"], "hapi")
                    document = Document.setting(document, ["upstream", "credentials"], [String: Any]())
                }
                #expect(try faults(kind, document) == [], "\(choice) at \(place.path)")
            }
            let faults = try faults(kind, Document.setting(full(kind), place.path, "zzzzzzzz"))
            let told =
                faults.first?.message.components(separatedBy: "Known: ").last?.components(separatedBy: ", ") ?? []
            #expect(Set(told) == Set(choices), "at \(place.path)")
        }
    }

    @Test(arguments: Kind.allCases) func rangesAgree(_ kind: Kind) throws {
        for place in places(try schema(kind)) {
            guard let least = place.schema["minimum"] as? Int, let most = place.schema["maximum"] as? Int else {
                continue
            }
            for (value, isSound) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
                let faults = try faults(kind, Document.setting(full(kind), place.path, value))
                #expect(faults.isEmpty == isSound, "\(value) at \(place.path)")
            }
        }
    }

    @Test(arguments: Kind.allCases) func everyMemberHasADescription(_ kind: Kind) throws {
        for place in places(try schema(kind)) where !(place.path.last == "0") {
            #expect(place.schema["description"] is String, "at \(place.path)")
        }
    }
}
