import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

/// Which version an update names, what it is when others are faster, and how a name's parts follow its text.
@Suite struct VersionTests {
    /// A server that takes a change only with its own tag, behind a proxy that may put another one on what is read.
    private func update(shown: String?, version: String?, wanted: String) async throws -> (UpstreamError?, Script) {
        let members =
            #""name":[{"text":"Ana"}]"# + (version.map { #","meta":{"versionId":"\#($0)"}"# } ?? "")
        let http = Script { request, _ in
            if request.method == "GET" {
                return .fhir(Sample.patient(members), headers: shown.map { [("ETag", $0)] } ?? [])
            }
            let done = Sample.patient(#""name":[{"text":"Ana Nova"}]"#)
            return request.header("If-Match") == wanted ? .fhir(done) : .fhir("", status: 412)
        }
        let driver = try Sample.driver(http)
        let error = await failure {
            _ = try await driver.update(ClientID("p1"), ClientPatch(name: "Ana Nova"), Sample.context)
        }
        return (error, http)
    }

    @Test(
        arguments: [
            // Compressing proxies, and servers' frameworks that hash what they send.
            (#"W/"3-gzip""#, "3", #"W/"3""#), (#""3-gzip""#, "3", #"W/"3""#), (#"W/"5d-Zx81""#, "3", #"W/"3""#),
            (nil, "3", #"W/"3""#), ("", "3", #"W/"3""#),
            // What says the same goes back as it came.
            (#"W/"3""#, "3", #"W/"3""#), (#""3""#, "3", #""3""#), ("3", "3", "3"),
            // Without a version there is only the header.
            (#"W/"7-gzip""#, nil, #"W/"7-gzip""#), (#"W/"7""#, "", #"W/"7""#),
        ] as [(String?, String?, String)]) func aTagIsTheVersion(
            _ shown: String?, _ version: String?, _ wanted: String
        ) async throws
    {
        let (error, http) = try await update(shown: shown, version: version, wanted: wanted)
        #expect(error == nil)
        #expect(http.requests.map(\.method) == ["GET", "PATCH"])
    }

    /// 409 that says "duplicate" is about another record: trying again is of no use.
    @Test(arguments: [("duplicate", "conflict with 1 reasons", 2), ("conflict", "failed", 6)])
    func aCollisionIsNotTriedAgain(_ code: String, _ expected: String, _ calls: Int) async throws {
        let outcome = #"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"\#(code)"}]}"#
        let http = Script { request, _ in
            request.method == "GET"
                ? .fhir(Sample.patient(#""meta":{"versionId":"1"}"#)) : .fhir(outcome, status: 409)
        }
        let driver = try Sample.driver(http)
        let error = await failure {
            _ = try await driver.update(ClientID("p1"), ClientPatch(name: "X"), Sample.context)
        }
        #expect(error?.name == expected)
        #expect(http.requests.count == calls)
    }

    // MARK: Names

    private func renamed(_ entry: String, _ name: String, nameForm: String? = nil) async throws -> String {
        let http = Script { request, _ in
            .fhir(Sample.patient(request.method == "GET" ? #""name":[\#(entry)]"# : #""name":[{"text":"\#(name)"}]"#))
        }
        let changes = ["update": #"{"style":"put"}"#].merging(nameForm.map { ["names": $0] } ?? [:]) { $1 }
        let driver = try Sample.driver(http, changes)
        _ = try await driver.update(ClientID("p1"), ClientPatch(name: name), Sample.context)
        return try #require(try JSONDocument(http.last?.body ?? []).root["name"]?.elements.first).text
    }

    @Test func aNameThatReadsTheSameIsCutAsBefore() async throws {
        let entry =
            #"{"text":"Ana Maria Souza","given":["Ana"],"_given":[{"id":"1"}],"family":"Maria Souza","_family":{"id":"2"}}"#
        #expect(try await renamed(entry, "Ana Maria Souza") == entry)
    }

    @Test(arguments: [
        // The family's words are still its words.
        ("Anna Maria Souza", #"{"given":["Anna"],"family":"Maria Souza"}"#),
        ("ANA MARIA SOUZA", #"{"given":["ANA"],"family":"MARIA SOUZA"}"#),
        ("Ana Clara Maria Souza", #"{"given":["Ana","Clara"],"family":"Maria Souza"}"#),
        // Another family: the last word.
        ("Ana Maria Lima", #"{"given":["Ana","Maria"],"family":"Lima"}"#), ("Ana", #"{"given":["Ana"]}"#),
    ]) func aBorderStaysWhereTheClinicDrewIt(_ name: String, _ expected: String) async throws {
        #expect(
            try await renamed(
                #"{"given":["Ana"],"family":"Maria Souza"}"#, name,
                nameForm: #"{"write":"parts"}"#) == expected)
    }

    // MARK: Repeated creates

    /// The clinic wants another record: the server is not asked to answer the one that is there.
    @Test(arguments: [false, true]) func anotherRecordIsMadeWhereTheClinicWantsOne(_ repeats: Bool) async throws {
        let http = Script(.fhir(Sample.patient(""), status: 201))
        let driver = FHIRDriver(
            profile: try Sample.compile(), tenant: FHIRTenant(baseURL: Sample.base, repeatsRecords: repeats), http: http
        )
        let draft = try #require(Sample.ana)
        _ = try await driver.create(draft, Sample.context)
        #expect((http.last?.header("If-None-Exist") == nil) == repeats)
        #expect(driver.capabilities.duplicates == (repeats ? .creates : .reusesSilently))
    }
}

extension JSONValue {
    fileprivate var text: String { String(decoding: source, as: UTF8.self) }
}
