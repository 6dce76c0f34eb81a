import Foundation
import JSONBytes
import Testing

@testable import RESTDriver

/// `Config/schema/driver.schema.json` says what the compiler reads.
@Suite struct SchemaTests {
    private func schema() throws -> JSONValue {
        try JSONDocument(Array(Data(contentsOf: Sample.repository.appending(path: "Config/schema/driver.schema.json"))))
            .root
    }

    private func definition(_ name: String) throws -> JSONValue {
        let root = try schema()
        return name.isEmpty ? root : try #require(root["$defs"]?[name], "no definition \(name)")
    }

    @Test(arguments: Members.tables) func membersAgree(_ name: String, _ members: [String]) throws {
        let definition = try definition(name)
        let known = try #require(definition["properties"]).members.map(\.key).filter { !$0.hasPrefix("$") }
        #expect(known.sorted() == members.sorted())
        #expect(definition["additionalProperties"]?.bool == false)
    }

    @Test func choicesAgree() throws {
        let root = try schema()
        func choices(_ pointer: String) throws -> [String] {
            let place = try #require(JSONPointer(pointer))
            return try #require(root[place]?["enum"], "\(pointer)").elements.compactMap(\.string).sorted()
        }
        #expect(try choices("/$defs/operation/properties/method") == Members.methods.sorted())
        #expect(try choices("/$defs/paging/properties/style") == Members.pageStyles.sorted())
        #expect(try choices("/$defs/update/properties/style") == Members.updateStyles.sorted())
        #expect(try choices("/$defs/outcome/properties/then") == OutcomeKind.allCases.map(\.rawValue).sorted())
        #expect(
            try choices("/$defs/attempt/properties/spellings/anyOf/0") == TermSpelling.allCases.map(\.rawValue).sorted()
        )
        #expect(
            try choices("/$defs/phoneParts/properties/spelling") == SubscriberSpelling.allCases.map(\.rawValue).sorted()
        )
        #expect(try choices("/$defs/retryAfter/properties/as") == RetryHint.Form.allCases.map(\.rawValue).sorted())
        #expect(
            try choices("/$defs/update/properties/required/items") == ProfileField.allCases.map(\.rawValue).sorted())
        let fields = try #require(root["properties"]?["fields"]?["properties"]).members.map(\.key).filter {
            $0 != "$comment"
        }
        #expect(fields.sorted() == ProfileField.allCases.map(\.rawValue).sorted())
        let formats = try #require(root["$defs"]?["lens"]?["properties"]?["format"]?["description"]?.string)
        let spellings =
            PhoneSpelling.allCases.map(\.rawValue) + CPFSpelling.allCases.map(\.rawValue)
            + IDForm.allCases.map(\.rawValue)
        for name in spellings { #expect(formats.contains(name)) }
    }

    /// What the schema requires, the compiler misses too.
    @Test(
        arguments: [
            ("", ""), ("operation", "/operations/list"), ("paging", "/operations/list/paging"),
            ("outcome", "/outcomes/0"),
            ("attempt", "/search/phone"), ("update", "/update"), ("basic", "/request/basic"),
            ("login", "/login"),
            ("refresh", "/login/refresh"), ("lifetime", "/login/lifetime"),
            ("escape", "/search/name/escape"),
            ("phoneParts", "/fields/phones/parts"), ("retryAfter", "/retryAfter"),
        ]) func requiredMembersAgree(_ name: String, _ place: String) throws
    {
        let whole: [(String, String?)] = [
            ("/outcomes", #"[{"when":{"status":404},"then":"notFound"}]"#),
            ("/request/basic", #"{"user":"a","password":"b"}"#),
            ("/request/headers/A", "\"{login.token}\""), ("/search/name/escape", #"{"characters":"%\\","with":"\\"}"#),
            (
                "/login",
                #"{"request":{"path":"/l"},"token":"/t","lifetime":{"at":"/l"},"refreshToken":"/r","refresh":{"request":{"path":"/r/{login.refreshToken}"}}}"#
            ),
            ("/fields/phones", #"{"parts":{"areaCode":"/d","number":"/n"}}"#), ("/retryAfter", #"{"header":"X"}"#),
        ]
        _ = try Sample.compile(whole)
        let required = Set(try definition(name)["required"]?.elements.compactMap(\.string) ?? [])
        let pointer = try #require(JSONPointer(place))
        let present = try #require(try JSONDocument(Sample.bytes(whole)).root[pointer]).members.map(\.key)
        #expect(required.isSubset(of: present))
        for member in required {
            #expect(throws: (any Error).self, "without \(member)") {
                try Sample.compile(whole + [("\(place)/\(member)", nil)])
            }
        }
    }

    @Test(arguments: FixtureTests.vendors) func shippedProfilesAreValid(_ name: String) throws {
        let file = Sample.repository.appending(path: "Config/drivers/\(name).json")
        let profile = try JSONDocument(Array(Data(contentsOf: file))).root
        #expect(MiniSchema(root: try schema()).faults(profile) == [])
        #expect(try Sample.shipped(name).name == name)
    }

    /// The validator of these tests can say no.
    @Test func theSchemaRefuses() throws {
        let validator = MiniSchema(root: try schema())
        for changes in [
            [("/opertions", "{}")], [("/name", "1")], [("/operations/list/paging/style", "\"x\"")],
            [("/fields/name/at", "\"n\"")],
            [("/fields/name", #"{"at":"/n","frmat":"text"}"#)], [("/operations/list/paging/maximum", "0")],
            [("/search/phone/spellings", "\"x\"")],
        ] as [[(String, String?)]] {
            #expect(validator.faults(try JSONDocument(Sample.bytes(changes)).root) != [], "\(changes)")
        }
        #expect(validator.faults(try JSONDocument(Sample.bytes()).root) == [])
    }

    @Test func everyMemberHasADescription() throws {
        func check(_ value: JSONValue, _ place: String) {
            for member in value["properties"]?.members ?? [] where !member.key.hasPrefix("$") {
                #expect(member.value["description"]?.string?.isEmpty == false, "\(place)/\(member.key)")
            }
        }
        check(try schema(), "")
        for member in try #require(schema()["$defs"]).members { check(member.value, member.key) }
    }
}

/// As much of JSON Schema 2020-12 as the profile's schema uses.
private struct MiniSchema {
    let root: JSONValue

    func faults(_ value: JSONValue) -> [String] { faults(value, root, "") }

    private func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        guard schema.kind == .object else { return schema.bool == false ? ["\(place): not allowed"] : [] }
        var faults: [String] = []
        if let target = schema["$ref"]?.string, let pointer = JSONPointer(String(target.dropFirst())),
            let other = root[pointer]
        {
            faults += self.faults(value, other, place)
        }
        if let type = schema["type"] {
            let names = type.string.map { [$0] } ?? type.elements.compactMap(\.string)
            if !names.contains(where: { fits(value, $0) }) { faults.append("\(place): type") }
        }
        if let choices = schema["enum"], !choices.elements.contains(where: { $0.source == value.source }) {
            faults.append("\(place): enum")
        }
        if let constant = schema["const"], constant.source != value.source { faults.append("\(place): const") }
        if let any = schema["anyOf"], !any.elements.contains(where: { self.faults(value, $0, place).isEmpty }) {
            faults.append("\(place): anyOf")
        }
        if let pattern = schema["pattern"]?.string, let text = value.string, let regex = try? Regex(pattern),
            text.firstMatch(of: regex) == nil
        {
            faults.append("\(place): pattern")
        }
        if let number = value.int {
            if let least = schema["minimum"]?.int, number < least { faults.append("\(place): minimum") }
            if let most = schema["maximum"]?.int, number > most { faults.append("\(place): maximum") }
        }
        if value.kind == .array {
            if let least = schema["minItems"]?.int, value.elements.count < least { faults.append("\(place): minItems") }
            if let items = schema["items"] {
                for element in value.elements { faults += self.faults(element, items, place + "/-") }
            }
        }
        if value.kind == .object {
            for name in schema["required"]?.elements.compactMap(\.string) ?? [] where value[name] == nil {
                faults.append("\(place): lacks \(name)")
            }
            for member in value.members {
                if let known = schema["properties"]?[member.key] {
                    faults += self.faults(member.value, known, "\(place)/\(member.key)")
                } else if let other = schema["additionalProperties"] {
                    faults += self.faults(member.value, other, "\(place)/\(member.key)")
                }
            }
        }
        return faults
    }

    private func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch value.kind {
        case .null: type == "null"
        case .true, .false: type == "boolean"
        case .number: type == "number" || (type == "integer" && value.int != nil)
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
