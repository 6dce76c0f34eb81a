import JSONBytes
import Testing

@testable import MockUpstream

/// The ways in which the pretend FHIR servers differ.
@Suite struct FHIRTests {
    private let clinic = "https://clinica.example.test/prontuario"

    private func with(
        _ dialect: MockOptions.Dialect, patients: Int = 40, _ body: (MockServer, RawClient, String) async throws -> Void
    ) async throws {
        try await withMock(MockOptions(dialect: dialect, patients: patients)) { server in
            let base = String(server.baseURL.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
            try await body(server, try RawClient(port: server.port), base)
        }
    }

    private func ids(_ answer: RawClient.Answer) throws -> [String] {
        try (answer.json()["entry"]?.elements ?? []).compactMap { $0["resource"]?["id"]?.string }
    }

    private func link(_ relation: String, _ answer: RawClient.Answer) throws -> String? {
        try answer.json()["link"]?.elements.first { $0["relation"]?.string == relation }?["url"]?.string
    }

    @Test func hapiPagesByAKeptSearchAndCapsThePage() async throws {
        try await with(.fhirHAPI, patients: 120) { (_, client, base) async throws in
            var answer = try client.call("GET", "\(base)/Patient?_count=500")
            #expect(answer.header("Content-Type")?.hasPrefix("application/fhir+json") == true)
            var all = try ids(answer)
            #expect(all.count == 50)
            #expect(try answer.json()["total"]?.int == 120)
            while let next = try link("next", answer) {
                #expect(next.contains("_getpages="))
                answer = try client.call("GET", String(next.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }))
                all += try ids(answer)
            }
            #expect(all.count == 120 && Set(all).count == 120)
            #expect(try client.call("GET", "\(base)?_getpages=gone").status == 410)
        }
    }

    @Test func unknownParametersAreRefusedOrIgnored() async throws {
        for (dialect, plain, strict, lenient) in [
            (MockOptions.Dialect.fhirHAPI, 400, 400, 200), (.fhirGoogle, 200, 400, 200),
        ] {
            try await with(dialect) { (_, client, base) async throws in
                func status(_ prefer: String?) throws -> Int {
                    var headers = ["Authorization": "Bearer chave-de-demonstracao"]
                    headers["Prefer"] = prefer
                    return try client.call("GET", "\(base)/Patient?shoe=42", headers: headers).status
                }
                #expect(try status(nil) == plain)
                #expect(try status("handling=strict") == strict)
                #expect(try status("handling=lenient") == lenient)
            }
        }
        try await with(.fhirGoogle) { (_, client, base) async throws in
            let headers = ["Authorization": "Bearer chave-de-demonstracao"]
            let answer = try client.call("GET", "\(base)/Patient?shoe=42&_count=5", headers: headers)
            #expect(try ids(answer).count == 5)
            #expect(try link("self", answer)?.contains("shoe") == false)
        }
    }

    @Test func tokensAreComparedWhole() async throws {
        try await with(.fhirHAPI) { (_, client, base) async throws in
            func found(_ query: String) throws -> [String] { try ids(client.call("GET", "\(base)/Patient?\(query)")) }
            // João, row 0: digits with 55.
            #expect(try found("phone=5511999999999") == ["1001"])
            #expect(try found("phone=11999999999") == [])
            #expect(try found("phone=x,5511999999999") == ["1001"])
            #expect(try found("identifier=\(clinic)%7CP-3") == ["1003"])
            #expect(try found("identifier=P-3") == ["1003"])
            #expect(try found("identifier=urn:x%7CP-3") == [])
            #expect(try found("email=joao@example.com") == ["1001"])
            #expect(try found("email=JOAO@example.com") == [])
            #expect(try found("name=jo%C3%A3o").contains("1001"))
            // His name is one text, which begins otherwise.
            #expect(try !found("name=silva").contains("1001"))
        }
    }

    @Test func hapiCachesSearchesForAMinute() async throws {
        try await with(.fhirHAPI) { (server, client, base) async throws in
            let query = "\(base)/Patient?email=nova@example.test"
            #expect(try ids(client.call("GET", query)) == [])
            let body =
                #"{"resourceType":"Patient","name":[{"text":"Ana"}],"telecom":[{"system":"email","value":"nova@example.test"}]}"#
            let made = try client.call("POST", "\(base)/Patient", body: body)
            #expect(made.status == 201 && made.body.isEmpty)
            #expect(made.header("Location")?.hasSuffix("/Patient/1041/_history/1") == true)
            #expect(made.header("ETag") == "W/\"1\"")
            #expect(try ids(client.call("GET", query)) == [])
            #expect(try ids(client.call("GET", query, headers: ["Cache-Control": "no-cache"])) == ["1041"])
            let other = "\(base)/Patient?email=joao@example.com"
            #expect(try ids(client.call("GET", other)) == ["1001"])
            server.advanceClock(seconds: 61)
            #expect(try ids(client.call("GET", query)) == ["1041"])
        }
    }

    @Test func googleIndexesLate() async throws {
        let options = MockOptions(dialect: .fhirGoogle, patients: 3, staleReads: 60)
        try await withMock(options) { server in
            let base = String(server.baseURL.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
            let client = try RawClient(port: server.port)
            let headers = ["Authorization": "Bearer chave-de-demonstracao"]
            func found(_ query: String) throws -> Int {
                try ids(client.call("GET", "\(base)/Patient?\(query)", headers: headers)).count
            }
            func make() throws -> Int {
                let body =
                    #"{"resourceType":"Patient","name":[{"text":"Ana"}],"identifier":[{"system":"urn:x","value":"7"}],"telecom":[{"system":"email","value":"nova@example.test"}]}"#
                var headers = headers
                headers["If-None-Exist"] = "identifier=urn:x%7C7"
                return try client.call("POST", "\(base)/Patient", headers: headers, body: body).status
            }
            #expect(try make() == 201)
            #expect(try found("email=nova@example.test") == 0 && found("_count=10") == 3)
            #expect(try found("identifier=urn:x%7C7") == 1)
            #expect(try found("identifier=urn:x%7C7,urn:y%7C7") == 0)
            #expect(try make() == 200)
            server.advanceClock(seconds: 61)
            #expect(try found("email=nova@example.test") == 1 && found("_count=10") == 4)
        }
    }

    @Test func versionsAreKept() async throws {
        try await with(.fhirHAPI) { (_, client, base) async throws in
            let path = "\(base)/Patient/1002"
            let before = try client.call("GET", path)
            #expect(before.header("ETag") == "W/\"1\"")
            let patch =
                #"[{"op":"test","path":"/birthDate","value":"1984-05-20"},{"op":"replace","path":"/birthDate","value":"1984-05-21"},{"op":"add","path":"/telecom/-","value":{"system":"email","value":"x@example.test"}}]"#
            let headers = [
                "Content-Type": "application/json-patch+json", "If-Match": "W/\"1\"", "Prefer": "return=representation",
            ]
            let after = try client.call("PATCH", path, headers: headers, body: patch)
            #expect(after.status == 200 && after.header("ETag") == "W/\"2\"")
            #expect(try after.json()["birthDate"]?.string == "1984-05-21")
            #expect(try after.json()["extension"]?.elements.first?["valueString"]?.string == "P-2")
            #expect(try client.call("PATCH", path, headers: headers, body: patch).status == 412)
            let again = try client.call(
                "PATCH", path, headers: ["Content-Type": "application/json-patch+json"], body: patch)
            #expect(again.status == 422, "the test fails")
            let whole = String(decoding: try client.call("GET", path).body, as: UTF8.self)
            #expect(try client.call("PUT", path, headers: ["If-Match": "W/\"1\""], body: whole).status == 412)
            #expect(try client.call("PUT", path, headers: ["If-Match": "W/\"2\""], body: whole).status == 200)
            #expect(try client.call("PUT", "\(base)/Patient/1003", body: whole).status == 400)
        }
    }

    @Test func somebodyElsesChangeMovesTheVersion() async throws {
        try await with(.fhirHAPI) { (server, client, base) async throws in
            let path = "\(base)/Patient/1002"
            let whole = String(decoding: try client.call("GET", path).body, as: UTF8.self)
            server.change(
                person: 1, [.birthday("1971-02-03"), .email("um@example.test"), .phone("5531988880077")],
                before: .update)
            func put(_ version: Int) throws -> Int {
                try client.call("PUT", path, headers: ["If-Match": "W/\"\(version)\""], body: whole).status
            }
            #expect(try put(1) == 412)
            #expect(try client.call("GET", path).json()["birthDate"]?.string == "1971-02-03")
            #expect(try put(2) == 412)
            let points = try client.call("GET", path).json()["telecom"]?.elements ?? []
            #expect(
                points.filter { $0["system"]?.string == "email" }.map { $0["value"]?.string } == ["um@example.test"])
            // The last change comes before this one, too; afterwards there is none.
            #expect(try put(3) == 412)
            let numbers = try client.call("GET", path).json()["telecom"]?.elements.count
            #expect(numbers == points.count)
            #expect(try put(4) == 200)
            #expect(try client.call("GET", path).json()["birthDate"]?.string == "1984-05-20")
        }
    }

    @Test func conditionalCreates() async throws {
        try await with(.fhirHAPI) { (_, client, base) async throws in
            let body = #"{"resourceType":"Patient","name":[{"text":"Ana"}]}"#
            func status(_ condition: String) throws -> Int {
                try client.call("POST", "\(base)/Patient", headers: ["If-None-Exist": condition], body: body).status
            }
            #expect(try status("identifier=\(clinic)%7CP-3") == 200)
            #expect(try status("identifier=\(clinic)%7CP-999") == 201)
            #expect(try status("phone=5511999999999,%2B5531988887777") == 412)
            #expect(try status("") == 400)
        }
    }

    @Test func openMRSDemandsALocation() async throws {
        try await with(.fhirOpenMRS) { (_, client, base) async throws in
            let headers = ["Authorization": "Basic cG9udGU6c2VuaGEtZGUtZGVtb25zdHJhY2Fv"]
            func status(_ identifier: String) throws -> Int {
                let person = #""name":[{"given":["Ana"],"family":"Teste"}],"gender":"unknown""#
                let body = #"{"resourceType":"Patient",\#(person),"identifier":[\#(identifier)]}"#
                return try client.call("POST", "\(base)/Patient", headers: headers, body: body).status
            }
            #expect(try status("") == 422)
            #expect(try status(#"{"value":"1"}"#) == 422)
            #expect(try status(#"{"value":"1","extension":[{"url":"x"}]}"#) == 201)
            let id = "00000000-0000-4000-8000-000000001001"
            #expect(try client.call("PATCH", "\(base)/Patient/\(id)", headers: headers, body: "[]").status == 405)
            #expect(try client.call("GET", "\(base)/Patient/\(id)").status == 401)
            let metadata = try client.call("GET", "\(base)/metadata").json()
            let patient = metadata["rest"]?.elements.first?["resource"]?.elements.first
            #expect(patient?["conditionalCreate"]?.bool == false)
            #expect(patient?["interaction"]?.elements.contains { $0["code"]?.string == "patch" } == false)
        }
    }

    @Test func newRecordsMustBeWrittenAsTheServersKeepThem() async throws {
        let sound = (
            name: #"{"given":["Ana"],"family":"Teste"}"#, gender: #","gender":"unknown""#,
            identifier: #"{"system":"urn:x","value":"1","extension":[{"url":"x"}]}"#
        )
        for (dialect, path, headers, good, bad) in [
            (
                MockOptions.Dialect.fhirOpenMRS, "/Patient",
                ["Authorization": "Basic cG9udGU6c2VuaGEtZGUtZGVtb25zdHJhY2Fv"], "31988880001", "+5531988880001"
            ),
            (
                .fhirNilo, "/fhir/resources/Patient", ["x-api-key": "chave-de-demonstracao"], "5531988880001",
                "31988880001"
            ),
        ] {
            try await with(dialect) { (_, client, base) async throws in
                func status(_ phone: String, name: String = sound.name, gender: String = sound.gender) throws -> Int {
                    let telecom = #"{"system":"phone","value":"\#(phone)"}"#
                    let body =
                        #"{"resourceType":"Patient","name":[\#(name)],"telecom":[\#(telecom)],"identifier":[\#(sound.identifier)]\#(gender)}"#
                    return try client.call("POST", base + path, headers: headers, body: body).status
                }
                #expect(try status(bad) == 422)
                #expect(try status(good, name: #"{"text":"Ana Teste"}"#) == 422)
                if dialect == .fhirOpenMRS { #expect(try status(good, gender: "") == 422) }
                #expect(try [200, 201].contains(status(good)))
            }
        }
    }

    @Test func niloMakesAndChangesByIdentifier() async throws {
        try await with(.fhirNilo) { (server, client, _) async throws in
            let headers = ["x-api-key": "chave-de-demonstracao"]
            func post(_ value: String, _ name: String) throws -> RawClient.Answer {
                let body =
                    #"{"resourceType":"Patient","name":[{"text":"\#(name)","given":["\#(name)"]}],"identifier":[{"system":"urn:x","value":"\#(value)"}]}"#
                return try client.call("POST", "/fhir/resources/Patient", headers: headers, body: body)
            }
            let first = try post("1", "Ana").json()["id"]?.string
            let again = try post("1", "Ana Nova").json()
            #expect(first != nil && again["id"]?.string == first)
            #expect(again["name"]?.elements.first?["text"]?.string == "Ana Nova")
            #expect(try post("2", "Bia").json()["id"]?.string != first)
            #expect(server.requests.count(.create) == 2 && server.requests.count(.update) == 1)
            #expect(try client.call("GET", "/metadata", headers: headers).status == 404)
        }
    }

    @Test func azureMindsCaseAndGivesTokens() async throws {
        try await with(.fhirAzure) { (server, client, _) async throws in
            let form = "grant_type=client_credentials&client_id=ponte&client_secret=senha-de-demonstracao"
            let token = try #require(
                try client.call("POST", "/oauth2/v2.0/token", body: form).json()["access_token"]?.string)
            let headers = ["Authorization": "Bearer \(token)"]
            #expect(try ids(client.call("GET", "/Patient?email=joao@example.com", headers: headers)).count == 1)
            #expect(try ids(client.call("GET", "/Patient?email=JOAO@example.com", headers: headers)) == [])
            let warned = try client.call("GET", "/Patient?shoe=1", headers: headers).json()
            #expect(warned["entry"]?.elements.first?["resource"]?["resourceType"]?.string == "OperationOutcome")
            server.expireTokens()
            #expect(try client.call("GET", "/Patient", headers: headers).status == 401)
            #expect(try client.call("POST", "/oauth2/v2.0/token", body: "grant_type=password").status == 401)
        }
    }
}
