import StrictConfig
import Testing

@testable import RESTDriver

/// Outcome rules that would run and do harm are refused when the profile is loaded.
@Suite struct OutcomeRuleTests {
    /// Rules by which an outage, an error inside or a refused key would be nobody.
    static let nobody: [CompilerTests.Case] = ["empty", "notFound"].flatMap { outcome in
        [
            (#"{"status":200}"#, "covers 200"), (#"{"status":"2xx"}"#, "covers 200"),
            (#"{"status":500}"#, "covers 500"),
            (#"{"status":[404,"5xx"]}"#, "covers 500"), (#"{"status":302}"#, "covers 302"),
            (#"{"status":401}"#, "covers 401"), (#"{"status":403}"#, "covers 403"),
            (#"{"status":"4xx"}"#, "covers 401"),
            (#"{"status":429}"#, "covers 429"), (#"{"contentType":"text/html"}"#, "covers 100"),
            (#"{"status":200,"contentType":"application/json"}"#, "covers 200"),
            (#"{"status":500,"contentType":"text/html"}"#, "covers 500"),
            (#"{"status":200,"body":{"/dados":{"empty":true}}}"#, "missing from an error, too"),
            (
                #"{"status":"2xx","body":{"/dados":{"present":false},"":{"present":true}}}"#,
                "missing from an error, too"
            ),
        ].map { when, says in
            CompilerTests.Case(
                "/outcomes", #"[{"when":\#(when),"then":"\#(outcome)"}]"#, "/outcomes/0/when", says: says)
        }
    }

    /// What a system does say of nobody.
    @Test(arguments: [
        #"{"status":404}"#, #"{"status":[204,404,409,410,419]}"#, #"{"status":404,"body":{"/dados":{"empty":true}}}"#,
        #"{"status":200,"body":{"":{"empty":true}}}"#, #"{"status":"2xx","body":{"/dados":null}}"#,
        #"{"status":500,"body":{"/m":{"contains":"nenhum"}}}"#, #"{"text":"nenhum paciente"}"#,
        #"{"status":200,"body":{"/nobody":{"present":true}}}"#, #"{"status":200,"contentType":"text/plain"}"#,
        #"{"status":200,"body":{"/ok":true,"/dados":{"empty":true}}}"#,
    ]) func nobodyMayBeSaid(_ when: String) throws {
        for outcome in ["empty", "notFound"] {
            _ = try Sample.compile([("/outcomes", #"[{"when":\#(when),"then":"\#(outcome)"}]"#)])
        }
        for outcome in ["failure", "rateLimited"] {
            _ = try Sample.compile([("/outcomes", #"[{"when":{"status":"5xx"},"then":"\#(outcome)"}]"#)])
        }
    }

    /// A rule below one that fits all that it fits.
    @Test(arguments: [
        (#"{"status":404}"#, #"{"status":404,"body":{"/a":1}}"#, true),
        (#"{"status":"4xx"}"#, #"{"status":[404,409]}"#, true), (#"{"status":404}"#, #"{"status":"4xx"}"#, false),
        (#"{"status":[404,409]}"#, #"{"status":[404,410]}"#, false), (#"{"status":404}"#, #"{"text":"x"}"#, false),
        (#"{"body":{"/error":{"present":true}}}"#, #"{"body":{"/error":{"contains":"token"}}}"#, true),
        (#"{"body":{"/error":{"contains":"token"}}}"#, #"{"body":{"/error":{"present":true}}}"#, false),
        (#"{"body":{"/e":{"equals":[1,2]}}}"#, #"{"body":{"/e":2,"/f":3}}"#, true),
        (#"{"body":{"/e":{"equals":[1,2]}}}"#, #"{"body":{"/f":2}}"#, false),
        (#"{"body":{"/e":{"empty":true}}}"#, #"{"body":{"/e":null}}"#, true),
        (#"{"body":{"/e":{"empty":true}}}"#, #"{"body":{"/e":{"equals":[null,1]}}}"#, false),
        (#"{"text":"Token"}"#, #"{"text":["invalid token","x"],"status":200}"#, true),
        (#"{"text":["token","x"]}"#, #"{"text":"token"}"#, false),
        (#"{"contentType":"text/"}"#, #"{"contentType":"text/html"}"#, true),
        (#"{"contentType":"text/html"}"#, #"{"contentType":"text/"}"#, false),
    ]) func rulesAreReached(_ first: String, _ second: String, _ isCovered: Bool) throws {
        let rules = #"[{"when":\#(first),"then":"failure"},{"when":\#(second),"then":"unauthorised"}]"#
        let bytes = try Sample.bytes([("/outcomes", rules)])
        var faults: [ConfigFault] = []
        do throws(ConfigError) {
            _ = try Profile(bytes, file: "sample.json")
        } catch {
            faults = error.faults
        }
        #expect(faults.map(\.pointer) == (isCovered ? ["/outcomes/1"] : []), "\(faults)")
        #expect(faults.allSatisfy { $0.message.contains("is never reached") })
        // An operation's rules come before the file's, and may well cover them.
        _ = try Sample.compile([
            ("/operations/get/outcomes", #"[{"when":\#(first),"then":"failure"}]"#),
            ("/outcomes", #"[{"when":\#(second),"then":"unauthorised"}]"#),
        ])
    }

    /// Web pages pass a rule about nobody by, and reach the next.
    @Test func aRuleForPagesIsReached() throws {
        _ = try Sample.compile([
            (
                "/outcomes",
                #"[{"when":{"status":404},"then":"empty"},{"when":{"status":404,"text":"nginx"},"then":"failure"}]"#
            )
        ])
    }

    @Test func aWrongKeyInsideASuccessIsRemarkedOn() throws {
        let failure = #"{"when":{"status":"2xx","body":{"/error":{"present":true}}},"then":"failure"}"#
        let key = #"{"when":{"status":"2xx","body":{"/error":{"contains":"key"}}},"then":"unauthorised"}"#
        #expect(try Sample.compile().remarks == [])
        #expect(try Sample.compile([("/outcomes", "[\(failure)]")]).remarks.count == 1)
        #expect(try Sample.compile([("/outcomes", "[\(key),\(failure)]")]).remarks == [])
        #expect(try Sample.compile([("/outcomes", #"[{"when":{"status":"4xx"},"then":"failure"}]"#)]).remarks == [])
    }
}
