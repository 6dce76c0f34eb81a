import Testing

/// What cannot be read is told with its place, and nothing is played.
@Suite struct ReadingTests {
    struct Faulty: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let told: String
        let change: @Sendable (inout SampleSpec) -> Void

        init(_ what: String, _ told: String, _ change: @escaping @Sendable (inout SampleSpec) -> Void) {
            (testDescription, self.told, self.change) = (what, told, change)
        }
    }

    static let faulty = [
        Faulty("member of a spec", #"/specs/0/upstrem: unknown member "upstrem": did you mean "upstream"?"#) {
            $0.world = #""upstrem": [],"#
        },
        Faulty("member of the tenant", #"/specs/0/tenant/timeout: unknown member "timeout": did you mean "timeouts"?"#)
        {
            $0.world = #""tenant": { "timeout": {} },"#
        },
        Faulty("member of a call", #"/specs/0/upstream/0/anwser: unknown member "anwser""#) {
            $0.first = $0.first.replacing("answer", with: "anwser")
        },
        Faulty("member of an answer", #"/specs/0/out/boddy: unknown member "boddy": did you mean "body"?"#) {
            $0.out = $0.out.replacing("body", with: "boddy")
        },
        Faulty("matcher", #"unknown record "contain""#) {
            $0.out = #"{ "status": 200, "body": { "$contain": "x" } }"#
        },
        Faulty("form", #"/specs/0/out/body/$is: unknown value "idd": did you mean "id"?"#) {
            $0.out = #"{ "status": 200, "body": { "$is": "idd" } }"#
        },
        Faulty("record", #"/specs/0/upstream/0/answer/body: unknown record "fisrt": did you mean "first"?"#) {
            $0.first = $0.first.replacing("$first", with: "$fisrt")
        },
        Faulty("request line", "/specs/0/in: is not a method, a space and a percent-encoded path") {
            $0.inbound = #""GET  /clients""#
        },
        Faulty("fault", "/specs/0/upstream/0/fault: is no fault of the mock") {
            $0.first = $0.first.replacing(#""answer""#, with: #""fault": "resett", "answer""#)
        },
        Faulty("two queries", "/specs/0/upstream/0/query: stands beside a query") {
            $0.first = $0.first.replacing(#""answer""#, with: #""query": {}, "answer""#)
        },
        Faulty("calls without a dialect", "/specs/0/upstream: expected an array of exchanges, found an object") {
            $0.isCounted = true
        },
        Faulty("two bodies", "/specs/0/in: has several of: body, text") {
            $0.inbound = #"{ "request": "POST /clients", "body": {}, "text": "" }"#
        },
        Faulty("no status", #"/specs/0/out: lacks the member "status""#) { $0.out = "{}" },
    ]

    @Test(arguments: faulty) func faultsAreToldWithTheirPlace(_ faulty: Faulty) async throws {
        var spec = SampleSpec()
        faulty.change(&spec)
        for options in [[], ["--check"]] {
            let run = try await BuiltPonte.replay(spec.text, options)
            #expect(run.status == 1)
            #expect(run.says(faulty.told), "\(run.output)")
            #expect(run.says("0 steps of 0 specs"))
        }
    }

    @Test func aSpecQuotesWhatItShows() async throws {
        let text = SampleSpec().text.replacing(#""rule": "A rule.","#, with: "")
        #expect(try await BuiltPonte.replay(text).says("/specs/0: must quote the sentence that it shows"))
    }

    /// What tenants and profiles are made of is checked by those who read them, when a spec is played.
    @Test(arguments: [
        (#""tenant": { "profile": "agenda-dmeo" },"#, #"unknown profile "agenda-dmeo": did you mean "agenda-demo"?"#),
        (
            #""tenant": { "clients": { "serchBy": ["name"] } },"#,
            #"the tenant's file: /clients/serchBy: unknown member"#
        ),
        (#""tenant": { "profileChanges": { "updat": {} } },"#, #"the profile's file: /updat: unknown member"#),
        (#""server": { "limits": { "bodyByte": 1 } },"#, #"the server's file: /limits/bodyByte: unknown member"#),
        (#""tenant": { "credentials": { "usr": "x" } },"#, #"unknown credential "usr": did you mean "user"?"#),
    ])
    func aTenantThatCannotBeFails(_ world: String, _ told: String) async throws {
        let sample = SampleSpec().text
        let start = try #require(sample.firstRange(of: #""tenant": {"#))
        let end = try #require(sample[start.upperBound...].firstRange(of: "\n"))
        let run = try await BuiltPonte.replay(
            sample.replacingCharacters(start.lowerBound..<end.lowerBound, with: world))
        #expect(run.status == 1)
        #expect(run.says(told), "\(run.output)")
    }

    @Test func filesThatAreNoneAreTold() async throws {
        #expect(try await BuiltPonte.replay("{").says("is not JSON"))
        let run = try await BuiltPonte.run(["replay", "no-such-folder"])
        #expect(run.status == 1)
        #expect(run.says("no-such-folder:1:1: (the whole file): cannot be read"))
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
