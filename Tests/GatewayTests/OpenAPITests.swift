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
            let schema = resolved(schema)
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
                guard let pattern = schema["pattern"] as? String else { return [] }
                return text.range(of: pattern, options: .regularExpression) == nil ? ["\(place): does not match"] : []
            case "integer": return value is Int ? [] : ["\(place): no integer"]
            default: return []
            }
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

    /// Values that the schemas accept, and values that they refuse, as the server does.
    static let values: [(member: String, good: [String], bad: [String])] = [
        (
            "phone", ["5511999999999", "+55 (11) 99999-9999", "(11) 3333-4444", "0xx11 3333.4444", "+1 212 555 0123"],
            ["", " ", "123456", "abc", "5511999999999a", "ana@example.test", "5511999999999\n;"]
        ),
        (
            "cpf", ["12345678900", "123.456.789-00", " 123 456 789/00 "],
            ["1234567890", "123456789001", "123.456.789-0x", "cpf 12345678900"]
        ),
        ("name", ["Ana Teste", " Ana", "é"], ["", "  ", "Ana\u{0}", "Ana\nTeste", "Ana\u{85}Teste"]),
    ]

    @Test func theSchemasAcceptWhatTheServerAccepts() throws {
        let document = try Document()
        let draft = document.resolved(["$ref": "#/components/schemas/ClientDraft"])
        for (member, good, bad) in Self.values {
            for (value, isGood) in good.map({ ($0, true) }) + bad.map({ ($0, false) }) {
                var body = ["name": "Ana Teste", "phone": "5511999999999"]
                body[member] = value
                #expect(document.complaints(body, draft).isEmpty == isGood, "\(member): \(value)")
                let bytes = Array(try JSONSerialization.data(withJSONObject: body))
                #expect(((try? ClientDraft(body: bytes)) != nil) == isGood, "\(member): \(value)")
            }
        }
    }

    @Test func theSchemasOfParametersAcceptWhatTheServerAccepts() async throws {
        let document = try Document()
        let values: [(parameter: String, good: [String], bad: [String])] = [
            ("term", ["5511999999999", " ana1@example.test", "a"], ["", " ", "a\u{0}b", "a\nb", "\u{85}a"]),
            ("id", ["id-0", "a b", "...", "é", "a/b"], [".", "..", "a\u{0}", "\u{7F}"]),
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
