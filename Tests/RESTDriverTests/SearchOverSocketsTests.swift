import Bridge
import ClientContract
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// What a search asks a vendor, from the profile to the socket.
@Suite(.timeLimit(.minutes(1))) struct SearchOverSocketsTests {
    /// Runs a search against a vendor.
    private func search(
        _ term: String, _ changes: [(String, String?)], searchBy: [TermKind] = [.phone], atOnce: Int = 16,
        _ answer: @escaping VendorServer.Handler
    ) async throws -> (ids: [String]?, error: ContractError?, requests: [VendorServer.Request]) {
        let engine = try CurlEngine()
        var result: (ids: [String]?, error: ContractError?, requests: [VendorServer.Request]) = (nil, nil, [])
        try await VendorServer.with(answer) { server in
            let driver = RESTDriver(
                profile: try Sample.compile(changes),
                tenant: RESTTenant(baseURL: server.baseURL, credentials: ["key": Secret("k-1")]),
                http: engine.channel(ChannelSettings(maxInFlight: atOnce)))
            let bridge = Bridge(driver: driver, options: BridgeOptions(searchBy: searchBy))
            let context = CallContext(deadline: .now + .seconds(30), requestID: "test")
            do {
                result.ids = try await bridge.search(term, Window(), context).map(\.id.text)
            } catch { result.error = error as? ContractError }
            result.requests = server.requests
        }
        await engine.shutdown()
        return result
    }

    private static func items(_ rows: [String], total: Int? = nil) -> String {
        #"{"items":["# + rows.joined(separator: ",") + "]" + (total.map { ",\"total\":\($0)" } ?? "") + "}"
    }

    private static let spellings = ("/search/phone/spellings", Optional(#"["national","masked","international"]"#))
    private static let untold = ("/operations/find/paging", Optional(#"{"style":"offset","maximum":50}"#))

    @Test(
        "spellings and twins are asked together, no more at once than the tenant allows, none left out",
        arguments: [2, 3])
    func together(_ atOnce: Int) async throws {
        let meeting = Meeting(atOnce)
        let result = try await search("5531988887777", [Self.spellings], atOnce: atOnce) { request, _ in
            await meeting.arrive()
            // The record of each spelling, and one that all of them find.
            let id = Int(request.query["phone", default: ""].filter(\.isNumber)) ?? 0
            return Self.items([
                #"{"id":\#(id),"name":"Ana Teste","phone":"31988887777"}"#,
                #"{"id":7,"name":"Bia Teste","phone":"(31) 8888-7777"}"#,
                #"{"id":8,"name":"Caio Teste","phone":"31977776666"}"#,
            ])
        }
        #expect(result.error == nil)
        // In the order of the spellings, whichever answer came first.
        #expect(result.ids == ["31988887777", "7", "5531988887777", "3188887777", "553188887777"])
        #expect(
            result.requests.compactMap { $0.query["phone"] }.sorted() == [
                "(31) 8888-7777", "(31) 98888-7777", "3188887777", "31988887777", "553188887777", "5531988887777",
            ])
        #expect(await meeting.most == atOnce)
    }

    /// Lets calls go on when as many are there as may be.
    private actor Meeting {
        private let size: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private(set) var most = 0

        init(_ size: Int) { self.size = size }

        func arrive() async {
            await withCheckedContinuation { waiter in
                waiting.append(waiter)
                most = max(most, waiting.count)
                guard waiting.count == size else { return }
                for waiter in waiting { waiter.resume() }
                waiting = []
            }
        }
    }

    @Test(
        "what comes to the same question is asked once",
        arguments: [
            (#"["international","foreign","e164"]"#, "+351912345678", ["+351912345678", "351912345678"]),
            (#"["lastEight","subscriber"]"#, "5531988887777", ["88887777", "988887777"]),
            (#"["national","masked"]"#, "+351912345678", []),
            (#"["national"]"#, "551133334444", ["1133334444"]),
        ])
    func asksOnce(_ spellings: String, _ term: String, _ asked: [String]) async throws {
        let result = try await search(term, [("/search/phone/spellings", spellings)]) { _, _ in Self.items([]) }
        #expect(result.ids == [])
        #expect(result.requests.compactMap { $0.query["phone"] }.sorted() == asked)
    }

    @Test("a name in small letters is asked as it is and in capitals")
    func names() async throws {
        let spellings = ("/search/name/spellings", Optional(#"["asGiven","lowercase","uppercase"]"#))
        let result = try await search("ana teste", [spellings], searchBy: [.name]) { _, _ in Self.items([]) }
        #expect(result.requests.compactMap { $0.query["q"] }.sorted() == ["ANA TESTE", "ana teste"])
    }

    @Test("the same text in another parameter is another question")
    func otherParameters() async throws {
        let attempts =
            #"[{"operation":"find","query":{"mobile":"{term}"},"twin":false},"#
            + #"{"operation":"find","query":{"landline":"{term}"},"twin":false},"#
            + #"{"operation":"find","query":{"mobile":"{term}"},"twin":false}]"#
        let result = try await search("551133334444", [("/search/phone", attempts)]) { _, _ in Self.items([]) }
        #expect(result.requests.count == 2)
        #expect(Set(result.requests.flatMap { $0.query.keys }).isSuperset(of: ["mobile", "landline"]))
    }

    @Test(
        "an ignored filter: nobody leaks, and the calls are counted",
        arguments: [
            ("total", "unproven", 1), ("nothing", "unproven", 2_000 / 50 + 1), ("nothing", "exact", 1),
        ])
    func ignoredFilter(_ tells: String, _ trust: String, _ calls: Int) async throws {
        let changes =
            [
                (
                    "/search/phone",
                    Optional(#"{"operation":"find","query":{"phone":"{term}"},"twin":false,"trust":"\#(trust)"}"#)
                )
            ] + (tells == "total" ? [] : [Self.untold])
        let result = try await search("5531988887777", changes) { request, _ in
            let from = Int(request.query["offset"] ?? "") ?? 0
            return Self.items(
                (from..<(from + 50)).map { #"{"id":\#($0),"name":"Ana Teste","phone":"11977770000"}"# }, total: 9_000)
        }
        #expect(result.error?.code == .upstreamMalformed)
        #expect(result.ids == nil)
        #expect(result.requests.count == calls)
    }

    @Test("one spelling that fails fails the search", arguments: 0..<3)
    func partialFailure(_ failing: Int) async throws {
        let result = try await search(
            "5531988887777", [Self.spellings, ("/search/phone/twin", "false")], atOnce: 1
        ) { _, number in
            number == failing ? "<html>" : Self.items([#"{"id":1,"name":"Ana Teste","phone":"31988887777"}"#])
        }
        #expect(result.ids == nil)
        #expect(result.error?.code == .upstreamMalformed)
    }

    @Test("a conflict in answer to a search is a failure, never a duplicate")
    func conflict() async throws {
        let rule = ("/outcomes", Optional(#"[{"when":{"body":{"/busy":true}},"then":"conflict"}]"#))
        let result = try await search("5531988887777", [rule]) { _, _ in #"{"busy":true}"# }
        #expect(result.error?.code == .upstreamFailed)
    }
}
