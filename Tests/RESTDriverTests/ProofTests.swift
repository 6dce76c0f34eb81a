import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// A change counts as made only where the answer, or a later read, can show it; and an id must look like one.
@Suite struct ProofTests {
    private let okRule = ("/operations/update/outcomes", Optional(#"[{"when":{"body":{"/done":true}},"then":"ok"}]"#))

    private func update(
        _ changes: [(String, String?)], _ body: String, status: Int = 200, get: UpstreamAnswer? = nil
    ) async throws -> (result: String, requests: [String]) {
        let http = Script { request, _ in
            if let get, request.method == "GET" { return get }
            return .json(body, status: status)
        }
        let driver = try Sample.driver(changes, http)
        do {
            let answer = try await driver.update(ClientID("7"), ClientPatch(name: "Bia Teste"), Sample.context)
            switch answer {
            case .id(let id): return (id.text, http.requests.map(\.method))
            case .record(let client): return (client.name, http.requests.map(\.method))
            }
        } catch {
            return (error.name, http.requests.map(\.method))
        }
    }

    @Test(arguments: [
        (#"{"done":true}"#, 200, "7"), (#"{"done":false}"#, 200, "outcome unknown"), ("{}", 200, "outcome unknown"),
        ("", 204, "outcome unknown"), ("<html>", 200, "outcome unknown"), (#"{"done":true}"#, 201, "7"),
    ]) func aRuleForSuccessIsTheOnlyProof(_ body: String, _ status: Int, _ result: String) async throws {
        #expect(try await update([okRule], body, status: status).result == result)
        #expect(try await update([okRule, ("/staleReads", "\"5m\"")], body, status: status).result == result)
    }

    /// Without such a rule Bridge reads the record, so the answer may say nothing.
    @Test(arguments: [("{}", 200, "7"), ("", 204, "7"), ("", 200, "7"), ("<html>", 200, "outcome unknown")])
    func aChangeThatCanBeReadNeedsNoProof(_ body: String, _ status: Int, _ result: String) async throws {
        #expect(try await update([], body, status: status).result == result)
    }

    @Test(arguments: [
        (#"{"item":"/c"}"#, #"{"c":{"id":"7","name":"Bia Teste"}}"#, "Bia Teste", "Bia Teste"),
        (#"{"item":"/c"}"#, #"{"c":{"id":"8","name":"Outra Pessoa"}}"#, "7", "outcome unknown"),
        (#"{"item":"/c"}"#, "{}", "7", "outcome unknown"), (#"{"id":"/c"}"#, #"{"c":7}"#, "7", "7"),
        (#"{"id":"/c"}"#, #"{"c":8}"#, "malformed answer", "malformed answer"),
        (#"{"id":"/c"}"#, "", "7", "outcome unknown"),
    ]) func whatIsAnsweredIsCompared(
        _ answer: String, _ body: String, _ fresh: String, _ stale: String
    ) async throws {
        let answers = ("/operations/update/answer", Optional(answer))
        #expect(try await update([answers], body).result == fresh)
        #expect(try await update([answers, ("/staleReads", "\"5m\"")], body).result == stale)
    }

    /// Feegow says "no such patient" and "collision" by the same status: only the former is an empty search.
    @Test(arguments: [
        ("Paciente não encontrado", nil), ("O paciente n\\u00e3o existe", nil), ("Registro em uso", "failed"),
        ("", "failed"),
    ]) func aSearchIsEmptyOnlyWhenItSaysSo(_ text: String, _ failure: String?) async throws {
        let http = Script { _, _ in .json(#"{"success":false,"content":"\#(text)"}"#, status: 409) }
        let driver = RESTDriver(
            profile: try Sample.shipped("feegow"), tenant: RESTTenant(credentials: ["token": Secret("t")]), http: http)
        let term = SearchTerm.cpf(try #require(CPF("20000000108")))
        do {
            let page = try await driver.candidates(
                for: term, attempt: 0, PageRequest(.offset(0), size: 10), Sample.context)
            #expect(page.clients.isEmpty)
            #expect(failure == nil)
        } catch {
            #expect(error.name == failure)
        }
    }

    @Test func nobodyIsNoProofOfAChange() async throws {
        let rule = ("/outcomes", Optional(#"[{"when":{"body":{"":{"empty":true}}},"then":"empty"}]"#))
        #expect(try await update([rule, okRule], "{}").result == "outcome unknown")
    }

    @Test func callsPerFieldNeedProofToo() async throws {
        let changes: [(String, String?)] = [
            ("/operations/update", nil), ("/update", #"{"style":"perField","calls":{"name":"rename"}}"#),
            (
                "/operations/rename",
                #"{"method":"PUT","path":"/p/{id}/{value}","outcomes":[{"when":{"body":{"/ok":1}},"then":"ok"}]}"#
            ),
        ]
        #expect(try await update(changes, #"{"ok":1}"#).result == "7")
        #expect(try await update(changes, #"{"ok":0}"#).result == "outcome unknown")
    }

    // MARK: Who is not there

    @Test(arguments: [
        (422, 404, "not found", ["PUT", "GET"]), (409, 404, "not found", ["PUT", "GET"]),
        (422, 200, "refused with 0 reasons", ["PUT", "GET"]), (422, 500, "refused with 0 reasons", ["PUT", "GET"]),
        (500, 404, "failed", ["PUT"]), (404, 404, "not found", ["PUT", "GET"]),
        (404, 200, "failed", ["PUT", "GET"]), (404, 500, "failed", ["PUT", "GET"]),
    ]) func aRefusedChangeMayMeanThatNobodyIsThere(
        _ status: Int, _ get: Int, _ result: String, _ calls: [String]
    ) async throws {
        let shown = UpstreamAnswer.json(#"{"id":"7","name":"Ana Teste"}"#, status: get)
        let (told, requests) = try await update([], "{}", status: status, get: shown)
        #expect(told == result)
        #expect(requests == calls)
    }

    @Test func whoWasReadOrCannotBeReadIsNotAskedForAgain() async throws {
        let shown = UpstreamAnswer.json(#"{"id":"7","name":"Ana Teste"}"#)
        let full = try await update([("/update/style", "\"full\"")], "{}", status: 422, get: shown)
        #expect(full.requests == ["GET", "PUT"])
        let blind = try await update([("/operations/get", nil)], "{}", status: 422)
        #expect(blind.result == "refused with 0 reasons")
        #expect(blind.requests == ["PUT"])
    }

    // MARK: Optional ids

    @Test(arguments: [("conv123", nil), ("007", nil), ("1e5", nil), ("-5", nil), ("12", "12")] as [(String, String?)])
    func anOptionalIDThatHasNoPlaceIsLeftOut(_ id: String, _ sent: String?) async throws {
        let http = Script(#"{"id":"9"}"#)
        let driver = try Sample.driver(
            [
                ("/fields/healthInsurance", #"{"at":"/plan/id","as":"number","set":{"/plan/kind":1},"filler":0}"#),
                ("/fields/location", #"{"each":"/units","where":{"/main":true},"at":"/id","as":"number"}"#),
            ], http)
        let body = #"{"name":"Ana Teste","phone":"5531988880001","healthInsurance":"\#(id)","location":"\#(id)"}"#
        _ = try await driver.create(try ClientDraft(body: Array(body.utf8)), Sample.context)
        let root = try JSONDocument(try #require(http.last?.body)).root
        #expect(root["plan"]?["id"]?.scalarText == sent ?? "0")
        #expect((root["plan"]?["kind"] != nil) == (sent != nil))
        #expect(root["units"]?.elements.first?["id"]?.scalarText == sent)
        #expect((root["units"] != nil) == (sent != nil))
    }

    // MARK: Foreign numbers

    /// Without its plus only where it is read back as the same number.
    @Test(arguments: [
        ("plus", "+351912345678", "+351912345678"), ("digits", "+351912345678", "351912345678"),
        // Ten digits that begin as a Brazilian area code and landline.
        ("digits", "+4532345678", "+4532345678"), ("digits", "+5531988880001", "31988880001"),
    ]) func foreignNumbersAreReadBack(_ foreign: String, _ number: String, _ written: String) async throws {
        let lens = ("/fields/phones", Optional(#"{"at":"/phone","foreign":"\#(foreign)"}"#))
        let http = Script(#"{"id":"9"}"#)
        let phone = try #require(PhoneNumber(number))
        _ = try await Sample.driver([lens], http).create(ClientDraft(name: "Inês", phone: phone), Sample.context)
        let text = try #require(http.last?.text)
        #expect(try JSONDocument(Array(text.utf8)).root["phone"]?.string == written)
        let echo = Script(#"{"id":"9",\#(text.dropFirst())"#)
        #expect(try await Sample.driver([lens], echo).client(ClientID("9"), Sample.context).phone == phone)
    }

    // MARK: Ids

    @Test(arguments: [
        (#"{"at":"/id","format":"number"}"#, #""12""#, true), (#"{"at":"/id","format":"number"}"#, "12", true),
        (#"{"at":"/id","format":"number"}"#, #"" 12 ""#, true),
        (#"{"at":"/id","format":"number"}"#, #""\u0031""#, true),
        (#"{"at":"/id","format":"number"}"#, #""012""#, false), (#"{"at":"/id","format":"number"}"#, "1.0", false),
        (#"{"at":"/id","format":"number"}"#, "-1", false), (#"{"at":"/id","format":"number"}"#, "1e3", false),
        (#"{"at":"/id","format":"number"}"#, #""x\u0031""#, false),
        (#"{"at":"/id","format":"number"}"#, #""\#(String(repeating: "1", count: 21))""#, false),
        (#"{"at":"/id","format":"digits"}"#, #""012""#, true), (#"{"at":"/id","format":"digits"}"#, #""0-12""#, false),
        (#"{"at":["/none","/id"],"format":"digits"}"#, #""012""#, true),
        (#"{"at":["/none","/id"],"format":"digits"}"#, #""a""#, false),
        (#"{"at":"/id","format":"number","absent":["0"]}"#, #""a""#, false),
        (#"{"at":"/id"}"#, #""a 1""#, true),
    ]) func idsLookAsTheProfileSays(_ lens: String, _ id: String, _ isGood: Bool) async throws {
        let row = #"{"id":\#(id),"name":"Ana Teste"}"#
        let http = Script(#"{"items":[{"id":"1","name":"Bruno Exemplo"},\#(row)],"total":2}"#)
        let driver = try Sample.driver([("/fields/id", lens)], http)
        let told = await failure {
            _ = try await driver.page(PageRequest(.offset(0), size: 10), Sample.context)
        }
        #expect(told?.name == (isGood ? nil : "malformed answer"))
    }
}
