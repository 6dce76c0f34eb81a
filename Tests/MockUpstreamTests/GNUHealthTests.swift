import Foundation
import JSONBytes
import MockUpstream
import Testing

/// The gnuhealth dialect, call by call. The tests of the driver, which run against a real GNU Health too, hold it to what that
/// one answers.
@Suite struct GNUHealthTests {
    struct Caller {
        let client: RawClient
        let session: String

        /// Signs in.
        init(_ server: MockServer) throws {
            client = try RawClient(port: server.port)
            let answer = try Caller.call(
                client, "common.db.login", #""ponte",{"password":"senha-de-demonstracao"},"pt""#)
            let token = try answer.json()["result"]?.elements.last?.string ?? ""
            session = "Session " + Data("ponte:1:\(token)".utf8).base64EncodedString()
        }

        static func call(
            _ client: RawClient, _ method: String, _ parameters: String, session: String? = nil
        ) throws -> RawClient.Answer {
            var headers = ["Content-Type": "application/json"]
            if let session { headers["Authorization"] = session }
            return try client.call(
                "POST", "/gh/", headers: headers, body: #"{"id":1,"method":"\#(method)","params":[\#(parameters)]}"#)
        }

        func call(_ method: String, _ parameters: String) throws -> RawClient.Answer {
            try Caller.call(client, "model.party.party." + method, parameters + ",{}", session: session)
        }

        func ids(_ domain: String) throws -> [Int] {
            try call("search_read", #"[\#(domain)],0,100,[["id","ASC"]],["name"]"#).json()["result"]?.elements
                .compactMap { $0["id"]?.int } ?? []
        }
    }

    private func with(_ body: (MockServer, Caller) async throws -> Void) async throws {
        try await withMock(MockOptions(dialect: .gnuHealth, patients: 18)) { server in
            try await body(server, try Caller(server))
        }
    }

    @Test func aSessionIsNeeded() async throws {
        try await with { server, caller in
            let client = try RawClient(port: server.port)
            let unknown = try Caller.call(client, "model.party.party.search_count", "[],0,null,{}")
            #expect(unknown.status == 401 && unknown.body.isEmpty)
            #expect(try caller.ids(#"["id","=",1001]"#) == [1_001])
            server.expireTokens()
            #expect(try caller.call("default_get", #"["fed_country"]"#).status == 401)
        }
    }

    @Test func wrongPasswordsAreCounted() async throws {
        try await with { server, _ in
            let client = try RawClient(port: server.port)
            for attempt in 1...6 {
                let answer = try Caller.call(client, "common.db.login", #""ponte",{"password":"x"},"pt""#)
                #expect(answer.status == (attempt < 6 ? 401 : 429))
            }
        }
    }

    @Test func errorsStandInside200() async throws {
        try await with { _, caller in
            let field = try caller.call("search_read", #"[],0,1,null,["nope"]"#)
            #expect(field.status == 200)
            #expect(field.text == #"{"id":1,"error":["'nope'",""]}"#)
            #expect(try caller.call("create", #"[{"name":"Ana"}]"#).text == #"{"id":1,"error":["'fed_country'",""]}"#)
            #expect(try caller.call("nothing", "1").status == 403)
            let refused = try caller.call(
                "write", #"[1002],{"identifiers":[["create",[{"type":"br_cpf","code":"52998224726"}]]]}"#)
            #expect(try refused.json()["error"]?.elements.first?.string == "UserError")
        }
    }

    @Test func domainsMeanWhatTrytonMeans() async throws {
        try await with { (_, caller) async throws in
            #expect(try caller.ids(#"["name","ilike","ANA"]"#) == [1_008])
            #expect(try caller.ids(#"["name","=","ANA"]"#) == [])
            // SQLite does not know the capitals of letters beyond ASCII.
            #expect(try caller.ids(#"["name","ilike","JOÃO"]"#) == [])
            #expect(try caller.ids(#"["name","ilike","jo%o"],["lastname","ilike","s_lva"]"#) == [1_001])
            #expect(try caller.ids(#"["OR",["name","=","Cosme"],["name","=","Peter"]]"#) == [1_006, 1_012])
            #expect(try caller.ids(#"["lastname","=",null]"#) == [1_017])
            #expect(
                try caller.ids(#"["identifiers","where",[["type","=","br_cpf"],["code","in",["20000000299"]]]]"#)
                    == [1_003])
            #expect(try caller.ids(#"["contact_mechanisms.value_compact","=","+5571988880006"]"#) == [1_006, 1_007])
        }
    }

    @Test func aStaleWriteIsRefused() async throws {
        try await with { _, caller in
            func row() throws -> JSONValue? {
                let answer = try caller.call(
                    "search_read", #"[["id","=",1002]],0,1,null,["name","_timestamp"]"#)
                return try answer.json()["result"]?.elements.first
            }
            let stamp = try #require(try row()?["_timestamp"]?.string)
            func write(_ name: String) throws -> RawClient.Answer {
                try Caller.call(
                    caller.client, "model.party.party.write",
                    #"[1002],{"name":"\#(name)"},{"_timestamp":{"party.party,1002":"\#(stamp)"}}"#,
                    session: caller.session)
            }
            #expect(try write("Um").text == #"{"id":1,"result":null}"#)
            #expect(try write("Dois").json()["error"]?.elements.first?.string == "ConcurrencyException")
            #expect(try row()?["name"]?.string == "Um")
        }
    }

    @Test func somebodyElsesChangeMakesAWriteStale() async throws {
        try await with { server, caller in
            func row() throws -> JSONValue? {
                let answer = try caller.call(
                    "search_read", #"[["id","=",1002]],0,1,null,["name","lastname","_timestamp"]"#)
                return try answer.json()["result"]?.elements.first
            }
            let stamp = try #require(try row()?["_timestamp"]?.string)
            server.change(person: 1, [.name("Rita Exemplo Nova")], before: .update)
            let answer = try Caller.call(
                caller.client, "model.party.party.write",
                #"[1002],{"name":"Um"},{"_timestamp":{"party.party,1002":"\#(stamp)"}}"#, session: caller.session)
            #expect(try answer.json()["error"]?.elements.first?.string == "ConcurrencyException")
            #expect(try row()?["name"]?.string == "Rita")
            #expect(try row()?["lastname"]?.string == "Exemplo Nova")
        }
    }
}
