import Foundation
import Testing

/// `ponte replay`, the program that was built: it holds for the repository's specs, and it can fail.
@Suite struct ReplayTests {
    @Test func allSpecsOfTheRepositoryHold() async throws {
        let run = try await BuiltPonte.run(["replay"])
        #expect(run.status == 0, "\(run.output)")
        let summary = try #require(run.output.split(separator: "\n").last)
        #expect(summary.hasSuffix(": all as expected"))
        let steps = try #require(summary.split(separator: " ").first.flatMap { Int($0) })
        #expect(steps >= 250)
    }

    @Test func theSampleHolds() async throws {
        let run = try await BuiltPonte.replay(SampleSpec().text)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.says("2 steps of 1 specs in 1 files: all as expected"))
    }

    /// One thing that is wrong in the sample, and what must be said of it.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout SampleSpec) -> Void
        let told: [String]

        init(_ what: String, told: String..., change: @escaping @Sendable (inout SampleSpec) -> Void) {
            (testDescription, self.change, self.told) = (what, change, told)
        }
    }

    static let wrong = [
        Wrong("body", told: "/specs/0/out/body/1/name\n      want: \"Eva Teste\"\n      got:  \"Bia Teste\"") {
            $0.out = $0.out.replacing("Bia", with: "Eva")
        },
        Wrong("a member too many", told: "/specs/0/out/body/2/cpf", "got:  nothing") {
            $0.out = $0.out.replacing(#""id": "3""#, with: #""id": "3", "cpf": "1""#)
        },
        Wrong("a member too few", told: "/specs/0/out/body/0/name", "want: nothing\n      got:  \"Ana Teste\"") {
            $0.out = $0.out.replacing(#", "name": "Ana Teste""#, with: "")
        },
        Wrong("an element too few", told: "/specs/0/out/body/2\n      want: nothing") {
            $0.out = $0.out.replacing(#", { "id": "3", "name": "Rui Teste" }"#, with: "")
        },
        Wrong("a number for a text", told: "/specs/0/out/body/0/id\n      want: 1\n      got:  \"1\"") {
            $0.out = $0.out.replacing(#""id": "1""#, with: #""id": 1"#)
        },
        Wrong("status", told: "/specs/0/out/status\n      want: 201\n      got:  200") {
            $0.out = $0.out.replacing("200", with: "201")
        },
        Wrong("header", told: "/specs/0/out/headers/Content-Type\n      want: \"text/plain\"") {
            $0.out = $0.out.replacing("application/json", with: "text/plain")
        },
        Wrong("whole, where it should break off", told: "/specs/0/out/broken", "status 200, whole") {
            $0.out = #"{ "broken": true }"#
        },
        Wrong("code", told: "/specs/0/next/out/problem/code\n      want: \"duplicate\"\n      got:  \"no_such_client\"")
        {
            $0.nextOut = #"{ "status": 404, "problem": { "code": "duplicate" } }"#
        },
        Wrong("a call that is not made", told: "a call that was not made", "/specs/0/upstream/2\n      want: GET /more")
        {
            $0.more = #", { "request": "GET /more", "answer": { "body": {} } }"#
        },
        Wrong("a call that is not expected", told: "a call that was not expected", "got:  GET /api/pacientes?pagina=2")
        {
            $0.second = ""
        },
        Wrong("query", told: "/specs/0/upstream/1/request/pagina\n      want: \"3\"\n      got:  \"2\"") {
            $0.second = $0.second.replacing("pagina=2", with: "pagina=3")
        },
        Wrong(
            "a parameter too few", told: "/specs/0/upstream/1/request/porPagina\n      want: nothing\n      got:  \"2\""
        ) {
            $0.second = $0.second.replacing("&porPagina=2", with: "")
        },
        Wrong("a parameter too many", told: "/specs/0/upstream/1/request/x\n      want: \"1\"\n      got:  nothing") {
            $0.second = $0.second.replacing("&porPagina=2", with: "&porPagina=2&x=1")
        },
        Wrong("path", told: "/specs/0/upstream/1/request\n      want: GET /api/outros\n      got:  GET /api/pacientes")
        {
            $0.second = $0.second.replacing("pacientes", with: "outros")
        },
        Wrong("method", told: "want: POST /api/pacientes\n      got:  GET /api/pacientes") {
            $0.second = $0.second.replacing("GET", with: "POST")
        },
        Wrong("a header of a call", told: "/specs/0/upstream/1/headers/authorization\n      want: \"Bearer x\"") {
            $0.second = $0.second.replacing(
                #""answer""#, with: #""headers": { "authorization": "Bearer x" }, "answer""#)
        },
        Wrong("a header that must be absent", told: "/specs/0/upstream/1/headers/Authorization") {
            let absent = #""headers": { "Authorization": { "$is": "absent" } }, "answer""#
            $0.second = $0.second.replacing(#""answer""#, with: absent)
        },
        Wrong("the body of a call", told: "/specs/0/upstream/1/body\n      want: {}\n      got:  nothing") {
            $0.second = $0.second.replacing(#""answer""#, with: #""body": {}, "answer""#)
        },
        Wrong("order", told: "another call than expected: GET /api/pacientes?pagina=1&porPagina=2") {
            ($0.first, $0.second) = (String($0.second.dropFirst(2)), ", " + $0.first)
        },
        Wrong("the request", told: "another answer", "another call than expected") {
            $0.inbound = #""GET /clients?limit=1""#
        },
    ]

    @Test(arguments: wrong) func aWrongSpecFails(_ wrong: Wrong) async throws {
        var spec = SampleSpec()
        wrong.change(&spec)
        let run = try await BuiltPonte.replay(spec.text)
        #expect(run.status == 1)
        #expect(run.says("1 specs failed, 0 faults"))
        for told in wrong.told { #expect(run.says(told), "\(run.output)") }
    }

    @Test func whatIsNotStatedIsNotCompared() async throws {
        var spec = SampleSpec()
        spec.first = #"{ "request": "GET /api/pacientes", "query": { "pagina": "1" }, "answer": { "body": "$first" } }"#
        spec.second = #", { "request": "GET /api/pacientes", "answer": { "body": "$second" } }"#
        spec.out = #"{ "status": 200 }"#
        #expect(try await BuiltPonte.replay(spec.text).status == 0)
    }

    @Test func callsOfOneGroupComeInAnyOrder() async throws {
        var spec = SampleSpec()
        (spec.first, spec.second) = ("[\(spec.second.dropFirst(2)), \(spec.first)]", "")
        #expect(try await BuiltPonte.replay(spec.text).status == 0)
    }

    @Test func matchersStandForWhatIsNotFixed() async throws {
        var spec = SampleSpec()
        spec.out = """
            { "status": 200, "headers": { "X-Request-Id": { "$is": "id" } }, "body": [
              { "id": { "$is": "id" }, "name": { "$contains": "Teste" }, "cpf": { "$is": "absent" } },
              { "$has": { "name": "Bia Teste" } }, { "$is": "anything" }] }
            """
        let run = try await BuiltPonte.replay(spec.text)
        #expect(run.status == 0, "\(run.output)")
        for (right, wrong) in [
            ("Teste", "Exame"), ("Bia Teste", "Ana Teste"), (#""$is": "id" }, "name""#, #""$is": "number" }, "name""#),
        ] {
            var spec = spec
            spec.out = spec.out.replacing(right, with: wrong)
            #expect(try await BuiltPonte.replay(spec.text).status == 1, "\(wrong)")
        }
    }

    @Test func callsByOperationAreCounted() async throws {
        func text(_ calls: String, _ out: String) -> String {
            """
            { "title": "A sample", "dialect": "agenda-demo", "specs": [{ "title": "Get", "rule": "A rule.",
              "in": "GET /clients/1001", "upstream": { "calls": { \(calls) } }, "out": \(out) }] }
            """
        }
        let joao = #"{ "status": 200, "body": { "$has": { "name": "João Silva" } } }"#
        #expect(try await BuiltPonte.replay(text(#""get": 1"#, joao)).status == 0)
        #expect(try await BuiltPonte.replay(text(#""get": 1, "login": 1"#, joao)).status == 0)
        for calls in [#""get": 2"#, "", #""get": 1, "login": 2"#, #""get": 1, "list": 1"#] {
            let run = try await BuiltPonte.replay(text(calls, joao))
            #expect(run.status == 1)
            #expect(run.says("other calls to the clinic's system"), "\(run.output)")
        }
    }
}
