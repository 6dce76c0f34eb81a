import ClientContract
import Foundation
import Gateway
import JSONBytes
import Testing
import UpstreamDriver

/// The OpenAPI file and the running server say the same.
@Suite struct OpenAPITests {
    /// The document, with references followed.
    struct Document {
        let root: [String: Any]

        init() throws {
            let file = EndToEndTests.repository.appending(path: "docs/openapi.json")
            root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        }

        func resolved(_ value: Any?) -> [String: Any] {
            guard let object = value as? [String: Any] else { return [:] }
            guard let reference = object["$ref"] as? String else { return object }
            let target = reference.dropFirst(2).split(separator: "/").reduce(root as Any?) { value, step in
                (value as? [String: Any])?[String(step)]
            }
            return resolved(target)
        }

        var paths: [String: Any] { root["paths"] as? [String: Any] ?? [:] }

        func operation(_ method: String, _ path: String) -> [String: Any] {
            resolved((paths[path] as? [String: Any])?[method.lowercased()])
        }

        var operations: [(method: String, path: String)] {
            paths.flatMap { path, item in
                ((item as? [String: Any]) ?? [:]).keys.filter { $0 != "parameters" }.map { ($0.uppercased(), path) }
            }
        }

        /// Why a value does not fit a schema; empty when it does. Only what this document uses.
        func complaints(_ value: Any, _ schema: Any?, at place: String = "") -> [String] {
            if let anything = schema as? Bool { return anything ? [] : ["\(place): is not allowed"] }
            let schema = resolved(schema)
            if let choices = schema["anyOf"] as? [Any] {
                let fitting = choices.contains { complaints(value, $0, at: place).isEmpty }
                if !fitting { return ["\(place): fits nothing"] }
            }
            if let types = schema["type"] as? [String] {
                if value is NSNull { return types.contains("null") ? [] : ["\(place): is null"] }
                return complaints(value, schema.merging(["type": types[0]]) { $1 }, at: place)
            }
            if let constant = schema["const"] as? String, value as? String != constant {
                return ["\(place): not \(constant)"]
            }
            if let choices = schema["enum"] as? [String], !choices.contains(value as? String ?? "") {
                return ["\(place): no choice"]
            }
            switch schema["type"] as? String {
            case "object":
                guard let object = value as? [String: Any] else { return ["\(place): no object"] }
                let properties = schema["properties"] as? [String: Any] ?? [:]
                let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }
                var complaints = missing.map { "\(place): lacks \($0)" }
                for (name, member) in object {
                    if let known = properties[name] {
                        complaints += self.complaints(member, known, at: "\(place)/\(name)")
                    } else if schema["additionalProperties"] as? Bool == false {
                        complaints.append("\(place): has \(name)")
                    }
                }
                return complaints
            case "array":
                guard let array = value as? [Any] else { return ["\(place): no array"] }
                return array.enumerated().flatMap {
                    complaints($0.element, schema["items"], at: "\(place)/\($0.offset)")
                }
            case "string":
                guard let text = value as? String else { return ["\(place): no string"] }
                let length = text.unicodeScalars.count
                if length < schema["minLength"] as? Int ?? 0 || length > schema["maxLength"] as? Int ?? .max {
                    return ["\(place): has \(length) characters"]
                }
                return complaints(
                    text, format: schema["format"] as? String, pattern: schema["pattern"] as? String, place)
            case "integer": return value is Int ? [] : ["\(place): no integer"]
            default:
                guard let text = value as? String else { return [] }
                return complaints(
                    text, format: schema["format"] as? String, pattern: schema["pattern"] as? String, place)
            }
        }

        private func complaints(_ text: String, format: String?, pattern: String?, _ place: String) -> [String] {
            if format == "date", !isDate(text) { return ["\(place): is no date"] }
            // Other formats are no assertions (JSON Schema, Validation, section 7.2).
            guard let pattern else { return [] }
            return text.range(of: pattern, options: .regularExpression) == nil ? ["\(place): does not match"] : []
        }

        /// RFC 3339, full-date.
        private func isDate(_ text: String) -> Bool {
            guard text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil else { return false }
            let parts = text.split(separator: "-").compactMap { Int($0) }
            let day = DateComponents(
                calendar: Calendar(identifier: .gregorian), year: parts[0], month: parts[1], day: parts[2])
            return day.isValidDate
        }

        /// What an answer has that the document does not say.
        func complaints(about answer: RawHTTP.Answer, to method: String, _ path: String) throws -> [String] {
            let responses = operation(method, path)["responses"] as? [String: Any] ?? [:]
            guard let entry = responses[String(answer.status)] else { return ["\(answer.status) is not documented"] }
            let response = resolved(entry)
            let content = response["content"] as? [String: Any] ?? [:]
            let type = answer.header("content-type") ?? "none"
            guard let media = content[type] as? [String: Any] else {
                return ["the media type \(type) is not documented"]
            }
            let headers = response["headers"] as? [String: Any] ?? [:]
            var complaints: [String] = []
            for (name, header) in headers {
                guard let value = answer.header(name.lowercased()) else {
                    if name != "Retry-After" { complaints.append("lacks the header \(name)") }
                    continue
                }
                complaints += self.complaints(value, resolved(header)["schema"], at: name).filter {
                    !$0.contains("integer")
                }
            }
            let body = try JSONSerialization.jsonObject(with: Data(answer.body), options: .fragmentsAllowed)
            return complaints + self.complaints(body, media["schema"])
        }
    }

    /// The calls to make, by path of the document; `{…}` is filled in.
    static let calls: [(method: String, path: String, query: String, key: String?, body: String?, status: Int)] = [
        ("GET", "/clients", "", "key-ana", nil, 200), ("GET", "/clients", "?limit=2&offset=1", "key-ana", nil, 200),
        ("GET", "/clients", "?limit=x", "key-ana", nil, 400), ("GET", "/clients", "", nil, nil, 401),
        ("POST", "/clients", "", "key-ana", BodyTests.draft, 200), ("POST", "/clients", "", "key-ana", "{}", 400),
        ("POST", "/clients", "", "wrong", BodyTests.draft, 401),
        ("POST", "/clients", "", "key-ana", String(repeating: " ", count: 2 << 20), 413),
        ("GET", "/clients/search", "?term=ana1@example.test", "key-ana", nil, 200),
        ("GET", "/clients/search", "", "key-ana", nil, 400), ("GET", "/clients/search", "?term=a", nil, nil, 401),
        ("GET", "/clients/{id}", "", "key-ana", nil, 200), ("GET", "/clients/{id}", "", nil, nil, 401),
        ("PATCH", "/clients/{id}", "", "key-ana", #"{"name":"Ana Outra"}"#, 200),
        ("PATCH", "/clients/{id}", "", "key-ana", #"{"phone":"1"}"#, 400),
        ("PATCH", "/clients/{id}", "", nil, "{}", 401),
        ("GET", "/t/{tenant}/clients", "", "key-ana", nil, 200),
        ("GET", "/t/{tenant}/clients", "", "key-bruno", nil, 403),
        ("POST", "/t/{tenant}/clients", "", "key-ana", BodyTests.draft, 200),
        ("POST", "/t/{tenant}/clients", "", "key-bruno", BodyTests.draft, 403),
        ("GET", "/t/{tenant}/clients/search", "?term=ana1@example.test", "key-ana", nil, 200),
        ("GET", "/t/{tenant}/clients/search", "?term=a", "key-bruno", nil, 403),
        ("GET", "/t/{tenant}/clients/{id}", "", "key-ana", nil, 200),
        ("GET", "/t/{tenant}/clients/{id}", "", "key-bruno", nil, 403),
        ("PATCH", "/t/{tenant}/clients/{id}", "", "key-ana", "{}", 200),
        ("PATCH", "/t/{tenant}/clients/{id}", "", "key-bruno", "{}", 403),
        ("GET", "/health/live", "", nil, nil, 200), ("GET", "/health/ready", "", nil, nil, 200),
    ]

    @Test func otherMethodsAreAnsweredAsDocumented() async throws {
        let document = try Document()
        try await RunningGateway.with { gateway in
            for (path, item) in document.paths {
                let known = Set((item as? [String: Any] ?? [:]).keys.map { $0.uppercased() }).subtracting(["PARAMETERS"]
                )
                for method in ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"] where !known.contains(method) {
                    let answer = try await RawHTTP.call(gateway.port, method, filled(path))
                    #expect(answer.status == 405, "\(method) \(path)")
                    #expect(answer.header("allow") == known.sorted().joined(separator: ", "), "\(method) \(path)")
                    for operation in known {
                        #expect(try document.complaints(about: answer, to: operation, path) == [], "\(method) \(path)")
                    }
                }
            }
        }
    }

    private func filled(_ path: String) -> String {
        path.replacing("{id}", with: "id-1").replacing("{tenant}", with: "ana")
    }

    @Test func everyOperationAnswersAsDocumented() async throws {
        let document = try Document()
        try await RunningGateway.with { gateway in
            for (method, path, query, key, body, status) in Self.calls {
                let answer = try await RawHTTP.call(gateway.port, method, filled(path) + query, key: key, body: body)
                #expect(answer.status == status, "\(method) \(path)\(query)")
                #expect(try document.complaints(about: answer, to: method, path) == [], "\(method) \(path)\(query)")
            }
        }
        let called = Set(Self.calls.map { "\($0.method) \($0.path)" })
        #expect(Set(document.operations.map { "\($0.method) \($0.path)" }) == called)
    }

    @Test func everyFailureOfTheSystemIsDocumentedForEveryOperation() async throws {
        let document = try Document()
        let system = FakeSystem()
        try await RunningGateway.with(system) { gateway in
            for (failure, _, code) in AnswerTests.failures {
                system.state.withLock { $0.failure = failure }
                for (method, path, query, key, body, status) in Self.calls
                where status == 200 && path.contains("clients") {
                    let answer = try await RawHTTP.call(
                        gateway.port, method, filled(path) + query, key: key, body: body)
                    // What only a write or a single client can meet is answered by those operations only.
                    if case .refused = failure, method == "GET" { continue }
                    if case .notFound = failure, !path.contains("{id}") { continue }
                    #expect(
                        try document.complaints(about: answer, to: method, path) == [], "\(code) to \(method) \(path)")
                }
            }
        }
    }

    @Test func theCodesAreTheOnesThatExist() throws {
        let document = try Document()
        let problem = document.resolved(["$ref": "#/components/schemas/Problem"])
        let code = (problem["properties"] as? [String: Any])?["code"] as? [String: Any]
        #expect(Set(code?["enum"] as? [String] ?? []) == Set(ContractError.Code.allCases.map(\.rawValue)))
    }

    /// Values that the schemas accept, and values that they refuse, as the server does. Numbers that do not exist are
    /// beyond a schema: they are the server's to refuse.
    static var values: [(member: String, good: [Any], bad: [Any])] {
        [
            (
                "phone",
                ["5511999999999", "+55 (11) 99999-9999", "(11) 3333-4444", "0xx11 3333.4444", "+1 212 555 0123"],
                ["", " ", "123456", 5, NSNull(), "5511999999999" + String(repeating: " ", count: 500)]
            ),
            (
                "cpf",
                [
                    "12345678900", "123.456.789-00", " 123 456 789/00 ", "\u{2003}123\u{2013}456789\u{A0}00", "",
                    NSNull(),
                ],
                ["1234567890", "123456789001", "123.456.789-0x", "cpf 12345678900", "12345678900\u{0}", 5, [String]()]
            ),
            (
                "name", ["Ana Teste", " Ana\n", "é", " \u{301}", String(repeating: "é", count: 500)],
                [
                    "", "  ", "\u{2003}", "Ana\u{0}", "Ana\nTeste", "Ana\u{85}Teste", NSNull(), true,
                    String(repeating: "é", count: 501), "Ana" + String(repeating: " ", count: 500),
                ]
            ),
            (
                "email", ["ana@example.test", " ana@example.test ", "é@ç", "", " ", NSNull()],
                [
                    "ana", "ana@", "@example.test", "a b@example.test", "a@b@c", "a,b@c", "<a@b>", "a@b\u{7F}", "a;b@c",
                    1,
                ]
            ),
            (
                "birthday", ["1985-03-15", "2000-02-29", "0001-01-01", "9999-12-31", "", " ", NSNull()],
                ["1985-02-30", "1985-13-01", "15/03/1985", "1985-3-15", "1985-03-15T00:00:00Z", 19_850_315]
            ),
            (
                "location", ["1", " 1\t", "", NSNull(), String(repeating: "é", count: 200)],
                ["a\u{0}b", "a\nb", 1, String(repeating: "é", count: 201), String(repeating: " ", count: 201)]
            ),
            ("healthInsurance", ["7", NSNull()], [7, ["7"]]),
            ("zzz", ["x", NSNull(), 5], []),
        ]
    }

    @Test func theSchemasAcceptWhatTheServerAccepts() throws {
        let document = try Document()
        let draft = document.resolved(["$ref": "#/components/schemas/ClientDraft"])
        let patch = document.resolved(["$ref": "#/components/schemas/ClientPatch"])
        func judge(_ member: String, _ value: Any, draftTakes: Bool, patchTakes: Bool) throws {
            var body: [String: Any] = ["name": "Ana Teste", "phone": "5511999999999"]
            body[member] = value
            #expect(document.complaints(body, draft).isEmpty == draftTakes, "\(member): \(value)")
            let bytes = Array(try JSONSerialization.data(withJSONObject: body))
            #expect(((try? ClientDraft(body: bytes)) != nil) == draftTakes, "\(member): \(value)")
            let change = [member: value]
            #expect(document.complaints(change, patch).isEmpty == patchTakes, "\(member): \(value)")
            let changing = Array(try JSONSerialization.data(withJSONObject: change))
            #expect(((try? ClientPatch(body: changing)) != nil) == patchTakes, "\(member): \(value)")
        }
        let ignored = ["zzz", "location", "healthInsurance"]
        for (member, good, bad) in Self.values {
            for value in good {
                let isBlank =
                    value is NSNull || (value as? String)?.unicodeScalars.allSatisfy(\.properties.isWhitespace) == true
                let patchTakes = ignored.contains(member) || (member != "phone" && !isBlank)
                try judge(member, value, draftTakes: true, patchTakes: patchTakes)
            }
            for value in bad { try judge(member, value, draftTakes: false, patchTakes: ignored.contains(member)) }
        }
        #expect(document.complaints(["allPhones": ["5511999999999"]], patch) == ["/allPhones: is not allowed"])
    }

    @Test func theSchemasOfParametersAcceptWhatTheServerAccepts() async throws {
        let document = try Document()
        let values: [(parameter: String, good: [String], bad: [String])] = [
            (
                "term", ["5511999999999", " ana1@example.test", "a", " \u{301}", String(repeating: "é", count: 512)],
                ["", " ", "\u{3000}", "a\u{0}b", "a\nb", "\u{85}a", String(repeating: "é", count: 513)]
            ),
            (
                "id", ["id-0", "a b", "...", ".a", "a.", "a", "é", "a/b", String(repeating: "é", count: 512)],
                [".", "..", "a\u{0}", "\u{7F}", String(repeating: "é", count: 513)]
            ),
        ]
        try await RunningGateway.with { gateway in
            for (name, good, bad) in values {
                let schema = document.resolved(["$ref": "#/components/parameters/\(name)"])["schema"]
                for (value, isGood) in good.map({ ($0, true) }) + bad.map({ ($0, false) }) {
                    #expect(document.complaints(value, schema).isEmpty == isGood, "\(name): \(value)")
                    let coded = value.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                    let path = name == "id" ? "/clients/\(coded)" : "/clients/search?term=\(coded)"
                    let answer = try await RawHTTP.call(gateway.port, "GET", path)
                    #expect((answer.status != 400) == isGood, "\(name): \(value)")
                }
            }
        }
    }

    @Test func theExamplesAreTheContracts() async throws {
        let document = try Document()
        let schemas = try #require((document.root["components"] as? [String: Any])?["schemas"] as? [String: Any])
        for (method, path) in [("POST", "/clients"), ("PATCH", "/clients/{id}")] {
            let request = document.operation(method, path)["requestBody"] as? [String: Any]
            let media = (request?["content"] as? [String: Any])?["application/json"] as? [String: Any]
            let example = try #require(media?["example"])
            let body = Array(try JSONSerialization.data(withJSONObject: example))
            if method == "POST" { _ = try ClientDraft(body: body) } else { _ = try ClientPatch(body: body) }
        }
        let client = try #require(schemas["Client"] as? [String: Any])
        for example in client["examples"] as? [Any] ?? [] { #expect(document.complaints(example, client) == []) }
        let names = Set((client["properties"] as? [String: Any] ?? [:]).keys)
        #expect(names == Set(ClientField.allCases.map(\.wireName)))
    }
}
